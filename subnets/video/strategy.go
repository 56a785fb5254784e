package video

import (
	"fmt"
	"slices"

	"github.com/lodenet/lode/subnets/video/media"
)

// Strategy is a way to look for the smallest answer that holds the gate. Nobody is asked
// which one he uses: it is the miner's own business.
type Strategy string

// The strategies that come with Lode. A miner who wants to earn more writes a better one.
const (
	// StrategyX264 is quick: x264, or another codec's quick preset where it is not allowed.
	StrategyX264 Strategy = "x264"
	// StrategyX265 takes x265 at its medium preset, or another codec's.
	StrategyX265 Strategy = "x265"
	// StrategySearch tries the best encoders of all allowed codecs on a sample, then
	// takes the one that did best.
	StrategySearch Strategy = "search"
)

// Strategies are all of them.
func Strategies() []Strategy { return []Strategy{StrategyX264, StrategyX265, StrategySearch} }

// ParseStrategy reads a strategy's name.
func ParseStrategy(s string) (Strategy, error) {
	if slices.Contains(Strategies(), Strategy(s)) {
		return Strategy(s), nil
	}
	return "", fmt.Errorf("strategy %q is not one of x264, x265, search", s)
}

// recipes returns what a strategy tries on a job, its favourite first. A job that names
// one codec gets that codec.
func (s Strategy) recipes(job Job, tools *media.Tools) []media.Recipe {
	m := job.Gate.Measure
	var all []media.Recipe
	switch s {
	case StrategyX264:
		all = []media.Recipe{media.X264("fast", m), media.SVTAV1(10), media.AOM(8, m), media.X265("veryfast", m)}
	case StrategyX265:
		all = []media.Recipe{media.X265("medium", m), media.SVTAV1(8), media.AOM(7, m), media.X264("medium", m)}
	case StrategySearch:
		all = []media.Recipe{media.SVTAV1(5), media.X265("slow", m), media.AOM(5, m), media.X264("slower", m)}
	}
	var out []media.Recipe
	for _, r := range all {
		if job.allows(r.Codec) && tools.HasEncoder(r.Encoder) {
			out = append(out, r)
		}
	}
	switch {
	case s != StrategySearch && len(out) > 1:
		out = out[:1]
	case s == StrategySearch && len(job.Codecs) > 1:
		// x264 wins nowhere where others may be used.
		out = slices.DeleteFunc(out, func(r media.Recipe) bool { return r.Codec == media.H264 })
	}
	return out
}
