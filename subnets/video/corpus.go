package video

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"github.com/lodenet/lode/subnets/video/media"
)

// Corpus is where probes come from.
type Corpus interface {
	// Draw writes a random window to a file, as H.264 in Matroska. What is random about
	// it comes from rng alone.
	Draw(ctx context.Context, rng *rand.Rand, size ProbeSize, path string) error
}

// ProbeSize is how large a probe is.
type ProbeSize struct {
	Width, Height int // samples, at most
	Seconds       float64
}

// generatedRate is the frames a second of generated clips.
const generatedRate = 25

// windowRate is x264's rate factor for windows. What a window decodes to is the reference
// from then on, so nothing is lost by it, and miners see what a camera would send.
const windowRate = 8.0

// drawTime bounds making a window.
const drawTime = time.Minute

// Generated is the default corpus: clips made with ffmpeg's sources plus grain. Place,
// motion, colours and grain come from the round's secret seed, so no answer can be
// prepared.
type Generated struct{ Tools *media.Tools }

// Draw makes a new clip.
func (g Generated) Draw(ctx context.Context, rng *rand.Rand, size ProbeSize, path string) error {
	frames := int64(math.Round(size.Seconds * generatedRate))
	limits := media.LimitsFor(int64(size.Width*size.Height)*4, frames, drawTime)
	return g.Tools.Generate(ctx, DefaultClip(rng, size.Width, size.Height), frames, windowRate, path, limits)
}

// DefaultClip returns the filter graph of a generated clip: a slow zoom into the border
// of the Mandelbrot set under drifting coloured light, with a coarse and a fine texture
// that move against it, seen by a camera that pans, and film grain.
//
// What encoders find in it is like what they find in nature: contrast at all scales,
// most at the largest; little detail in the colours; grain that is cheap to smooth but
// costs quality. With too much fine contrast, or colour as sharp as light, other bounds
// of the gate than quality would decide, and encoders would all look alike.
func DefaultClip(rng *rand.Rand, width, height int) string {
	// A point on the border of the main cardioid: there is detail at every scale.
	t := rng.Float64() * 2 * math.Pi
	x := math.Cos(t)/2 - math.Cos(2*t)/4
	y := math.Sin(t)/2 - math.Sin(2*t)/4
	scale := math.Exp(rng.Float64()*3 - 4)
	// The camera sees a part of a larger picture, and pans over it.
	bw, bh := width*3/2&^1, height*3/2&^1
	seed := func() uint32 { return rng.Uint32() >> 1 }
	pan := func() string {
		a, b, v := rng.Float64()*2*math.Pi, rng.Float64()*2*math.Pi, 0.5+rng.Float64()
		return fmt.Sprintf("crop=%d:%d:x='(iw-ow)*(0.5+0.5*sin(%.4f+%.4f*t))':y='(ih-oh)*(0.5+0.5*sin(%.4f+%.4f*t))'", width, height, a, v, b, v)
	}
	texture := func(width, height int, sigma, contrast float64) string {
		return fmt.Sprintf("color=c=gray:s=%dx%d:r=%d,format=yuv420p,noise=c0_seed=%d:c0_strength=100,gblur=sigma=%.2f,eq=contrast=%.2f",
			width, height, generatedRate, seed(), sigma, contrast)
	}
	light := fmt.Sprintf("gradients=s=%dx%d:r=%d:seed=%d:nb_colors=5:speed=%.4f", bw, bh, generatedRate, seed(), 0.005+0.02*rng.Float64())
	for i := range 5 {
		light += fmt.Sprintf(":c%d=0x%06x", i, rng.Uint32()&0xffffff)
	}
	light += ",hue=s=0.6,format=yuv420p"
	// Drawn at twice the size: what would flicker from pixel to pixel is averaged.
	fractal := fmt.Sprintf("mandelbrot=s=%dx%d:r=%d:start_x=%.9f:start_y=%.9f:start_scale=%.6f:end_scale=%.6f:end_pts=250:maxiter=120,scale=%d:%d:flags=area,hue=s=0.25,format=yuv420p",
		2*bw, 2*bh, generatedRate, x, y, scale, scale*0.6, bw, bh)
	coarse := texture(bw/10&^1, bh/10&^1, 1.2, 3.4) + fmt.Sprintf(",scale=%d:%d:flags=bicubic,%s", bw, bh, pan())
	fine := texture(bw, bh, 1.6+0.6*rng.Float64(), 1.2+0.5*rng.Float64()) + "," + pan()
	const overlay = "blend=c0_mode=overlay:c1_mode=normal:c2_mode=normal"
	return fmt.Sprintf("%s[l];%s[m];%s[c];%s[f];[m][l]blend=all_mode=average,eq=contrast=0.85,%s[a];[a][c]%s[b];[b][f]%s,"+
		"noise=c0_seed=%d:c0_strength=%d:c0_flags=t+u:c1_seed=%d:c1_strength=1:c1_flags=t:c2_seed=%d:c2_strength=1:c2_flags=t,format=yuv420p",
		light, fractal, coarse, fine, pan(), overlay, overlay, seed(), 3+rng.IntN(2), seed(), seed())
}

// Folder is a corpus of somebody's own videos.
type Folder struct {
	tools *media.Tools
	clips []media.Info
}

// ErrCorpus says that there is nothing to draw from.
var ErrCorpus = errors.New("no usable video")

// clipSuffixes are the names of files that a folder is searched for.
var clipSuffixes = []string{".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".ts", ".mts", ".ogv", ".flv"}

// OpenFolder looks for videos under a folder. Those that can't be used are told to skip,
// if it isn't nil, with the reason.
func OpenFolder(ctx context.Context, tools *media.Tools, dir string, skip func(path string, err error)) (*Folder, error) {
	f := &Folder{tools: tools}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || !hasSuffix(strings.ToLower(path), clipSuffixes) {
			return ctx.Err()
		}
		if path, err = filepath.Abs(path); err != nil {
			return err
		}
		info, err := tools.Inspect(ctx, path)
		if err == nil {
			err = usable(info)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if skip != nil {
				skip(path, err)
			}
			return nil
		}
		f.clips = append(f.clips, info)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the clips in %s: %w", dir, err)
	}
	if len(f.clips) == 0 {
		return nil, fmt.Errorf("%w in %s: put videos of at least 2 s and %dx%d there (%s)", ErrCorpus, dir, media.MinSide, media.MinSide, strings.Join(clipSuffixes, ", "))
	}
	return f, nil
}

func hasSuffix(s string, suffixes []string) bool {
	for _, x := range suffixes {
		if strings.HasSuffix(s, x) {
			return true
		}
	}
	return false
}

func usable(i media.Info) error {
	switch {
	case i.Duration < 2:
		return fmt.Errorf("%.1f s are too short", i.Duration)
	case i.Rate < 1 || i.Rate > 120:
		return fmt.Errorf("%.1f frames a second: between 1 and 120 are taken", i.Rate)
	case i.Shape.Width < media.MinSide || i.Shape.Height < media.MinSide:
		return fmt.Errorf("%dx%d is too small", i.Shape.Width, i.Shape.Height)
	}
	return nil
}

// Clips returns how many videos there are.
func (f *Folder) Clips() int { return len(f.clips) }

// Draw cuts a window out of a random clip, at a random moment and place.
func (f *Folder) Draw(ctx context.Context, rng *rand.Rand, size ProbeSize, path string) error {
	clip := f.clips[rng.IntN(len(f.clips))]
	even := func(n int) int { return n &^ 1 }
	crop := media.Crop{Width: even(min(size.Width, clip.Shape.Width)), Height: even(min(size.Height, clip.Shape.Height))}
	crop.X = rng.IntN(clip.Shape.Width - crop.Width + 1)
	crop.Y = rng.IntN(clip.Shape.Height - crop.Height + 1)
	w := media.Window{
		Start:  rng.Float64() * max(0, clip.Duration-size.Seconds-0.2),
		Frames: max(8, int64(math.Round(size.Seconds*min(60, clip.Rate)))),
		Crop:   crop, Rate: windowRate,
	}
	limits := media.LimitsFor(int64(clip.Shape.Width)*int64(clip.Shape.Height), 300, drawTime)
	return f.tools.Cut(ctx, clip, w, path, limits)
}
