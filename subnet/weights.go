package subnet

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Weights are a validator's row as the chain takes it.
type Weights struct {
	UIDs    []uint16 // ascending
	Values  []uint16 // as many as UIDs; only ratios matter
	Version uint64   // of the measure, the subnet's weights_version
}

// ErrNothingToWeigh says that no miner has a score above zero.
var ErrNothingToWeigh = errors.New("no miner has a score above zero yet")

// fullScale is what the largest weight becomes, and the unit of max_weight_limit.
const fullScale = 65_535

// MakeWeights turns averaged scores into a row that the chain accepts (protocol.md
// §8): the largest becomes 65,535, none is more than max_weight_limit of the row, there
// are at least min_allowed_weights entries, and none is for self. neurons is how many
// uids the subnet has; where too few have a score, the lowest others get the smallest
// weight there is. A score above zero never rounds down to nothing.
func MakeWeights(scores map[uint16]float64, self uint16, neurons int, hp Hyperparameters, version uint64) (Weights, error) {
	w := Weights{Version: version}
	for uid, s := range scores {
		if math.IsNaN(s) || math.IsInf(s, 0) || s < 0 {
			return Weights{}, fmt.Errorf("score %v of uid %d is not a finite number from 0 up", s, uid)
		}
		if s > 0 && uid != self && int(uid) < neurons {
			w.UIDs = append(w.UIDs, uid)
		}
	}
	if len(w.UIDs) == 0 {
		return Weights{}, ErrNothingToWeigh
	}
	slices.Sort(w.UIDs)
	limit := hp.MaxWeightLimit
	if limit == 0 {
		limit = fullScale
	}
	if len(w.UIDs)*int(limit) < fullScale {
		return Weights{}, fmt.Errorf("max_weight_limit %d of %d needs at least %d miners with a score above zero, there are %d",
			limit, fullScale, (fullScale+int(limit)-1)/int(limit), len(w.UIDs))
	}

	shares := make([]float64, len(w.UIDs))
	for i, uid := range w.UIDs {
		shares[i] = scores[uid]
	}
	capShares(shares, float64(limit)/fullScale)
	top := slices.Max(shares)
	for _, s := range shares {
		w.Values = append(w.Values, uint16(max(1, math.Round(s/top*fullScale))))
	}
	if err := w.pad(self, neurons, hp.MinAllowedWeights); err != nil {
		return Weights{}, err
	}
	w.trim(limit)
	return w, nil
}

// capShares scales shares to sum 1 and hands what exceeds limit to the others in
// proportion, until none does. limit·len(shares) must be at least 1.
func capShares(shares []float64, limit float64) {
	top := slices.Max(shares) // first, so that the sum of huge scores stays finite
	for i := range shares {
		shares[i] = max(shares[i]/top, math.SmallestNonzeroFloat64)
	}
	order := make([]int, len(shares))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case shares[a] > shares[b]:
			return -1
		case shares[a] < shares[b]:
			return 1
		}
		return 0
	})
	// rest[k] is the sum of order[k:], added up from the small end to keep small shares.
	rest := make([]float64, len(order)+1)
	for k := len(order) - 1; k >= 0; k-- {
		rest[k] = rest[k+1] + shares[order[k]]
	}
	left := 1.0 // of the row, for the shares that are not capped
	k := 0
	for ; k < len(order) && shares[order[k]]/rest[k]*left > limit; k++ {
		left -= limit
		shares[order[k]] = limit
	}
	for sum := rest[k]; k < len(order); k++ {
		shares[order[k]] = shares[order[k]] / sum * left // left/sum could be infinite
	}
}

// pad adds the lowest uids that have no entry until there are least of them.
func (w *Weights) pad(self uint16, neurons, least int) error {
	for uid := 0; uid < neurons && len(w.UIDs) < least; uid++ {
		i, found := slices.BinarySearch(w.UIDs, uint16(uid))
		if found || uint16(uid) == self {
			continue
		}
		w.UIDs = slices.Insert(w.UIDs, i, uint16(uid))
		w.Values = slices.Insert(w.Values, i, 1)
	}
	if len(w.UIDs) < least {
		return fmt.Errorf("min_allowed_weights is %d and the subnet has only %d other neurons", least, len(w.UIDs))
	}
	return nil
}

// trim lowers the largest values until rounding, too, leaves none above limit/65,535 of
// the row. It ends, because equal values satisfy any limit that MakeWeights lets by.
func (w *Weights) trim(limit uint16) {
	for {
		sum := 0
		for _, v := range w.Values {
			sum += int(v)
		}
		most := uint16(min(sum*int(limit)/fullScale, fullScale))
		if slices.Max(w.Values) <= most {
			return
		}
		for i, v := range w.Values {
			w.Values[i] = min(v, most)
		}
	}
}
