package app_test

import (
	"maps"
	"math/big"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/app"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
)

// ledger is what somebody knows who has read genesis and events, and nothing else.
type ledger struct {
	rao    map[string]*big.Int // by address
	pools  map[uint64]map[string]uint64
	tao    map[uint64]uint64
	stakes map[stakeKey]*big.Int // shares of coldkeys, alpha where coldkey is empty
	issued uint64
}

type stakeKey struct {
	subnet          uint64
	hotkey, coldkey string
}

func newLedger() *ledger {
	l := &ledger{rao: map[string]*big.Int{}, pools: map[uint64]map[string]uint64{}, tao: map[uint64]uint64{}, stakes: map[stakeKey]*big.Int{}}
	for name, rao := range map[string]int64{"user": 900_000 * tao, "owner": 99_990 * tao} {
		l.rao[text(name)] = big.NewInt(rao)
	}
	// Staking bonds the genesis validator before the first block, silently.
	l.rao[authtypes.NewModuleAddress(stakingtypes.BondedPoolName).String()] = big.NewInt(10 * tao)
	return l
}

func add[K comparable](m map[K]*big.Int, k K, amount *big.Int) {
	if m[k] == nil {
		m[k] = new(big.Int)
	}
	if m[k].Add(m[k], amount); m[k].Sign() == 0 {
		delete(m, k)
	}
}

func (l *ledger) read(t *testing.T, e abci.Event) {
	t.Helper()
	switch e.Type {
	case banktypes.EventTypeCoinSpent, banktypes.EventTypeCoinReceived:
		values := map[string]string{}
		for _, a := range e.Attributes {
			values[a.Key] = a.Value
		}
		coins, err := sdk.ParseCoinsNormalized(values["amount"])
		require.NoError(t, err)
		amount := coins.AmountOf(app.BaseDenom).BigInt()
		if e.Type == banktypes.EventTypeCoinSpent {
			add(l.rao, values["spender"], amount.Neg(amount))
		} else {
			add(l.rao, values["receiver"], amount)
		}
		return
	}
	if proto.MessageType(e.Type) == nil {
		return
	}
	// What baseapp adds to a message's event is no field of it.
	e.Attributes = withoutMode(e.Attributes)
	event, err := sdk.ParseTypedEvent(e)
	require.NoError(t, err, e.Type)
	l.apply(event)
}

func withoutMode(list []abci.EventAttribute) []abci.EventAttribute {
	var out []abci.EventAttribute
	for _, a := range list {
		if a.Key != "mode" && a.Key != "msg_index" {
			out = append(out, a)
		}
	}
	return out
}

func (l *ledger) apply(event proto.Message) {
	switch e := event.(type) {
	case *alphatypes.EventPoolCreated:
		l.pools[e.SubnetId], l.tao[e.SubnetId] = map[string]uint64{}, e.Tao
	case *alphatypes.EventTrade:
		l.tao[e.SubnetId] = e.TaoReserve
	case *alphatypes.EventLiquidityAdded:
		l.tao[e.SubnetId] += e.Tao
	case *alphatypes.EventAlphaMoved:
		l.pools[e.SubnetId][e.From] -= e.Alpha // of issuance: negative, modulo 2^64
		l.pools[e.SubnetId][e.To] += e.Alpha
	case *alphatypes.EventStakeAdded:
		add(l.stakes, stakeKey{e.SubnetId, e.Hotkey, ""}, new(big.Int).SetUint64(e.Alpha))
		add(l.stakes, stakeKey{e.SubnetId, e.Hotkey, e.Coldkey}, e.Shares.BigInt())
	case *alphatypes.EventStakeRemoved:
		add(l.stakes, stakeKey{e.SubnetId, e.Hotkey, ""}, new(big.Int).Neg(new(big.Int).SetUint64(e.Alpha)))
		add(l.stakes, stakeKey{e.SubnetId, e.Hotkey, e.Coldkey}, new(big.Int).Neg(e.Shares.BigInt()))
	case *alphatypes.EventStakeRewarded:
		add(l.stakes, stakeKey{e.SubnetId, e.Hotkey, ""}, new(big.Int).SetUint64(e.Alpha))
	case *alphatypes.EventHotkeysSwapped:
		l.exchange(e.Hotkey, e.NewHotkey)
	case *emissiontypes.EventBlockReward:
		l.issued = e.Issued
	}
}

// exchange gives what is staked on two hotkeys to each other.
func (l *ledger) exchange(a, b string) {
	other := map[string]string{a: b, b: a}
	stakes := make(map[stakeKey]*big.Int, len(l.stakes))
	for at, amount := range l.stakes {
		if to, swapped := other[at.hotkey]; swapped {
			at.hotkey = to
		}
		stakes[at] = amount
	}
	l.stakes = stakes
}

func TestEventsAloneRebuildEveryBalanceStakeAndPool(t *testing.T) {
	c := newChain(t)
	live(c)
	// A transaction that fails still pays, and says so.
	require.NotZero(t, c.block(c.sign(paid, []string{"miner-2"}, send("miner-2", "user", 1_000_000*tao)))[0].Code)

	l := newLedger()
	for _, e := range c.events {
		l.read(t, e)
	}

	balances := map[string]*big.Int{}
	c.Bank.IterateAllBalances(c.query(), func(a sdk.AccAddress, coin sdk.Coin) bool {
		add(balances, a.String(), coin.Amount.BigInt())
		return false
	})
	require.Equal(t, printed(balances), printed(l.rao))

	state, err := c.Alpha.ExportGenesis(c.query())
	require.NoError(t, err)
	require.Len(t, state.Pools, len(l.pools))
	for _, p := range state.Pools {
		got := l.pools[p.SubnetId]
		require.Equal(t, p.TaoReserve, l.tao[p.SubnetId])
		require.Equal(t, []uint64{p.AlphaReserve, p.AlphaStaked, p.AlphaProtocol, p.AlphaPending, p.AlphaBurned, p.AlphaIssued},
			[]uint64{got["reserve"], got["staked"], got["protocol"], got["pending"], got["burned"], -got["issuance"]})
	}
	stakes := map[stakeKey]*big.Int{}
	hotkey := func(account string) string { // records have accounts, events hotkeys
		h, err := c.Alpha.HotkeyOf(c.query(), sdk.MustAccAddressFromBech32(account))
		require.NoError(t, err)
		return h.String()
	}
	for _, s := range state.StakePools {
		add(stakes, stakeKey{s.SubnetId, hotkey(s.Hotkey), ""}, new(big.Int).SetUint64(s.Alpha))
	}
	for _, p := range state.Positions {
		add(stakes, stakeKey{p.SubnetId, hotkey(p.Hotkey), p.Coldkey}, p.Shares.BigInt())
	}
	require.Equal(t, printed(stakes), printed(l.stakes))

	totals, err := c.Emission.Totals(c.query())
	require.NoError(t, err)
	require.Equal(t, totals.Issued, l.issued)
}

func printed[K comparable](m map[K]*big.Int) map[K]string {
	out := map[K]string{}
	for k, v := range maps.All(m) {
		out[k] = v.String()
	}
	return out
}
