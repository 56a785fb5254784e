//go:build linux

package cluster_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cometbft/cometbft/privval"
	sdk "github.com/cosmos/cosmos-sdk/types"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/stretchr/testify/require"
)

// Two processes with one validator's key sign different blocks at a height: the others
// prove it on chain, and the validator is slashed and barred for ever; the chain goes on.
func TestTwoNodesWithOneKeyAreSlashed(t *testing.T) {
	long(t)
	c := write(t, 4)
	c.begin()
	l := keep(c)
	c.all(8)
	victim := c.nodes[3]
	victim.proc.stop()
	twin := c.newcomer("twin")
	require.NoError(t, os.CopyFS(twin.home, os.DirFS(victim.home)))
	require.NoError(t, os.Remove(filepath.Join(twin.home, "config", "node_key.json"))) // it gets one of its own
	both := time.Now()
	c.start(victim)
	c.start(twin)

	key := privval.LoadFilePVEmptyState(filepath.Join(victim.home, "config", "priv_validator_key.json"), "").Key
	raw, err := sdk.AccAddressFromBech32(victim.operator)
	require.NoError(t, err)
	cons, oper := sdk.ConsAddress(key.Address).String(), sdk.ValAddress(raw).String()
	var info slashingtypes.ValidatorSigningInfo
	c.until("the validator is tombstoned", func() (bool, string) {
		got, err := l.client.Slashing().SigningInfo(t.Context(), &slashingtypes.QuerySigningInfoRequest{ConsAddress: cons})
		if err != nil {
			return false, err.Error()
		}
		info = got.ValSigningInfo
		return info.Tombstoned, info.String()
	})
	v, err := l.client.Staking().Validator(t.Context(), &stakingtypes.QueryValidatorRequest{ValidatorAddr: oper})
	require.NoError(t, err)
	require.True(t, v.Validator.Jailed)
	require.Equal(t, "95000000000", v.Validator.Tokens.String(), "5 %% of 100 TAO are slashed")
	say(t, "both ran for %.1fs until the evidence was on chain: jailed for ever, 100 TAO became %s rao", time.Since(both).Seconds(), v.Validator.Tokens)
	others := c.but(victim)
	at2 := c.top(others...)
	c.reach(at2+8, others...)
	set, err := c.nodes[0].rpc.Validators(t.Context(), nil, nil, nil)
	require.NoError(t, err)
	require.Equal(t, 3, set.Total)
	say(t, "the chain goes on with %d validators, to block %d", set.Total, at2+8)
	twin.proc.kill()
	c.follows(victim) // as a node that only follows
	l.check()
}
