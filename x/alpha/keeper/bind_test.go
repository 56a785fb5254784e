package keeper_test

import (
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/alpha/types"
)

func TestABoundHotkeyHasItsColdkeyAndTheDefaultTake(t *testing.T) {
	e := newEnv(t)
	h, err := e.k.Hotkey(e.ctx, addr("miner"))
	require.NoError(t, err)
	require.Equal(t, types.Hotkey{Hotkey: str("miner"), Coldkey: str("alice"), Take: 180_000, BoundHeight: 10}, h)
	coldkey, err := e.k.Coldkey(e.ctx, addr("miner"))
	require.NoError(t, err)
	require.Equal(t, addr("alice"), coldkey)
	_, err = e.k.Coldkey(e.ctx, addr("nobody"))
	require.ErrorIs(t, err, types.ErrNotBound)
	require.ErrorContains(t, err, str("nobody"))
}

func TestBindingIsOnceAndForGood(t *testing.T) {
	e := newEnv(t)
	for name, m := range map[string]*types.MsgBindHotkey{
		"to another coldkey": {Coldkey: str("bob"), Hotkey: str("miner")},
		"to the same again":  {Coldkey: str("alice"), Hotkey: str("miner")},
	} {
		t.Run(name, func(t *testing.T) {
			refuse(t, e, e.msgs.BindHotkey, m, types.ErrBound, str("alice"), "since block 10")
		})
	}
}

func TestAHotkeyIsNotItsOwnColdkey(t *testing.T) {
	e := newEnv(t)
	refuse(t, e, e.msgs.BindHotkey, &types.MsgBindHotkey{Coldkey: str("x"), Hotkey: str("x")}, types.ErrBound)
	refuse(t, e, e.msgs.BindHotkey, &types.MsgBindHotkey{Coldkey: str("x"), Hotkey: "LODE" + upper(str("x")[4:])}, types.ErrBound)
	refuse(t, e, e.msgs.BindHotkey, &types.MsgBindHotkey{Coldkey: str("x"), Hotkey: "cosmos1x"}, sdkerrors.ErrInvalidAddress)
	refuse(t, e, e.msgs.BindHotkey, &types.MsgBindHotkey{Coldkey: "", Hotkey: str("x")}, sdkerrors.ErrInvalidAddress)
}

func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// The chain takes a message only with every signer's signature: so a stranger's
// hotkey can't be bound, and a stranger's stake can't be touched.
func TestEveryMessageIsSignedByWhomItConcerns(t *testing.T) {
	e := newEnv(t)
	c, h := str("alice"), str("miner")
	for name, m := range map[string]struct {
		msg  proto.Message
		want []string
	}{
		"bind":         {&types.MsgBindHotkey{Coldkey: c, Hotkey: h}, []string{"alice", "miner"}},
		"stake":        {&types.MsgStake{Coldkey: c, Hotkey: h}, []string{"alice"}},
		"unstake":      {&types.MsgUnstake{Coldkey: c, Hotkey: h}, []string{"alice"}},
		"unstake all":  {&types.MsgUnstakeAll{Coldkey: c, Hotkey: h}, []string{"alice"}},
		"move":         {&types.MsgMoveStake{Coldkey: c, FromHotkey: h, ToHotkey: str("validator")}, []string{"alice"}},
		"swap":         {&types.MsgSwapStake{Coldkey: c, FromHotkey: h, ToHotkey: str("validator")}, []string{"alice"}},
		"transfer":     {&types.MsgTransferStake{Coldkey: c, ToColdkey: str("bob"), Hotkey: h}, []string{"alice"}},
		"take":         {&types.MsgSetTake{Coldkey: c, Hotkey: h}, []string{"alice"}},
		"a governance": {&types.MsgUpdateParams{Authority: str("governance")}, []string{"governance"}},
	} {
		t.Run(name, func(t *testing.T) {
			signers, _, err := e.cdc.GetMsgV1Signers(m.msg)
			require.NoError(t, err)
			require.Len(t, signers, len(m.want))
			for i, want := range m.want {
				require.Equal(t, addr(want), sdk.AccAddress(signers[i]))
			}
		})
	}
}
