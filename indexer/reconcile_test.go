package indexer_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/indexer"
	"github.com/lodenet/lode/indexer/indexertest"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

const tao = localnet.TAO

// life is a network on which some people live.
type life struct {
	t          *testing.T
	ctx        context.Context
	n          *localnet.Network
	c          *client.Client
	alice, bob *localnet.Member
	one, two   uint32 // netuids
}

func (l *life) send(signer *wallet.Signer, msgs ...sdk.Msg) {
	l.t.Helper()
	_, err := l.c.Send(l.ctx, []*wallet.Signer{signer}, msgs...)
	require.NoError(l.t, err)
}

func (l *life) bound(m *localnet.Member, msgs ...sdk.Msg) {
	l.t.Helper()
	_, err := l.c.SendBound(l.ctx, m.Cold, m.Hot, msgs...)
	require.NoError(l.t, err)
}

// epochs waits until a subnet has run so many more.
func (l *life) epochs(netuid uint32, more uint64) {
	l.t.Helper()
	number := func() uint64 {
		q, err := l.c.Weights().Epoch(l.ctx, &weightstypes.QueryEpochRequest{Netuid: netuid})
		require.NoError(l.t, err)
		return q.Epoch.Number
	}
	until := number() + more
	for range l.c.Blocks(l.ctx) {
		if number() >= until {
			return
		}
	}
	l.t.Fatal("the chain ended")
}

// live does some of all that there is.
func (l *life) live() {
	for i, at := range []*uint32{&l.one, &l.two} {
		netuid, err := l.n.CreateSubnet(l.ctx, fmt.Sprintf("owner-%d", i), fmt.Sprintf("subnet <b>%d</b>", i), `{"a":"\"\u0000\""}`)
		require.NoError(l.t, err)
		*at = uint32(netuid)
	}
	var err error
	l.alice, err = l.n.Hire(l.ctx, "alice", 2_000*tao)
	require.NoError(l.t, err)
	l.bob, err = l.n.Hire(l.ctx, "bob", 2_000*tao)
	require.NoError(l.t, err)
	a, b := l.alice.Cold.Address(), l.bob.Cold.Address()
	ah, bh := l.alice.Hot.Address(), l.bob.Hot.Address()
	const dear = 1_000 * tao
	l.bound(l.alice,
		&subnetstypes.MsgRegister{Coldkey: a, Hotkey: ah, Netuid: l.one, MaxBurn: 10 * tao},
		&alphatypes.MsgStake{Coldkey: a, Hotkey: ah, Netuid: l.one, Tao: 100 * tao, LimitPrice: dear},
		&alphatypes.MsgStake{Coldkey: a, Hotkey: ah, Netuid: l.two, Tao: 50 * tao, LimitPrice: dear})
	l.bound(l.bob,
		&subnetstypes.MsgRegister{Coldkey: b, Hotkey: bh, Netuid: l.one, MaxBurn: 10 * tao},
		&subnetstypes.MsgRegister{Coldkey: b, Hotkey: bh, Netuid: l.two, MaxBurn: 10 * tao},
		&alphatypes.MsgStake{Coldkey: b, Hotkey: ah, Netuid: l.one, Tao: 30 * tao, LimitPrice: dear})
	owner, err := l.n.Wallet().Signer("owner-0")
	require.NoError(l.t, err)
	for range l.c.Blocks(l.ctx) { // nothing is set just before an epoch
		_, err = l.c.Send(l.ctx, []*wallet.Signer{owner},
			&subnetstypes.MsgSetHyperparameter{Signer: owner.Address(), Netuid: l.one, Name: "commit_reveal", Value: 0},
			&subnetstypes.MsgSetHyperparameter{Signer: owner.Address(), Netuid: l.one, Name: "min_burn", Value: 700_000},
			&subnetstypes.MsgUpdateSubnet{Coldkey: owner.Address(), Netuid: l.one, Name: "renamed", Description: "d", Url: "https://lode.example"})
		if !errors.Is(err, subnetstypes.ErrFrozen) {
			break
		}
	}
	require.NoError(l.t, err)
	l.epochs(l.one, 1)
	_, err = l.c.SendFree(l.ctx, l.alice.Hot, &weightstypes.MsgSetWeights{Hotkey: ah, Netuid: l.one, Uids: []uint32{2}, Values: []uint32{65_535}})
	require.NoError(l.t, err)
	l.send(l.alice.Cold, &banktypes.MsgSend{FromAddress: a, ToAddress: b, Amount: sdk.NewCoins(sdk.NewInt64Coin(client.Denom, 12_345))},
		&alphatypes.MsgUnstake{Coldkey: a, Hotkey: ah, Netuid: l.one, Alpha: 7 * tao, LimitPrice: 1},
		&alphatypes.MsgSwapStake{Coldkey: a, FromHotkey: ah, FromNetuid: l.one, ToHotkey: bh, ToNetuid: l.two, Alpha: 5 * tao, SellLimitPrice: 1, BuyLimitPrice: dear},
		&alphatypes.MsgMoveStake{Coldkey: a, Netuid: l.two, FromHotkey: ah, ToHotkey: bh, Alpha: 9_000 * tao},
		&alphatypes.MsgTransferStake{Coldkey: a, ToColdkey: b, Hotkey: ah, Netuid: l.one, Alpha: 2 * tao},
		&alphatypes.MsgBurnAlpha{Coldkey: a, Hotkey: ah, Netuid: l.one, Alpha: tao},
		&alphatypes.MsgRecycleAlpha{Coldkey: a, Hotkey: ah, Netuid: l.one, Alpha: tao})
	// One that fails pays its fee.
	_, err = l.c.Send(l.ctx, []*wallet.Signer{l.bob.Cold}, &banktypes.MsgSend{FromAddress: b, ToAddress: a, Amount: sdk.NewCoins(sdk.NewInt64Coin(client.Denom, 90_000_000*tao))})
	require.Error(l.t, err)
	l.market(b)
	spare, err := l.n.Hire(l.ctx, "spare", 10*tao)
	require.NoError(l.t, err)
	_, err = l.c.SendBound(l.ctx, l.bob.Cold, spare.Hot, &subnetstypes.MsgSwapHotkey{Coldkey: b, Hotkey: bh, NewHotkey: spare.Hot.Address()})
	require.NoError(l.t, err)
	l.epochs(l.one, 2)
}

// market sells something of alice's to bob.
func (l *life) market(payer string) {
	l.send(l.alice.Cold, &markettypes.MsgListService{
		Signer: l.alice.Cold.Address(), Hotkey: l.alice.Hot.Address(), Netuid: l.one, Name: "a service", Endpoint: "https://lode.example/s", Unit: markettypes.UNIT_REQUEST, Price: 10, Per: 1,
	})
	l.send(l.bob.Cold, &markettypes.MsgDeposit{Payer: payer, Amount: 3 * tao, ServiceId: 1, SessionKey: l.sessionKey(), CloseDelay: 5})
}

func (l *life) sessionKey() []byte {
	key := make([]byte, 32) // the y of the curve's base point: a key that is in order
	for i := range key {
		key[i] = 0x66
	}
	key[0] = 0x58
	return key
}

// What the index has at a height is what the chain has, to the last unit: issuance, every
// balance, every stake, every pool, every registration's price.
func TestSumsEqualTheChainsAtAHeight(t *testing.T) {
	n := localnettest.Start(t, localnet.Config{ChainOnly: true, BlockTime: 200 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	l := &life{t: t, ctx: ctx, n: n, c: n.Client()}

	followed := open(t, filepath.Join(t.TempDir(), "index.db")) // from the first block on
	stop := make(chan error, 1)
	following, end := context.WithCancel(ctx)
	go func() { stop <- followed.Run(following, indexer.Node(l.c)) }()
	l.live()
	s, err := l.c.Status(ctx)
	require.NoError(t, err)
	for done := false; !done; {
		st, err := followed.Status(ctx)
		if !errors.Is(err, indexer.ErrEmpty) {
			require.NoError(t, err)
		}
		select {
		case err := <-stop:
			t.Fatal(err)
		default:
			done = st.Height >= s.Height
		}
	}
	end()
	require.ErrorIs(t, <-stop, context.Canceled)
	st, err := followed.Status(ctx)
	require.NoError(t, err)
	l.reconcile(followed, st.Height)

	// One that comes later and is read at one go holds the same.
	caught := open(t, indexertest.Postgres(t))
	require.NoError(t, run(ctx, caught, limited{indexer.Node(l.c), st.Height}))
	requireSame(t, dump(t, followed), dump(t, caught))
	l.reconcile(caught, st.Height)
}

// limited is a source that ends at a height.
type limited struct {
	indexer.Source
	last int64
}

func (s limited) Kept(ctx context.Context) (first, last int64, err error) {
	first, last, err = s.Source.Kept(ctx)
	return first, min(last, s.last), err
}

func (s limited) Wait(ctx context.Context, _ int64) error {
	<-ctx.Done()
	return ctx.Err()
}

func (l *life) reconcile(s *indexer.Store, height int64) {
	t, ctx := l.t, client.AtHeight(l.ctx, height)
	t.Helper()
	sup, err := s.Supply(l.ctx)
	require.NoError(t, err)
	require.Equal(t, height, sup.Height)
	totals, err := l.c.Emission().Totals(ctx, &emissiontypes.QueryTotalsRequest{})
	require.NoError(t, err)
	require.Equal(t, []uint64{totals.Totals.Issued, totals.Totals.Burned, totals.Totals.Recycled, totals.Supply},
		[]uint64{uint64(sup.Issued), uint64(sup.Burned), uint64(sup.Recycled), uint64(sup.Bank)})

	var owners, sum uint64
	var colds []string
	page := &query.PageRequest{Limit: 1_000}
	for page != nil {
		q, err := l.c.Bank().DenomOwners(ctx, &banktypes.QueryDenomOwnersRequest{Denom: client.Denom, Pagination: page})
		require.NoError(t, err)
		for _, o := range q.DenomOwners {
			rao, err := s.Balance(l.ctx, o.Address)
			require.NoError(t, err)
			require.Equal(t, o.Balance.Amount.Uint64(), uint64(rao), "the balance of %s", o.Address)
			owners, sum, colds = owners+1, sum+uint64(rao), append(colds, o.Address)
		}
		page = nil
		if len(q.Pagination.NextKey) > 0 {
			page = &query.PageRequest{Limit: 1_000, Key: q.Pagination.NextKey}
		}
	}
	require.Greater(t, owners, uint64(10))
	require.Equal(t, uint64(sup.Bank), sum, "nobody has what the chain does not know of")

	l.reconcilePools(ctx, s)
	stakes := 0
	for _, cold := range colds {
		q, err := l.c.Alpha().Stakes(ctx, &alphatypes.QueryStakesRequest{Coldkey: cold, Pagination: &query.PageRequest{Limit: 1_000}})
		require.NoError(t, err)
		want := map[string]string{}
		for _, st := range q.Stakes {
			want[fmt.Sprint(st.SubnetId, " ", st.Hotkey)] = fmt.Sprintf("%d units, %s shares, %d locked, %d rao", st.Alpha, st.Shares, st.Locked, st.ValueTao)
		}
		list, err := s.Stakes(l.ctx, cold)
		require.NoError(t, err)
		have := map[string]string{}
		for _, st := range list {
			have[fmt.Sprint(st.SubnetID, " ", st.Hotkey)] = fmt.Sprintf("%d units, %s shares, %d locked, %d rao", uint64(st.Alpha), st.Shares, uint64(st.Locked), uint64(st.Value))
		}
		require.Equal(t, want, have, "the stakes of %s", cold)
		stakes += len(want)
	}
	require.Greater(t, stakes, 5)
}

func (l *life) reconcilePools(ctx context.Context, s *indexer.Store) {
	t := l.t
	q, err := l.c.Alpha().Pools(ctx, &alphatypes.QueryPoolsRequest{})
	require.NoError(t, err)
	pools, err := s.Pools(l.ctx)
	require.NoError(t, err)
	require.Len(t, pools, len(q.Pools))
	for i, p := range q.Pools {
		have := pools[i]
		require.Equal(t, p.Pool, alphatypes.Pool{
			SubnetId: have.SubnetID, Netuid: have.Netuid, Trading: have.Trading, TaoReserve: uint64(have.TAOReserve), AlphaReserve: uint64(have.AlphaReserve),
			AlphaIssued: uint64(have.AlphaIssued), AlphaStaked: uint64(have.AlphaStaked), AlphaProtocol: uint64(have.AlphaProtocol), AlphaPending: uint64(have.AlphaPending),
			AlphaBurned: uint64(have.AlphaBurned),
		})
		var burn int64
		require.NoError(t, s.QueryRow(l.ctx, fmt.Sprintf("SELECT burn FROM subnets WHERE id = %d", have.SubnetID), &burn))
		cost, err := l.c.Subnets().BurnCost(ctx, &subnetstypes.QueryBurnCostRequest{Netuid: have.Netuid})
		require.NoError(t, err)
		require.Equal(t, cost.Burn, indexer.Got(burn), "the price of a registration in subnet %d", have.Netuid)
		l.reconcileNeurons(ctx, s, have)
	}
}

// reconcileNeurons compares who has which uid, and what the last epoch brought.
func (l *life) reconcileNeurons(ctx context.Context, s *indexer.Store, p indexer.Pool) {
	t := l.t
	m, err := l.c.Metagraph(ctx, p.Netuid)
	require.NoError(t, err)
	for _, n := range m.Neurons {
		list, err := s.Neuron(l.ctx, p.SubnetID, n.Uid, indexer.Page{Limit: 1})
		require.NoError(t, err)
		if m.Epoch.Number == 0 {
			continue
		}
		require.Len(t, list.Items, 1, "uid %d", n.Uid)
		e := list.Items[0]
		require.Equal(t, m.Epoch.Number, e.Epoch)
		require.Equal(t, n.Emission, uint64(e.Incentive+e.Revenue+e.Dividends), "uid %d of subnet %d", n.Uid, p.Netuid)
		require.InDelta(t, float64(n.Consensus)/(1<<32), float64(e.Consensus)/65_535, 1e-4)
		list2, err := s.Registrations(l.ctx, p.SubnetID, indexer.Page{})
		require.NoError(t, err)
		for _, r := range list2.Items { // the latest first
			if r.UID == n.Uid {
				require.Equal(t, n.Hotkey, r.Hotkey)
				require.Equal(t, n.Coldkey, r.Coldkey)
				break
			}
		}
	}
}
