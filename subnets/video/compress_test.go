package video

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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

var _ = []any{bytes.Equal, context.Background, errors.Is, media.AV1}
