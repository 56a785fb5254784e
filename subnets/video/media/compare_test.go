package media

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// remake makes a file of another with ffmpeg.
func remake(t testing.TB, from, name string, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), name)
	all := append([]string{"-v", "error", "-nostdin", "-y", "-i", from}, args...)
	if text, err := exec.Command("ffmpeg", append(all, out)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// TestALosslessAnswerIsPerfectInAnyContainer: pictures are paired by their index, not by
// what a container says of their times.
func TestALosslessAnswerIsPerfectInAnyContainer(t *testing.T) {
	tl := tools(t)
	src := clip(t, tl)
	lossless := []string{"-c:v", "libx264", "-qp", "0", "-preset", "veryfast"}
	for _, c := range []struct {
		name, format string
		args         []string
	}{
		{"a.h264", "h264", nil},
		{"a.mp4", "mov", nil},
		{"late.mp4", "mov", []string{"-vf", "setpts=PTS+3/TB"}},
		{"slow.mp4", "mov", []string{"-vf", "setpts=PTS*4.2"}},
		{"ntsc.mp4", "mov", []string{"-vf", "setpts=N*1001/30000/TB", "-video_track_timescale", "30000"}},
		{"a.mkv", "matroska", []string{"-bf", "3"}},
		{"a.ts", "mpegts", nil},
	} {
		path := remake(t, src.Path, c.name, append(append([]string{"-fps_mode", "passthrough"}, c.args...), lossless...)...)
		got, err := tl.Compare(t.Context(), SSIM, Input{Path: path, Format: c.format, Decoder: "h264"}, src, small, limits())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !slices.Equal(got.Answer, got.Reference) {
			t.Errorf("%s: the frames differ", c.name)
		}
		for i, f := range got.Frames {
			if f.Luma != 100 || f.U != 100 || f.V != 100 || math.Abs(f.Tone[0].Gain-1) > 1e-9 || f.Tone[0].Offset != 0 {
				t.Errorf("%s: frame %d is %+v", c.name, i, f)
			}
		}
	}
}

func TestAWindowOfFramesIsComparedWithItself(t *testing.T) {
	tl := tools(t)
	src := clip(t, tl)
	part := src
	part.First, part.Count = 4, 3
	shape := small
	shape.Frames = 3
	raw, err := tl.Encode(t.Context(), X264("fast", SSIM), 12, part, shape, limits())
	if err != nil {
		t.Fatal(err)
	}
	in, _ := answer(t, H264, raw)
	c, err := tl.Compare(t.Context(), SSIM, in, part, shape, limits())
	if err != nil || len(c.Frames) != 3 || c.Frames[0].Luma < 95 {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := tl.Compare(t.Context(), SSIM, in, src, small, limits()); !errors.Is(err, ErrShape) {
		t.Errorf("against the whole: %v", err)
	}
}

func TestUnitsAreCutWhereTheirPicturesBegin(t *testing.T) {
	tl := tools(t)
	src := clip(t, tl)
	for _, r := range []Recipe{X264("medium", SSIM), X265("fast", SSIM), SVTAV1(10), AOM(8, SSIM)} {
		raw, err := tl.Encode(t.Context(), r, r.Start, src, small, limits())
		if err != nil {
			t.Fatal(err)
		}
		in, s := answer(t, r.Codec, raw)
		c, err := tl.Compare(t.Context(), SSIM, in, src, small, limits())
		if err != nil {
			t.Fatal(err)
		}
		units, err := s.Units(c.Positions)
		if err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		size, seen := 0, map[int]bool{}
		for i, u := range units {
			size += len(u.Bytes)
			seen[u.Display] = true
			if u.Key != (i == 0) {
				t.Errorf("%s: unit %d is a key: %v", r, i, u.Key)
			}
		}
		if len(units) != 10 || len(seen) != 10 || size != len(s.Bytes) {
			t.Errorf("%s: %d units of %d pictures, %d of %d bytes", r, len(units), len(seen), size, len(s.Bytes))
		}
		for name, p := range map[string][]int64{"none": nil, "twice the same": {0, 0}, "beside a unit": {0, 7}, "not from the start": c.Positions[1:], "unknown": {-1, -1}, "behind the end": {0, 1 << 40}} {
			if _, err := s.Units(p); !errors.Is(err, ErrStream) {
				t.Errorf("%s: positions %s give %v", r, name, err)
			}
		}
	}
}

func TestTheFitFindsGainAndOffset(t *testing.T) {
	const width, height = 70, 50 // blocks don't fill it
	ref := make([]byte, width*height)
	for i := range ref {
		ref[i] = byte(60 + (i%width)/16*25 + i/width/16*15)
	}
	ans := make([]byte, len(ref))
	for i, v := range ref {
		ans[i] = byte(math.Round(1.1*(float64(v)-100) + 105))
	}
	got := fitTone(ans, ref, width, height, 16, false)
	if math.Abs(got.Gain-1.1) > 0.01 || got.Spread < 10 {
		t.Errorf("%+v", got)
	}
	same := fitTone(ref, ref, width, height, 16, false)
	if math.Abs(same.Gain-1) > 1e-9 || same.Offset != 0 {
		t.Errorf("with itself: %+v", same)
	}
	// 10 bits are on the same scale.
	wide := func(b []byte) []byte {
		out := make([]byte, 0, 2*len(b))
		for _, v := range b {
			out = append(out, byte(int(v)*4&255), byte(int(v)*4>>8))
		}
		return out
	}
	deep := fitTone(wide(ans), wide(ref), width, height, 16, true)
	if math.Abs(deep.Gain-got.Gain) > 1e-9 || math.Abs(deep.Offset-got.Offset) > 1e-9 || math.Abs(deep.Spread-got.Spread) > 1e-9 {
		t.Errorf("in 10 bits %+v, in 8 %+v", deep, got)
	}
	flat := fitTone(ref, make([]byte, len(ref)), width, height, 16, false)
	if flat.Gain != 1 || flat.Spread != 0 || flat.Offset < 60 {
		t.Errorf("against black: %+v", flat)
	}
	// The strip at the edge that fills no block counts as well.
	edge := slices.Clone(ref)
	for y := range height {
		for x := 64; x < width; x++ {
			edge[y*width+x] = 0
		}
	}
	if e := fitTone(edge, ref, width, height, 16, false); e.Offset > -1 {
		t.Errorf("a black edge: %+v", e)
	}
}

func TestInspectionTellsWhatIsThere(t *testing.T) {
	tl := tools(t)
	src := clip(t, tl)
	path := remake(t, src.Path, "a.mp4", "-c", "copy", "-metadata:s:v:0", "rotate=180")
	info, err := tl.Inspect(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Format != "mov" || info.Codec != "h264" || info.Shape.Width != 160 || info.Rotation != 180 || info.Aspect != [2]int64{1, 1} || info.Rate != 25 {
		t.Errorf("%+v", info)
	}
	flipped := `
00000000:       -65536           0           0
00000001:            0       65536           0
00000002:            0           0  1073741824
`
	if r := quarter(180, flipped); !math.IsNaN(r) {
		t.Errorf("a mirrored picture is turned by %v", r)
	}
	if r := quarter(45, ""); !math.IsNaN(r) {
		t.Errorf("an eighth is %v", r)
	}
	if r := quarter(-90, ""); r != 270 {
		t.Errorf("-90 is %v", r)
	}
}

func TestLogsOfFiltersAreRead(t *testing.T) {
	frames, err := parseSSIM("n:1 Y:0.941234 U:0.95 V:0.96 All:0.95 (13.0)\nn:2 Y:1.000000 U:1 V:1 All:1 (inf)\n")
	if err != nil || len(frames) != 2 || frames[0].Luma != 94.1234 || frames[1].V != 100 {
		t.Errorf("%+v, %v", frames, err)
	}
	if _, err := parseSSIM("something else\n"); err == nil {
		t.Error("nonsense is read")
	}
	luma, err := parseVMAF([]byte(`{"version":"2.3.1","frames":[{"frameNum":0,"metrics":{"integer_adm2":0.98,"vmaf":93.5}},{"frameNum":1,"metrics":{"vmaf":94}}]}`))
	if err != nil || !slices.Equal(luma, []float64{93.5, 94}) {
		t.Errorf("%v, %v", luma, err)
	}
	for _, bad := range []string{"", "{", `{"frames":[{"metrics":{"psnr":3}}]}`} {
		if got, err := parseVMAF([]byte(bad)); err == nil {
			t.Errorf("%q gives %v", bad, got)
		}
	}
	f := parseFrame("n:   3 pts:   1536 pts_time:0.12    pos:     4771 fmt:yuv420p sar:1/1 s:160x96 i:T iskey:1 type:I")
	if f.PTS != 1536 || f.Pos != 4771 || f.Width != 160 || f.Height != 96 || !f.Interlaced || !f.Key || f.PixFmt != "yuv420p" {
		t.Errorf("%+v", f)
	}
	if f := parseFrame("n:0 pts:NOPTS pos:? s:9999999999999999999x"); f.HasPTS || f.Pos != -1 || f.Width != math.MaxInt {
		t.Logf("%+v", f) // whatever it is fits no shape
	}
}

func TestMeasuresThatNobodyKnowsAreRefused(t *testing.T) {
	tl := tools(t)
	if err := tl.Check("psnr"); !errors.Is(err, ErrMeasure) || !strings.Contains(err.Error(), "ssim, vmaf-neg") {
		t.Errorf("%v", err)
	}
	if err := tl.Check(SSIM); err != nil {
		t.Error(err)
	}
	for _, s := range []string{"h264", "avc", "hevc", "h265", "av1"} {
		if _, err := ParseCodec(s); err != nil {
			t.Error(err)
		}
	}
	if _, err := ParseCodec("mpeg9"); err == nil {
		t.Error("mpeg9 is a codec")
	}
	if _, err := Source("x", "cinepak"); err == nil {
		t.Error("cinepak is read")
	}
	if r := SVTAV1(6).Clamp(31.9); r != 31 {
		t.Errorf("31.9 becomes %v", r)
	}
	if r := X264("fast", SSIM).Clamp(99); r != 51 {
		t.Errorf("99 becomes %v", r)
	}
	if SSIM.Tune() != "ssim" || VMAFNEG.Tune() != "" {
		t.Error("tunings")
	}
}

func TestDamageIsSeen(t *testing.T) {
	tl := tools(t)
	src := clip(t, tl)
	raw, err := tl.Encode(t.Context(), X264("fast", SSIM), 20, src, small, limits())
	if err != nil {
		t.Fatal(err)
	}
	for i := len(raw) / 3; i < len(raw)/3+200; i++ {
		raw[i] ^= 0x5A
	}
	s, err := Strip(H264, raw)
	if err != nil {
		return // already that says so
	}
	path := filepath.Join(t.TempDir(), "answer")
	if err := os.WriteFile(path, s.Bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := tl.Compare(t.Context(), SSIM, Elementary(path, H264), src, small, limits())
	if err == nil {
		// Decoders don't see every flipped bit; the measure does.
		worst := 100.0
		for _, f := range got.Frames {
			worst = min(worst, f.Luma)
		}
		if worst > 90 {
			t.Errorf("damage goes unseen: the worst frame has %.2f", worst)
		}
		return
	}
	var child *Error
	if !errors.As(err, &child) && !errors.Is(err, ErrShape) {
		t.Errorf("%v", err)
	}
}
