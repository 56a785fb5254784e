package yuma

import (
	"fmt"
	"math/bits"

	"github.com/lodenet/lode/fixed"
)

// Outcome tells how an epoch's pot is divided (protocol.md §7, step 8).
type Outcome int

const (
	// Weighted: miners and validators share one pot by incentive and dividends.
	Weighted Outcome = iota
	// NoWeights: nobody's weights count. The validators share their own half by
	// active stake, or by stake if none is active; the miners' half is burned.
	NoWeights
	// NoStake: nobody's stake counts. Both halves are recycled.
	NoStake
)

func (o Outcome) String() string {
	switch o {
	case Weighted:
		return "weighted"
	case NoWeights:
		return "no weights"
	case NoStake:
		return "no stake"
	}
	return fmt.Sprintf("outcome %d", int(o))
}

// Output is what an epoch gives, indexed by uid. Fractions are truncated, so
// what sums to 1 may fall short of it by n·2^-32.
type Output struct {
	Outcome Outcome

	StakeShare     []fixed.Q32 // S: shares of the stake that counts
	Active         []fixed.Q32 // A: shares of the stake that has a say in this epoch
	Consensus      []fixed.Q32 // C: the weight that enough active stake agrees on
	Rank           []fixed.Q32 // active stake times clipped weights
	Incentive      []fixed.Q32 // I: rank, normalised
	ValidatorTrust []fixed.Q32 // the sum of a validator's clipped weights
	Dividends      []fixed.Q32 // D: normalised

	Permits []bool    // who holds a permit from the next epoch on
	Bonds   [][]Entry // by validator, uids ascending, zeros left out

	// MinerShare and ValidatorShare are the weights by which alpha is divided.
	// Weighted: of the whole pot, among all of both. NoWeights: MinerShare is 0
	// throughout and ValidatorShare divides the validators' half. NoStake: both
	// are 0. Pay does it.
	MinerShare, ValidatorShare []uint64
}

// Pay divides an epoch's pending alpha: miners and validators by uid, and what
// is left to nobody (burned if NoWeights, recycled if NoStake). Largest
// remainder, ties to the lower uid and there to the miner; not a unit is lost.
// It is an error if the two halves together exceed 64 bits.
func (o *Output) Pay(minersHalf, validatorsHalf uint64) (miners, validators []uint64, unpaid uint64, err error) {
	pot, carry := bits.Add64(minersHalf, validatorsHalf, 0)
	if carry != 0 {
		return nil, nil, 0, fmt.Errorf("pending alpha of miners %d and validators %d exceeds 64 bits together", minersHalf, validatorsHalf)
	}
	n := len(o.MinerShare)
	switch o.Outcome {
	case Weighted:
		// One list in uid order, so that ties fall as said.
		weights := make([]uint64, 0, 2*n)
		for uid := range n {
			weights = append(weights, o.MinerShare[uid], o.ValidatorShare[uid])
		}
		shares := fixed.Apportion(pot, weights)
		miners, validators = make([]uint64, n), make([]uint64, n)
		for uid := range n {
			miners[uid], validators[uid] = shares[2*uid], shares[2*uid+1]
		}
		return miners, validators, 0, nil
	case NoWeights:
		return make([]uint64, n), fixed.Apportion(validatorsHalf, o.ValidatorShare), minersHalf, nil
	default:
		return make([]uint64, n), make([]uint64, n), pot, nil
	}
}
