package video

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/lodenet/lode/subnets/video/media"
)

// ErrCheck says that the joined file is not what it should be. It is never delivered.
var ErrCheck = errors.New("the joined file is wrong")

// finish joins the segments, checks the result and puts it where it was asked for.
func (c *compression) finish(ctx context.Context) (*CompressReport, error) {
	c.progress(Progress{Stage: "join", Segments: len(c.segments), Done: len(c.segments)})
	video := filepath.Join(c.dir, "video.mkv")
	shift, lasts, err := c.writeVideo(video)
	if err != nil {
		return nil, err
	}
	// In the output's own folder, so that it takes its place in one step.
	tmp, err := os.CreateTemp(filepath.Dir(c.opts.Out), ".lode-*"+filepath.Ext(c.opts.Out))
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name()) // fails once it is renamed, as it should
	if err := tmp.Close(); err != nil {
		return nil, err
	}
	limits := media.LongLimits(c.scan.Shape, c.info.Bytes)
	err = c.tools.Join(ctx, media.Joining{
		Video: video, Shift: shift, Lasts: lasts, Codec: c.codec, Original: c.info, First: c.scan.Seconds(0), Carry: c.carry, Format: c.format,
	}, tmp.Name(), limits)
	if err != nil {
		return nil, err
	}
	c.progress(Progress{Stage: "check", Segments: len(c.segments), Done: len(c.segments)})
	joined, err := c.checkJoined(ctx, tmp.Name(), limits)
	if err != nil {
		return nil, err
	}
	r := c.report(joined)
	st, err := os.Stat(tmp.Name())
	if err != nil {
		return nil, err
	}
	r.BytesOut = st.Size()
	r.Saved = 1 - float64(r.BytesOut)/float64(max(1, r.BytesIn))
	if err := os.Chmod(tmp.Name(), 0o644); err != nil {
		return nil, err
	}
	if c.opts.Force {
		return r, os.Rename(tmp.Name(), c.opts.Out)
	}
	// A link, unlike a rename, does not replace what came to be there meanwhile.
	if err := os.Link(tmp.Name(), c.opts.Out); errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%w: %s; name another, or overwrite it with --force", ErrExists, c.opts.Out)
	} else if err != nil {
		return r, os.Rename(tmp.Name(), c.opts.Out) // a file system without links
	}
	return r, nil
}

// writeVideo writes the segments' units one after the other, in the rhythm in which the
// original shows its pictures. It returns by how much pictures are then shown later than
// in the original, and how long the last one lasts, in microseconds.
func (c *compression) writeVideo(path string) (shift, lasts int64, err error) {
	shown := make([]int64, len(c.scan.Frames)) // µs, by display order
	for i := range shown {
		shown[i] = int64(math.Round((c.scan.Seconds(i) - c.scan.Seconds(0)) * 1e6))
	}
	// The n-th picture to be decoded is decoded when the n-th is shown. Some are shown
	// sooner than that: all are put off by what the worst of them needs.
	err = c.eachUnit(func(n, display int, _ media.Unit) error {
		shift = max(shift, shown[n]-shown[display])
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	if last := len(shown) - 1; last > 0 {
		lasts = shown[last] / int64(last)
	}
	f, err := os.Create(path)
	if err != nil {
		return 0, 0, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	var m *media.MatroskaWriter
	err = c.eachUnit(func(n, display int, u media.Unit) error {
		if m == nil {
			m = media.NewMatroskaWriter(w, c.codec, c.scan.Shape, u.Sets(c.codec))
		}
		return m.Write(u, shown[n], shown[display]+shift-shown[n])
	})
	return shift, lasts, errors.Join(err, w.Flush(), f.Close())
}

// eachUnit calls do for all units in the order of decoding, with their place in it and in
// that of display.
func (c *compression) eachUnit(do func(n, display int, u media.Unit) error) error {
	n := 0
	for i, s := range c.segments {
		raw, err := os.ReadFile(c.done[i].units)
		if err != nil {
			return err
		}
		stream, err := media.Strip(c.codec, raw)
		if err != nil {
			return err
		}
		units, err := stream.Units(c.done[i].judged.Comparison.Positions)
		if err != nil {
			return err
		}
		for _, u := range units {
			if err := do(n, int(s.first)+u.Display, u); err != nil {
				return err
			}
			n++
		}
	}
	return nil
}

// checkJoined decodes the joined file: the same number of frames as the original at the
// same times, each the very frame that was measured, and measures the whole once more.
func (c *compression) checkJoined(ctx context.Context, path string, limits media.Limits) (Quality, error) {
	fail := func(format string, args ...any) (Quality, error) {
		return Quality{}, fmt.Errorf("%w: %w; this is a bug, please report it", ErrCheck, fmt.Errorf(format, args...))
	}
	info, err := c.tools.Inspect(ctx, path)
	if err != nil {
		return fail("%w", err)
	}
	if info.Rotation != c.info.Rotation {
		return fail("it is turned by %v°, not %v°", info.Rotation, c.info.Rotation)
	}
	if info.Aspect != c.info.Aspect {
		return fail("its samples are %v, not %v", info.Aspect, c.info.Aspect)
	}
	for _, tag := range [][3]string{
		{"range", c.info.Colors.Range, info.Colors.Range}, {"matrix", c.info.Colors.Matrix, info.Colors.Matrix},
		{"primaries", c.info.Colors.Primaries, info.Colors.Primaries}, {"transfer", c.info.Colors.Transfer, info.Colors.Transfer},
	} {
		if tag[1] != "" && tag[1] != tag[2] {
			return fail("its colour %s is %q, not %q", tag[0], tag[2], tag[1])
		}
	}
	scan, err := c.tools.Scan(ctx, info.Input(), info.Shape, c.scan.Shape.Frames+1, limits)
	if err != nil {
		return fail("%w", err)
	}
	if scan.Shape != c.scan.Shape {
		return fail("it has %s, not %s", scan.Shape, c.scan.Shape)
	}
	shift := scan.Seconds(0) - c.scan.Seconds(0)
	for i := range scan.Frames {
		want := c.scan.Seconds(i) - c.scan.Seconds(0)
		if got := scan.Seconds(i) - scan.Seconds(0); math.Abs(got-want) > 0.0011 {
			return fail("frame %d is shown after %.4f s, not %.4f s", i, got, want)
		}
	}
	if math.Abs(shift) > 0.03 && len(c.carry) > 0 {
		return fail("its picture is %.3f s off from its sound", shift)
	}
	for i, s := range c.segments {
		if !slices.Equal(scan.Hashes(s.first, s.first+s.shape.Frames), c.done[i].judged.Comparison.Answer) {
			return fail("segment %d does not show what was measured", i+1)
		}
	}
	if err := c.checkCarried(ctx, info); err != nil {
		return fail("%w", err)
	}
	// The frames are those that were measured: their sum is the clip's quality.
	var all []media.FrameQuality
	for _, f := range c.done {
		all = append(all, f.judged.Comparison.Frames...)
	}
	q := Summarize(all)
	if q.Mean < c.gate.Quality {
		return fail("its quality is %.3f, not %.3f", q.Mean, c.gate.Quality)
	}
	return q, nil
}

// checkCarried compares the packets of what was carried over.
func (c *compression) checkCarried(ctx context.Context, info media.Info) error {
	var indexes []int
	for _, o := range info.Others {
		if !o.Cover && (o.Kind == "audio" || o.Kind == "subtitle") {
			indexes = append(indexes, o.Index)
		}
	}
	if len(indexes) != len(c.carry) {
		return fmt.Errorf("it has %d streams beside the video, not %d", len(indexes), len(c.carry))
	}
	hashes, err := c.tools.PacketHashes(ctx, info, indexes, media.HashLimits())
	if err != nil {
		return err
	}
	for i := range hashes {
		if hashes[i] != c.audio[i] {
			return fmt.Errorf("stream %d is not bit for bit the original's", c.carry[i])
		}
	}
	return nil
}
