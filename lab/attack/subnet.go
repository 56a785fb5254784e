package attack

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/lodenet/lode/yuma"
)

// tempo is protocol.md §3's, in blocks.
const tempo = 360

// subnet is a subnet through some epochs as chance made it: both ways to play a
// game are played on the same one. Validators have the uids from 0, miners those
// behind. Stakes stay as they are: what an epoch pays is small beside them.
type subnet struct {
	params     yuma.Params
	validators int
	miners     int
	warm       int           // epochs before those that count
	epochs     int           // with those
	stakes     []uint64      // by uid
	reveal     int           // epochs from a commit to its reveal; 0: without commit–reveal
	truth      [][]float64   // by epoch and miner: its quality
	seen       [][][]float64 // by epoch, validator and miner: what it measures
	arrived    []int         // by miner: the first epoch that it is there for
}

// luck says how a subnet is drawn.
type luck struct {
	validators, miners, warm, epochs int
	noise                            float64 // of a measurement, relative
	drift                            float64 // of a quality from epoch to epoch, relative, below spread
}

// spread is how far qualities are apart: the deviation of their logarithms. They
// drift so that it stays.
const spread = 0.4

// params are the defaults of protocol.md §3.
func params() yuma.Params {
	return yuma.Params{
		Kappa: 32_767, BondsPenalty: 65_535, BondsMovingAverage: 900_000,
		AlphaLow: 700_000, AlphaHigh: 900_000, AlphaSteepness: 1000,
		YumaVersion: 3, MaxValidators: 64, ActivityCutoff: 5000,
	}
}

func newSubnet(rng *rand.Rand, l luck) *subnet {
	s := &subnet{
		params: params(), validators: l.validators, miners: l.miners, warm: l.warm, epochs: l.warm + l.epochs,
		stakes: make([]uint64, l.validators+l.miners), arrived: make([]int, l.miners),
	}
	for v := range l.validators {
		s.stakes[v] = uint64(1e14 * math.Exp(0.7*rng.NormFloat64()))
	}
	now := make([]float64, l.miners) // the logarithms of qualities
	for m := range now {
		now[m] = spread * rng.NormFloat64()
	}
	keep := math.Sqrt(1 - (l.drift/spread)*(l.drift/spread))
	for range s.epochs {
		for m := range now {
			now[m] = keep*now[m] + l.drift*rng.NormFloat64()
		}
		truth := make([]float64, l.miners)
		for m := range now {
			truth[m] = math.Exp(now[m])
		}
		s.truth = append(s.truth, truth)
		seen := make([][]float64, l.validators)
		for v := range seen {
			seen[v] = make([]float64, l.miners)
			for m := range now {
				seen[v][m] = truth[m] * math.Exp(l.noise*rng.NormFloat64())
			}
		}
		s.seen = append(s.seen, seen)
	}
	return s
}

// give sets the stakes of the first n validators so that together they hold a
// share of all.
func (s *subnet) give(n int, share float64) {
	var theirs, others float64
	for v := range s.validators {
		if v < n {
			theirs += float64(s.stakes[v])
		} else {
			others += float64(s.stakes[v])
		}
	}
	factor := share / (1 - share) * others / theirs
	for v := range n {
		s.stakes[v] = uint64(float64(s.stakes[v]) * factor)
	}
}

// view is what a validator knows when it makes its row.
type view struct {
	epoch     int // that it commits or sets the row for
	validator int
	seen      []float64   // by miner: what it measures now
	consensus [][]float64 // by past epoch and miner
}

// strategy makes a validator's row, by miner; nil is no row.
type strategy func(v view) []float64

// honest weights miners by what is measured.
func honest(v view) []float64 { return v.seen }

// income is of the epochs that count, by uid: 1 is an epoch's pot.
type income struct {
	miner, validator []float64
	consensus        [][]float64 // by epoch and miner, all of them
	incentive        [][]float64 // likewise
}

// play runs the epochs. who says how each validator plays.
func (s *subnet) play(who func(validator int) strategy) (*income, error) {
	n := s.validators + s.miners
	in := &yuma.Input{
		Params: s.params, Block: tempo, Owner: -1, Stake: s.stakes,
		Rows: make([]yuma.Row, n), Registered: make([]uint64, n), Permits: make([]bool, n),
	}
	var engine yuma.Engine
	out, err := engine.Run(in) // it only grants the permits
	if err != nil {
		return nil, err
	}
	got := &income{miner: make([]float64, n), validator: make([]float64, n)}
	for epoch := range s.epochs {
		in.LastEpoch, in.Block = in.Block, in.Block+tempo
		in.Permits, in.Bonds = out.Permits, out.Bonds
		for m, at := range s.arrived {
			if at == epoch && at > 0 {
				in.Registered[s.validators+m] = in.Block - tempo/2
			}
		}
		made := max(epoch-s.reveal, 0)
		for v := range s.validators {
			row := who(v)(view{epoch: made, validator: v, seen: s.seen[made][v], consensus: got.consensus[:made]})
			in.Rows[v] = yuma.Row{Set: row != nil, Block: in.Block - uint64(epoch-made)*tempo, Entries: s.entries(row)}
		}
		if out, err = engine.Run(in); err != nil {
			return nil, fmt.Errorf("epoch %d: %w", epoch+1, err)
		}
		got.add(s, out, epoch >= s.warm)
	}
	return got, nil
}

// entries are a row as the chain takes it: of 65,535 for the largest.
func (s *subnet) entries(row []float64) []yuma.Entry {
	most := 0.0
	for _, w := range row {
		most = max(most, w)
	}
	var entries []yuma.Entry
	for m, w := range row {
		if value := math.Round(65_535 * w / most); w > 0 && value > 0 {
			entries = append(entries, yuma.Entry{UID: uint16(s.validators + m), Value: uint16(value)})
		}
	}
	return entries
}

func (g *income) add(s *subnet, out *yuma.Output, counts bool) {
	consensus, incentive := make([]float64, s.miners), make([]float64, s.miners)
	for m := range consensus {
		consensus[m], incentive[m] = out.Consensus[s.validators+m].Float64(), out.Incentive[s.validators+m].Float64()
	}
	g.consensus, g.incentive = append(g.consensus, consensus), append(g.incentive, incentive)
	if !counts {
		return
	}
	var all float64
	for uid := range out.MinerShare {
		all += float64(out.MinerShare[uid]) + float64(out.ValidatorShare[uid])
	}
	if out.Outcome == yuma.NoWeights {
		all *= 2 // the miners' half is burned
	}
	if all == 0 {
		return
	}
	for uid := range out.MinerShare {
		g.miner[uid] += float64(out.MinerShare[uid]) / all
		g.validator[uid] += float64(out.ValidatorShare[uid]) / all
	}
}

// everybody is honest.
func everybody(int) strategy { return honest }

// these play the first n validators so, the others honestly.
func these(n int, how strategy) func(int) strategy {
	return func(v int) strategy {
		if v < n {
			return how
		}
		return honest
	}
}

// percent is by how many percent b is more than a, 0 where a is nothing.
func percent(a, b float64) float64 {
	if a == 0 {
		return 0
	}
	return 100 * (b - a) / a
}
