package lab

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/yuma"
)

// Result is what a scenario's epochs give.
type Result struct {
	Name   string  `json:"name"`
	Epochs []Epoch `json:"epochs"`
}

// Epoch is what one epoch gives: fractions by uid, to 10 digits.
type Epoch struct {
	Epoch          int       `json:"epoch"`   // the first is 1
	Outcome        string    `json:"outcome"` // how the pot is divided: weighted, no_weights, no_stake
	Dividends      []float64 `json:"dividends"`
	Incentive      []float64 `json:"incentive"`
	Consensus      []float64 `json:"consensus"`
	ValidatorTrust []float64 `json:"validator_trust"`
	Bonds          Bonds     `json:"bonds"`
	// ServerEmission and ValidatorEmission are what miners and validators get of the
	// pot, and Unpaid is what nobody gets: burned where nobody set weights, recycled
	// where nobody has stake (protocol.md §7, step 8). Together they are 1.
	ServerEmission    []float64 `json:"server_emission"`
	ValidatorEmission []float64 `json:"validator_emission"`
	Unpaid            float64   `json:"unpaid"`
}

// Bonds are validators' bonds by uid, of 65,535. Their JSON is that of weights
// with fractions for values; what is zero is left out.
type Bonds [][]yuma.Entry

// Run computes the epochs of a scenario that Parse returned.
func Run(s *Scenario) (*Result, error) {
	n := len(s.Stakes)
	in := &yuma.Input{
		Params: s.Params, Block: s.Tempo, Owner: -1, Stake: s.Stakes,
		Rows: make([]yuma.Row, n), Registered: make([]uint64, n), Permits: make([]bool, n),
	}
	var engine yuma.Engine
	out, err := engine.Run(in) // nobody set anything: it only grants the permits
	if err != nil {
		return nil, err
	}
	r := &Result{Name: s.Name, Epochs: make([]Epoch, 0, len(s.Epochs))}
	for i, step := range s.Epochs {
		in.LastEpoch, in.Block = in.Block, in.Block+s.Tempo
		in.Permits, in.Bonds = out.Permits, out.Bonds
		for _, row := range step.Rows {
			in.Rows[row.UID] = yuma.Row{Set: true, Block: in.Block, Entries: row.Entries}
		}
		if step.Repeat {
			for uid := range in.Rows {
				in.Rows[uid].Block = in.Block
			}
		}
		if out, err = engine.Run(in); err != nil {
			return nil, fmt.Errorf("epoch %d: %w", i+1, err)
		}
		r.Epochs = append(r.Epochs, epochOf(i+1, out))
	}
	return r, nil
}

func epochOf(number int, o *yuma.Output) Epoch {
	e := Epoch{
		Epoch:     number,
		Dividends: floats(o.Dividends), Incentive: floats(o.Incentive),
		Consensus: floats(o.Consensus), ValidatorTrust: floats(o.ValidatorTrust),
		Bonds: make(Bonds, len(o.Bonds)),
	}
	for uid, row := range o.Bonds { // the engine's next epoch overwrites them
		e.Bonds[uid] = slices.Clone(row)
	}
	// Half of the pot is the miners', half the validators', unless weights say how
	// all of it is divided.
	ofPot := 1.0
	switch o.Outcome {
	case yuma.Weighted:
		e.Outcome = "weighted"
	case yuma.NoWeights:
		e.Outcome, ofPot, e.Unpaid = "no_weights", 0.5, 0.5
	default:
		e.Outcome, e.Unpaid = "no_stake", 1
	}
	var total uint64
	for uid := range o.MinerShare {
		total += o.MinerShare[uid] + o.ValidatorShare[uid] // together little more than 2 · 2^32
	}
	part := func(shares []uint64) []float64 {
		fractions := make([]float64, len(shares))
		for uid, share := range shares {
			if share > 0 {
				fractions[uid] = rounded(ofPot * float64(share) / float64(total))
			}
		}
		return fractions
	}
	e.ServerEmission, e.ValidatorEmission = part(o.MinerShare), part(o.ValidatorShare)
	return e
}

func floats(in []fixed.Q32) []float64 {
	out := make([]float64, len(in))
	for i, q := range in {
		out[i] = rounded(q.Float64())
	}
	return out
}

// rounded is to the 10 digits that tell any two fractions of the protocol apart.
func rounded(f float64) float64 { return math.Round(f*1e10) / 1e10 }

func fractionOf(b yuma.Entry) float64 { return rounded(float64(b.Value) / 65_535) }

// MarshalJSON writes {"0": [[3, 0.1]], …}.
func (b Bonds) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for uid, row := range b {
		if len(row) == 0 {
			continue
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = strconv.AppendQuote(text, strconv.Itoa(uid))
		text = append(text, ":["...)
		for i, bond := range row {
			if i > 0 {
				text = append(text, ',')
			}
			text = append(text, '[')
			text = strconv.AppendUint(text, uint64(bond.UID), 10)
			text = append(text, ',')
			text = strconv.AppendFloat(text, fractionOf(bond), 'f', -1, 64)
			text = append(text, ']')
		}
		text = append(text, ']')
	}
	return append(text, '}'), nil
}

var _ json.Marshaler = Bonds{}
