package keeper_test

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	coreaddress "cosmossdk.io/core/address"

	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/address"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/x/seed/keeper"
	"github.com/lodenet/lode/x/seed/types"
	"github.com/lodenet/lode/x/seed/vrf"
)

const chainID = "lode-test-1"

func init() { sdk.GetConfig().SetBech32PrefixForAccount("lode", "lodepub") }

var governance = addr("governance").String()

// addr is an account's address by a name; an operator's, or, as bytes, a consensus
// address.
func addr(name string) sdk.AccAddress { return address.Module("test", []byte(name))[:20] }

func vrfKey(name string) vrf.Key {
	secret := sha256.Sum256([]byte(name))
	k, err := vrf.FromSecret(secret[:])
	if err != nil {
		panic(err)
	}
	return k
}

// fakeStaking knows whose a consensus address is, by names.
type fakeStaking struct {
	validators map[string]string // consensus address → operator
	rotated    map[string]string
}

func (fakeStaking) ValidatorAddressCodec() coreaddress.Codec {
	return addresscodec.NewBech32Codec("lodevaloper")
}

func (f fakeStaking) GetValidatorByConsAddr(_ context.Context, consensus sdk.ConsAddress) (v stakingtypes.Validator, err error) {
	operator, ok := f.validators[string(consensus)]
	if !ok {
		return v, stakingtypes.ErrNoValidatorFound
	}
	v.OperatorAddress, err = f.ValidatorAddressCodec().BytesToString(addr(operator))
	return v, err
}

func (f fakeStaking) GetRotationLockedConsAddr(_ context.Context, consensus sdk.ConsAddress) (stakingtypes.ConsAddrLockType, sdk.ValAddress, bool, error) {
	operator, ok := f.rotated[string(consensus)]
	return stakingtypes.ConsAddrLockPendingTo, sdk.ValAddress(addr(operator)), ok, nil
}

// env is the module over a real store. A message that fails leaves nothing behind.
type env struct {
	t       testing.TB
	ctx     sdk.Context
	k       keeper.Keeper
	msgs    types.MsgServer
	query   types.QueryServer
	staking fakeStaking
}

// newEnv is a chain before block 1 with one validator, alice, whose key is in force.
func newEnv(t testing.TB) *env {
	t.Helper()
	e := emptyEnv(t)
	require.NoError(t, e.k.InitGenesis(e.ctx, types.GenesisState{
		Params: types.LocalParams(), Keys: []types.VRFKey{{Operator: addr("alice").String(), Key: vrfKey("alice").Public()}},
	}))
	return e
}

func emptyEnv(t testing.TB) *env {
	t.Helper()
	key := storetypes.NewKVStoreKey(types.StoreKey)
	ctx := testutil.DefaultContextWithKeys(map[string]*storetypes.KVStoreKey{types.StoreKey: key}, nil, nil).
		WithChainID(chainID).WithBlockHeight(0).WithBlockTime(time.Unix(1_000_000, 0))
	staking := fakeStaking{map[string]string{string(addr("alice's consensus")): "alice"}, map[string]string{}}
	k := keeper.NewKeeper(codec.NewProtoCodec(codectypes.NewInterfaceRegistry()), runtime.NewKVStoreService(key), addresscodec.NewBech32Codec("lode"), governance, staking)
	return &env{t, ctx, k, keeper.NewMsgServer(k), keeper.NewQuerier(k), staking}
}

// block is the next one, proposed by a name's consensus key and proved by a key; nil
// proves nothing.
func (e *env) block(consensus string, key *vrf.Key) types.Seed {
	e.t.Helper()
	return e.decided(consensus, e.frame(key))
}

func (e *env) frame(key *vrf.Key) []byte {
	e.t.Helper()
	if key == nil {
		return vrf.Frame(nil)
	}
	seed, err := e.k.Seed(e.ctx)
	require.NoError(e.t, err)
	return vrf.Frame(key.Prove(vrf.Alpha(chainID, e.ctx.BlockHeight()+1, seed)))
}

// decided is the next block, with its transactions.
func (e *env) decided(consensus string, txs ...[]byte) types.Seed {
	e.t.Helper()
	e.ctx = e.ctx.WithBlockHeight(e.ctx.BlockHeight() + 1)
	require.NoError(e.t, e.k.PreBlock(e.ctx, addr(consensus), e.ctx.BlockHeight(), txs))
	require.NoError(e.t, e.k.CheckInvariants(e.ctx))
	s, err := e.k.SeedAt(e.ctx, e.ctx.BlockHeight())
	require.NoError(e.t, err)
	return s
}

// alice makes n blocks.
func (e *env) alice(n int) {
	e.t.Helper()
	key := vrfKey("alice")
	for range n {
		require.True(e.t, e.block("alice's consensus", &key).Proved())
	}
}

func (e *env) register(m *types.MsgRegisterVRFKey) (*types.MsgRegisterVRFKeyResponse, error) {
	ctx, write := e.ctx.CacheContext()
	res, err := e.msgs.RegisterVRFKey(ctx, m)
	if err == nil {
		write()
	}
	return res, err
}

func registration(operator, key string) *types.MsgRegisterVRFKey {
	return types.NewMsgRegisterVRFKey(chainID, addr(operator), vrfKey(key))
}
