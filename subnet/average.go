package subnet

import (
	"fmt"
	"math"
)

// average is a miner's exponential moving average of scores. It belongs to a hotkey,
// so that whoever takes over a uid starts anew.
type average struct {
	Value  float64 `json:"value"`
	Last   float64 `json:"last"`   // score of the last round that measured it
	Rounds uint64  `json:"rounds"` // that measured it
}

type averages map[string]average // by hotkey

// check refuses scores that can't be averaged or belong to nobody.
func (s Scores) check(meta *Metagraph) error {
	for uid, v := range s {
		if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
			return fmt.Errorf("score %v of uid %d is not a finite number from 0 up", v, uid)
		}
		if _, ok := meta.ByUID(uid); !ok {
			return fmt.Errorf("score for uid %d, but the subnet's uids end at %d", uid, len(meta.Neurons)-1)
		}
	}
	return nil
}

// add averages a round's scores in. The first score of a hotkey is its average. Those
// that are miners no more, and were not measured, count as measured at 0.
func (a averages) add(meta *Metagraph, miners []Neuron, scores Scores, smoothing float64) {
	serves := map[string]bool{}
	for _, m := range miners {
		serves[m.Hotkey] = true
	}
	for hotkey, old := range a {
		n, registered := meta.ByHotkey(hotkey)
		if !registered {
			delete(a, hotkey)
			continue
		}
		if _, measured := scores[n.UID]; !measured && !serves[hotkey] {
			old.Value -= smoothing * old.Value
			old.Last = 0
			a[hotkey] = old
		}
	}
	for uid, s := range scores {
		hotkey := meta.Neurons[uid].Hotkey
		avg, known := a[hotkey]
		if !known {
			avg.Value = s
		} else {
			avg.Value = (1-smoothing)*avg.Value + smoothing*s
		}
		avg.Last = s
		avg.Rounds++
		a[hotkey] = avg
	}
}

// byUID returns the averages of those who hold a uid now.
func (a averages) byUID(meta *Metagraph) map[uint16]float64 {
	out := map[uint16]float64{}
	for _, n := range meta.Neurons {
		if avg, ok := a[n.Hotkey]; ok {
			out[n.UID] = avg.Value
		}
	}
	return out
}
