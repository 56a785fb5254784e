package sim

import (
	"fmt"
	"slices"

	abci "github.com/cometbft/cometbft/abci/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
)

// account counts what was in a block and what came of it.
func (s *sim) account(b *abci.RequestFinalizeBlock, res *abci.ResponseFinalizeBlock) {
	in := map[string]*pending{}
	for _, t := range append(slices.Clone(s.mempool), s.old...) {
		in[string(t.raw)] = t
	}
	var gone = map[string]bool{}
	for i, raw := range b.Txs {
		r := res.TxResults[i]
		t := in[string(raw)]
		if t == nil {
			continue // the proof, or garbage
		}
		gone[string(raw)] = true
		s.noPanic(fmt.Sprintf("transaction %d (%T)", i, t.msgs[0]), r.Codespace, r.Code, r.Log)
		s.report.Txs++
		s.report.Ops += len(t.msgs)
		for _, m := range t.msgs {
			s.tally(m, r.Code == 0)
		}
		for _, e := range r.Events {
			s.report.count(e.Type)
		}
		if r.Code != 0 && s.Failed != nil {
			s.Failed(t.msgs[0], r.Log)
		}
		if s.n(20) == 0 {
			s.old = append(s.old, t)
		}
	}
	if len(s.old) > 50 {
		s.old = s.old[len(s.old)-50:]
	}
	for _, e := range res.Events {
		s.report.count(e.Type)
		s.governed(e)
	}
	if s.mempool = slices.DeleteFunc(s.mempool, func(t *pending) bool { return gone[string(t.raw)] }); s.n(3) == 0 {
		s.mempool = nil
	}
	s.halved()
	s.report.Blocks++
	s.report.Hashes = append(s.report.Hashes, fmt.Sprintf("%x", res.AppHash))
}

// tally counts a message, and those inside of it.
func (s *sim) tally(m sdk.Msg, done bool) {
	s.report.tally(sdk.MsgTypeURL(m), done)
	if exec, ok := m.(*authz.MsgExec); ok {
		inner, err := exec.GetMessages()
		must(err)
		for _, i := range inner {
			s.tally(i, done)
		}
	}
}

// governed counts what governance has carried out.
func (s *sim) governed(e abci.Event) {
	if e.Type != "active_proposal" {
		return
	}
	id, result := attribute(e, "proposal_id"), attribute(e, "proposal_result")
	s.report.count("governance: " + result)
	if result != "proposal_passed" && result != "proposal_failed" {
		return
	}
	for _, p := range s.view.proposals {
		if fmt.Sprint(p.Id) != id {
			continue
		}
		msgs, err := p.GetMsgs()
		must(err)
		for _, m := range msgs {
			s.tally(m, result == "proposal_passed")
		}
		if result == "proposal_failed" && s.Failed != nil {
			s.Failed(msgs[0], "in proposal "+id+": "+attribute(e, "proposal_log"))
		}
	}
}

func attribute(e abci.Event, key string) string {
	for _, a := range e.Attributes {
		if a.Key == key {
			return a.Value
		}
	}
	return ""
}

// halved counts that half of all TAO is issued, once.
func (s *sim) halved() {
	a := s.nodes[0]
	ctx := a.NewContext(true)
	if s.report.Events["rewards were halved"] == 0 && must1(a.Emission.Totals(ctx)).Issued >= must1(a.Emission.Params(ctx)).Cap/2 {
		s.report.count("rewards were halved")
	}
}
