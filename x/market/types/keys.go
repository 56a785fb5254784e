package types

import (
	"cosmossdk.io/collections"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

const (
	// ModuleName is the module's name and its account's, which holds the deposits and
	// what of the revenue waits.
	ModuleName = "market"
	// StoreKey is the module's store.
	StoreKey = ModuleName

	// Denom is the bank's name for a rao.
	Denom = alphatypes.Denom
	// ReasonRevenue is the reason of trades and of recycling that revenue is.
	ReasonRevenue = alphatypes.ReasonRevenue
)

// Prefixes of the store. Records name a subnet by its permanent id, so that a
// successor in the same slot inherits nothing, and a provider by its hotkey's account
// of x/alpha, which stays the same when the hotkey is swapped for another.
var (
	ParamsKey        = collections.NewPrefix(0)
	NextServiceIDKey = collections.NewPrefix(1)
	NextPlanIDKey    = collections.NewPrefix(2)
	ServicesKey      = collections.NewPrefix(3)  // service id → Service
	NamesKey         = collections.NewPrefix(4)  // (subnet id, account, name) → service id: index, rebuilt at import
	ListedKey        = collections.NewPrefix(5)  // (subnet id, uid, service id): index, rebuilt at import
	PlansKey         = collections.NewPrefix(6)  // plan id → Plan
	PlansOfKey       = collections.NewPrefix(7)  // (service id, plan id): index, rebuilt at import
	ChannelsKey      = collections.NewPrefix(8)  // channel id → Channel
	ByPayerKey       = collections.NewPrefix(9)  // (payer, channel id): index, rebuilt at import
	ByProviderKey    = collections.NewPrefix(10) // (account, channel id): index, rebuilt at import
	LooksKey         = collections.NewPrefix(11) // (look time, channel id): index, rebuilt at import
	SplitsKey        = collections.NewPrefix(12) // subnet id → SubnetSplit
	RevenuesKey      = collections.NewPrefix(13) // subnet id → Revenue
	WaitingKey       = collections.NewPrefix(14) // subnet id, of which revenue waits: index, rebuilt at import
)
