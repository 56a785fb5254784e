package video

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lodenet/lode/subnets/video/media"
)

// ffmpeg runs ffmpeg as a person would, to make clips.
func ffmpeg(t testing.TB, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffmpeg", append([]string{"-v", "error", "-nostdin", "-y"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// picture is a source for clips of so many seconds.
func picture(seconds string) []string {
	return []string{"-f", "lavfi", "-i", "testsrc2=s=160x96:r=25:d=" + seconds + ",noise=c0s=6:c0f=t+u:c0_seed=3"}
}

// makeClip makes a clip; args come after the source and before the output.
func makeClip(t testing.TB, name, seconds string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	all := append(picture(seconds), args...)
	if !strings.Contains(strings.Join(args, " "), "-c:v") {
		all = append(all, "-c:v", "libx264", "-preset", "veryfast", "-crf", "12", "-g", "25", "-pix_fmt", "yuv420p")
	}
	ffmpeg(t, append(all, path)...)
	return path
}

// market is a subnet that a customer reaches through the gateway of v0.
func market(t testing.TB, miners ...http.Handler) (*http.Client, []string, *fakeMesh) {
	t.Helper()
	n, fm := network(t, "{}", miners...)
	v := validator(t, ValidatorConfig{})
	v.gateway.follow(n)
	fm.mu.Lock()
	fm.handlers["v0"] = v.Gateway()
	fm.mu.Unlock()
	return fm.as("customer"), []string{GatewayURL("v0", 1)}, fm
}

// options ask for something quick.
func options(in, out string) CompressOptions {
	o := DefaultCompressOptions()
	o.In, o.Out, o.Codec, o.Quality, o.Segment = in, out, "h264", 96, time.Second
	return o
}

// streamHashes are the hashes of a file's streams of a kind, as ffmpeg itself says.
func streamHashes(t testing.TB, path, kind string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-i", path, "-map", "0:"+kind, "-c", "copy", "-f", "streamhash", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func probeText(t testing.TB, path, entries string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-show_entries", entries, "-of", "compact=p=0", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// onlyInput fails the test if the output's folder holds anything but what was there.
func onlyFiles(t testing.TB, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	if strings.Join(have, " ") != strings.Join(want, " ") {
		t.Errorf("the folder holds %v, want %v", have, want)
	}
}

func TestAClipComesBackSmallerWithItsSound(t *testing.T) {
	client, gateways, _ := market(t, miner(t, StrategyX264), miner(t, StrategyX265))
	in := makeClip(t, "in.mp4", "3.2", "-f", "lavfi", "-i", "sine=440:d=3.2", "-c:a", "aac", "-shortest", "-metadata", "title=A test")
	out := filepath.Join(t.TempDir(), "out.mp4")
	o := options(in, out)
	o.Codec = "av1"
	var mu sync.Mutex
	var stages []string
	last := Progress{}
	r, err := Compress(t.Context(), tools(t), client, gateways, o, func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
			stages = append(stages, p.Stage)
		}
		if p.Done < last.Done {
			t.Errorf("progress went back from %d to %d", last.Done, p.Done)
		}
		last = p
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", r)
	if got := strings.Join(stages, " "); got != "read cut compress join check" {
		t.Errorf("stages %s", got)
	}
	if r.Frames != 80 || len(r.Segments) != 3 || r.Carried != 1 {
		t.Errorf("%d frames, %d segments, %d carried", r.Frames, len(r.Segments), r.Carried)
	}
	if r.BytesOut >= r.BytesIn || r.Saved <= 0 || r.Quality.Mean < 96 || r.Quality.Min < 90 {
		t.Errorf("%d of %d bytes, quality %+v", r.BytesOut, r.BytesIn, r.Quality)
	}
	work := 0
	for _, w := range r.Workers {
		work += w.Segments
	}
	if work != 3 {
		t.Errorf("%d segments by workers %+v", work, r.Workers)
	}
	if a, b := streamHashes(t, in, "a"), streamHashes(t, out, "a"); a != b || a == "" {
		t.Errorf("the sound is %q, was %q", b, a)
	}
	info, err := tools(t).Inspect(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	if info.Codec != "av1" || info.Shape.Frames != 80 {
		t.Errorf("the output is %+v", info)
	}
	if got := probeText(t, out, "format_tags=title"); got != "tag:title=A test" {
		t.Errorf("the title became %q", got)
	}
}

// compressed compresses a clip by quick miners and returns the report.
func compressed(t *testing.T, in, out string, change func(*CompressOptions)) *CompressReport {
	t.Helper()
	client, gateways, _ := market(t, quick(t))
	o := options(in, out)
	if change != nil {
		change(&o)
	}
	r, err := Compress(t.Context(), tools(t), client, gateways, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatPlayersNeedIsCarriedOver(t *testing.T) {
	srt := filepath.Join(t.TempDir(), "s.srt")
	if err := os.WriteFile(srt, []byte("1\n00:00:00,100 --> 00:00:00,900\nHello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, in, out string
		args          []string
		entries       string // of ffprobe, which must stay
		want          string // that they hold
	}{
		{"colour tags", "in.mp4", "out.mp4", []string{"-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p",
			"-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv"},
			"stream=color_range,color_space,color_transfer,color_primaries", "bt709"},
		{"a rotation", "turned.mp4", "out.mp4", nil, "stream_side_data=rotation", "rotation=90"},
		{"the shape of samples", "in.mkv", "out.mkv", []string{"-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p", "-aspect", "16:9"},
			"stream=sample_aspect_ratio", "16:15"},
		{"subtitles and two sounds in Matroska", "in.mkv", "out.mkv", []string{"-i", srt, "-f", "lavfi", "-i", "sine=300:d=1", "-f", "lavfi", "-i", "sine=600:d=1",
			"-map", "0", "-map", "1", "-map", "2", "-map", "3", "-c:a", "libopus", "-c:s", "srt", "-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p"},
			"stream=codec_name", "subrip"},
		{"subtitles in MP4", "in.mp4", "out.mp4", []string{"-i", srt, "-map", "0", "-map", "1", "-c:s", "mov_text", "-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p"},
			"stream=codec_name", "mov_text"},
		{"10 bits", "in.mp4", "out.mp4", []string{"-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p10le"}, "stream=pix_fmt", "yuv420p10le"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := makeClip(t, c.in, "1", c.args...)
			if c.in == "turned.mp4" {
				turned := filepath.Join(t.TempDir(), c.in)
				ffmpeg(t, "-i", in, "-c", "copy", "-metadata:s:v:0", "rotate=90", turned)
				in = turned
			}
			out := filepath.Join(t.TempDir(), c.out)
			change := func(*CompressOptions) {}
			if c.name == "10 bits" {
				client, gateways, _ := market(t, miner(t, StrategyX264))
				if _, err := Compress(t.Context(), tools(t), client, gateways, options(in, out), nil); err != nil {
					t.Fatal(err)
				}
			} else {
				compressed(t, in, out, change)
			}
			before, after := probeText(t, in, c.entries), probeText(t, out, c.entries)
			if before != after || !strings.Contains(after, c.want) {
				t.Errorf("was\n%s\nis\n%s\nwant %s", before, after, c.want)
			}
			for _, kind := range []string{"a?", "s?"} {
				if !strings.Contains(before, "subrip") && !strings.Contains(before, "mov_text") {
					continue
				}
				if a, b := streamHashes(t, in, "s"), streamHashes(t, out, "s"); a != b {
					t.Errorf("%s: %q became %q", kind, a, b)
				}
			}
		})
	}
}

func TestTimesOfAVariableFrameRateStay(t *testing.T) {
	// Every third frame is gone, and what is left starts late.
	in := makeClip(t, "in.mp4", "2", "-vf", "select='mod(n,3)',setpts=PTS+0.5/TB", "-fps_mode", "passthrough", "-enc_time_base", "1:12800",
		"-c:v", "libx264", "-crf", "12", "-g", "12", "-pix_fmt", "yuv420p", "-video_track_timescale", "12800")
	for _, name := range []string{"out.mp4", "out.mkv"} {
		out := filepath.Join(t.TempDir(), name)
		r := compressed(t, in, out, nil)
		if len(r.Segments) < 2 {
			t.Errorf("%d segments", len(r.Segments))
		}
		before := strings.Fields(strings.ReplaceAll(probeText(t, in, "frame=pts_time"), "|", " "))
		after := strings.Fields(strings.ReplaceAll(probeText(t, out, "frame=pts_time"), "|", " "))
		if len(before) != 33 || len(after) != 33 {
			t.Fatalf("%s: %d and %d frames", name, len(before), len(after))
		}
		base := func(list []string, i int) float64 { return seconds(t, list[i]) - seconds(t, list[0]) }
		for i := range before {
			limit := 1e-6
			if name == "out.mkv" {
				limit = 0.00051 // Matroska counts milliseconds
			}
			if d := base(before, i) - base(after, i); d > limit || d < -limit {
				t.Fatalf("%s: frame %d comes after %v s, not %v s", name, i, base(after, i), base(before, i))
			}
		}
	}
}

func seconds(t testing.TB, text string) float64 {
	t.Helper()
	_, v, _ := strings.Cut(text, "=")
	f, err := strconv.ParseFloat(v, 64)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return f
}

func TestSegmentsOfDifferentEncodersPlayAsOne(t *testing.T) {
	// Deep and flat pyramids, many and few references, in turns.
	flat := x264At(t, "", "12", "-bf", "0", "-refs", "1")
	deep := x264At(t, "", "12", "-bf", "6", "-b_strategy", "2", "-refs", "6", "-x264-params", "b-pyramid=normal:open-gop=0")
	for name, first := range map[string]int{"flat first": 1, "deep first": 0} {
		t.Run(name, func(t *testing.T) {
			n := first
			var mu sync.Mutex
			mixed := &fakeMiner{answer: func(j Job, source []byte) (media.Codec, []byte, error) {
				mu.Lock()
				defer mu.Unlock()
				n++
				if n%2 == 0 {
					return media.H264, flat.encode(source), nil
				}
				return media.H264, deep.encode(source), nil
			}}
			client, gateways, _ := market(t, mixed)
			in := makeClip(t, "in.mp4", "3", "-f", "lavfi", "-i", "sine=d=3", "-c:a", "aac")
			out := filepath.Join(t.TempDir(), "out.mp4")
			r, err := Compress(t.Context(), tools(t), client, gateways, options(in, out), nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.Frames != 75 || len(r.Segments) != 3 {
				t.Errorf("%+v", r)
			}
			if before, after := probeText(t, in, "frame=pts_time"), probeText(t, out, "frame=pts_time"); len(strings.Fields(before)) != len(strings.Fields(after)) {
				t.Errorf("times were\n%s\nare\n%s", before, after)
			}
		})
	}
}

func TestAClipWithOpenGroupsIsCutAllTheSame(t *testing.T) {
	in := makeClip(t, "in.mp4", "2", "-c:v", "libx265", "-crf", "14", "-g", "12", "-x265-params", "open-gop=1:log-level=error", "-pix_fmt", "yuv420p")
	out := filepath.Join(t.TempDir(), "out.mp4")
	if r := compressed(t, in, out, nil); r.Frames != 50 || len(r.Segments) < 2 {
		t.Errorf("%+v", r)
	}
}

func TestALiarsSegmentIsGivenToSomebodyElse(t *testing.T) {
	bad := map[string]*fakeMiner{
		"blurred":          x264At(t, "gblur=sigma=2", "12").miner(),
		"a frame short":    x264At(t, "trim=start_frame=1,setpts=PTS-STARTPTS", "12").miner(),
		"not what it said": {answer: x264At(t, "", "12").miner().answer, commit: []byte("something else")},
		"another codec":    {answer: func(_ Job, s []byte) (media.Codec, []byte, error) { return media.HEVC, s, nil }},
		"another profile":  x264At(t, "", "12", "-profile:v", "main").miner(),
		"noise":            {answer: func(Job, []byte) (media.Codec, []byte, error) { return media.H264, bytes.Repeat([]byte{7}, 999), nil }},
		"an error":         refuser(errors.New("out of memory")),
	}
	in := makeClip(t, "in.mp4", "1")
	for name, liar := range bad {
		t.Run(name, func(t *testing.T) {
			// The liar is m1, and better paid than m0: it is asked first.
			client, gateways, _ := market(t, quick(t), liar)
			out := filepath.Join(t.TempDir(), "out.mp4")
			r, err := Compress(t.Context(), tools(t), client, gateways, options(in, out), nil)
			if err != nil {
				t.Fatal(err)
			}
			seg := r.Segments[0]
			if liar.took == 0 || seg.Hotkey != "m0" || len(seg.Refused) != 1 || !strings.HasPrefix(seg.Refused[0], "uid 1: ") {
				t.Errorf("asked the liar %d times; segment %+v", liar.took, seg)
			}
			if len(r.Workers) != 2 || r.Workers[1].Failed != 1 {
				t.Errorf("workers %+v", r.Workers)
			}
		})
	}
}

func TestNothingIsWrittenWhereNobodyDoesTheWork(t *testing.T) {
	in := makeClip(t, "in.mp4", "1")
	dir := t.TempDir()
	client, gateways, _ := market(t, refuser(errors.New("no disk")), refuser(errors.New("no time")))
	_, err := Compress(t.Context(), tools(t), client, gateways, options(in, filepath.Join(dir, "out.mp4")), nil)
	if err == nil || !strings.Contains(err.Error(), "no disk") || !strings.Contains(err.Error(), "no time") || !strings.Contains(err.Error(), "--quality") {
		t.Errorf("%v", err)
	}
	onlyFiles(t, dir)

	for name, g := range map[string][]string{"no gateway answers": {GatewayURL("v9", 1)}, "no gateway": nil} {
		if _, err := Compress(t.Context(), tools(t), client, g, options(in, filepath.Join(dir, "out.mp4")), nil); !errors.Is(err, ErrNoMiners) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	slow := &fakeMiner{answer: func(Job, []byte) (media.Codec, []byte, error) { cancel(); return "", nil, errors.New("late") }}
	client, gateways, _ = market(t, slow)
	if _, err := Compress(ctx, tools(t), client, gateways, options(in, filepath.Join(dir, "out.mp4")), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled one: %v", err)
	}
	onlyFiles(t, dir)
}

func TestAnotherGatewayIsUsedWhereOneIsAway(t *testing.T) {
	client, gateways, fm := market(t, quick(t))
	fm.mu.Lock()
	fm.handlers["v1"] = http.HandlerFunc(tooMany)
	fm.mu.Unlock()
	in, out := makeClip(t, "in.mp4", "1"), filepath.Join(t.TempDir(), "out.mp4")
	all := append([]string{GatewayURL("v1", 1), GatewayURL("v2", 1)}, gateways...)
	if _, err := Compress(t.Context(), tools(t), client, all, options(in, out), nil); err != nil {
		t.Fatal(err)
	}
}

func TestWhatCannotBeCompressedIsRefusedInWords(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := makeClip(t, "in.mp4", "1")
	raw, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	fast := filepath.Join(t.TempDir(), "fast.mp4")
	ffmpeg(t, "-i", good, "-c", "copy", "-movflags", "+faststart", fast)
	fastRaw, err := os.ReadFile(fast)
	if err != nil {
		t.Fatal(err)
	}
	mkv := makeClip(t, "in.mkv", "1")
	mkvRaw, err := os.ReadFile(mkv)
	if err != nil {
		t.Fatal(err)
	}
	sound := filepath.Join(t.TempDir(), "sound.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac", sound)
	srt := write("s.srt", []byte("1\n00:00:00,100 --> 00:00:00,900\nHello\n"))
	subs := makeClip(t, "subs.mkv", "0.4", "-i", srt, "-map", "0", "-map", "1", "-c:s", "srt", "-c:v", "libx264", "-pix_fmt", "yuv420p")
	turned := filepath.Join(t.TempDir(), "turned.mp4")
	ffmpeg(t, "-i", good, "-c", "copy", "-metadata:s:v:0", "rotate=90", turned)
	client, gateways, fm := market(t, quick(t))
	outdir := t.TempDir()
	out := filepath.Join(outdir, "out.mp4")
	for _, c := range []struct {
		name   string
		in     string
		change func(*CompressOptions)
		is     error
		words  []string
	}{
		{"a missing file", filepath.Join(dir, "nothing.mp4"), nil, os.ErrNotExist, []string{"nothing.mp4"}},
		{"a folder", dir, nil, media.ErrNotVideo, []string{"regular file"}},
		{"an empty file", write("empty.mp4", nil), nil, media.ErrNotVideo, []string{"empty"}},
		{"a text file", write("text.mp4", []byte("This is a text file, not a video.\nIt has two lines.\n")), nil, media.ErrNotVideo, []string{"text file", "MP4"}},
		{"random bytes", write("random.mp4", bytes.Repeat([]byte{1, 200, 3, 77}, 500)), nil, media.ErrNotVideo, []string{"first bytes"}},
		{"an MP4 cut off before its index", write("cut.mp4", raw[:len(raw)/2]), nil, media.ErrDamaged, []string{"cut off"}},
		{"an MP4 cut off in its pictures", write("cut2.mp4", fastRaw[:len(fastRaw)*2/3]), nil, media.ErrDamaged, nil},
		{"a Matroska file that is cut off", write("cut.mkv", mkvRaw[:len(mkvRaw)*2/3]), nil, media.ErrDamaged, nil},
		{"a sound file", sound, nil, media.ErrNotVideo, []string{"no video stream"}},
		{"a picture format that isn't taken", makeClip(t, "444.mp4", "0.4", "-c:v", "libx264", "-pix_fmt", "yuv444p"), nil, nil, []string{"yuv444p", "ffmpeg -i"}},
		{"full range", makeClip(t, "full.mp4", "0.4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-color_range", "pc"), nil, nil, []string{"out_range=tv"}},
		{"interlaced pictures", makeClip(t, "inter.mp4", "0.4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-flags", "+ilme+ildct", "-x264-params", "tff=1"), nil, media.ErrCarry, []string{"interlaced", "bwdif"}},
		{"HDR metadata", makeClip(t, "hdr.mp4", "0.4", "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params",
			"log-level=error:hdr10=1:repeat-headers=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"), nil, media.ErrCarry, nil},
		{"subtitles that MP4 can't hold", subs, nil, media.ErrCarry, []string{"subrip", "Matroska", "--drop"}},
		{"a rotation that Matroska can't hold", turned, func(o *CompressOptions) { o.Out = filepath.Join(outdir, "out.mkv") }, media.ErrCarry, []string{".mp4"}},
		{"a tiny picture", makeClip(t, "tiny.mp4", "0.4", "-vf", "scale=48:32", "-c:v", "libx264", "-pix_fmt", "yuv420p"), nil, nil, []string{"48x32", "at least 64"}},
		{"an unknown codec", good, func(o *CompressOptions) { o.Codec = "divx" }, nil, []string{"divx", "av1"}},
		{"a quality out of bounds", good, func(o *CompressOptions) { o.Quality = 100 }, nil, []string{"99.9"}},
		{"a measure that ffmpeg lacks", good, func(o *CompressOptions) { o.Measure = "vmaf-neg" }, media.ErrMeasure, []string{"libvmaf"}},
		{"an unknown measure", good, func(o *CompressOptions) { o.Measure = "psnr" }, nil, []string{"psnr", "ssim"}},
		{"an output of another kind", good, func(o *CompressOptions) { o.Out = filepath.Join(outdir, "out.avi") }, nil, []string{".mp4 or .mkv"}},
		{"an output in a folder that isn't there", good, func(o *CompressOptions) { o.Out = filepath.Join(outdir, "no", "out.mp4") }, nil, []string{"no folder"}},
		{"an output that exists", good, func(o *CompressOptions) { o.Out = mkv }, ErrExists, []string{"--force"}},
		{"an output that is the input", good, func(o *CompressOptions) { o.Out, o.Force = good, true }, nil, []string{"input and output"}},
		{"no miners asked for", good, func(o *CompressOptions) { o.Miners = 0 }, nil, []string{"at least 1"}},
		{"segments of no length", good, func(o *CompressOptions) { o.Segment = 0 }, nil, []string{"between 1 s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(c.in, out)
			if c.change != nil {
				c.change(&o)
			}
			r, err := Compress(t.Context(), tools(t), client, gateways, o, nil)
			if err == nil {
				t.Fatalf("it was compressed: %+v", r)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is no %v", err, c.is)
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not mention %q", err, w)
				}
			}
		})
	}
	onlyFiles(t, outdir)
	for _, line := range fm.log {
		if strings.Contains(line, "POST /subnet") {
			t.Errorf("work was given out: %s", line)
		}
	}
}

func TestStreamsAreLeftOutWhenAskedFor(t *testing.T) {
	srt := filepath.Join(t.TempDir(), "s.srt")
	if err := os.WriteFile(srt, []byte("1\n00:00:00,100 --> 00:00:00,900\nHello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := makeClip(t, "in.mkv", "0.6", "-i", srt, "-map", "0", "-map", "1", "-c:s", "srt", "-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p")
	out := filepath.Join(t.TempDir(), "out.mp4")
	r := compressed(t, in, out, func(o *CompressOptions) { o.Drop = true })
	if len(r.Dropped) != 1 || !strings.Contains(r.Dropped[0], "subrip") {
		t.Errorf("dropped %v", r.Dropped)
	}
}

func TestSoundStaysInStepWithThePicture(t *testing.T) {
	offset := func(path string) float64 {
		v := seconds(t, strings.Split(probeText(t, path, "stream=start_time"), "\n")[0])
		return seconds(t, strings.Split(probeText(t, path, "stream=start_time"), "\n")[1]) - v
	}
	for name, c := range map[string]struct {
		in, out string
		args    []string
	}{
		"late sound in MP4":         {"in.mp4", "out.mp4", []string{"-itsoffset", "0.4", "-f", "lavfi", "-i", "sine=d=0.6", "-c:a", "aac"}},
		"late picture in Matroska":  {"in.mkv", "out.mkv", []string{"-f", "lavfi", "-i", "sine=d=1", "-vf", "setpts=PTS+0.3/TB", "-c:a", "libopus", "-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p", "-fps_mode", "passthrough"}},
		"a transport stream to MP4": {"in.ts", "out.mp4", []string{"-f", "lavfi", "-i", "sine=d=1", "-c:a", "mp2"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := makeClip(t, c.in, "1", c.args...)
			out := filepath.Join(t.TempDir(), c.out)
			compressed(t, in, out, nil)
			before, after := offset(in), offset(out)
			if d := before - after; d > 0.03 || d < -0.03 {
				t.Errorf("the sound began %.3f s after the picture, now %.3f s", before, after)
			}
		})
	}
}
