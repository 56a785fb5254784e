package sim

import (
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

func (t table) weights() {
	t.add(&weightstypes.MsgSetWeights{}, 60, setWeights)
	t.add(&weightstypes.MsgCommitWeights{}, 90, commitWeights)
	t.add(&weightstypes.MsgRevealWeights{}, 120, revealWeights)
	t.add(&weightstypes.MsgBatchSetWeights{}, 8, batchSetWeights)
	t.add(&weightstypes.MsgBatchCommitWeights{}, 8, batchCommitWeights)
}

func permitted(n *net) []subnetstypes.Neuron { return n.permitted }

func plainly(n *net) []subnetstypes.Neuron {
	if n.Hyperparameters.CommitReveal {
		return nil
	}
	return n.permitted
}

func hidden(n *net) []subnetstypes.Neuron {
	if !n.Hyperparameters.CommitReveal {
		return nil
	}
	return n.permitted
}

// row judges some of a subnet's neurons; seldom nobody but the validator itself.
func (s *sim) row(n *net, self uint32) (uids, values []uint32) {
	if s.n(25) == 0 {
		return []uint32{self}, []uint32{uint32(1 + s.n(65_535))}
	}
	order := s.rng.Perm(len(n.neurons))
	for _, i := range order[:max(min(3, len(order)), s.n(len(order)+1))] {
		if n.neurons[i].Uid == self && s.n(10) > 0 {
			continue
		}
		uids, values = append(uids, n.neurons[i].Uid), append(values, uint32(1+s.n(65_535)))
	}
	if len(uids) == 0 {
		return []uint32{self}, []uint32{1}
	}
	return uids, values
}

func setWeights(s *sim) sdk.Msg {
	n, x, ok := s.neuron(plainly)
	if !ok {
		return nil
	}
	m := &weightstypes.MsgSetWeights{Hotkey: x.Hotkey, Netuid: n.Netuid, Version: n.Hyperparameters.WeightsVersion}
	m.Uids, m.Values = s.row(n, x.Uid)
	return m
}

// commit is a hidden row, and when it can be revealed.
type commit struct {
	subnet, epoch uint64
	reveal        *weightstypes.MsgRevealWeights
}

// hide makes a row and its hash.
func (s *sim) hide(n *net, x subnetstypes.Neuron) []byte {
	r := &weightstypes.MsgRevealWeights{Hotkey: x.Hotkey, Netuid: n.Netuid, Version: n.Hyperparameters.WeightsVersion, Salt: s.bytes(weightstypes.SaltSize)}
	r.Uids, r.Values = s.row(n, x.Uid)
	hash := weightstypes.WeightsHash(chainID, uint16(n.Netuid), s.byText[x.Hotkey].addr, r.Version, narrow(r.Uids), narrow(r.Values), r.Salt)
	s.commits = append(s.commits, commit{n.Id, n.epoch.Number + 1 + uint64(n.Hyperparameters.RevealPeriod), r})
	return hash[:]
}

func narrow(in []uint32) []uint16 {
	out := make([]uint16, len(in))
	for i, v := range in {
		out[i] = uint16(v)
	}
	return out
}

func commitWeights(s *sim) sdk.Msg {
	n, x, ok := s.neuron(hidden)
	if !ok {
		return nil
	}
	return &weightstypes.MsgCommitWeights{Hotkey: x.Hotkey, Netuid: n.Netuid, Hash: s.hide(n, x)}
}

// revealWeights opens a commit whose time has come; one in twenty a little early.
func revealWeights(s *sim) sdk.Msg {
	s.commits = slices.DeleteFunc(s.commits, func(c commit) bool {
		n := s.netOf(c.subnet)
		return n == nil || n.epoch.Number+1 > c.epoch
	})
	for i, c := range s.commits {
		n := s.netOf(c.subnet)
		if n.epoch.Number+1 != c.epoch && s.n(200) > 0 || !slices.ContainsFunc(n.permitted, func(x subnetstypes.Neuron) bool { return x.Hotkey == c.reveal.Hotkey }) {
			continue
		}
		s.commits = slices.Delete(s.commits, i, i+1)
		return c.reveal
	}
	return nil
}

func batchSetWeights(s *sim) sdk.Msg {
	_, x, ok := s.neuron(permitted)
	if !ok {
		return nil
	}
	m := &weightstypes.MsgBatchSetWeights{Hotkey: x.Hotkey}
	for _, n := range s.view.nets {
		if s.n(2) == 0 || n.has(x.Hotkey) {
			w := weightstypes.SubnetWeights{Netuid: n.Netuid, Version: n.Hyperparameters.WeightsVersion}
			w.Uids, w.Values = s.row(n, x.Uid)
			m.Weights = append(m.Weights, w)
		}
	}
	return m
}

func batchCommitWeights(s *sim) sdk.Msg {
	_, x, ok := s.neuron(permitted)
	if !ok {
		return nil
	}
	m := &weightstypes.MsgBatchCommitWeights{Hotkey: x.Hotkey}
	for _, n := range s.view.nets {
		if s.n(2) == 0 || n.has(x.Hotkey) {
			m.Commits = append(m.Commits, weightstypes.SubnetCommit{Netuid: n.Netuid, Hash: s.hide(n, x)})
		}
	}
	return m
}
