package media

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Recipe is an encoder with its settings, all but the rate.
type Recipe struct {
	Codec   Codec
	Encoder string // ffmpeg's name
	Preset  string // or the speed, in the encoder's own terms
	Tune    string // "" for none
	// Whole says that the encoder takes whole rate factors only.
	Whole bool
	// Min and Max bound the rate factor: the best quality, the worst.
	Min, Max float64
	// Start is the rate factor that gives an SSIM of 0.95 on the default clip: a first
	// guess. Step is by how much one more lowers −log10(1 − SSIM) there.
	Start, Step float64
}

// X264 returns a recipe for libx264.
func X264(preset string, m Measure) Recipe {
	return Recipe{Codec: H264, Encoder: "libx264", Preset: preset, Tune: m.Tune(), Min: 1, Max: 51, Start: 24.5, Step: 0.068}
}

// X265 returns a recipe for libx265.
func X265(preset string, m Measure) Recipe {
	return Recipe{Codec: HEVC, Encoder: "libx265", Preset: preset, Tune: m.Tune(), Min: 1, Max: 51, Start: 27, Step: 0.066}
}

// SVTAV1 returns a recipe for libsvtav1; preset is 0 to 13.
func SVTAV1(preset int) Recipe {
	return Recipe{Codec: AV1, Encoder: "libsvtav1", Preset: strconv.Itoa(preset), Whole: true, Min: 1, Max: 63, Start: 39, Step: 0.039}
}

// AOM returns a recipe for libaom; speed is 0 to 8.
func AOM(speed int, m Measure) Recipe {
	return Recipe{Codec: AV1, Encoder: "libaom-av1", Preset: strconv.Itoa(speed), Tune: m.Tune(), Whole: true, Min: 1, Max: 63, Start: 40, Step: 0.037}
}

// Clamp returns the rate factor within the recipe's bounds, whole where it must be.
func (r Recipe) Clamp(rate float64) float64 {
	if r.Whole {
		rate = math.Floor(rate)
	}
	return min(r.Max, max(r.Min, rate))
}

// String names the recipe for logs: "libx264 medium ssim".
func (r Recipe) String() string {
	return strings.TrimSpace(strings.Join([]string{r.Encoder, r.Preset, r.Tune}, " "))
}

// keyint is the most frames between key frames. Segments are short; a viewer can still
// seek in a long one.
const keyint = 240

// args are the encoder's options: one thread, closed groups of pictures, a key frame
// first, parameters repeated in the stream.
func (r Recipe) args(rate float64) []string {
	crf := strconv.FormatFloat(rate, 'f', 3, 64)
	if r.Whole {
		crf = strconv.Itoa(int(rate))
	}
	g := strconv.Itoa(keyint)
	args := []string{"-c:v", r.Encoder, "-threads", "1", "-crf", crf}
	switch r.Encoder {
	case "libx264":
		args = append(args, "-preset", r.Preset, "-g", g, "-x264-params", "open-gop=0:threads=1:lookahead-threads=1")
	case "libx265":
		args = append(args, "-preset", r.Preset, "-g", g, "-x265-params", "open-gop=0:repeat-headers=1:info=0:pools=none:frame-threads=1:log-level=error")
	case "libsvtav1":
		args = append(args, "-preset", r.Preset, "-g", g, "-svtav1-params", "lp=1:irefresh-type=2")
	case "libaom-av1":
		args = append(args, "-cpu-used", r.Preset, "-g", g, "-b:v", "0", "-row-mt", "0")
	}
	if r.Tune != "" {
		args = append(args, "-tune", r.Tune)
	}
	return args
}

// Encode encodes a source at a rate factor and returns the elementary stream. Frames are
// taken as they come, one for one, at a nominal 25 a second.
func (t *Tools) Encode(ctx context.Context, r Recipe, rate float64, src Input, shape Shape, l Limits) ([]byte, error) {
	if !t.HasEncoder(r.Encoder) {
		return nil, fmt.Errorf("ffmpeg %s has no encoder %s", t.version, r.Encoder)
	}
	dir, err := os.MkdirTemp("", "lode-encode-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning", "-xerror", "-filter_threads", "1", "-r", "25"}
	args = append(args, src.args(shape)...)
	if w := src.window(); w != "" {
		args = append(args, "-vf", w+"setpts=N")
	}
	args = append(args, "-map", src.stream(), "-fps_mode", "passthrough", "-frames:v", strconv.FormatInt(shape.Frames, 10), "-pix_fmt", shape.PixFmt)
	args = append(args, r.args(rate)...)
	args = append(args, "-f", r.Codec.stream(), "out")
	if err := t.run(ctx, t.ffmpeg, command{op: "encode with " + r.Encoder, limits: l, dir: dir, line: quiet, args: args}); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "out"))
}
