package types

import (
	"context"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// AccountKeeper is what x/market needs of x/auth.
type AccountKeeper interface {
	GetModuleAddress(moduleName string) sdk.AccAddress
}

// BankKeeper is what x/market needs of x/bank.
type BankKeeper interface {
	GetBalance(ctx context.Context, addr sdk.AccAddress, denom string) sdk.Coin
	BlockedAddr(addr sdk.AccAddress) bool
	SendCoinsFromAccountToModule(ctx context.Context, from sdk.AccAddress, toModule string, amount sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, fromModule string, to sdk.AccAddress, amount sdk.Coins) error
}

// AlphaKeeper is what x/market needs of who owns which hotkey, and of the pools.
type AlphaKeeper interface {
	// Coldkey is the key that a hotkey is bound to; an error if it is bound to none.
	Coldkey(ctx context.Context, hotkey sdk.AccAddress) (sdk.AccAddress, error)
	// Account is where what a hotkey has is kept: it goes along when the hotkey is
	// swapped. HotkeyOf is who has it now.
	Account(ctx context.Context, hotkey sdk.AccAddress) (sdk.AccAddress, error)
	HotkeyOf(ctx context.Context, account sdk.AccAddress) (sdk.AccAddress, error)

	Params(ctx context.Context) (alphatypes.Params, error)
	Pool(ctx context.Context, subnetID uint64) (alphatypes.Pool, error)

	// BuyAndBurn buys alpha that nobody gets, BuyForMiners such that waits for the
	// subnet's next epoch, with rao of the payer's. They return what was bought.
	BuyAndBurn(ctx context.Context, subnetID uint64, payer sdk.AccAddress, tao uint64, reason string) (uint64, error)
	BuyForMiners(ctx context.Context, subnetID uint64, payer sdk.AccAddress, tao uint64, reason string) (uint64, error)
}

// SubnetsKeeper is what x/market needs of the registry of subnets and neurons.
type SubnetsKeeper interface {
	Subnet(ctx context.Context, subnetID uint64) (subnetstypes.Subnet, error)
	SubnetByNetuid(ctx context.Context, netuid uint32) (subnetstypes.Subnet, error)
	Neuron(ctx context.Context, subnetID uint64, uid uint32) (subnetstypes.Neuron, error)
	NeuronByHotkey(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress) (subnetstypes.Neuron, error)
}

// EmissionKeeper is what x/market needs of x/emission.
type EmissionKeeper interface {
	// TargetBlockTime tells how long blocks should take: a delay that must pass in
	// blocks too lasts as many as fit into it.
	TargetBlockTime(ctx context.Context) (time.Duration, error)
	// Recycle takes rao of a module's account out of circulation, so that they can be
	// minted again.
	Recycle(ctx context.Context, fromModule string, rao uint64, reason string) error
	// AddRevenue keeps alpha that BuyForMiners bought for the subnet's next epoch.
	AddRevenue(ctx context.Context, subnetID uint64, alpha uint64) error
}

// AuthzKeeper is what x/market needs of x/authz.
type AuthzKeeper interface {
	GetAuthorization(ctx context.Context, grantee, granter sdk.AccAddress, msgType string) (authz.Authorization, *time.Time)
	SaveGrant(ctx context.Context, grantee, granter sdk.AccAddress, authorization authz.Authorization, expiration *time.Time) error
}
