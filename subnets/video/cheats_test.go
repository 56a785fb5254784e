package video

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lodenet/lode/subnets/video/media"
)

// shelf is a corpus of one clip: a default clip, made once for all tests.
type shelf struct{ raw []byte }

func (s shelf) Draw(_ context.Context, _ *rand.Rand, _ ProbeSize, path string) error {
	return os.WriteFile(path, s.raw, 0o600)
}

var makeShelf = sync.OnceValues(func() (shelf, error) {
	tl, err := findTools()
	if err != nil {
		return shelf{}, err
	}
	dir, err := os.MkdirTemp("", "lode-test-")
	if err != nil {
		return shelf{}, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "clip.mkv")
	err = Generated{tl}.Draw(context.Background(), rand.New(rand.NewPCG(5, 6)), ProbeSize{Width: 160, Height: 96, Seconds: 1}, path)
	if err != nil {
		return shelf{}, err
	}
	raw, err := os.ReadFile(path)
	return shelf{raw}, err
})

func onShelf(t testing.TB) shelf {
	t.Helper()
	s, err := makeShelf()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// at95 are parameters for probes of one quality, answered in any codec.
const at95 = `{"min_quality":95,"max_quality":95,"one_codec":0}`

// judgedRound runs a round over miners and returns what it found of each.
func judgedRound(t *testing.T, params string, miners map[string]*fakeMiner) map[string]RoundAnswer {
	t.Helper()
	var names []string
	for name := range miners {
		names = append(names, name)
	}
	handlers := make([]httpHandler, len(names))
	for i, name := range names {
		handlers[i] = miners[name]
	}
	n, _ := network(t, params, handlers...)
	v := validator(t, ValidatorConfig{Corpus: onShelf(t)})
	scores, err := v.Round(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]RoundAnswer{}
	for i, a := range v.Last().Answers {
		if a.Score != scores[a.UID] {
			t.Errorf("%s: score %v is told as %v", names[i], scores[a.UID], a.Score)
		}
		out[names[i]] = a
	}
	return out
}

// fixed answers with the same bytes whatever is asked.
func fixed(c media.Codec, raw []byte) *fakeMiner {
	return &fakeMiner{answer: func(Job, []byte) (media.Codec, []byte, error) { return c, raw, nil }}
}

// changed alters the bytes of another's answers.
func changed(m *fakeMiner, change func([]byte) []byte) *fakeMiner {
	return &fakeMiner{answer: func(j Job, s []byte) (media.Codec, []byte, error) {
		c, raw, err := m.answer(j, s)
		return c, change(raw), err
	}}
}

// file makes a stream or a container with ffmpeg.
func file(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	ffmpeg(t, append(args, path)...)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// filler is an H.264 unit of padding, sei one of free text.
func filler(n int) []byte {
	return append(append([]byte{0, 0, 0, 1, 12}, bytes.Repeat([]byte{0xff}, n)...), 0x80)
}

func sei(n int) []byte {
	u := []byte{0, 0, 0, 1, 6, 5}
	for left := n; left >= 255; left -= 255 {
		u = append(u, 255)
	}
	u = append(u, byte(n%255))
	return append(append(u, bytes.Repeat([]byte{0x55}, n)...), 0x80)
}

// TestCheatsAreWorthNothing is the table of cheats: each miner of the round tries
// another one, beside one that is honest.
func TestCheatsAreWorthNothing(t *testing.T) {
	good := func(filter string) *fakeMiner { return x264At(t, filter, "10").miner() }
	source := onShelf(t).raw
	cheats := map[string]struct {
		miner *fakeMiner
		why   string // what the validator's log must say
	}{
		"decoder bomb: pictures of 4096x4096": {fixed(media.H264, file(t, "bomb.h264", "-f", "lavfi", "-i", "color=s=4096x4096:r=25", "-frames:v", "1",
			"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")), "exceed"},
		"decoder bomb: thousands of frames": {fixed(media.H264, file(t, "many.h264", "-f", "lavfi", "-i", "color=s=160x96:r=25", "-frames:v", "2000",
			"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")), "more than 25"},
		"hidden frames behind the last": {good("tpad=stop=3:stop_mode=clone"), "more than 25"},
		"a frame less":                  {good("trim=start_frame=1,setpts=PTS-STARTPTS"), "24, not 25"},
		"double speed, then each twice": {good("select='not(mod(n,2))',setpts=N/12.5/TB,fps=25,trim=end_frame=25"), "mean luma"},
		"half the size":                 {good("scale=80:48"), "not 160x96"},
		"another pixel format": {coder{t: t, codec: media.H264, args: []string{"-c:v", "libx264", "-crf", "10", "-pix_fmt", "yuv420p10le", "-f", "h264"}}.deep(),
			"not yuv420p"},
		"another colour range": {x264At(t, "", "10", "-color_range", "pc").ranged(), "bad answer"},
		"interlaced frames":    {x264At(t, "", "10", "-flags", "+ildct+ilme", "-x264-params", "open-gop=0:tff=1").miner(), "interlaced"},
		"an MP4 with an edit list": {fixed(media.H264, file(t, "a.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=25:d=1",
			"-c:v", "libx264", "-pix_fmt", "yuv420p")), "start code"},
		"the source itself":               {fixed(media.H264, source), "start code"},
		"a codec that it isn't":           {changedCodec(good(""), media.AV1), "bad answer"},
		"a codec that wasn't asked for":   {changedCodec(good(""), "vp9"), "not one of"},
		"ruined frames, six in a hundred": {good("split[a][b];[b]gblur=sigma=4[c];[a][c]overlay=enable='between(mod(n,13),5,5)',format=yuv420p"), "luma quality"},
		"one ruined frame":                {good("split[a][b];[b]gblur=sigma=6[c];[a][c]overlay=enable='eq(n,24)',format=yuv420p"), "worst frame"},
		"grey chroma":                     {good("lutyuv=y=val:u=128:v=128"), "colour gain"},
		"colour from a few blocks only":   {good("split[a][b];[b]boxblur=1:0:20:2[c];[a][c]mergeplanes=0x001112:yuv420p"), "c"},
		"a drift of tone: contrast":       {good("lutyuv=y='(val-128)*1.03+128':u=val:v=val"), "contrast gain"},
		"a drift of tone: brightness":     {good("lutyuv=y=val+3:u=val:v=val"), "brightness offset"},
		"a drift of colour":               {good("lutyuv=y=val:u=val+3"), "colour offset"},
		"paler colour":                    {good("lutyuv=y=val:u='(val-128)*0.8+128':v='(val-128)*0.8+128'"), "colour gain"},
		"an answer prepared for another clip": {fixed(media.H264, file(t, "other.h264", "-f", "lavfi", "-i", DefaultClip(rand.New(rand.NewPCG(8, 8)), 160, 96),
			"-frames:v", "25", "-c:v", "libx264", "-crf", "10", "-pix_fmt", "yuv420p")), "mean luma"},
		"other bytes than were committed to": {&fakeMiner{answer: good("").answer, commit: []byte("something")}, "commitment"},
		"an answer larger than the source":   {changed(good(""), func(b []byte) []byte { return append(b, filler(len(source)+64<<10)...) }), "the limit"},
		"an empty answer":                    {fixed(media.H264, nil), "bad answer"},
		"noise":                              {fixed(media.HEVC, bytes.Repeat([]byte{0, 0, 1, 99}, 500)), "bad answer"},
		"a refusal":                          {refuser(errors.New("I'd rather not")), "rather not"},
	}
	miners := map[string]*fakeMiner{"honest": x264At(t, "", "16").miner()}
	for name, c := range cheats {
		miners[name] = c.miner
	}
	got := judgedRound(t, at95, miners)
	if a := got["honest"]; !(a.Score > 0.1) || a.Error != "" {
		t.Errorf("the honest miner got %+v", a)
	}
	for name, c := range cheats {
		a := got[name]
		if a.Score != 0 {
			t.Errorf("%s: score %v, want 0", name, a.Score)
		}
		if !strings.Contains(a.Error, c.why) {
			t.Errorf("%s: %q does not say %q", name, a.Error, c.why)
		}
	}
}

// deep keeps the coder's own pixel format.
func (c coder) deep() *fakeMiner {
	return &fakeMiner{answer: func(_ Job, s []byte) (media.Codec, []byte, error) {
		return c.codec, c.convert(s, c.args...), nil
	}}
}

// ranged tags the answer with another range, the samples being what they are.
func (c coder) ranged() *fakeMiner {
	return changed(c.miner(), func(raw []byte) []byte {
		return c.convertStream(raw, "-c", "copy", "-bsf:v", "h264_metadata=video_full_range_flag=1", "-f", "h264")
	})
}

func changedCodec(m *fakeMiner, c media.Codec) *fakeMiner {
	return &fakeMiner{answer: func(j Job, s []byte) (media.Codec, []byte, error) {
		_, raw, err := m.answer(j, s)
		return c, raw, err
	}}
}

// TestPaddingCountsForNothing: what decoders don't need is taken out before it is
// counted, decoded or compared.
func TestPaddingCountsForNothing(t *testing.T) {
	plain := x264At(t, "", "16").encode(onShelf(t).raw)
	a, err := media.Strip(media.H264, plain)
	if err != nil {
		t.Fatal(err)
	}
	padded := append(append(append([]byte{}, sei(400)...), plain...), append(filler(5000), bytes.Repeat([]byte{0}, 999)...)...)
	b, err := media.Strip(media.H264, padded)
	if err != nil {
		t.Fatal(err)
	}
	if a.Counted != b.Counted || !bytes.Equal(a.Bytes, b.Bytes) || b.Dropped < 6000 {
		t.Errorf("padding made %d bytes of %d; %d dropped", b.Counted, a.Counted, b.Dropped)
	}
}

// TestCopiesShareOneReward: the same work under many hotkeys earns what it earns under
// one, however it is dressed up.
func TestCopiesShareOneReward(t *testing.T) {
	work := x264At(t, "", "16").miner()
	got := judgedRound(t, at95, map[string]*fakeMiner{
		"the work":     work,
		"a copy":       work2(work),
		"with padding": changed(work, func(b []byte) []byte { return append(b, filler(700)...) }),
		"with free text": changed(work, func(b []byte) []byte {
			return append(sei(300), b...)
		}),
		"a nudged rate": x264At(t, "", "16.02").miner(),
		"other work":    x264At(t, "", "14").miner(),
		"another codec": coder{t: t, codec: media.HEVC, args: []string{"-c:v", "libx265", "-preset", "fast", "-crf", "16", "-tune", "ssim",
			"-x265-params", "log-level=error:info=0:repeat-headers=1:pools=none"}}.miner(),
	})
	copies := []string{"the work", "a copy", "with padding", "with free text", "a nudged rate"}
	sum := 0.0
	for _, name := range copies {
		sum += got[name].Score
		if got[name].Score <= 0 {
			t.Errorf("%s: score %v: an honest miner with equal tools must not fall to zero", name, got[name].Score)
		}
	}
	alone := got["the work"].Score * float64(len(copies))
	if math.Abs(sum-alone) > 0.02*alone {
		t.Errorf("five copies earn %v, one would %v", sum, alone)
	}
	for _, name := range []string{"other work", "another codec"} {
		if got[name].Score < 0.5*alone {
			t.Errorf("%s shares with somebody: %v against %v", name, got[name].Score, alone)
		}
	}
}

func work2(m *fakeMiner) *fakeMiner { return &fakeMiner{answer: m.answer} }

// TestGrainSynthesisDoesNotPay: a decoder's grain is not the source's.
func TestGrainSynthesisDoesNotPay(t *testing.T) {
	tl := tools(t)
	rng := rand.New(rand.NewPCG(5, 6))
	p, err := draw(t.Context(), tl, onShelf(t), DefaultParams(), sizes[0], rng)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	p.job.Codecs = []media.Codec{media.AV1}
	p.job.Gate = DefaultGate(media.SSIM, 95)
	measure := func(params string) (slack float64, bytes int64) {
		raw := coder{t: t, codec: media.AV1, args: []string{"-c:v", "libsvtav1", "-preset", "8", "-crf", "30", "-g", "240", "-svtav1-params", "lp=1" + params}}.encode(p.bytes)
		j, err := judge(t.Context(), tl, p.job, p.source, media.AV1, raw)
		if err != nil {
			t.Fatal(err)
		}
		return p.job.Gate.slack(j.Quality), j.Stream.Counted
	}
	slack, plain := measure("")
	grainSlack, grain := measure(":film-grain=50")
	// What the bytes would be at the gate itself.
	a := interpolate([]ratePoint{{bytes: plain, slack: slack}})
	b := interpolate([]ratePoint{{bytes: grain, slack: grainSlack}})
	t.Logf("plain: %d bytes, slack %.3f; with synthesis: %d, %.3f", plain, slack, grain, grainSlack)
	if as, bs := Score(20000, int64(a), 2), Score(20000, int64(b), 2); !(bs < 0.9*as) {
		t.Errorf("grain synthesis scores %.3f, without it %.3f", bs, as)
	}
}
