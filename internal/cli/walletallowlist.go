package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	"github.com/lodenet/lode/client"
	markettypes "github.com/lodenet/lode/x/market/types"
	"github.com/spf13/cobra"
)

// allowanceJSON is what a key may spend out of another's account.
type allowanceJSON struct {
	Payer         string   `json:"payer"`
	Agent         string   `json:"agent"`
	Left          uint64   `json:"left_rao,string"`       // in all
	PerPeriod     *uint64  `json:"per_period_rao,string"` // null: no such limit
	PeriodSeconds *int64   `json:"period_seconds"`
	PeriodLeft    *uint64  `json:"period_left_rao,string"` // of this period
	PeriodEnds    *string  `json:"period_ends"`            // RFC 3339; null: the next deposit begins one
	MaxDeposit    *uint64  `json:"max_deposit_rao,string"`
	Netuids       []uint32 `json:"netuids"`         // empty: any
	Services      []string `json:"service_ids"`     // empty: any
	Ends          *string  `json:"ends"`            // RFC 3339; null: never
	FeesRao       *uint64  `json:"fees_rao,string"` // that are paid for it, a period; null: none
}

// newAllowanceJSON is an authorization at a time of the chain's.
func newAllowanceJSON(payer string, a *markettypes.SpendAuthorization, ends *time.Time, fees feegrant.FeeAllowanceI, now time.Time) allowanceJSON {
	v := allowanceJSON{Payer: payer, Agent: a.Spender, Left: a.Limit, Netuids: append([]uint32{}, a.Netuids...), Services: []string{}}
	for _, id := range a.ServiceIds {
		v.Services = append(v.Services, fmt.Sprint(id))
	}
	if a.PerPeriod > 0 {
		v.PerPeriod, v.PeriodSeconds, v.PeriodLeft = &a.PerPeriod, &a.Period, &a.PeriodLeft
		if now.Unix() >= a.PeriodReset { // none has begun, or the last is over
			v.PeriodLeft = &a.PerPeriod
		} else {
			at := rfc3339(a.PeriodReset)
			v.PeriodEnds = &at
		}
	}
	if a.MaxDeposit > 0 {
		v.MaxDeposit = &a.MaxDeposit
	}
	if ends != nil {
		at := ends.UTC().Format(time.RFC3339)
		v.Ends = &at
	}
	if only, ok := fees.(*feegrant.AllowedMsgAllowance); ok {
		if inner, err := only.GetAllowance(); err == nil {
			fees = inner
		}
	}
	if p, ok := fees.(*feegrant.PeriodicAllowance); ok {
		if n := p.PeriodSpendLimit.AmountOf(client.Denom); n.IsUint64() {
			rao := n.Uint64()
			v.FeesRao = &rao
		}
	}
	return v
}

// allowances asks for what an account allows others to spend, and others allow it.
func allowances(ctx context.Context, c *client.Client, of string) ([]allowanceJSON, error) {
	var grants []*authz.GrantAuthorization
	for req := (&authz.QueryGranterGrantsRequest{Granter: of}); ; {
		r, err := c.Authz().GranterGrants(ctx, req)
		if err != nil {
			return nil, err
		}
		grants = append(grants, r.Grants...)
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			break
		}
	}
	for req := (&authz.QueryGranteeGrantsRequest{Grantee: of}); ; {
		r, err := c.Authz().GranteeGrants(ctx, req)
		if err != nil {
			return nil, err
		}
		grants = append(grants, r.Grants...)
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			break
		}
	}
	now, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	list := []allowanceJSON{}
	for _, grant := range grants {
		if grant.Authorization == nil || grant.Authorization.TypeUrl != sdk.MsgTypeURL(&markettypes.SpendAuthorization{}) {
			continue
		}
		var a authz.Authorization
		if err := c.Codec().UnpackAny(grant.Authorization, &a); err != nil {
			return nil, err
		}
		spend, ok := a.(*markettypes.SpendAuthorization)
		if !ok {
			continue
		}
		fees, err := feeAllowance(ctx, c, grant.Granter, grant.Grantee)
		if err != nil {
			return nil, err
		}
		list = append(list, newAllowanceJSON(grant.Granter, spend, grant.Expiration, fees, now.Time))
	}
	return list, nil
}

func listAllowances(cmd *cobra.Command) error {
	g := globalsOf(cmd)
	of, err := g.address(cmd.Context(), g.from)
	if err != nil {
		return err
	}
	return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
		list, err := allowances(ctx, c, of)
		if err != nil {
			return err
		}
		return output(cmd, list, func(w io.Writer) {
			names := g.names(ctx)
			if len(list) == 0 {
				fmt.Fprintf(w, "%s allows nobody to spend, and nobody allows it\n", displayKey(of, names))
				return
			}
			t := newColumns("payer", "may spend", ">TAO left", ">a period", "of", ">left of it", "resets", ">one deposit", "services", "until")
			for _, v := range list {
				perPeriod, period, left, resets, deposit, until := "–", "–", "–", "–", "–", "–"
				if v.PerPeriod != nil {
					perPeriod, period, left = client.FormatTAO(*v.PerPeriod), periodText(*v.PeriodSeconds), client.FormatTAO(*v.PeriodLeft)
				}
				if v.PeriodEnds != nil {
					resets = *v.PeriodEnds
				}
				if v.MaxDeposit != nil {
					deposit = client.FormatTAO(*v.MaxDeposit)
				}
				if v.Ends != nil {
					until = *v.Ends
				}
				t.add(displayKey(v.Payer, names), displayKey(v.Agent, names), client.FormatTAO(v.Left), perPeriod, period, left, resets, deposit, v.pays(), until)
			}
			t.write(w)
		})
	})
}

// pays says what may be paid.
func (v *allowanceJSON) pays() string {
	switch {
	case len(v.Netuids) > 0:
		return "of subnet " + strings.Trim(strings.ReplaceAll(fmt.Sprint(v.Netuids), " ", ", "), "[]")
	case len(v.Services) > 0:
		return strings.Join(v.Services, ", ")
	}
	return "any"
}

func (v *allowanceJSON) write(w io.Writer, names map[string]string) {
	spend := client.FormatTAO(v.Left) + " TAO in all"
	if v.PerPeriod != nil {
		spend = fmt.Sprintf("%s TAO in %s, %s", client.FormatTAO(*v.PerPeriod), periodText(*v.PeriodSeconds), spend)
	}
	if v.MaxDeposit != nil {
		spend += fmt.Sprintf(", %s in one deposit", client.FormatTAO(*v.MaxDeposit))
	}
	fees, until := "none", "revoked"
	if v.FeesRao != nil {
		fees = client.FormatTAO(*v.FeesRao) + " TAO a period"
	}
	if v.Ends != nil {
		until = *v.Ends
	}
	facts(w,
		"allowed", fullKey(v.Agent, names),
		"out of", fullKey(v.Payer, names),
		"deposits", spend,
		"services", v.pays(),
		"fees paid", fees,
		"until", until,
		"its side", fmt.Sprintf("lode pay open SERVICE --payer %s --from %s", v.Payer, orAddress(v.Agent, names)),
	)
}

// orAddress is a key's name in the wallet, else its address.
func orAddress(addr string, names map[string]string) string {
	if n := names[addr]; n != "" {
		return n
	}
	return addr
}
