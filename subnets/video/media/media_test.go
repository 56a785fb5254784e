package media

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func tools(t *testing.T) *Tools {
	t.Helper()
	tl, err := Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tl
}

const testGraph = "testsrc2=s=160x96:r=25,noise=alls=6:allf=t:all_seed=7,format=yuv420p"

var small = Shape{Width: 160, Height: 96, PixFmt: "yuv420p", Frames: 10}

func limits() Limits { return LimitsFor(160*96, 20, time.Minute) }

// clip makes a short segment.
func clip(t *testing.T, tl *Tools) Input {
	t.Helper()
	out := filepath.Join(t.TempDir(), "clip.mkv")
	if err := tl.Generate(t.Context(), testGraph, small.Frames, 10, out, limits()); err != nil {
		t.Fatal(err)
	}
	in, err := Source(out, "h264")
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// answer strips a stream and puts it into a file.
func answer(t *testing.T, c Codec, raw []byte) (Input, *Stream) {
	t.Helper()
	s, err := Strip(c, raw)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "answer")
	if err := os.WriteFile(path, s.Bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	return Elementary(path, c), s
}

func TestEveryCodecRoundTrips(t *testing.T) {
	tl := tools(t)
	src := clip(t, tl)
	for _, r := range []Recipe{X264("veryfast", SSIM), X265("fast", SSIM), SVTAV1(10), AOM(8, SSIM)} {
		t.Run(r.Encoder, func(t *testing.T) {
			raw, err := tl.Encode(t.Context(), r, r.Start, src, small, limits())
			if err != nil {
				t.Fatal(err)
			}
			in, s := answer(t, r.Codec, raw)
			c, err := tl.Compare(t.Context(), SSIM, in, src, small, limits())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %d bytes, %d counted, %+v", r, len(raw), s.Counted, c.Frames[3])
			if len(c.Frames) != 10 || len(c.Reference) != 10 {
				t.Fatalf("%d frames, %d of the reference", len(c.Frames), len(c.Reference))
			}
			for i, f := range c.Frames {
				if f.Luma < 80 || f.Luma > 99.99 {
					t.Errorf("frame %d: luma %v", i, f.Luma)
				}
			}
			if s.Counted > int64(len(raw))+16 || s.Counted < int64(len(raw))/2 {
				t.Errorf("counted %d bytes of %d", s.Counted, len(raw))
			}
		})
	}
}

func TestAMissingMeasureSaysHowToGetIt(t *testing.T) {
	tl := tools(t)
	delete(tl.filters, "libvmaf")
	if err := tl.Check(VMAFNEG); !errors.Is(err, ErrMeasure) {
		t.Fatal(err)
	}
	if _, err := tl.Compare(context.Background(), VMAFNEG, Input{}, Input{}, small, limits()); !errors.Is(err, ErrMeasure) {
		t.Fatal(err)
	}
}
