// Package keeper holds the state of x/alpha; see the module's package for what
// it promises.
package keeper

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/cosmos/gogoproto/proto"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	corestore "cosmossdk.io/core/store"
	sdkmath "cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/internal/events"
)

// stakePoolKey is permanent subnet id and a hotkey's account.
type stakePoolKey = collections.Pair[uint64, sdk.AccAddress]

// positionKey is permanent subnet id, a hotkey's account and coldkey.
type positionKey = collections.Triple[uint64, sdk.AccAddress, sdk.AccAddress]

// hotkeyOf is an index entry: coldkey and one of its hotkeys.
type hotkeyOf = collections.Pair[sdk.AccAddress, sdk.AccAddress]

// positionOf is an index entry: coldkey, subnet id and a hotkey's account.
type positionOf = collections.Triple[sdk.AccAddress, uint64, sdk.AccAddress]

// Keeper keeps pools, bindings and stakes.
type Keeper struct {
	cdc       codec.BinaryCodec
	ac        address.Codec
	authority string
	bank      types.BankKeeper
	account   sdk.AccAddress // the module's, which holds all TAO reserves

	schema            collections.Schema
	params            collections.Item[types.Params]
	nextSubnetID      collections.Item[uint64]
	pools             collections.Map[uint64, types.Pool]
	netuids           collections.Map[uint32, uint64]
	hotkeys           collections.Map[sdk.AccAddress, types.Hotkey]
	stakePools        collections.Map[stakePoolKey, pool.SharePool]
	positions         collections.Map[positionKey, *big.Int]
	hotkeysOfColdkey  collections.KeySet[hotkeyOf]
	positionOfColdkey collections.KeySet[positionOf]
	children          collections.Map[stakePoolKey, types.Children]
	parents           collections.KeySet[parentOf]
	pendingChildren   collections.Map[stakePoolKey, types.PendingChildren]
	pendingParents    collections.KeySet[parentOf]
	childrenDue       collections.KeySet[childrenDue]
	childkeyTakes     collections.Map[stakePoolKey, types.ChildkeyTake]
	locks             collections.Map[positionKey, uint64]
	hotkeyOfAccount   collections.Map[sdk.AccAddress, []byte]
	retired           collections.Map[uint64, types.RetiredPool]
	coldkeySwaps      collections.Map[sdk.AccAddress, types.ColdkeySwap]
	coldkeySwapsDue   collections.KeySet[coldkeyDue]
	recoveries        collections.Map[sdk.AccAddress, types.Recovery]
	disputeBars       collections.Map[sdk.AccAddress, types.DisputeBar]

	upper *upper
}

// upper is what app wires once all keepers exist; copies of the keeper share it.
type upper struct {
	network types.Network
	hooks   types.Hooks // nil: no module keeps anything under coldkeys
}

// parentOf is an index entry: subnet id, child and parent, both accounts.
type parentOf = collections.Triple[uint64, sdk.AccAddress, sdk.AccAddress]

// childrenDue is an index entry: due block, subnet id and the parent's account.
type childrenDue = collections.Triple[int64, uint64, sdk.AccAddress]

// coldkeyDue is an index entry: due block and coldkey.
type coldkeyDue = collections.Pair[int64, sdk.AccAddress]

// NewKeeper makes the keeper. authority is the address that may set parameters:
// governance.
func NewKeeper(
	cdc codec.BinaryCodec, ss corestore.KVStoreService, ac address.Codec, authority string,
	accounts types.AccountKeeper, bank types.BankKeeper,
) Keeper {
	account := accounts.GetModuleAddress(types.ModuleName)
	if account == nil {
		panic(fmt.Sprintf("the module account %q is not among the application's: add it, without permissions", types.ModuleName))
	}
	sb := collections.NewSchemaBuilder(ss)
	k := Keeper{
		cdc: cdc, ac: ac, authority: authority, bank: bank, account: account,
		params:       collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		nextSubnetID: collections.NewItem(sb, types.NextSubnetIDKey, "next_subnet_id", collections.Uint64Value),
		pools:        collections.NewMap(sb, types.PoolsKey, "pools", collections.Uint64Key, codec.CollValue[types.Pool](cdc)),
		netuids:      collections.NewMap(sb, types.NetuidsKey, "netuids", collections.Uint32Key, collections.Uint64Value),
		hotkeys:      collections.NewMap(sb, types.HotkeysKey, "hotkeys", sdk.AccAddressKey, codec.CollValue[types.Hotkey](cdc)),
		stakePools: collections.NewMap(sb, types.StakePoolsKey, "stake_pools",
			collections.PairKeyCodec(collections.Uint64Key, sdk.AccAddressKey), stakePoolCodec{}),
		positions: collections.NewMap(sb, types.PositionsKey, "positions",
			collections.TripleKeyCodec(collections.Uint64Key, sdk.AccAddressKey, sdk.AccAddressKey), sharesCodec{}),
		hotkeysOfColdkey: collections.NewKeySet(sb, types.HotkeysOfColdkeyKey, "hotkeys_of_coldkey",
			collections.PairKeyCodec(sdk.AccAddressKey, sdk.AccAddressKey)),
		positionOfColdkey: collections.NewKeySet(sb, types.PositionOfColdkeyKey, "position_of_coldkey",
			collections.TripleKeyCodec(sdk.AccAddressKey, collections.Uint64Key, sdk.AccAddressKey)),
		children: collections.NewMap(sb, types.ChildrenKey, "children",
			collections.PairKeyCodec(collections.Uint64Key, sdk.AccAddressKey), codec.CollValue[types.Children](cdc)),
		parents: collections.NewKeySet(sb, types.ParentsKey, "parents",
			collections.TripleKeyCodec(collections.Uint64Key, sdk.AccAddressKey, sdk.AccAddressKey)),
		pendingChildren: collections.NewMap(sb, types.PendingChildrenKey, "pending_children",
			collections.PairKeyCodec(collections.Uint64Key, sdk.AccAddressKey), codec.CollValue[types.PendingChildren](cdc)),
		pendingParents: collections.NewKeySet(sb, types.PendingParentsKey, "pending_parents",
			collections.TripleKeyCodec(collections.Uint64Key, sdk.AccAddressKey, sdk.AccAddressKey)),
		childrenDue: collections.NewKeySet(sb, types.ChildrenDueKey, "children_due",
			collections.TripleKeyCodec(collections.Int64Key, collections.Uint64Key, sdk.AccAddressKey)),
		childkeyTakes: collections.NewMap(sb, types.ChildkeyTakesKey, "childkey_takes",
			collections.PairKeyCodec(collections.Uint64Key, sdk.AccAddressKey), codec.CollValue[types.ChildkeyTake](cdc)),
		locks: collections.NewMap(sb, types.LocksKey, "locks",
			collections.TripleKeyCodec(collections.Uint64Key, sdk.AccAddressKey, sdk.AccAddressKey), collections.Uint64Value),
		hotkeyOfAccount: collections.NewMap(sb, types.HotkeyOfAccountKey, "hotkey_of_account", sdk.AccAddressKey, collections.BytesValue),
		retired:         collections.NewMap(sb, types.RetiredKey, "retired", collections.Uint64Key, codec.CollValue[types.RetiredPool](cdc)),
		coldkeySwaps:    collections.NewMap(sb, types.ColdkeySwapsKey, "coldkey_swaps", sdk.AccAddressKey, codec.CollValue[types.ColdkeySwap](cdc)),
		coldkeySwapsDue: collections.NewKeySet(sb, types.ColdkeySwapsDueKey, "coldkey_swaps_due", collections.PairKeyCodec(collections.Int64Key, sdk.AccAddressKey)),
		recoveries:      collections.NewMap(sb, types.RecoveriesKey, "recoveries", sdk.AccAddressKey, codec.CollValue[types.Recovery](cdc)),
		disputeBars:     collections.NewMap(sb, types.DisputeBarsKey, "dispute_bars", sdk.AccAddressKey, codec.CollValue[types.DisputeBar](cdc)),
		upper:           &upper{},
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err) // the prefixes above collide: a mistake of this file, found by any test
	}
	k.schema = schema
	return k
}

// SetNetwork wires what upper modules know and do.
func (k Keeper) SetNetwork(n types.Network) { k.upper.network = n }

// SetHooks wires who keeps something under coldkeys.
func (k Keeper) SetHooks(h types.Hooks) { k.upper.hooks = h }

// Params are the module's parameters.
func (k Keeper) Params(ctx context.Context) (types.Params, error) { return k.params.Get(ctx) }

// addressOf reads an address of a message.
func (k Keeper) addressOf(what, bech32 string) (sdk.AccAddress, error) {
	a, err := k.ac.StringToBytes(bech32)
	if err != nil {
		return nil, sdkerrors.ErrInvalidAddress.Wrapf("%s %q: %s", what, bech32, err)
	}
	return a, nil
}

// text is an address as messages and records have it.
func (k Keeper) text(a sdk.AccAddress) (string, error) {
	s, err := k.ac.BytesToString(a)
	if err != nil {
		return "", sdkerrors.ErrInvalidAddress.Wrapf("%x: %s", a.Bytes(), err)
	}
	return s, nil
}

// rao is an amount of TAO as bank has it; none where it is 0.
func rao(amount uint64) sdk.Coins {
	return sdk.NewCoins(sdk.NewCoin(types.Denom, sdkmath.NewIntFromUint64(amount)))
}

// found turns collections.ErrNotFound into ok = false.
func found[V any](v V, err error) (V, bool, error) {
	if errors.Is(err, collections.ErrNotFound) {
		var none V
		return none, false, nil
	}
	return v, err == nil, err
}

// values are all of a map's, in the order of their keys.
func values[K, V any](ctx context.Context, m collections.Map[K, V]) (out []V, err error) {
	err = m.Walk(ctx, nil, func(_ K, v V) (bool, error) {
		out = append(out, v)
		return false, nil
	})
	return out, err
}

// emit emits a typed event; one that can't be encoded is an error, since
// indexers rebuild the state from events.
func emit(ctx context.Context, event proto.Message) error {
	return events.Emit(ctx, event)
}
