package keeper_test

import (
	"context"
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

func TestOnlyGovernanceSetsParameters(t *testing.T) {
	e := newEnv(t)
	p := types.DefaultParams()
	p.TradeFee = 1_000
	refuse(t, e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("alice"), Params: p}, sdkerrors.ErrUnauthorized, str("governance"))
	bad := p
	bad.DefaultTake = p.MaxTake + 1
	refuse(t, e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("governance"), Params: bad}, types.ErrInvalidParams, "default_take")
	_, err := send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("governance"), Params: p})
	require.NoError(t, err)
	got, err := e.k.Params(e.ctx)
	require.NoError(t, err)
	require.Equal(t, p, got)
}

func TestABadStateOfPoolsIsNeverCreated(t *testing.T) {
	e := newEnv(t)
	for name, c := range map[string]struct {
		netuid     uint32
		payer      string
		tao, alpha uint64
		want       error
	}{
		"a taken netuid":        {1, "founder", whole, whole, types.ErrNetuidTaken},
		"netuid 0":              {0, "founder", whole, whole, types.ErrNoSubnet},
		"too little TAO":        {9, "founder", 999_999, whole, types.ErrReserve},
		"too little alpha":      {9, "founder", whole, 999_999, types.ErrReserve},
		"more alpha than there": {9, "founder", whole, types.AlphaCap + 1, types.ErrAccounts},
		"a payer without coins": {9, "nobody", whole, whole, sdkerrors.ErrInsufficientFunds},
	} {
		t.Run(name, func(t *testing.T) {
			err := e.do(func(ctx context.Context) error {
				_, err := e.k.CreatePool(ctx, c.netuid, addr(c.payer), c.tao, c.alpha)
				return err
			})
			require.ErrorIs(t, err, c.want)
		})
	}
	_, err := e.k.PoolByNetuid(e.ctx, 7)
	require.ErrorIs(t, err, types.ErrNoSubnet)
	require.ErrorContains(t, err, "there are 1–3")
	e.pool(5, whole, whole, false)
	_, err = e.k.PoolByNetuid(e.ctx, 7)
	require.ErrorContains(t, err, "there are 1–3, 5")
	_, err = e.k.Pool(e.ctx, 77)
	require.ErrorIs(t, err, types.ErrNoSubnet)
}
