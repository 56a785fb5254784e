package keeper_test

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/collateral/types"
)

func number(e *env, quoted string) uint64 {
	n, err := strconv.ParseUint(strings.Trim(quoted, `"`), 10, 64)
	require.NoError(e.t, err)
	return n
}

func TestSection4EvidenceIsAHashAndAShortAddress(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	id := e.claim("v1", minerUID).ClaimId
	e.lock("other", 100)
	for name, c := range map[string]struct {
		hash []byte
		url  string
	}{
		"no hash":            {nil, "x"},
		"a short hash":       {hash[:31], "x"},
		"a long hash":        {append(bytes.Clone(hash), 1), "x"},
		"a huge hash":        {make([]byte, 1<<20), "x"},
		"no address":         {hash, ""},
		"a long address":     {hash, strings.Repeat("x", 257)},
		"a huge address":     {hash, strings.Repeat("x", 1<<20)},
		"not UTF-8":          {hash, "https://\xff"},
		"a control byte":     {hash, "https://x\x00"},
		"a terminal's codes": {hash, "\x1b[2Jhttps://x"},
		"a line break":       {hash, "https://x\ny"},
		"a space":            {hash, "https://x y"},
		"a reversing mark":   {hash, "https://x\u202ey"},
		"a zero-width space": {hash, "https://x\u200by"},
	} {
		t.Run(name, func(t *testing.T) {
			m := claimMsg("v1", 5)
			m.EvidenceHash, m.EvidenceUrl = c.hash, c.url
			refused(t, e, e.msgs.OpenClaim, m, types.ErrEvidence)
			refused(t, e, e.msgs.AnswerClaim, &types.MsgAnswerClaim{Signer: str("miner"), ClaimId: id, Hash: c.hash, Url: c.url}, types.ErrEvidence)
		})
	}
	long := claimMsg("v1", 5)
	long.EvidenceUrl = strings.Repeat("x", 256)
	_, err := send(e, e.msgs.OpenClaim, long)
	require.NoError(t, err)
}

func TestMessagesOfNonsenseAreRefused(t *testing.T) {
	e := newEnv(t)
	for _, id := range []uint64{0, 1, 1 << 63} {
		refused(t, e, e.msgs.ConfirmClaim, &types.MsgConfirmClaim{Hotkey: str(hot("v1")), ClaimId: id}, types.ErrNoClaim)
		refused(t, e, e.msgs.AnswerClaim, &types.MsgAnswerClaim{Signer: str("miner"), ClaimId: id, Hash: hash, Url: "x"}, types.ErrNoClaim)
		_, err := e.query.Claim(e.ctx, &types.QueryClaimRequest{ClaimId: id})
		require.ErrorIs(t, err, types.ErrNoClaim)
	}
	e.lock("miner", whole)
	id := e.claim("v1", minerUID).ClaimId
	for _, bad := range []string{"", "nonsense", "cosmos1qqqsyqcyq5rqwzqfpg9scrgwpugpzysn7hzdtn", strings.Repeat("lode1", 1_000)} {
		refused(t, e, e.msgs.ConfirmClaim, &types.MsgConfirmClaim{Hotkey: bad, ClaimId: id}, sdkerrors.ErrInvalidAddress)
		refused(t, e, e.msgs.AnswerClaim, &types.MsgAnswerClaim{Signer: bad, ClaimId: id, Hash: hash, Url: "x"}, sdkerrors.ErrInvalidAddress)
		m := lockMsg("miner", 1)
		m.Hotkey = bad
		refused(t, e, e.msgs.LockCollateral, m, sdkerrors.ErrInvalidAddress)
		m = lockMsg("miner", 1)
		m.Coldkey = bad
		refused(t, e, e.msgs.LockCollateral, m, sdkerrors.ErrInvalidAddress)
	}
}

func TestOnlyGovernanceSetsParametersWithinBounds(t *testing.T) {
	e := newEnv(t)
	p := types.DefaultParams()
	p.ClaimDeposit = whole
	refused(t, e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("v1"), Params: p}, sdkerrors.ErrUnauthorized)
	for name, change := range map[string]func(*types.Params){
		"deposit":     func(p *types.Params) { p.ClaimDeposit = 0 },
		"deposit+":    func(p *types.Params) { p.ClaimDeposit = 1 << 63 },
		"unbondings":  func(p *types.Params) { p.MaxUnbondings = 0 },
		"unbondings+": func(p *types.Params) { p.MaxUnbondings = 101 },
		"url":         func(p *types.Params) { p.MaxUrl = 0 },
		"url+":        func(p *types.Params) { p.MaxUrl = 1_025 },
		"tempos":      func(p *types.Params) { p.FailedClaimTempos = 10_001 },
		"work":        func(p *types.Params) { p.WorkPerBlock = 0 },
		"work+":       func(p *types.Params) { p.WorkPerBlock = 100_001 },
	} {
		bad := types.DefaultParams()
		change(&bad)
		refused(t, e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("governance"), Params: bad}, types.ErrInvalidParams, strings.Split(name, "+")[0])
	}
	_, err := send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("governance"), Params: p})
	require.NoError(t, err)
	r, err := e.query.Params(e.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, p, r.Params)
	e.lock("miner", whole)
	rao := e.rao("v1")
	e.claim("v1", minerUID)
	require.EqualValues(t, rao-whole, e.rao("v1"))
}

func TestABlocksEndDoesBoundedWork(t *testing.T) {
	e := newEnv(t)
	p := types.DefaultParams()
	p.WorkPerBlock = 2
	_, err := send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("governance"), Params: p})
	require.NoError(t, err)
	for _, name := range cast {
		e.lock(name, 10*whole)
		e.unbond(name, whole)
	}
	e.judge("v1", 1, "v2", 1, "v3", 1)
	e.ctx = e.ctx.WithBlockHeight(20)
	for _, uid := range []uint32{0, 4, 5} {
		e.claim("v1", uid)
	}
	e.ctx = e.ctx.WithBlockHeight(30).WithBlockTime(e.ctx.BlockTime().Add(unbond * 1e9))
	for i := range 3 { // a claim with three voters is a block's work
		e.blocks(1)
		require.Len(t, e.exported().Claims, 2-i)
	}
	for i := range 6 { // and so is an unbonding; the first were done beside the claims
		left := 0
		for _, c := range e.exported().Collaterals {
			left += len(c.Unbondings)
		}
		require.Equal(t, max(0, 6-2-i), left)
		e.blocks(1)
	}
}

func TestWorkThatFailsIsPutOffAndStopsNothing(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 10*whole)
	e.unbond("miner", whole)
	e.faulty.unlock = errors.New("the lock is damaged \xff")
	e.blocks(unbond + 1)
	require.EqualValues(t, 10*whole, e.locked("miner", hot("miner")))
	off := e.events(&types.EventWorkPutOff{})
	require.Len(t, off, 1)
	require.Contains(t, off[0], "the lock is damaged ?")
	require.Contains(t, off[0], `next_height="131"`)
	e.faulty.unlock = nil
	e.blocks(99)
	require.EqualValues(t, 10*whole, e.locked("miner", hot("miner")))
	e.blocks(1)
	require.EqualValues(t, 9*whole, e.locked("miner", hot("miner")))

	// A claim whose deposit is gone can't end; nothing else is stopped by it.
	e.claim("v1", minerUID)
	require.NoError(t, e.bank.SendCoinsFromModuleToAccount(e.ctx, types.ModuleName, addr("thief"), coins(1)))
	for range tempo + 1 {
		require.NoError(t, e.k.EndBlocker(e.ctx))
		e.ctx = e.ctx.WithBlockHeight(e.ctx.BlockHeight() + 1)
	}
	require.Len(t, e.exported().Claims, 1)
	require.Error(t, e.k.CheckInvariants(e.ctx))
	require.NoError(t, e.bank.SendCoinsFromAccountToModule(e.ctx, addr("thief"), types.ModuleName, coins(1)))
	e.blocks(101)
	require.Empty(t, e.exported().Claims)
}
