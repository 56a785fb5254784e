package console_test

import (
	"encoding/json"
	"fmt"
	"strings"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/wallet"
)

type vote struct {
	Voter   string
	Options []struct {
		Option string
		Weight float64
	}
}

type proposal struct {
	Height                               int64
	ID, Title, Status, Proposer, Summary string
	Types                                []string
	Deposit                              string  `json:"deposit_rao"`
	VotingStarts                         *string `json:"voting_starts"`
	Tally                                map[string]any
	Messages                             []map[string]any
	Vote                                 *vote
}

// governs has the user propose and vote, and compares what is told with what the chain has.
// The user has delegated 2 TAO.
func (w *world) governs() {
	user := w.user.Address()
	var list struct {
		Items []proposal
		Rules map[string]any
		Next  string
	}
	require.Equal(w, 200, w.get("/v1/chain/proposals", "/v1/chain/proposals", &list))
	require.Empty(w, list.Items)
	require.Equal(w, []any{fmt.Sprint(10 * localnet.TAO), 0.5, 60.0}, []any{list.Rules["deposit_rao"], list.Rules["threshold"], list.Rules["voting_seconds"]})
	for _, path := range []string{"/v1/chain/proposals/{id}", "/v1/chain/proposals/{id}/votes"} {
		require.Equal(w, 404, w.get(path, "/v1/chain/proposals/1"+path[len("/v1/chain/proposals/{id}"):], nil))
	}

	upgrade := &upgradetypes.MsgSoftwareUpgrade{Authority: authtypes.NewModuleAddress("gov").String(), Plan: upgradetypes.Plan{Name: "v9", Height: 1 << 40}}
	for i, deposit := range []int64{10, 1, 10} {
		submit, err := govtypes.NewMsgSubmitProposal([]sdk.Msg{upgrade}, sdk.NewCoins(sdk.NewInt64Coin(client.Denom, deposit*localnet.TAO)), user, "", fmt.Sprintf("<b>%d</b>", i+1), "what for", false)
		require.NoError(w, err)
		_, err = w.c.Send(w.ctx, []*wallet.Signer{w.user}, submit)
		require.NoError(w, err)
	}
	_, err := w.c.Send(w.ctx, []*wallet.Signer{w.user}, &govtypes.MsgVoteWeighted{ProposalId: 1, Voter: user, Options: govtypes.WeightedVoteOptions{
		{Option: govtypes.OptionYes, Weight: "0.75"}, {Option: govtypes.OptionNoWithVeto, Weight: "0.25"},
	}})
	require.NoError(w, err)

	for _, q := range []string{"2", "%3Cb%3E2"} {
		var found struct {
			Items []struct{ Kind, ID, Title, Path string }
		}
		require.Equal(w, 200, w.get("/v1/search", "/v1/search?q="+q, &found))
		require.Contains(w, found.Items, struct{ Kind, ID, Title, Path string }{"proposal", "2", "<b>2</b>", "/chain/proposals/2"}, q)
	}

	var portfolio struct {
		Deposits string `json:"deposits_rao"`
	}
	for _, route := range []string{"/v1/accounts/{address}", "/v1/accounts/{address}/portfolio"} {
		require.Equal(w, 200, w.get(route, strings.Replace(route, "{address}", user, 1), &portfolio))
		require.Equal(w, fmt.Sprint(21*localnet.TAO), portfolio.Deposits)
	}

	ids := func() (all []string) {
		for _, p := range list.Items {
			all = append(all, p.ID)
		}
		return all
	}
	require.Equal(w, 200, w.get("/v1/chain/proposals", "/v1/chain/proposals?limit=2", &list))
	require.Equal(w, []string{"3", "2"}, ids(), "the latest first")
	second := list.Next
	require.Equal(w, []any{"deposit", fmt.Sprint(localnet.TAO), (*string)(nil)}, []any{list.Items[1].Status, list.Items[1].Deposit, list.Items[1].VotingStarts})
	require.Equal(w, 200, w.get("/v1/chain/proposals", "/v1/chain/proposals?limit=2&after="+second, &list))
	require.Equal(w, []string{"1"}, ids())
	require.Empty(w, list.Next)

	var p proposal
	require.Equal(w, 200, w.get("/v1/chain/proposals/{id}", "/v1/chain/proposals/1?voter="+user, &p))
	require.Equal(w, []any{"<b>1</b>", "voting", "what for", user, fmt.Sprint(10 * localnet.TAO)}, []any{p.Title, p.Status, p.Summary, p.Proposer, p.Deposit})
	require.Equal(w, []string{sdk.MsgTypeURL(upgrade)}, p.Types)
	require.Equal(w, "v9", p.Messages[0]["plan"].(map[string]any)["name"])
	require.Equal(w, map[string]any{"yes_rao": fmt.Sprint(3 * localnet.TAO / 2), "no_rao": "0", "abstain_rao": "0", "veto_rao": fmt.Sprint(localnet.TAO / 2)}, p.Tally)
	require.NotNil(w, p.Vote)
	require.Equal(w, user, p.Vote.Voter)
	require.Equal(w, `[{"Option":"yes","Weight":0.75},{"Option":"veto","Weight":0.25}]`, mustJSON(w, p.Vote.Options))
	have, err := w.c.Gov().TallyResult(client.AtHeight(w.ctx, p.Height), &govtypes.QueryTallyResultRequest{ProposalId: 1})
	require.NoError(w, err)
	require.Equal(w, have.Tally.YesCount, p.Tally["yes_rao"])
	p = proposal{}
	require.Equal(w, 200, w.get("/v1/chain/proposals/{id}", "/v1/chain/proposals/1?voter="+w.owner.Address(), &p))
	require.Nil(w, p.Vote, "it has not voted")

	_, err = w.c.Send(w.ctx, []*wallet.Signer{w.owner}, &govtypes.MsgVote{ProposalId: 1, Voter: w.owner.Address(), Option: govtypes.OptionAbstain})
	require.NoError(w, err)
	var votes struct {
		Items []vote
		Next  string
	}
	var voters []string
	for after := ""; ; after = "&after=" + votes.Next {
		require.Equal(w, 200, w.get("/v1/chain/proposals/{id}/votes", "/v1/chain/proposals/1/votes?limit=1"+after, &votes))
		require.Len(w, votes.Items, 1)
		voters = append(voters, votes.Items[0].Voter)
		if votes.Next == "" {
			break
		}
		require.Equal(w, 400, w.get("/v1/chain/proposals/{id}/votes", "/v1/chain/proposals/3/votes?after="+votes.Next, nil), "another proposal's cursor")
		require.Equal(w, 400, w.get("/v1/chain/proposals", "/v1/chain/proposals?after="+votes.Next, nil), "another list's cursor")
	}
	require.ElementsMatch(w, []string{user, w.owner.Address()}, voters)

	for route, bad := range map[string][]string{
		"/v1/chain/proposals":            {"?after=x", "?after=cA", "?limit=0", "?x=1"},
		"/v1/chain/proposals/{id}":       {"/0", "/x", "/01", "/9223372036854775808", "/1?voter=x", "/1?after=x"},
		"/v1/chain/proposals/{id}/votes": {"/0/votes", "/1/votes?after=" + second, "/1/votes?limit=501", "/1/votes?voter=" + user},
	} {
		for _, path := range bad {
			require.Equal(w, 400, w.get(route, "/v1/chain/proposals"+path, nil), path)
		}
	}
}

func mustJSON(w *world, v any) string {
	raw, err := json.Marshal(v)
	require.NoError(w, err)
	return string(raw)
}
