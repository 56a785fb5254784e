package console_test

import (
	"fmt"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/wallet"
)

type chainValidators struct {
	Height int64
	Bonded string `json:"bonded_rao"`
	Items  []struct {
		Operator, Hotkey, Status string
		Consensus                string `json:"consensus_address"`
		Tokens                   string `json:"tokens_rao"`
		Share                    float64
		Missed                   *int64 `json:"missed_blocks"`
	}
}

type delegations struct {
	Height int64
	Items  []struct {
		Operator, Status string
		Delegated        string `json:"delegated_rao"`
		Rewards          string `json:"rewards_rao"`
		Unbonding        []struct{ Rao, Ends string }
	}
}

// delegates has the user delegate and take a part back, and compares what is told with
// what the chain has.
func (w *world) delegates() {
	user := w.user.Address()
	validators, path := chainValidators{}, "/v1/accounts/"+user+"/delegations"
	require.Equal(w, 200, w.get("/v1/chain/validators", "/v1/chain/validators", &validators))
	require.Len(w, validators.Items, 1)
	one := validators.Items[0]
	have, err := w.c.Staking().Validator(client.AtHeight(w.ctx, validators.Height), &stakingtypes.QueryValidatorRequest{ValidatorAddr: one.Operator})
	require.NoError(w, err)
	require.Equal(w, have.Validator.Tokens.String(), one.Tokens)
	require.Equal(w, []any{"bonded", 1.0, one.Tokens}, []any{one.Status, one.Share, validators.Bonded})
	operator, err := sdk.ValAddressFromBech32(one.Operator)
	require.NoError(w, err)
	require.Equal(w, sdk.AccAddress(operator).String(), one.Hotkey)
	require.NotNil(w, one.Missed)
	var blocks struct{ Items []struct{ Proposer string } }
	w.get("/v1/blocks", "/v1/blocks?limit=1", &blocks)
	require.Equal(w, blocks.Items[0].Proposer, one.Consensus, "it is told as blocks tell who proposed them")

	var none delegations
	require.Equal(w, 200, w.get("/v1/accounts/{address}/delegations", path, &none))
	require.Empty(w, none.Items)
	rao := func(n int64) sdk.Coin { return sdk.NewInt64Coin(client.Denom, n) }
	_, err = w.c.Send(w.ctx, []*wallet.Signer{w.user}, &stakingtypes.MsgDelegate{DelegatorAddress: user, ValidatorAddress: one.Operator, Amount: rao(3 * localnet.TAO)})
	require.NoError(w, err)
	_, err = w.c.Send(w.ctx, []*wallet.Signer{w.user}, &stakingtypes.MsgUndelegate{DelegatorAddress: user, ValidatorAddress: one.Operator, Amount: rao(localnet.TAO)})
	require.NoError(w, err)
	var after delegations
	require.Equal(w, 200, w.get("/v1/accounts/{address}/delegations", path, &after))
	require.Len(w, after.Items, 1)
	got := after.Items[0]
	require.Equal(w, []any{one.Operator, "bonded", fmt.Sprint(2 * localnet.TAO)}, []any{got.Operator, got.Status, got.Delegated})
	require.Len(w, got.Unbonding, 1)
	require.Equal(w, fmt.Sprint(localnet.TAO), got.Unbonding[0].Rao)
	// The account's sums are those of the list, at the same block.
	var account struct {
		Height    int64
		Delegated string `json:"delegated_rao"`
		Unbonding string `json:"unbonding_rao"`
		Rewards   string `json:"rewards_rao"`
	}
	require.Eventually(w, func() bool {
		w.get("/v1/accounts/{address}", "/v1/accounts/"+user, &account)
		w.get("/v1/accounts/{address}/delegations", path, &after)
		return account.Height == after.Height
	}, time.Minute, 20*time.Millisecond, "both are of one block")
	require.Equal(w, []string{after.Items[0].Delegated, after.Items[0].Unbonding[0].Rao, after.Items[0].Rewards}, []string{account.Delegated, account.Unbonding, account.Rewards})

	for _, bad := range []string{"?after=x", "?limit=0", "?limit=501", "?x=1"} {
		require.Equal(w, 400, w.get("/v1/chain/validators", "/v1/chain/validators"+bad, nil), bad)
		require.Equal(w, 400, w.get("/v1/accounts/{address}/delegations", path+bad, nil), bad)
	}
}
