package keeper_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/lodenet/lode/x/seed/types"
	"github.com/lodenet/lode/x/seed/vrf"
)

func TestSection2ARegistrationTakesEffectAfterTheActivationDelay(t *testing.T) {
	e := newEnv(t)
	e.alice(1)
	old, next := vrfKey("alice"), vrfKey("alice's next")
	res, err := e.register(registration("alice", "alice's next"))
	require.NoError(t, err)
	require.EqualValues(t, 21, res.ActiveHeight)

	for h := int64(2); h <= 20; h++ {
		require.Error(t, e.k.CheckProposal(e.ctx, addr("alice's consensus"), h, [][]byte{e.frame(&next)}))
		e.alice(1)
	}
	shown, err := e.query.VRFKey(e.ctx, &types.QueryVRFKeyRequest{Operator: addr("alice").String()})
	require.NoError(t, err)
	require.Equal(t, types.VRFKey{Operator: addr("alice").String(), Key: next.Public(), ActiveHeight: 21}, shown.Key)
	require.Error(t, e.k.CheckProposal(e.ctx, addr("alice's consensus"), 21, [][]byte{e.frame(&old)}))
	require.True(t, e.block("alice's consensus", &next).Proved())
	require.False(t, e.block("alice's consensus", &old).Proved())

	// The old key is free again once its operator has moved on.
	_, err = e.register(registration("bob", "alice"))
	require.ErrorIs(t, err, types.ErrKeyTaken)
	_, err = e.register(registration("alice", "alice's third"))
	require.NoError(t, err)
	_, err = e.register(registration("bob", "alice"))
	require.NoError(t, err)
	require.NoError(t, e.k.CheckInvariants(e.ctx))
}

// An operator that could drop a key in the last block before it begins would choose
// between two seeds.
func TestSection2AKeyThatWaitsCannotBeReplaced(t *testing.T) {
	e := newEnv(t)
	e.alice(1)
	_, err := e.register(registration("alice", "alice's next"))
	require.NoError(t, err)
	e.alice(18)
	require.EqualValues(t, 19, e.ctx.BlockHeight())
	for _, key := range []string{"alice's third", "alice's next", "alice"} {
		_, err = e.register(registration("alice", key))
		require.ErrorIs(t, err, types.ErrPending)
		require.ErrorContains(t, err, "takes effect at block 21")
	}
	// In the block before, the next proposer's key is certain already.
	e.alice(1)
	res, err := e.register(registration("alice", "alice's third"))
	require.NoError(t, err)
	require.EqualValues(t, 40, res.ActiveHeight)
	next := vrfKey("alice's next")
	require.True(t, e.block("alice's consensus", &next).Proved())
}

func TestSection2NobodyRegistersAKeyThatIsNotTheirs(t *testing.T) {
	e := newEnv(t)
	e.alice(1)
	good := registration("bob", "bob")
	low := make([]byte, 32)
	low[0] = 1
	for name, c := range map[string]struct {
		m    func() *types.MsgRegisterVRFKey
		is   error
		says string
	}{
		"another's key without its secret": {func() *types.MsgRegisterVRFKey {
			return &types.MsgRegisterVRFKey{Operator: addr("bob").String(), Key: vrfKey("carol").Public(), Proof: vrfKey("bob").Prove(vrf.Possession(chainID, addr("bob")))}
		}, types.ErrInvalidProof, "does not show"},
		"another's registration copied": {func() *types.MsgRegisterVRFKey {
			m := registration("carol", "carol")
			m.Operator = addr("bob").String()
			return m
		}, types.ErrInvalidProof, "does not show"},
		"a registration of another chain": {func() *types.MsgRegisterVRFKey {
			return types.NewMsgRegisterVRFKey("lode-1", addr("bob"), vrfKey("bob"))
		}, types.ErrInvalidProof, "does not show"},
		"a proof of a seed": {func() *types.MsgRegisterVRFKey {
			return &types.MsgRegisterVRFKey{Operator: addr("bob").String(), Key: vrfKey("alice").Public(), Proof: func() []byte {
				s, err := e.k.SeedAt(e.ctx, 1)
				require.NoError(t, err)
				return s.Proof
			}()}
		}, types.ErrInvalidProof, "does not show"},
		"a key in force with another operator": {func() *types.MsgRegisterVRFKey { return registration("bob", "alice") }, types.ErrKeyTaken, "has an operator"},
		"a point of low order": {func() *types.MsgRegisterVRFKey {
			return &types.MsgRegisterVRFKey{Operator: addr("bob").String(), Key: low, Proof: good.Proof}
		}, types.ErrInvalidKey, "low or mixed order"},
		"no point": {func() *types.MsgRegisterVRFKey {
			return &types.MsgRegisterVRFKey{Operator: addr("bob").String(), Key: append([]byte{2}, make([]byte, 31)...), Proof: good.Proof}
		}, types.ErrInvalidKey, "no point"},
		"a short key": {func() *types.MsgRegisterVRFKey {
			return &types.MsgRegisterVRFKey{Operator: good.Operator, Key: good.Key[:31], Proof: good.Proof}
		}, types.ErrInvalidKey, "has 31 bytes, must have 32"},
		"a long proof": {func() *types.MsgRegisterVRFKey {
			return &types.MsgRegisterVRFKey{Operator: good.Operator, Key: good.Key, Proof: append(bytes.Clone(good.Proof), 0)}
		}, types.ErrInvalidProof, "has 81 bytes, must have 80"},
		"nothing": {func() *types.MsgRegisterVRFKey { return &types.MsgRegisterVRFKey{} }, types.ErrInvalidKey, "has 0 bytes"},
		"a foreign address": {func() *types.MsgRegisterVRFKey {
			return &types.MsgRegisterVRFKey{Operator: "cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh", Key: good.Key, Proof: good.Proof}
		}, nil, "prefix"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := e.register(c.m())
			require.ErrorContains(t, err, c.says)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			_, ok, err := e.k.VRFKey(e.ctx, addr("bob"))
			require.NoError(t, err)
			require.False(t, ok)
			require.NoError(t, e.k.CheckInvariants(e.ctx))
		})
	}
	_, err := e.register(good)
	require.NoError(t, err)
	_, err = e.register(registration("carol", "bob"))
	require.ErrorIs(t, err, types.ErrKeyTaken, "also while it waits")
}

func TestSection2VerifyingAProofCostsGasBeforeItIsDone(t *testing.T) {
	e := newEnv(t)
	ctx := e.ctx.WithGasMeter(storetypes.NewGasMeter(4_999))
	require.Panics(t, func() { _, _ = e.msgs.RegisterVRFKey(ctx, registration("bob", "bob")) })
}

func TestSection2AValidatorNeedsAKeyInForceAndLosesItWhenItIsRemoved(t *testing.T) {
	e := newEnv(t)
	e.alice(1)
	bob := sdk.ValAddress(addr("bob"))
	require.ErrorContains(t, e.k.Hooks().AfterValidatorCreated(e.ctx, bob), "a validator needs a VRF key")
	_, err := e.register(registration("bob", "bob"))
	require.NoError(t, err)
	require.ErrorContains(t, e.k.Hooks().AfterValidatorCreated(e.ctx, bob), "in force from block 21 on")
	e.alice(20)
	require.NoError(t, e.k.Hooks().AfterValidatorCreated(e.ctx, bob))

	_, err = e.register(registration("bob", "bob's next"))
	require.NoError(t, err)
	require.NoError(t, e.k.Hooks().AfterValidatorRemoved(e.ctx, nil, bob))
	require.NoError(t, e.k.Hooks().AfterValidatorRemoved(e.ctx, nil, sdk.ValAddress(addr("carol"))), "whoever never had one")
	_, ok, err := e.k.VRFKey(e.ctx, addr("bob"))
	require.NoError(t, err)
	require.False(t, ok)
	require.NoError(t, e.k.CheckInvariants(e.ctx))
	for _, key := range []string{"bob", "bob's next"} { // both are free
		_, err = e.register(registration(key, key))
		require.NoError(t, err)
	}
}

func TestSection2QueriesTellWhatKeysThereAre(t *testing.T) {
	e := newEnv(t)
	_, err := e.query.VRFKey(e.ctx, &types.QueryVRFKeyRequest{Operator: addr("bob").String()})
	require.ErrorIs(t, err, types.ErrNoKey)
	_, err = e.query.VRFKey(e.ctx, &types.QueryVRFKeyRequest{Operator: "bob"})
	require.ErrorContains(t, err, `operator "bob"`)
	e.alice(1)
	for _, name := range []string{"bob", "carol"} {
		_, err := e.register(registration(name, name))
		require.NoError(t, err)
	}
	all, err := e.query.VRFKeys(e.ctx, &types.QueryVRFKeysRequest{Pagination: &query.PageRequest{Limit: 2}})
	require.NoError(t, err)
	require.Len(t, all.Keys, 2)
	rest, err := e.query.VRFKeys(e.ctx, &types.QueryVRFKeysRequest{Pagination: &query.PageRequest{Key: all.Pagination.NextKey}})
	require.NoError(t, err)
	require.Len(t, rest.Keys, 1)
}
