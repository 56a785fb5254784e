package keeper_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	store "github.com/cosmos/cosmos-sdk/store/v2"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// storeContext is a context over real stores, each with a space of its own: they
// can be committed.
func storeContext(t require.TestingT, keys map[string]*storetypes.KVStoreKey) sdk.Context {
	cms := store.NewCommitMultiStore(dbm.NewMemDB(), log.NewNopLogger())
	for _, key := range keys {
		cms.MountStoreWithDB(key, storetypes.StoreTypeIAVL, nil)
	}
	require.NoError(t, cms.LoadLatestVersion())
	return sdk.NewContext(cms, cmtproto.Header{}, false, log.NewNopLogger())
}

// endBlock runs a block's end; the invariants hold afterwards. It returns the
// module's events.
func (e *env) endBlock() []proto.Message {
	before := len(e.ctx.EventManager().Events())
	e.ok(e.k.EndSteps)
	return told(e.t, e.ctx.EventManager().Events()[before:])
}

// commit commits the stores, as a block does. Iterators over much that is not
// committed are slow.
func (e *env) commit() { e.ctx.MultiStore().(storetypes.CommitMultiStore).Commit() }

// told are the module's events among all.
func told(t require.TestingT, events sdk.Events) (out []proto.Message) {
	for _, ev := range events {
		if len(ev.Type) > 5 && ev.Type[:5] == "lode." {
			m, err := sdk.ParseTypedEvent(abci.Event(ev))
			require.NoError(t, err)
			out = append(out, m)
		}
	}
	return out
}

// count counts the events of one type.
func count[E proto.Message](events []proto.Message) (n int) {
	for _, m := range events {
		if _, ok := m.(E); ok {
			n++
		}
	}
	return n
}

// retire removes a subnet.
func (e *env) retire(id uint64) {
	e.ok(func(ctx context.Context) error { return e.k.RetirePool(ctx, id) })
}

// retired is what is kept of a removed subnet.
func (e *env) retired(id uint64) types.RetiredPool {
	r, err := e.query.Retired(e.ctx, &types.QueryRetiredRequest{})
	require.NoError(e.t, err)
	i := slices.IndexFunc(r.Pools, func(p types.RetiredPool) bool { return p.SubnetId == id })
	require.GreaterOrEqual(e.t, i, 0, "subnet id %d is not among the retired", id)
	return r.Pools[i]
}

// claims are what a coldkey can still claim.
func (e *env) claims(name string) []types.ClaimInfo {
	r, err := e.query.Claims(e.ctx, &types.QueryClaimsRequest{Coldkey: str(name)})
	require.NoError(e.t, err)
	return r.Claims
}

func (e *env) claim(sender, coldkey string, id uint64) (*types.MsgClaimResponse, error) {
	return send(e, e.msgs.Claim, &types.MsgClaim{Sender: str(sender), Coldkey: str(coldkey), SubnetId: id})
}

// metered counts gas, which grows with every read, write and step of an iterator.
func (e *env) metered(f func(ctx context.Context) error) uint64 {
	meter := storetypes.NewInfiniteGasMeter()
	require.NoError(e.t, f(e.ctx.WithGasMeter(meter)))
	return meter.GasConsumed()
}

// crowd divides alice's stake on "miner" in subnet 1 among n holders, straight in
// the store; the subnet's records are the same for any n.
func crowd(t *testing.T, n int) *env {
	e := newEnv(t)
	e.stake("alice", "miner", 1, 100*whole)
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	p := g.Positions[0]
	part := p.Shares.QuoRaw(int64(n))
	first := p
	first.Shares = p.Shares.Sub(part.MulRaw(int64(n - 1)))
	require.NoError(t, e.k.ForcePosition(e.ctx, addr("miner"), addr("alice"), first))
	for i := 1; i < n; i++ {
		a := sdk.AccAddress(fmt.Appendf(nil, "holder%014d", i))
		p.Coldkey, p.Shares = a.String(), part
		require.NoError(t, e.k.ForcePosition(e.ctx, addr("miner"), a, p))
	}
	e.commit()
	return e
}

func accAddress(t require.TestingT, bech32 string) sdk.AccAddress {
	a, err := sdk.AccAddressFromBech32(bech32)
	require.NoError(t, err)
	return a
}

// ownerOf is the coldkey of the hotkey that has an account.
func (e *env) ownerOf(account string) string {
	hotkey, err := e.k.HotkeyOf(e.ctx, accAddress(e.t, account))
	require.NoError(e.t, err)
	coldkey, err := e.k.Coldkey(e.ctx, hotkey)
	require.NoError(e.t, err)
	return coldkey.String()
}
