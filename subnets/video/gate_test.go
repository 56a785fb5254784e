package video

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/lodenet/lode/subnets/video/media"
)

// fair is a frame as an honest encoder makes it.
func fair(luma float64) media.FrameQuality {
	tone := media.Tone{Gain: 0.995, Offset: 0.3, Spread: 30}
	return media.FrameQuality{Luma: luma, U: 97, V: 97, Tone: [3]media.Tone{tone, tone, tone}}
}

func TestEveryBoundOfTheGateHolds(t *testing.T) {
	g := DefaultGate(media.SSIM, 95)
	frames := func(n int, change func(i int, f *media.FrameQuality)) Quality {
		var list []media.FrameQuality
		for i := range n {
			f := fair(96)
			if change != nil {
				change(i, &f)
			}
			list = append(list, f)
		}
		return Summarize(list)
	}
	if err := g.Pass(frames(100, nil)); err != nil {
		t.Errorf("an honest answer: %v", err)
	}
	for name, c := range map[string]struct {
		change func(int, *media.FrameQuality)
		what   string
	}{
		"a low mean":                      {func(_ int, f *media.FrameQuality) { f.Luma = 94.9 }, "mean luma"},
		"six bad frames of a hundred":     {func(i int, f *media.FrameQuality) { f.Luma -= 12 * b2f(i < 6) }, "5th percentile"},
		"one ruined frame of a hundred":   {func(i int, f *media.FrameQuality) { f.Luma -= 30 * b2f(i == 6) }, "worst frame"},
		"one grey plane":                  {func(_ int, f *media.FrameQuality) { f.U = 60 }, "first chroma"},
		"the other":                       {func(_ int, f *media.FrameQuality) { f.V = 60 }, "second chroma"},
		"contrast in one frame":           {func(i int, f *media.FrameQuality) { f.Tone[0].Gain += 0.03 * b2f(i == 9) }, "contrast gain"},
		"less contrast":                   {func(i int, f *media.FrameQuality) { f.Tone[0].Gain -= 0.03 * b2f(i == 9) }, "contrast gain"},
		"brightness in one frame":         {func(i int, f *media.FrameQuality) { f.Tone[0].Offset -= 3 * b2f(i == 9) }, "brightness offset"},
		"pale colour in one frame":        {func(i int, f *media.FrameQuality) { f.Tone[1].Gain -= 0.3 * b2f(i == 9) }, "colour gain"},
		"colour that drifts in one frame": {func(i int, f *media.FrameQuality) { f.Tone[2].Offset += 3 * b2f(i == 9) }, "colour offset"},
		"a mean that is no number":        {func(_ int, f *media.FrameQuality) { f.Luma = math.NaN() }, "mean luma"},
	} {
		err := g.Pass(frames(100, c.change))
		if !errors.Is(err, ErrGate) || !strings.Contains(err.Error(), c.what) {
			t.Errorf("%s: %v does not say %q", name, err, c.what)
		}
	}
	if err := g.Pass(Summarize(nil)); err == nil {
		t.Error("nothing at all passes")
	}
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func TestAGainOfAFlatPictureIsNoise(t *testing.T) {
	f := fair(96)
	f.Tone[0] = media.Tone{Gain: 0.2, Offset: 0.1, Spread: 0.05}
	if q := Summarize([]media.FrameQuality{f}); q.Gain != 1 {
		t.Errorf("gain %v", q.Gain)
	}
}

func TestSlackIsZeroAtTheGate(t *testing.T) {
	g := DefaultGate(media.SSIM, 95)
	q := Quality{Mean: 95, P5: 95, Min: 95, U: 99, V: 99, Gain: 1, ChromaGain: 1}
	if s := g.slack(q); math.Abs(s) > 1e-12 || g.Pass(q) != nil {
		t.Errorf("slack %v, %v", s, g.Pass(q))
	}
	q.Mean = 96
	if s := g.slack(q); s <= 0 {
		t.Errorf("above the gate: slack %v", s)
	}
	q.U = 80
	if s := g.slack(q); s >= 0 || g.Pass(q) == nil {
		t.Errorf("grey: slack %v", s)
	}
}

func TestGatesAndParametersHaveBounds(t *testing.T) {
	if err := DefaultGate(media.SSIM, 98).Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Gate){
		"measure":       func(g *Gate) { g.Measure = "psnr" },
		"low quality":   func(g *Gate) { g.Quality = 10 },
		"high quality":  func(g *Gate) { g.Quality = 100 },
		"no quality":    func(g *Gate) { g.Quality = math.NaN() },
		"tail":          func(g *Gate) { g.Tail = 0 },
		"chroma":        func(g *Gate) { g.Chroma = 1000 },
		"gain":          func(g *Gate) { g.Gain = math.Inf(1) },
		"offset":        func(g *Gate) { g.Offset = -1 },
		"another scale": func(g *Gate) { g.Quality = 0.98 },
	} {
		g := DefaultGate(media.SSIM, 95)
		change(&g)
		if g.Check() == nil {
			t.Errorf("%s: %+v is taken", name, g)
		}
	}
	for raw, want := range map[string]string{
		`{"measure":"psnr"}`:                    "psnr",
		`{"codecs":[]}`:                         "codecs",
		`{"codecs":["vp9"]}`:                    "vp9",
		`{"one_codec":2}`:                       "one_codec",
		`{"min_quality":97,"max_quality":95}`:   "min_quality",
		`{"min_quality":10}`:                    "quality 10",
		`{"exponent":0}`:                        "exponent",
		`{"exponent":"much"}`:                   "exponent",
		`nonsense`:                              "parameters",
		`{"gain":9}`:                            "gain",
		`{"tail":-1,"chroma":2}`:                "tail",
		`{"min_quality":"high"}`:                "min_quality",
		`{"min_quality":94,"max_quality":1000}`: "1000",
	} {
		if _, err := ParseParams([]byte(raw)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not say %q", raw, err, want)
		}
	}
	p, err := ParseParams([]byte(`{"exponent":3,"of_the_future":1}`))
	if err != nil || p.Exponent != 3 || p.Measure != media.SSIM || p.MinQuality != DefaultParams().MinQuality {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := ParseParams(nil); err != nil {
		t.Error(err)
	}
}
