package sim

import (
	sdk "github.com/cosmos/cosmos-sdk/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

func (t table) coldkeySwaps() {
	t.add(&alphatypes.MsgSetRecoveryKey{}, 10, setRecovery)
	t.add(&alphatypes.MsgAnnounceColdkeySwap{}, 8, announceSwap)
	t.add(&alphatypes.MsgDisputeColdkeySwap{}, 4, disputeSwap)
	t.add(&alphatypes.MsgDecideColdkeySwap{}, 8, decideSwap)
}

func setRecovery(s *sim) sdk.Msg {
	cold := s.coldkey()
	m := &alphatypes.MsgSetRecoveryKey{Coldkey: cold.text}
	if r := s.recovery(cold.text); r != nil && s.n(3) == 0 {
		return m // takes it back
	}
	m.Recovery = s.anybody().text
	return m
}

func (s *sim) recovery(cold string) *alphatypes.Recovery {
	for i, r := range s.view.alpha.Recoveries {
		if r.Coldkey == cold {
			return &s.view.alpha.Recoveries[i]
		}
	}
	return nil
}

// newColdkey is mostly one that nobody has used, as the guides say; sometimes
// another's.
func (s *sim) newColdkey() *person {
	if s.n(3) > 0 && len(s.cold)+len(s.hot) < most {
		return s.addCold()
	}
	return s.cold[s.n(len(s.cold))]
}

func announceSwap(s *sim) sdk.Msg {
	if len(s.view.alpha.ColdkeySwaps) > 4 {
		return nil
	}
	return &alphatypes.MsgAnnounceColdkeySwap{Coldkey: s.coldkey().text, NewColdkey: s.newColdkey().text}
}

func disputeSwap(s *sim) sdk.Msg {
	for _, c := range s.view.alpha.ColdkeySwaps {
		if r := s.recovery(c.Coldkey); (r == nil || r.Key == "") && s.n(2) == 0 {
			return &alphatypes.MsgDisputeColdkeySwap{Coldkey: c.Coldkey}
		}
	}
	return nil
}

// decideSwap cancels an announcement, redirects it, or swaps a coldkey that has
// announced nothing.
func decideSwap(s *sim) sdk.Msg {
	if len(s.view.alpha.Recoveries) == 0 {
		return nil
	}
	r := s.view.alpha.Recoveries[s.n(len(s.view.alpha.Recoveries))]
	key := r.Key
	if key == "" || r.DueHeight > 0 && s.n(2) == 0 && r.Next != "" {
		key = r.Next // in force by now, perhaps
	}
	if key == "" {
		return nil
	}
	m := &alphatypes.MsgDecideColdkeySwap{Recovery: key, Coldkey: r.Coldkey}
	switch {
	case s.view.locked[r.Coldkey] || r.DueHeight > 0:
		if s.n(2) == 0 {
			m.NewColdkey = s.newColdkey().text
		}
	case s.n(6) > 0:
		return nil // swaps are seldom: they bring a coldkey's things together
	default:
		m.NewColdkey = s.newColdkey().text
	}
	return m
}
