package console

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"time"

	sdkmath "cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/client"
)

// proposalJSON is one of governance's proposals, without what is long. Proposals that
// never had their deposit, and those that were taken back, are gone from the chain.
type proposalJSON struct {
	ID           uint64    `json:"id,string"`
	Title        string    `json:"title"`
	Proposer     string    `json:"proposer"`
	Status       string    `json:"status"`
	Expedited    bool      `json:"expedited"`
	Types        []string  `json:"types"`
	Submitted    string    `json:"submitted"`
	DepositEnds  *string   `json:"deposit_ends"`
	VotingStarts *string   `json:"voting_starts"`
	VotingEnds   *string   `json:"voting_ends"`
	DepositRao   uint64    `json:"deposit_rao,string"`
	Tally        tallyJSON `json:"tally"`
	FailedReason string    `json:"failed_reason"`
}

// tallyJSON is what voted how, in the TAO that is delegated.
type tallyJSON struct {
	YesRao     uint64 `json:"yes_rao,string"`
	NoRao      uint64 `json:"no_rao,string"`
	VetoRao    uint64 `json:"veto_rao,string"`
	AbstainRao uint64 `json:"abstain_rao,string"`
}

// rulesJSON are what decides a proposal.
type rulesJSON struct {
	BondedRao              uint64  `json:"bonded_rao,string"`
	Quorum                 float64 `json:"quorum"`
	Threshold              float64 `json:"threshold"`
	ExpeditedThreshold     float64 `json:"expedited_threshold"`
	VetoThreshold          float64 `json:"veto_threshold"`
	DepositRao             uint64  `json:"deposit_rao,string"`
	ExpeditedDepositRao    uint64  `json:"expedited_deposit_rao,string"`
	DepositSeconds         int64   `json:"deposit_seconds"`
	VotingSeconds          int64   `json:"voting_seconds"`
	ExpeditedVotingSeconds int64   `json:"expedited_voting_seconds"`
}

// optionJSON is a part of a vote.
type optionJSON struct {
	Option string  `json:"option"`
	Weight float64 `json:"weight"`
}

type voteJSON struct {
	Voter   string       `json:"voter"`
	Options []optionJSON `json:"options"`
}

var proposalStatuses = map[govtypes.ProposalStatus]string{
	govtypes.StatusDepositPeriod: "deposit", govtypes.StatusVotingPeriod: "voting",
	govtypes.StatusPassed: "passed", govtypes.StatusRejected: "rejected", govtypes.StatusFailed: "failed",
}

var voteOptions = map[govtypes.VoteOption]string{
	govtypes.OptionYes: "yes", govtypes.OptionNo: "no", govtypes.OptionNoWithVeto: "veto", govtypes.OptionAbstain: "abstain",
}

// proposals are governance's, the latest first.
func (s *Server) proposals(ctx context.Context, a *ask) (any, error) {
	limit, key, err := a.page(ofProposals)
	if err != nil {
		return nil, err
	}
	ctx, now, err := s.chain.now(ctx)
	if err != nil {
		return nil, err
	}
	rules, err := s.rules(ctx)
	if err != nil {
		return nil, err
	}
	page := &query.PageRequest{Limit: uint64(limit), Reverse: true}
	if key != nil {
		if page.Key = key[1:]; len(page.Key) != 8 {
			return nil, badCursor()
		}
	}
	r, err := s.client.Gov().Proposals(ctx, &govtypes.QueryProposalsRequest{Pagination: page})
	if err != nil {
		return nil, err
	}
	list := make([]*proposalJSON, 0, len(r.Proposals))
	for _, p := range r.Proposals {
		v, err := s.newProposal(ctx, p)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return struct {
		at
		Rules *rulesJSON      `json:"rules"`
		Items []*proposalJSON `json:"items"`
		Next  string          `json:"next"`
	}{now, rules, list, nextOf([]byte{ofProposals}, r.Pagination)}, nil
}

// proposal is one, with its text, what it does, and how one account voted.
func (s *Server) proposal(ctx context.Context, a *ask) (any, error) {
	id, err := number("proposal", a.PathValue("id"), 1, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	voter := a.query.Get("voter")
	if voter != "" {
		if voter, err = checkAddress(voter); err != nil {
			return nil, err
		}
	}
	ctx, now, err := s.chain.now(ctx)
	if err != nil {
		return nil, err
	}
	rules, err := s.rules(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.theProposal(ctx, id)
	if err != nil {
		return nil, err
	}
	v := struct {
		at
		*proposalJSON
		Rules    *rulesJSON        `json:"rules"`
		Summary  string            `json:"summary"`
		Metadata string            `json:"metadata"`
		Messages []json.RawMessage `json:"messages"`
		Vote     *voteJSON         `json:"vote"`
	}{at: now, Rules: rules, Summary: p.Summary, Metadata: p.Metadata, Messages: []json.RawMessage{}}
	if v.proposalJSON, err = s.newProposal(ctx, p); err != nil {
		return nil, err
	}
	for _, m := range p.Messages {
		v.Messages = append(v.Messages, client.MessageJSON(s.client.Codec(), m))
	}
	if voter != "" && p.Status == govtypes.StatusVotingPeriod {
		r, err := s.client.Gov().Vote(ctx, &govtypes.QueryVoteRequest{ProposalId: id, Voter: voter})
		switch {
		case err == nil:
			if v.Vote, err = newVote(r.Vote); err != nil {
				return nil, err
			}
		case failureOf(err).code != "bad_value": // the chain's words for: it has not voted
			return nil, err
		}
	}
	return v, nil
}

// votes are those on an open proposal; when it is decided the chain forgets them.
func (s *Server) votes(ctx context.Context, a *ask) (any, error) {
	id, err := number("proposal", a.PathValue("id"), 1, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	limit, key, err := a.page(ofVotes)
	if err != nil {
		return nil, err
	}
	ctx, now, err := s.chain.now(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.theProposal(ctx, id); err != nil {
		return nil, err
	}
	page, of := &query.PageRequest{Limit: uint64(limit)}, binary.BigEndian.AppendUint64([]byte{ofVotes}, id)
	if key != nil {
		after, ok := bytes.CutPrefix(key, of)
		if !ok || len(after) == 0 {
			return nil, badCursor()
		}
		page.Key = after
	}
	r, err := s.client.Gov().Votes(ctx, &govtypes.QueryVotesRequest{ProposalId: id, Pagination: page})
	if err != nil {
		return nil, err
	}
	list := make([]*voteJSON, 0, len(r.Votes))
	for _, vote := range r.Votes {
		v, err := newVote(vote)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return struct {
		at
		Items []*voteJSON `json:"items"`
		Next  string      `json:"next"`
	}{now, list, nextOf(of, r.Pagination)}, nil
}

// nextOf is the cursor of a list that the chain pages itself; of says which list.
func nextOf(of []byte, r *query.PageResponse) string {
	if nextPage(r) == nil {
		return ""
	}
	return cursor(append(of, r.NextKey...))
}

func (s *Server) theProposal(ctx context.Context, id uint64) (*govtypes.Proposal, error) {
	r, err := s.client.Gov().Proposal(ctx, &govtypes.QueryProposalRequest{ProposalId: id})
	if err != nil {
		return nil, err
	}
	if r.Proposal == nil {
		return nil, fail(http.StatusNotFound, "not_found", "", "there is no proposal %d", id)
	}
	return r.Proposal, nil
}

func (s *Server) newProposal(ctx context.Context, p *govtypes.Proposal) (*proposalJSON, error) {
	v := &proposalJSON{
		ID: p.Id, Title: p.Title, Proposer: p.Proposer, Status: proposalStatuses[p.Status], Expedited: p.Expedited, Types: []string{},
		DepositEnds: instant(p.DepositEndTime), VotingStarts: instant(p.VotingStartTime), VotingEnds: instant(p.VotingEndTime), FailedReason: p.FailedReason,
	}
	if p.SubmitTime != nil {
		v.Submitted = rfc3339(*p.SubmitTime)
	}
	for _, m := range p.Messages {
		v.Types = append(v.Types, m.TypeUrl)
	}
	var err error
	if v.DepositRao, err = raoOf(sdk.Coins(p.TotalDeposit).AmountOf(client.Denom)); err != nil {
		return nil, err
	}
	tally := p.FinalTallyResult
	if p.Status == govtypes.StatusVotingPeriod {
		r, err := s.client.Gov().TallyResult(ctx, &govtypes.QueryTallyResultRequest{ProposalId: p.Id})
		if err != nil {
			return nil, err
		}
		tally = r.Tally
	}
	if tally == nil {
		return v, nil
	}
	for _, part := range []struct {
		text string
		into *uint64
	}{
		{tally.YesCount, &v.Tally.YesRao}, {tally.NoCount, &v.Tally.NoRao},
		{tally.NoWithVetoCount, &v.Tally.VetoRao}, {tally.AbstainCount, &v.Tally.AbstainRao},
	} {
		n, ok := sdkmath.NewIntFromString(part.text)
		if !ok {
			n = sdkmath.Int{}
		}
		if *part.into, err = raoOf(n); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func newVote(of *govtypes.Vote) (*voteJSON, error) {
	v := &voteJSON{Voter: of.Voter, Options: []optionJSON{}}
	for _, o := range of.Options {
		weight, err := part(o.Weight)
		if err != nil {
			return nil, err
		}
		v.Options = append(v.Options, optionJSON{voteOptions[o.Option], weight})
	}
	return v, nil
}

// rules are what decides a proposal now.
func (s *Server) rules(ctx context.Context) (*rulesJSON, error) {
	pool, err := s.client.Staking().Pool(ctx, &stakingtypes.QueryPoolRequest{})
	if err != nil {
		return nil, err
	}
	r, err := s.client.Gov().Params(ctx, &govtypes.QueryParamsRequest{})
	if err != nil {
		return nil, err
	}
	v, p := &rulesJSON{}, r.Params
	for _, f := range []struct {
		of   sdkmath.Int
		into *uint64
	}{
		{pool.Pool.BondedTokens, &v.BondedRao},
		{sdk.Coins(p.MinDeposit).AmountOf(client.Denom), &v.DepositRao},
		{sdk.Coins(p.ExpeditedMinDeposit).AmountOf(client.Denom), &v.ExpeditedDepositRao},
	} {
		if *f.into, err = raoOf(f.of); err != nil {
			return nil, err
		}
	}
	for _, f := range []struct {
		of   string
		into *float64
	}{
		{p.Quorum, &v.Quorum}, {p.Threshold, &v.Threshold}, {p.ExpeditedThreshold, &v.ExpeditedThreshold}, {p.VetoThreshold, &v.VetoThreshold},
	} {
		if *f.into, err = part(f.of); err != nil {
			return nil, err
		}
	}
	for _, f := range []struct {
		of   *time.Duration
		into *int64
	}{
		{p.MaxDepositPeriod, &v.DepositSeconds}, {p.VotingPeriod, &v.VotingSeconds}, {p.ExpeditedVotingPeriod, &v.ExpeditedVotingSeconds},
	} {
		if f.of != nil {
			*f.into = int64(f.of.Seconds())
		}
	}
	return v, nil
}

// part is a decimal of the SDK's from 0 to 1.
func part(text string) (float64, error) {
	d, err := sdkmath.LegacyNewDecFromStr(text)
	if err != nil {
		return 0, err
	}
	return d.Float64()
}

// instant is a time of the SDK's that may be missing.
func instant(t *time.Time) *string {
	if t == nil {
		return nil
	}
	text := rfc3339(*t)
	return &text
}
