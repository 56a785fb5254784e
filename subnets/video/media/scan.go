package media

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ScannedFrame is a decoded frame of a clip, in display order.
type ScannedFrame struct {
	PTS  int64 // in units of the scan's time base
	Key  bool
	Hash [32]byte
}

// Scan is a clip decoded from end to end.
type Scan struct {
	Shape    Shape
	TimeBase [2]int64 // seconds a unit: numerator, denominator
	Frames   []ScannedFrame
	Colors   Colors
	// Lossy says that frames carry side data (HDR, stereo) that encoders would drop.
	Lossy      bool
	Interlaced bool
}

// Scan decodes a clip and says what is really in it. limit is the most frames that it
// may have; damage of any kind gives [ErrDamaged].
func (t *Tools) Scan(ctx context.Context, in Input, shape Shape, limit int64, l Limits) (*Scan, error) {
	if err := shape.CheckPicture(); err != nil {
		return nil, err
	}
	info := newInfoReader(limit+1, "scan")
	sink := &hashSink{size: int(shape.frameBytes())}
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info", "-xerror", "-filter_threads", "1"}
	args = append(args, in.args(shape)...)
	args = append(args, "-map", in.stream(), "-fps_mode", "passthrough", "-autoscale", "0", "-vf", in.window()+"showinfo@scan=checksum=0",
		"-frames:v", strconv.FormatInt(limit+1, 10), "-f", "rawvideo", "pipe:1")
	err := t.run(ctx, t.ffmpeg, command{
		op: "decode", limits: l, stdout: sink, line: info.line, args: args,
		damage: []string{"ended prematurely", "partial file", "Packet corrupt", "corrupt decoded frame"},
	})
	b := info.branches["scan"]
	var bad *Error
	if errors.As(err, &bad) && errors.Is(err, ErrMedia) {
		return nil, fmt.Errorf("%w after frame %d: %s", ErrDamaged, b.count, bad.Detail)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case b.count == 0:
		return nil, fmt.Errorf("%w: it has no frames", ErrDamaged)
	case b.count > limit:
		return nil, fmt.Errorf("%w: it has more than %d frames", ErrLimit, limit)
	case int64(len(sink.hashes)) != b.count || len(sink.buf) != 0:
		return nil, fmt.Errorf("%w: its pictures change in size or format", ErrShape)
	}
	s := &Scan{Shape: shape, Colors: b.frames[0].Colors}
	s.Shape.Frames = b.count
	num, den, _ := strings.Cut(b.timebase, "/")
	s.TimeBase = [2]int64{int64(number(num)), int64(number(den))}
	if s.TimeBase[0] <= 0 || s.TimeBase[1] <= 0 {
		return nil, fmt.Errorf("%w: its time base is %q", ErrDamaged, b.timebase)
	}
	for i, f := range b.frames {
		switch {
		case f.Width != shape.Width || f.Height != shape.Height || f.PixFmt != shape.PixFmt:
			return nil, fmt.Errorf("%w: frame %d is %dx%d %s, the first was said to be %dx%d %s", ErrShape, i, f.Width, f.Height, f.PixFmt, shape.Width, shape.Height, shape.PixFmt)
		case !f.HasPTS:
			return nil, fmt.Errorf("%w: frame %d has no timestamp", ErrDamaged, i)
		case i > 0 && f.PTS <= b.frames[i-1].PTS:
			return nil, fmt.Errorf("%w: the timestamp of frame %d is not after the one before", ErrDamaged, i)
		}
		s.Lossy = s.Lossy || f.HDR
		s.Interlaced = s.Interlaced || f.Interlaced
		s.Frames = append(s.Frames, ScannedFrame{PTS: f.PTS, Key: f.Key, Hash: sink.hashes[i]})
	}
	return s, nil
}

// Hashes returns the hashes of the frames [first, end).
func (s *Scan) Hashes(first, end int64) [][32]byte {
	var out [][32]byte
	for _, f := range s.Frames[first:end] {
		out = append(out, f.Hash)
	}
	return out
}

// hashSink reads raw frames and keeps their hashes.
type hashSink struct {
	size   int
	buf    []byte
	hashes [][32]byte
}

func (s *hashSink) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		take := min(s.size-len(s.buf), len(p))
		s.buf = append(s.buf, p[:take]...)
		p = p[take:]
		if len(s.buf) == s.size {
			s.hashes = append(s.hashes, sha256.Sum256(s.buf))
			s.buf = s.buf[:0]
		}
	}
	return n, nil
}
