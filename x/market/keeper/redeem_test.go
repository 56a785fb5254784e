package keeper_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
	"github.com/stretchr/testify/require"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/voucher"
	"github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

func TestSection10EachItemStandsForItself(t *testing.T) {
	e := newEnv(t)
	e.list("rival", "chat")
	good, small := e.open("payer", 10*whole), e.open("other", whole)
	rivals := openMsg("payer", whole)
	rivals.ServiceId = 2
	foreign, err := send(e, e.msgs.Deposit, rivals)
	require.NoError(t, err)

	spoilt := signed("payer", good, 9*whole)
	spoilt.Signature = bytes.Clone(spoilt.Signature)
	spoilt.Signature[40] ^= 1
	short := signed("payer", good, 9*whole)
	short.Signature = short.Signature[:63]
	none := signed("payer", good, 9*whole)
	none.Signature = nil
	lied := signed("payer", good, 2*whole)
	lied.Cumulative, lied.Claim = 9*whole, 9*whole
	r := e.redeem("provider",
		spoilt, short, none, lied,
		signed("payer", bytes.Repeat([]byte{1}, 32), 1),
		types.RedeemItem{ChannelId: []byte{1}, Cumulative: 1, Claim: 1},
		types.RedeemItem{},
		signed("payer", foreign.ChannelId, 1),
		signed("other", good, 9*whole),
		signedUpTo("payer", good, 3*whole, 3*whole+1),
		signed("other", small, whole+1),
		signedUpTo("payer", good, 1<<63, 2*whole),
		signed("payer", good, 2*whole),
		signed("payer", good, whole),
		signed("payer", good, 0),
		signed("payer", good, 5*whole),
		signed("other", small, whole),
	)
	want := []types.RedeemStatus{
		types.REDEEM_BAD_SIGNATURE, types.REDEEM_BAD_SIGNATURE, types.REDEEM_BAD_SIGNATURE, types.REDEEM_BAD_SIGNATURE,
		types.REDEEM_NO_CHANNEL, types.REDEEM_NO_CHANNEL, types.REDEEM_NO_CHANNEL,
		types.REDEEM_NOT_YOURS, types.REDEEM_BAD_SIGNATURE, types.REDEEM_OVER_CLAIM, types.REDEEM_OVER_DEPOSIT,
		types.REDEEM_PAID, types.REDEEM_STALE, types.REDEEM_STALE, types.REDEEM_STALE, types.REDEEM_PAID, types.REDEEM_PAID,
	}
	for i, status := range want {
		require.Equal(t, status, r.Results[i].Status, "item %d", i)
	}
	require.EqualValues(t, 6*whole, r.Paid)
	require.EqualValues(t, 2*whole, r.Results[11].Paid)
	require.EqualValues(t, 3*whole, r.Results[15].Paid)
	c, _ := e.channel(good)
	require.EqualValues(t, 5*whole, c.Claimed)
	require.Equal(t, e.revenue().Claims, uint64(3))
}

func TestSection10AMessageOfManyIsBounded(t *testing.T) {
	e := newEnv(t, func(p *types.Params) { p.MaxItems = 4 })
	id := e.open("payer", whole)
	items := make([]types.RedeemItem, 5)
	for i := range items {
		items[i] = signed("payer", id, uint64(i+1))
	}
	refused(t, e, e.msgs.Redeem, &types.MsgRedeem{Signer: str("provider"), Items: items}, types.ErrTooMany, "max_items")
	refused(t, e, e.msgs.Redeem, &types.MsgRedeem{Signer: str("provider")}, types.ErrTooMany)
	refused(t, e, e.msgs.Redeem, &types.MsgRedeem{Signer: str("provider"), Items: make([]types.RedeemItem, types.MaxItems+1)}, types.ErrTooMany)
	require.EqualValues(t, 4, e.redeem("provider", items[:4]...).Paid)
}

func TestSection10AVoucherOfAnotherChainIsWorthNothing(t *testing.T) {
	e := newEnv(t)
	id := e.open("payer", whole)
	item := signed("payer", id, 5)
	item.Signature = voucher.Voucher{ChannelID: id, Cumulative: 5}.Sign("lode-test-2", session("payer"))
	require.Equal(t, types.REDEEM_BAD_SIGNATURE, e.status("provider", item))
}

func TestSection10AVoucherOfAnotherChannelWithTheSameKeyIsWorthNothing(t *testing.T) {
	e := newEnv(t)
	first := e.open("payer", whole)
	e.blocks(1)
	second := e.open("payer", whole)
	require.NotEqual(t, first, second)
	item := signed("payer", first, 5)
	item.ChannelId = second
	require.Equal(t, types.REDEEM_BAD_SIGNATURE, e.status("provider", item))
}

func TestSection10AChannelThatIsOpenedAgainTakesNoOldVouchers(t *testing.T) {
	e := newEnv(t)
	first := e.open("payer", whole)
	refused(t, e, e.msgs.Deposit, openMsg("payer", whole), types.ErrOpen, "session key")
	refused(t, e, e.msgs.Close, &types.MsgClose{Signer: str("provider"), ChannelId: first}, types.ErrTooSoon)
	e.blocks(1)
	e.close("provider", first)
	second := e.open("payer", whole)
	old := signed("payer", first, whole)
	require.Equal(t, types.REDEEM_NO_CHANNEL, e.status("provider", old))
	old.ChannelId = second
	require.Equal(t, types.REDEEM_BAD_SIGNATURE, e.status("provider", old))
}

func TestSection10ALowerOrRepeatedVoucherChangesNothing(t *testing.T) {
	e := newEnv(t)
	id := e.open("payer", whole)
	item := signed("payer", id, 500)
	require.EqualValues(t, 500, e.redeem("provider", item).Paid)
	held := e.held()
	for range 3 {
		require.Equal(t, types.REDEEM_STALE, e.status("provider", item))
		require.Equal(t, types.REDEEM_STALE, e.status("provider", signed("payer", id, 499)))
	}
	require.Equal(t, held, e.held())
	require.EqualValues(t, 1, e.revenue().Claims)
}

func TestSection10DustIsPaidAndTheProviderGetsTheRest(t *testing.T) {
	e := newEnv(t)
	id := e.open("payer", whole)
	before := e.rao("provider")
	for i := range uint64(9) {
		require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("payer", id, i+1)))
	}
	require.Equal(t, before+9, e.rao("provider"), "of a rao each, no part reaches a rao")
	r := e.revenue()
	require.EqualValues(t, 9, r.Total)
	require.Zero(t, r.Pending())
	refused(t, e, e.msgs.Deposit, openMsg("other", types.LocalParams().MinDeposit-1), types.ErrAmount, "min_deposit")
}

func TestSection10TheProviderRedeemsUntilTheRefundAndNotAfter(t *testing.T) {
	e := newEnv(t)
	id := e.open("payer", 10*whole)
	payer := e.rao("payer")
	e.close("payer", id)
	refused(t, e, e.msgs.Close, &types.MsgClose{Signer: str("payer"), ChannelId: id}, types.ErrClosing)
	refused(t, e, e.msgs.Deposit, &types.MsgDeposit{Payer: str("payer"), Amount: 1, ChannelId: id}, types.ErrClosing)
	e.blocks(delay)
	_, open := e.channel(id)
	require.True(t, open)
	require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("payer", id, 9*whole)), "in the refund's block, before its end")
	e.blocks(1)
	require.Equal(t, types.REDEEM_NO_CHANNEL, e.status("provider", signed("payer", id, 10*whole)))
	require.Equal(t, payer+whole, e.rao("payer"))
}

func TestSection10TheDelayPassesInBlocksToo(t *testing.T) {
	e := newEnv(t)
	id := e.open("payer", whole)
	e.close("payer", id)
	e.block(1 << 50) // the chain stood still for days
	for range 10 {
		e.blocks(1)
		_, open := e.channel(id)
		require.True(t, open, "the provider had no block to redeem in")
	}
	require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("payer", id, whole)))
	e.blocks(delay + delay/2)
	_, open := e.channel(id)
	require.False(t, open)
}

func TestSection10TheDelayPassesInTimeToo(t *testing.T) {
	e := newEnv(t)
	id := e.open("payer", whole)
	e.close("payer", id)
	for range 2 * delay {
		e.block(100_000_000) // a tenth of a second
	}
	_, open := e.channel(id)
	require.True(t, open)
	e.blocks(delay)
	_, open = e.channel(id)
	require.False(t, open)
}

// lowOrder are the points of small order, and not canonical encodings of some.
var lowOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0100000000000000000000000000000000000000000000000000000000000080",
}

func TestSection10NoChannelHasAKeyThatAnybodySignsFor(t *testing.T) {
	e := newEnv(t)
	for _, text := range lowOrder {
		key, err := hex.DecodeString(text)
		require.NoError(t, err)
		m := openMsg("payer", whole)
		m.SessionKey = key
		refused(t, e, e.msgs.Deposit, m, types.ErrSessionKey)
	}
	for _, key := range [][]byte{nil, make([]byte, 31), make([]byte, 33), bytes.Repeat([]byte{0xff}, 32)} {
		m := openMsg("payer", whole)
		m.SessionKey = key
		refused(t, e, e.msgs.Deposit, m, types.ErrSessionKey)
	}
}

// cofactored is a signature that only ZIP-215's equation takes: its R has a part of
// small order.
func cofactored(t *testing.T, v voucher.Voucher, key ed25519.PrivateKey) []byte {
	t.Helper()
	must := func(s *scalar.Scalar, err error) *scalar.Scalar { require.NoError(t, err); return s }
	raw, err := hex.DecodeString(lowOrder[4])
	require.NoError(t, err)
	torsion := curve.NewEdwardsPoint()
	require.NoError(t, torsion.UnmarshalBinary(raw))
	h := sha512.Sum512(key.Seed())
	h[0], h[31] = h[0]&248, h[31]&127|64
	a, r := must(scalar.NewFromBytesModOrder(h[:32])), scalar.NewFromUint64(7)
	nonce, err := curve.NewEdwardsPoint().Add(curve.NewEdwardsPoint().MulBasepoint(curve.ED25519_BASEPOINT_TABLE, r), torsion).MarshalBinary()
	require.NoError(t, err)
	k := sha512.Sum512(slices.Concat(nonce, public(key), v.SignBytes(chain)))
	s := scalar.New().Mul(must(scalar.NewFromBytesModOrderWide(k[:])), a)
	last, err := s.Add(s, r).MarshalBinary()
	require.NoError(t, err)
	return append(nonce, last...)
}

// A node that verified otherwise alone than in a batch, or than others, would fork.
func TestSection10AZIP215SignatureIsGoodAloneAndInABatch(t *testing.T) {
	e := newEnv(t)
	id := e.open("payer", whole)
	v := voucher.Voucher{ChannelID: id, Cumulative: 7}
	signature := cofactored(t, v, session("payer"))
	require.False(t, ed25519.Verify(public(session("payer")), v.SignBytes(chain), signature), "the standard library would not take it")
	for _, n := range []int{1, 2, 128} {
		items := []types.RedeemItem{{ChannelId: id, Cumulative: 7, Claim: 7, Signature: signature}}
		for len(items) < n {
			items = append(items, signed("payer", id, 1))
		}
		ctx, _ := e.ctx.CacheContext()
		r, err := e.msgs.Redeem(ctx, &types.MsgRedeem{Signer: str("provider"), Items: items})
		require.NoError(t, err)
		require.Equal(t, types.REDEEM_PAID, r.Results[0].Status)
	}
}

func TestSection10ABatchWithPoisonPaysAllGoodItems(t *testing.T) {
	e := newEnv(t)
	var items []types.RedeemItem
	for i := range 127 {
		payer := fmt.Sprintf("p%d", i)
		m := openMsg("payer", whole)
		m.SessionKey = public(session(payer))
		r, err := send(e, e.msgs.Deposit, m)
		require.NoError(t, err)
		items = append(items, signed(payer, r.ChannelId, 1_000))
	}
	poison := items[50]
	poison.Signature = bytes.Repeat([]byte{0xff}, 64)
	items = append(items[:50:50], append([]types.RedeemItem{poison}, items[50:]...)...)
	r := e.redeem("provider", items...)
	for i, one := range r.Results {
		want := types.REDEEM_PAID
		if i == 50 {
			want = types.REDEEM_BAD_SIGNATURE
		}
		require.Equal(t, want, one.Status, "item %d", i)
	}
	require.EqualValues(t, 127*1_000, r.Paid)
}

// TestWhat128ItemsCost keeps a full message well within a block, and the price of an
// item the same whether its voucher is good or not.
func TestSection10What128ItemsCost(t *testing.T) {
	e := newEnv(t)
	var good, bad []types.RedeemItem
	for i := range 128 {
		payer := fmt.Sprintf("p%d", i)
		m := openMsg("payer", whole)
		m.SessionKey = public(session(payer))
		r, err := send(e, e.msgs.Deposit, m)
		require.NoError(t, err)
		good = append(good, signed(payer, r.ChannelId, 1_000_000))
		bad = append(bad, signed("nobody", r.ChannelId, 1_000_000))
	}
	gas := func(items []types.RedeemItem) uint64 {
		ctx, _ := e.ctx.CacheContext()
		ctx = ctx.WithGasMeter(storetypes.NewGasMeter(100_000_000)).WithKVGasConfig(storetypes.KVGasConfig())
		_, err := e.msgs.Redeem(ctx, &types.MsgRedeem{Signer: str("provider"), Items: items})
		require.NoError(t, err)
		return sdk.UnwrapSDKContext(ctx).GasMeter().GasConsumed()
	}
	full, poisoned, one := gas(good), gas(bad), gas(good[:1])
	t.Logf("128 items: %d gas, %d an item; all bad: %d; one alone: %d", full, full/128, poisoned, one)
	require.Less(t, full, uint64(5_000_000), "20 full messages fit a block")
	require.Greater(t, poisoned, uint64(128*3_000), "what is verified is paid for")
	require.Less(t, gas(good[:64]), full)
}

// Whoever has stolen a hotkey makes it the coldkey of a provider of its own: what the
// stolen one earns goes to its coldkey all the same, whichever item comes first.
func TestSection10AHotkeyThatIsAColdkeyTooTakesNothingOfItsColdkeys(t *testing.T) {
	for _, first := range []int{0, 1} {
		e := newEnv(t, func(p *types.Params) { p.DefaultSplit = types.RevenueSplit{Provider: types.Million} })
		id := e.open("payer", 10*whole)
		e.bind(hot("provider"), "thiefs-hot")
		require.NoError(t, e.bank.SendCoins(e.ctx, addr("provider"), addr(hot("provider")), coins(5_000*whole)))
		_, err := send(e, e.subnetsMsgs.Register, &subnetstypes.MsgRegister{Coldkey: str(hot("provider")), Hotkey: str("thiefs-hot"), Netuid: 1, MaxBurn: 1_000 * whole})
		require.NoError(t, err)
		m := listMsg("provider", "bait")
		m.Hotkey = str("thiefs-hot")
		bait, err := send(e, e.msgs.ListService, m)
		require.NoError(t, err)
		open := openMsg("payer", whole)
		open.ServiceId = bait.ServiceId
		baits, err := send(e, e.msgs.Deposit, open)
		require.NoError(t, err)

		items := []types.RedeemItem{signed("payer", id, 10*whole), signed("payer", baits.ChannelId, whole)}
		cold, warm := e.rao("provider"), e.rao(hot("provider"))
		r := e.redeem(hot("provider"), items[first], items[1-first])
		require.EqualValues(t, 11*whole, r.Provider)
		require.EqualValues(t, cold+10*whole, e.rao("provider"))
		require.EqualValues(t, warm+whole, e.rao(hot("provider")))
	}
}
