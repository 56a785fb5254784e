package fidelity

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
)

// measured are thresholds as a calibration of lode-mini gives them.
var measured = Thresholds{Digest: "d", Flag: 0.06, Flagged: 2e-4, MeanMargin: 1e-4, LogProb: 0.01, LogProbSpread: 0.014, LogProbClip: 0.1}

// draw makes tokens: a share of them misses by up to most, and log-probabilities are off by
// diff in the mean.
func draw(r *rand.Rand, n int, share, most, diff float64) []Token {
	out := make([]Token, n)
	for i := range out {
		out[i].LogProb = -r.ExpFloat64()
		out[i].Reported = out[i].LogProb + diff*r.ExpFloat64()
		if r.Float64() < share {
			out[i].Margin = most * r.Float64()
		}
	}
	return out
}

func TestHonestWindowsPassAndCheatsFail(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name              string
		n                 int
		share, most, diff float64
		fails             bool
		reason            string
	}{
		{"honest, short", 80, 0.003, 0.02, 0.003, false, ""},
		{"honest, long", 2048, 0.003, 0.02, 0.003, false, ""},
		{"cheaper weights, forged log-probabilities", 640, 0.023, 0.6, 0, true, "are not what the model picks"},
		{"cheaper weights", 160, 0.023, 0.3, 0.03, true, ""},
		{"another temperature", 160, 0.14, 1.2, 0.003, true, "are not what the model picks"},
		{"another seed", 16, 0.7, 10, 0.003, true, "are not what the model picks"},
		{"many misses too small to flag", 2048, 0.3, 0.05, 0, true, "tokens miss the model's picks by"},
		{"no log-probabilities of its own", 160, 0, 0, 2, true, "log-probabilities are off by"},
	} {
		for range 50 {
			v := Judge(measured, draw(r, c.n, c.share, c.most, c.diff))
			require.Equal(t, !c.fails, v.Pass, "%s: %s", c.name, v.Reason)
			require.Contains(t, v.Reason, c.reason, c.name)
			require.Equal(t, c.n, v.Tokens)
		}
	}
}

func TestNothingIsJudgedByNothing(t *testing.T) {
	v := Judge(measured, nil)
	require.True(t, v.Pass)
	require.False(t, v.Enough())
	require.Equal(t, Verdict{Pass: true}, v)
}

// What honest tokens do at worst by the thresholds, chance makes worse by no more than the
// tests allow for.
func TestHonestTokensAtTheirBoundsPass(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	th := Thresholds{Flag: 0.1, Flagged: 0.01, MeanMargin: 0.1*0.01 + 1e-9, LogProb: 0.1 * 0.1, LogProbSpread: math.Sqrt(0.1 * 0.1 * 0.1), LogProbClip: 0.1}
	fails := 0
	for _, n := range []int{1, 10, 64, 160, 2048} {
		for range 2000 {
			tokens := make([]Token, n)
			for i := range tokens {
				if r.Float64() < th.Flagged {
					tokens[i].Margin = engine.MaxMargin
				}
				if r.Float64() < 0.1 {
					tokens[i].Reported = 100
				}
			}
			if !Judge(th, tokens).Pass {
				fails++
			}
		}
	}
	require.Zero(t, fails, "of 10,000, where 0.03 are expected at the most")
}

func TestTails(t *testing.T) {
	require.InDelta(t, 1-math.Pow(0.99, 100), tail(100, 1, 0.01), 1e-12)
	require.InDelta(t, 0.0266325, tail(10, 5, 0.19), 1e-7)
	require.Equal(t, 1.0, tail(10, 0, 0.5))
	require.InDelta(t, math.Pow(0.2, 10), tail(10, 10, 0.2), 1e-15)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5000).Draw(t, "n")
		p := rapid.Float64Range(1e-6, 0.2).Draw(t, "p")
		k := mostFlagged(n, p, FalseReject)
		if k < n {
			require.LessOrEqual(t, tail(n, k+1, p), FalseReject)
		}
		if k > int(float64(n)*p) {
			require.Greater(t, tail(n, k, p), FalseReject, "no more than needed")
		}
		require.GreaterOrEqual(t, mostFlagged(n+1, p, FalseReject), k)
		clip := rapid.Float64Range(1e-6, 10).Draw(t, "clip")
		mean := clip * rapid.Float64Range(1e-6, 1).Draw(t, "mean")
		require.Greater(t, mostMean(n, mean, mean*clip, clip, FalseReject), mean)
		require.LessOrEqual(t, mostMean(4*n, mean, mean*clip, clip, FalseReject), mostMean(n, mean, mean*clip, clip, FalseReject))
	})
}

func TestVerdictsAreNumbersWhateverMinersReport(t *testing.T) {
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, 0}
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Float64(), rapid.SampledFrom(odd))
		n := rapid.IntRange(1, 50).Draw(t, "n")
		scores := make([]engine.TokenScore, n)
		for i := range scores {
			scores[i] = engine.TokenScore{Margin: number.Draw(t, "margin"), LogProb: number.Draw(t, "logprob")}
		}
		reported := rapid.SliceOfN(number, 0, n).Draw(t, "reported")
		v := Judge(measured, Tokens(engine.Sampling{Temperature: rapid.SampledFrom([]float64{0, 0.01, 1, 2}).Draw(t, "temperature")}, scores, reported))
		for _, x := range []float64{v.MeanMargin, v.MaxMargin, v.MatchRate, v.MeanAbsLogProb} {
			require.False(t, math.IsNaN(x) || math.IsInf(x, 0) || x < 0)
		}
		require.Equal(t, v.Pass, v.Reason == "")
	})
}

func TestMarginsAreThoseOfLogits(t *testing.T) {
	scores := []engine.TokenScore{{Margin: 0.5}, {Margin: engine.MaxMargin}}
	for _, c := range []struct{ temperature, want float64 }{{0, 0.5}, {0.1, 0.05}, {1, 0.5}, {2, 1}} {
		tokens := Tokens(engine.Sampling{Temperature: c.temperature}, scores, []float64{0, 0})
		require.InDelta(t, c.want, tokens[0].Margin, 1e-12)
		require.Equal(t, engine.MaxMargin, tokens[1].Margin, "what can't be picked at all")
	}
}

func TestAWindowForgets(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	w := Window{Size: 640}
	w.Add(draw(r, 300, 0.7, 10, 0)...)
	require.False(t, w.Verdict(measured).Pass)
	w.Add(draw(r, 320, 0, 0, 0)...)
	require.Equal(t, 620, w.Tokens())
	require.False(t, w.Verdict(measured).Pass, "the tokens are still in it")
	w.Add(draw(r, 320, 0, 0, 0)...)
	require.True(t, w.Verdict(measured).Pass)
	require.Equal(t, 640, w.Tokens())

	w.Break(errors.New("it goes on after its end"))
	w.Add(draw(r, 639, 0, 0, 0)...)
	v := w.Verdict(measured)
	require.False(t, v.Pass)
	require.Equal(t, "it goes on after its end", v.Reason)
	w.Add(Token{})
	require.True(t, w.Verdict(measured).Pass)

	var whole Window
	whole.Add(make([]Token, 3*DefaultWindow)...)
	require.Equal(t, DefaultWindow, whole.Tokens())
}

func TestShortAnswersAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var w Window
	passed := 0
	for range 40 {
		tokens := draw(r, 20, 0.023, 0.6, 0)
		if Judge(measured, tokens).Pass {
			passed++
		}
		w.Add(tokens...)
	}
	require.Greater(t, passed, 35, "alone they say little")
	require.False(t, w.Verdict(measured).Pass)
}

func TestCalibrationCoversWhatItSaw(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	honest := draw(r, 20_000, 0.003, 0.012, 0.003)
	th, err := Calibrate("digest", honest)
	require.NoError(t, err)
	require.NoError(t, th.Check())
	require.Equal(t, "digest", th.Digest)
	require.InDelta(t, 3*0.008, th.Flag, 0.004, "three times what one in a thousand exceeds: of 0.003 up to 0.012 two thirds of the way")
	require.InDelta(t, (20+3*math.Sqrt(20)+3)/20_000, th.Flagged, 1e-12)
	require.InDelta(t, 0.009, th.LogProb, 0.001)
	require.Equal(t, 20_000, th.Measured.Tokens)
	for n := 64; n <= len(honest); n *= 2 {
		for at := 0; at+n <= len(honest); at += n {
			v := Judge(th, honest[at:at+n])
			require.True(t, v.Pass, v.Reason)
		}
	}
	for range 20 { // a machine that errs three times as much, with an outlier now and then
		worse := draw(r, 2048, 0.003, 0.036, 0.009)
		worse[100].Margin = 2
		v := Judge(th, worse)
		require.True(t, v.Pass, v.Reason)
	}
	require.False(t, Judge(th, draw(r, 640, 0.034, 0.3, 0)).Pass)

	still, err := Calibrate("digest", make([]Token, LeastTokens))
	require.NoError(t, err, "a model whose arithmetic is exact")
	require.Equal(t, leastFlag, still.Flag)

	_, err = Calibrate("digest", honest[:LeastTokens-1])
	require.ErrorContains(t, err, "too few")
	honest[7].Margin = engine.MaxMargin
	outlier, err := Calibrate("digest", honest)
	require.NoError(t, err)
	require.InDelta(t, th.Flag, outlier.Flag, 1e-3, "one token does not set the flag")
	for i := range 30 {
		honest[i].Margin = 1
	}
	_, err = Calibrate("digest", honest)
	require.ErrorContains(t, err, "disagrees with itself")
}

func TestThresholdsThatAreNone(t *testing.T) {
	require.NoError(t, Default("d").Check())
	require.Nil(t, Default("d").Measured)
	require.NoError(t, measured.Check())
	for name, change := range map[string]func(*Thresholds){
		"all zero":                       func(th *Thresholds) { *th = Thresholds{} },
		"a flag that nothing reaches":    func(th *Thresholds) { th.Flag = 11 },
		"half of all tokens flagged":     func(th *Thresholds) { th.Flagged = 0.5 },
		"a negative share":               func(th *Thresholds) { th.Flagged = -1 },
		"NaN":                            func(th *Thresholds) { th.MeanMargin = math.NaN() },
		"a mean over what is cut off at": func(th *Thresholds) { th.LogProb = 2 * th.LogProbClip },
		"an infinite clip":               func(th *Thresholds) { th.LogProbClip = math.Inf(1) },
	} {
		th := measured
		change(&th)
		require.Error(t, th.Check(), name)
	}
}

// ask answers and scores, as a miner and a validator that are honest.
func ask(t *testing.T, r engine.Request) (Answer, int, []engine.TokenScore) {
	t.Helper()
	e := memory.New(memory.Options{})
	a := Answer{MaxTokens: r.MaxTokens, Context: e.Info().Context, Stop: r.Stop}
	result, err := e.Generate(t.Context(), r, func(c engine.Chunk) error {
		a.Text += c.Text
		for _, token := range c.Tokens {
			a.LogProbs = append(a.LogProbs, token.LogProb)
		}
		return nil
	})
	require.NoError(t, err)
	a.Prompt, a.Tokens, a.Finish, a.StopString = result.Usage.Prompt, result.Answer, result.Finish, result.StopString
	scores, err := e.Score(t.Context(), engine.ScoreRequest{Prompt: r.Prompt, Answer: a.Tokens, Sampling: r.Sampling})
	require.NoError(t, err)
	for len(a.LogProbs) < len(a.Tokens) { // those without a text come with the last event
		a.LogProbs = append(a.LogProbs, scores[len(a.LogProbs)].LogProb)
	}
	return a, result.Usage.Prompt, scores
}

func TestHonestAnswersAreExact(t *testing.T) {
	ends := map[engine.Finish]int{}
	stopped := 0
	for seed := range uint64(60) {
		r := engine.Request{Prompt: engine.Prompt{Text: "a question"}, Sampling: engine.Sampling{Temperature: 1, Seed: seed},
			MaxTokens: []int{0, 20, 60, 200}[seed%4]}
		if seed%3 == 0 {
			r.Stop = []string{"ea", "te", "s "}
		}
		a, prompt, scores := ask(t, r)
		require.NoError(t, a.Exact(prompt, scores), "seed %d", seed)
		ends[a.Finish]++
		if a.StopString != "" {
			stopped++
		}
	}
	require.Greater(t, ends[engine.FinishStop], 10)
	require.Greater(t, ends[engine.FinishLength], 10)
	require.Positive(t, stopped)
}

func TestWhatEndsAnAnswerIsNotTold(t *testing.T) {
	scores := []engine.TokenScore{{LogProb: -1, Bytes: []byte("abc")}, {LogProb: -2, Bytes: []byte("de")}, {LogProb: -3, Bytes: []byte("f")}}
	reported := []float64{-1.1, 0, 0}
	for _, c := range []struct {
		name   string
		finish engine.Finish
		stop   string
		want   []float64
	}{
		{"at its length", engine.FinishLength, "", reported},
		{"by itself", engine.FinishStop, "", reported},
		{"at a stop string", engine.FinishStop, "ef", []float64{-1.1, -2, -3}},
		{"at one as long as it", engine.FinishStop, "0123456789", []float64{-1, -2, -3}},
		{"left", "", "", reported},
	} {
		a := Answer{Finish: c.finish, StopString: c.stop, LogProbs: reported}
		require.Equal(t, c.want, a.Told(scores), c.name)
		require.Equal(t, []float64{-1.1, 0, 0}, reported)
	}
	require.Empty(t, Answer{Finish: engine.FinishStop}.Told(nil))
	scores[2].End = true
	tokens := Tokens(engine.Sampling{}, scores, reported)
	require.Equal(t, []float64{-1.1, 0, -3}, []float64{tokens[0].Reported, tokens[1].Reported, tokens[2].Reported})
	require.Equal(t, []float64{-1.1, math.Inf(-1), -3}, func() (out []float64) {
		for _, t := range Tokens(engine.Sampling{}, scores, reported[:1]) {
			out = append(out, t.Reported)
		}
		return out
	}())
}

func TestAnswersThatNoHonestMinerGives(t *testing.T) {
	long := engine.Request{Prompt: engine.Prompt{Text: "a question"}, Sampling: engine.Sampling{Temperature: 1, Seed: 1}}
	short := long
	short.MaxTokens = 12
	for _, c := range []struct {
		name, want string
		request    engine.Request
		change     func(*Answer, *[]engine.TokenScore)
	}{
		{"more of the prompt is charged", "tokens of the prompt are charged", long, func(a *Answer, _ *[]engine.TokenScore) { a.Prompt++ }},
		{"no tokens", "has no tokens", long, func(a *Answer, s *[]engine.TokenScore) { a.Tokens, a.LogProbs, *s = nil, nil, nil }},
		{"a log-probability is missing", "log-probabilities", long, func(a *Answer, _ *[]engine.TokenScore) { a.LogProbs = a.LogProbs[1:] }},
		{"it breaks off", "breaks off after", long, func(a *Answer, s *[]engine.TokenScore) {
			a.Tokens, a.LogProbs, *s = a.Tokens[:10], a.LogProbs[:10], (*s)[:10]
			a.Finish = engine.FinishStop
		}},
		{"it breaks off and says that it is long enough", "breaks off after", short, func(a *Answer, s *[]engine.TokenScore) {
			a.Tokens, a.LogProbs, *s = a.Tokens[:10], a.LogProbs[:10], (*s)[:10]
		}},
		{"it is longer than asked for", "at most 11 were asked for", short, func(a *Answer, _ *[]engine.TokenScore) { a.MaxTokens = 11 }},
		{"it is longer than the context", "at most", short, func(a *Answer, _ *[]engine.TokenScore) { a.Context = a.Prompt + 5 }},
		{"it goes on after its end", "goes on after its end", short, func(_ *Answer, s *[]engine.TokenScore) { (*s)[4].End = true }},
		{"it goes on after a stop string", "goes on after its end", short, func(a *Answer, _ *[]engine.TokenScore) { a.Stop = []string{a.Text[2:4]} }},
		{"it says that it was stopped", "is said to end by", short, func(a *Answer, _ *[]engine.TokenScore) { a.Finish = engine.FinishStop }},
		{"it names a finish that there is none of", `by "xxxxxxxxxxxxxxxxxxxx"`, short, func(a *Answer, _ *[]engine.TokenScore) { a.Finish = engine.Finish(strings.Repeat("x", 1000)) }},
		{"it names a stop string", "another stop string", short, func(a *Answer, _ *[]engine.TokenScore) { a.StopString = "x" }},
		{"another text", "its text is not that of its tokens", short, func(a *Answer, _ *[]engine.TokenScore) { a.Text += "!" }},
		{"no text", "its text is not that of its tokens", short, func(a *Answer, _ *[]engine.TokenScore) { a.Text = "" }},
	} {
		a, prompt, scores := ask(t, c.request)
		require.NoError(t, a.Exact(prompt, scores), c.name)
		c.change(&a, &scores)
		err := a.Exact(prompt, scores)
		require.ErrorIs(t, err, ErrExact, c.name)
		require.ErrorContains(t, err, c.want, c.name)
		require.Less(t, len(err.Error()), 200, c.name)
	}
}

func FuzzExact(f *testing.F) {
	f.Add(5, 5, 3, 100, "abc", "abc", "length", "b", []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, prompt, claimed, limit, context int, text, pieces, finish, stop string, ends []byte) {
		a := Answer{MaxTokens: limit, Context: context, Prompt: claimed, Text: text, Finish: engine.Finish(finish), StopString: stop}
		if stop != "" {
			a.Stop = []string{stop}
		}
		var scores []engine.TokenScore
		for i := range len(pieces) {
			a.Tokens, a.LogProbs = append(a.Tokens, int32(i)), append(a.LogProbs, 0)
			scores = append(scores, engine.TokenScore{Bytes: []byte{pieces[i]}, End: i < len(ends) && ends[i] == 0})
		}
		if err := a.Exact(prompt, scores); err == nil {
			require.Equal(t, prompt, claimed)
			require.LessOrEqual(t, len(a.Tokens)+prompt, context)
		} else {
			require.ErrorIs(t, err, ErrExact)
		}
	})
}
