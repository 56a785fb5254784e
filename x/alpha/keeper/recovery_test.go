package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/lodenet/lode/x/alpha/types"
)

func TestSection4ARecoveryKeyIsInForceAfterItsDelayInBlocksAndInTime(t *testing.T) {
	e := swapEnv(t)
	start := e.ctx
	r := e.setRecovery("alice", "safe")
	require.Equal(t, []int64{start.BlockHeight() + 60, start.BlockTime().Unix() + 180}, []int64{r.DueHeight, r.DueTime})
	refuse(t, e, e.msgs.DecideColdkeySwap, decision("safe", "alice", "new"), sdkerrors.ErrUnauthorized, "becomes the recovery key")
	e.pass(60, 179*time.Second)
	refuse(t, e, e.msgs.DecideColdkeySwap, decision("safe", "alice", "new"), sdkerrors.ErrUnauthorized, "becomes the recovery key")
	require.Equal(t, &types.Recovery{Coldkey: str("alice"), Next: str("safe"), DueHeight: r.DueHeight, DueTime: r.DueTime}, e.swap("alice").Recovery)
	e.pass(0, time.Second)
	require.Equal(t, &types.Recovery{Coldkey: str("alice"), Key: str("safe")}, e.swap("alice").Recovery)
	e.decide("safe", "alice", "new")

	e = swapEnv(t)
	e.setRecovery("alice", "safe")
	e.pass(59, time.Hour)
	refuse(t, e, e.msgs.DecideColdkeySwap, decision("safe", "alice", "new"), sdkerrors.ErrUnauthorized, "becomes the recovery key")
}

func TestSection4TheKeyInForceCancelsAThiefsChangeOfIt(t *testing.T) {
	e := swapEnv(t)
	e.setRecovery("alice", "safe")
	e.wait(60)
	for _, next := range []string{"accomplice", ""} { // another key, or none
		e.setRecovery("alice", next)
		e.wait(59)
		require.Equal(t, str("safe"), e.swap("alice").Recovery.Key)
		e.decide("safe", "alice", "")
		e.wait(60)
		require.Equal(t, &types.Recovery{Coldkey: str("alice"), Key: str("safe")}, e.swap("alice").Recovery)
	}
	// An announcement does not outlive its key either.
	e.setRecovery("alice", "accomplice")
	e.announce("alice", "thief")
	require.Equal(t, &types.Recovery{Coldkey: str("alice"), Key: str("safe")}, e.swap("alice").Recovery)
	e.decide("safe", "alice", "")
}

func TestSection4AChangeOfTheRecoveryKeyReplacesWhatWaits(t *testing.T) {
	e := swapEnv(t)
	e.setRecovery("alice", "one")
	e.wait(59)
	r := e.setRecovery("alice", "two")
	require.Equal(t, e.ctx.BlockHeight()+60, r.DueHeight)
	e.wait(59)
	require.Empty(t, e.swap("alice").Recovery.Key)
	e.wait(1)
	require.Equal(t, str("two"), e.swap("alice").Recovery.Key)

	// The coldkey takes back a change by naming what is in force, and in the end the key itself.
	e.setRecovery("alice", "three")
	require.Equal(t, &types.MsgSetRecoveryKeyResponse{}, e.setRecovery("alice", "two"))
	require.Equal(t, &types.Recovery{Coldkey: str("alice"), Key: str("two")}, e.swap("alice").Recovery)
	e.setRecovery("alice", "")
	e.wait(60)
	require.Nil(t, e.swap("alice").Recovery)
	e.setRecovery("alice", "four")
	require.Equal(t, &types.MsgSetRecoveryKeyResponse{}, e.setRecovery("alice", ""), "none is in force: nothing is left to wait for")
	require.Nil(t, e.swap("alice").Recovery)
	e.announce("alice", "new")
	e.dispute("alice")
}

func TestSection4ARecoveryKeyMustBeAnothersThatCanSign(t *testing.T) {
	e := swapEnv(t)
	set := func(key string) *types.MsgSetRecoveryKey {
		return &types.MsgSetRecoveryKey{Coldkey: str("alice"), Recovery: key}
	}
	refuse(t, e, e.msgs.SetRecoveryKey, set(str("alice")), types.ErrRecovery, "own recovery key")
	refuse(t, e, e.msgs.SetRecoveryKey, set(authtypes.NewModuleAddress(types.ModuleName).String()), sdkerrors.ErrUnauthorized, "module's account")
	refuse(t, e, e.msgs.SetRecoveryKey, set("lode1xyz"), sdkerrors.ErrInvalidAddress, "recovery")
	refuse(t, e, e.msgs.SetRecoveryKey, set(""), types.ErrRecovery, "nothing to take back")
	e.setRecovery("alice", "safe")
	e.wait(60)
	refuse(t, e, e.msgs.SetRecoveryKey, set(str("safe")), types.ErrRecovery, "already")
	refuse(t, e, e.msgs.DecideColdkeySwap, decision("bob", "alice", ""), sdkerrors.ErrUnauthorized)
	refuse(t, e, e.msgs.DecideColdkeySwap, decision("alice", "alice", "thief"), sdkerrors.ErrUnauthorized)
	refuse(t, e, e.msgs.DecideColdkeySwap, decision("safe", "bob", "thief"), sdkerrors.ErrUnauthorized, "no recovery key in force")
}
