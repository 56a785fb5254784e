package media

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// made returns what an encoder makes of a small clip.
func made(t testing.TB, format string, args ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	all := append([]string{"-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=25", "-frames:v", "10", "-pix_fmt", "yuv420p"}, args...)
	if text, err := exec.Command("ffmpeg", append(all, "-f", format, out)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestStrippedStreamsStripToThemselves(t *testing.T) {
	for c, raw := range map[Codec][]byte{
		H264: made(t, "h264", "-c:v", "libx264"),
		HEVC: made(t, "hevc", "-c:v", "libx265", "-x265-params", "log-level=error"),
		AV1:  made(t, "obu", "-c:v", "libsvtav1", "-preset", "12"),
	} {
		a, err := Strip(c, raw)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Strip(c, a.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes, b.Bytes) || a.Counted != b.Counted || b.Dropped != 0 {
			t.Errorf("%s: %d bytes, then %d; %d dropped", c, len(a.Bytes), len(b.Bytes), b.Dropped)
		}
		if a.Counted <= 0 || a.Counted > int64(len(a.Bytes)) {
			t.Errorf("%s: %d counted of %d", c, a.Counted, len(a.Bytes))
		}
	}
}

func TestWhatNoDecoderNeedsIsTakenOut(t *testing.T) {
	avc := made(t, "h264", "-c:v", "libx264")
	hevc := made(t, "hevc", "-c:v", "libx265", "-x265-params", "log-level=error:repeat-headers=1")
	av1 := made(t, "obu", "-c:v", "libsvtav1", "-preset", "12")
	nal := func(head ...byte) []byte {
		return append(append([]byte{0, 0, 0, 1}, head...), bytes.Repeat([]byte{0xAB}, 300)...)
	}
	obu := func(kind byte) []byte {
		return append([]byte{kind<<3 | 2, 0xAC, 0x02}, bytes.Repeat([]byte{0xAB}, 300)...) // 300 bytes
	}
	for name, c := range map[string]struct {
		codec     Codec
		raw, junk []byte
	}{
		"h264 filler":        {H264, avc, nal(12)},
		"h264 sei":           {H264, avc, nal(6, 5, 255)},
		"h264 delimiter":     {H264, avc, nal(9)},
		"h264 reserved":      {H264, avc, nal(22)},
		"h264 unspecified":   {H264, avc, nal(30)},
		"h264 auxiliary":     {H264, avc, nal(19)},
		"h264 extension":     {H264, avc, nal(20)},
		"h264 zeros":         {H264, avc, make([]byte, 300)},
		"hevc filler":        {HEVC, hevc, nal(38<<1, 1)},
		"hevc sei":           {HEVC, hevc, nal(39<<1, 1)},
		"hevc suffix sei":    {HEVC, hevc, nal(40<<1, 1)},
		"hevc reserved":      {HEVC, hevc, nal(44<<1, 1)},
		"hevc unspecified":   {HEVC, hevc, nal(50<<1, 1)},
		"hevc reserved irap": {HEVC, hevc, nal(22<<1, 1)},
		"av1 metadata":       {AV1, av1, obu(5)},
		"av1 padding":        {AV1, av1, obu(15)},
		"av1 reserved":       {AV1, av1, obu(9)},
		"av1 tile list":      {AV1, av1, obu(8)},
	} {
		plain, err := Strip(c.codec, c.raw)
		if err != nil {
			t.Fatal(err)
		}
		padded, err := Strip(c.codec, append(bytes.Clone(c.raw), c.junk...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if padded.Counted != plain.Counted || !bytes.Equal(padded.Bytes, plain.Bytes) || padded.Dropped < plain.Dropped+290 {
			t.Errorf("%s: %d counted, without it %d; %d dropped", name, padded.Counted, plain.Counted, padded.Dropped)
		}
	}
}

func TestStreamsOfAnotherKindAreRefused(t *testing.T) {
	avc := made(t, "h264", "-c:v", "libx264", "-profile:v", "high")
	main := made(t, "h264", "-c:v", "libx264", "-profile:v", "main")
	for name, c := range map[string]struct {
		codec Codec
		raw   []byte
	}{
		"nothing":                      {H264, nil},
		"no start code":                {H264, []byte("hello, this is no video")},
		"something before it":          {H264, append([]byte{1, 2, 3}, avc...)},
		"only padding":                 {H264, []byte{0, 0, 0, 1, 12, 255, 255, 128}},
		"pictures without parameters":  {H264, []byte{0, 0, 0, 1, 0x65, 1, 2, 3, 4}},
		"a profile for professionals":  {H264, made(t, "h264", "-c:v", "libx264", "-qp", "0")},
		"a profile that changes":       {H264, append(bytes.Clone(avc), main...)},
		"the forbidden bit":            {H264, []byte{0, 0, 0, 1, 0xE7, 100, 0, 10, 5}},
		"h264 as hevc":                 {HEVC, avc},
		"h264 as av1":                  {AV1, avc},
		"an av1 unit without its size": {AV1, []byte{0x10, 1, 2, 3}},
		"an av1 unit that is cut off":  {AV1, []byte{0x12, 0, 0x0A, 100, 1}},
		"an av1 size without an end":   {AV1, []byte{0x12, 0, 0x0A, 255, 255, 255, 255, 255, 255}},
		"no delimiter":                 {AV1, []byte{0x0A, 2, 0, 0}},
		"another codec":                {"vp9", avc},
	} {
		if s, err := Strip(c.codec, c.raw); err == nil {
			t.Errorf("%s is taken: %+v", name, s.Profile)
		} else if c.codec != "vp9" && !errors.Is(err, ErrStream) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzStrip(f *testing.F) {
	f.Add(byte(0), []byte{0, 0, 0, 1, 0x67, 100, 0, 10, 5, 0, 0, 1, 0x65, 1, 2})
	f.Add(byte(1), []byte{0, 0, 0, 1, 0x42, 1, 1, 1, 0x60, 0, 0, 1, 0x26, 1, 2})
	f.Add(byte(2), []byte{0x12, 0, 0x0A, 3, 0, 0, 0, 0x32, 2, 1, 2})
	f.Fuzz(func(t *testing.T, which byte, raw []byte) {
		c := Codecs()[int(which)%3]
		s, err := Strip(c, raw)
		if err != nil {
			return
		}
		// A start code grows by a byte at most, and nothing is made up.
		if int64(len(s.Bytes)) > int64(len(raw))*4/3+4 || s.Counted > int64(len(s.Bytes)) {
			t.Fatalf("%d bytes became %d, %d counted", len(raw), len(s.Bytes), s.Counted)
		}
		again, err := Strip(c, s.Bytes)
		if err != nil || !bytes.Equal(again.Bytes, s.Bytes) {
			t.Fatalf("stripped twice: %v", err)
		}
		if units, err := s.Units([]int64{0}); err == nil && len(units) != 1 {
			t.Fatalf("%d units", len(units))
		}
	})
}
