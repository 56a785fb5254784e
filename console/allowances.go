package console

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	"github.com/cosmos/cosmos-sdk/x/feegrant"

	"github.com/lodenet/lode/client"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// allowanceJSON is what a key may spend out of an account.
type allowanceJSON struct {
	Agent         string   `json:"agent"`
	LeftRao       uint64   `json:"left_rao,string"`
	PerPeriodRao  *string  `json:"per_period_rao"`
	PeriodSeconds *int64   `json:"period_seconds"`
	PeriodLeftRao *string  `json:"period_left_rao"`
	PeriodEnds    *string  `json:"period_ends"`
	MaxDepositRao *string  `json:"max_deposit_rao"`
	Netuids       []uint32 `json:"netuids"`
	ServiceIDs    []string `json:"service_ids"`
	Ends          *string  `json:"ends"`
	PaysFees      bool     `json:"pays_fees"`
	FeesRao       *string  `json:"fees_rao"`
}

// amountOrNull is nil for 0, where the chain says "no limit" by it.
func amountOrNull(n uint64) *string {
	if n == 0 {
		return nil
	}
	return amount(n)
}

func amount(n uint64) *string {
	text := strconv.FormatUint(n, 10)
	return &text
}

func newAllowance(a *markettypes.SpendAuthorization, ends *time.Time, now time.Time) allowanceJSON {
	v := allowanceJSON{Agent: a.Spender, LeftRao: a.Limit, MaxDepositRao: amountOrNull(a.MaxDeposit), Netuids: append([]uint32{}, a.Netuids...), ServiceIDs: []string{}}
	for _, id := range a.ServiceIds {
		v.ServiceIDs = append(v.ServiceIDs, strconv.FormatUint(id, 10))
	}
	if a.PerPeriod > 0 {
		v.PerPeriodRao, v.PeriodSeconds, v.PeriodLeftRao = amount(a.PerPeriod), &a.Period, amount(a.PeriodLeft)
		if now.Unix() >= a.PeriodReset { // none has begun, or the last is over
			v.PeriodLeftRao = v.PerPeriodRao
		} else {
			v.PeriodEnds = timeOrNull(a.PeriodReset)
		}
	}
	if ends != nil {
		at := rfc3339(*ends)
		v.Ends = &at
	}
	return v
}

// allowances are what an account lets other keys spend on services. What others let it
// spend is not told: anybody can grant anything to anybody.
func (s *Server) allowances(ctx context.Context, a *ask) (any, error) {
	address, err := a.address()
	if err != nil {
		return nil, err
	}
	limit, key, err := a.page(ofAllowances)
	if err != nil {
		return nil, err
	}
	height, t, err := s.chain.latest(ctx)
	if err != nil {
		return nil, err
	}
	ctx = client.AtHeight(ctx, height)
	r, err := s.client.Authz().GranterGrants(ctx, &authz.QueryGranterGrantsRequest{Granter: address, Pagination: pageRequest(key, limit)})
	if err != nil {
		return nil, err
	}
	list := []allowanceJSON{}
	for _, grant := range r.Grants {
		spend, err := s.spendOf(grant.Authorization)
		if err != nil {
			return nil, err
		}
		if spend == nil {
			continue
		}
		v := newAllowance(spend, grant.Expiration, t)
		if v.PaysFees, v.FeesRao, err = s.feesOf(ctx, address, grant.Grantee); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return struct {
		at
		Items []allowanceJSON `json:"items"`
		Next  string          `json:"next"`
	}{newAt(height, t), list, pageAfter(r.Pagination, ofAllowances)}, nil
}

// spendOf reads an authorization of the market's; nil: it is of another kind.
func (s *Server) spendOf(packed *codectypes.Any) (*markettypes.SpendAuthorization, error) {
	if packed == nil || packed.TypeUrl != sdk.MsgTypeURL(&markettypes.SpendAuthorization{}) {
		return nil, nil
	}
	var a authz.Authorization
	if err := s.client.Codec().UnpackAny(packed, &a); err != nil {
		return nil, err
	}
	spend, _ := a.(*markettypes.SpendAuthorization)
	return spend, nil
}

// feesOf says whether an account pays a key's fees, and how much of them a period, where
// that is limited so.
func (s *Server) feesOf(ctx context.Context, granter, grantee string) (pays bool, perPeriod *string, err error) {
	r, err := s.client.Feegrant().Allowance(ctx, &feegrant.QueryAllowanceRequest{Granter: granter, Grantee: grantee})
	if err != nil {
		var answer *client.QueryError
		if errors.Is(err, client.ErrNotFound) || errors.As(err, &answer) && strings.Contains(answer.Log, "not found") {
			return false, nil, nil
		}
		return false, nil, err
	}
	var fees feegrant.FeeAllowanceI
	if err := s.client.Codec().UnpackAny(r.Allowance.Allowance, &fees); err != nil {
		return true, nil, err
	}
	if only, ok := fees.(*feegrant.AllowedMsgAllowance); ok {
		if fees, err = only.GetAllowance(); err != nil {
			return true, nil, err
		}
	}
	if p, ok := fees.(*feegrant.PeriodicAllowance); ok {
		if n := p.PeriodSpendLimit.AmountOf(client.Denom); n.IsUint64() {
			perPeriod = amount(n.Uint64())
		}
	}
	return true, perPeriod, nil
}
