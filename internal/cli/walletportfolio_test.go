package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strconv"
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	distributiontypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestAYieldBeyondAllSenseIsNotWrittenOut(t *testing.T) {
	for apy, want := range map[float64]string{0.25: "25 %", -0.5: "-50 %", 2.279e59: "over 1,000,000 %", math.Inf(1): "over 1,000,000 %"} {
		if got := yearText(apy); got != want {
			t.Errorf("%g is %q, must be %q", apy, got, want)
		}
	}
}

// addsUp compares a portfolio with the chain, to the rao, at the portfolio's block: with
// the queries themselves, added up here.
func addsUp(ctx context.Context, n *localnet.Network, ts *testscript.TestScript, name string) {
	var out, errOut bytes.Buffer
	if code := Run(ctx, []string{"wallet", "portfolio", name, "--json", "--home", ts.Getenv("LODE_HOME")}, bytes.NewReader(nil), &out, &errOut); code != exitOK {
		ts.Fatalf("portfolio: %s", errOut.String())
	}
	var v struct {
		Accounts []struct {
			Address  string `json:"address"`
			Height   int64  `json:"height"`
			TotalRao string `json:"total_rao"`
		} `json:"accounts"`
	}
	ts.Check(json.Unmarshal(out.Bytes(), &v))
	p := v.Accounts[0]
	c := n.Client()
	ctx = client.AtHeight(ctx, p.Height)
	total, err := c.Balance(ctx, p.Address)
	ts.Check(err)
	stakes, err := c.Alpha().Stakes(ctx, &alphatypes.QueryStakesRequest{Coldkey: p.Address})
	ts.Check(err)
	if len(stakes.Stakes) != 2 {
		ts.Fatalf("%d stakes, must be 2", len(stakes.Stakes))
	}
	for _, s := range stakes.Stakes {
		total += s.ValueTao
	}
	claims, err := c.Alpha().Claims(ctx, &alphatypes.QueryClaimsRequest{Coldkey: p.Address})
	ts.Check(err)
	for _, claim := range claims.Claims {
		total += claim.Tao
	}
	delegations, err := c.Staking().DelegatorDelegations(ctx, &stakingtypes.QueryDelegatorDelegationsRequest{DelegatorAddr: p.Address})
	ts.Check(err)
	for _, d := range delegations.DelegationResponses {
		total += d.Balance.Amount.Uint64()
	}
	unbonding, err := c.Staking().DelegatorUnbondingDelegations(ctx, &stakingtypes.QueryDelegatorUnbondingDelegationsRequest{DelegatorAddr: p.Address})
	ts.Check(err)
	for _, u := range unbonding.UnbondingResponses {
		for _, e := range u.Entries {
			total += e.Balance.Uint64()
		}
	}
	rewards, err := c.Distribution().DelegationTotalRewards(ctx, &distributiontypes.QueryDelegationTotalRewardsRequest{DelegatorAddress: p.Address})
	ts.Check(err)
	total += rewards.Total.AmountOf(client.Denom).TruncateInt().Uint64()
	proposals, err := c.Gov().Proposals(ctx, &govv1.QueryProposalsRequest{})
	ts.Check(err)
	for _, p2 := range proposals.Proposals {
		deposits, err := c.Gov().Deposits(ctx, &govv1.QueryDepositsRequest{ProposalId: p2.Id})
		ts.Check(err)
		for _, d := range deposits.Deposits {
			if d.Depositor == p.Address {
				total += sdk.Coins(d.Amount).AmountOf(client.Denom).Uint64()
			}
		}
	}
	if got := strconv.FormatUint(total, 10); got != p.TotalRao {
		ts.Fatalf("the portfolio has %s rao, the chain %s at block %d", p.TotalRao, got, p.Height)
	}
}
