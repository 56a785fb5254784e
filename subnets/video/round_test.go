package video

import (
	"testing"
	"time"
)

func TestARoundPaysBetterWorkMore(t *testing.T) {
	n, _ := network(t, "{}", miner(t, StrategyX264), miner(t, StrategyX265), miner(t, StrategySearch))
	v := validator(t, ValidatorConfig{})
	for range 3 {
		began := time.Now()
		scores, err := v.Round(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		r := v.Last()
		t.Logf("%v %s q=%.2f codecs %v source %d baseline %.0f", time.Since(began).Round(time.Millisecond), r.Job.Shape, r.Job.Gate.Quality, r.Job.Codecs, r.Source, r.Baseline)
		for _, a := range r.Answers {
			t.Logf("  %+v", a)
		}
		_ = scores
	}
}
