package types

import "cosmossdk.io/collections"

const (
	// ModuleName is the module's name and that of its account, which holds the
	// TAO reserves of all pools.
	ModuleName = "alpha"
	// StoreKey is the module's store.
	StoreKey = ModuleName
	// Denom is the base denomination of TAO: 10^9 rao are 1 TAO.
	Denom = "rao"
	// AlphaCap is the most alpha that a subnet may have issued, in units.
	AlphaCap = 21_000_000 * 1_000_000_000
	// MaxChildren is to how many hotkeys one may lend stake weight in a subnet.
	MaxChildren = 5
	// Million is the denominator of takes, fees and fractions of stake weight.
	Million = 1_000_000
)

// Prefixes of the store. What belongs to a subnet begins with its permanent id,
// so that a successor in the same slot inherits nothing.
var (
	ParamsKey            = collections.NewPrefix(0)
	NextSubnetIDKey      = collections.NewPrefix(1)
	PoolsKey             = collections.NewPrefix(2) // subnet id → Pool
	NetuidsKey           = collections.NewPrefix(3) // netuid → subnet id of the live subnet there
	HotkeysKey           = collections.NewPrefix(4) // hotkey → Hotkey
	StakePoolsKey        = collections.NewPrefix(5) // (subnet id, hotkey) → alpha and shares of a StakePool
	PositionsKey         = collections.NewPrefix(6) // (subnet id, hotkey, coldkey) → shares of a Position
	HotkeysOfColdkeyKey  = collections.NewPrefix(7) // (coldkey, hotkey): an index, rebuilt at import
	PositionOfColdkeyKey = collections.NewPrefix(8) // (coldkey, subnet id, hotkey): an index, rebuilt at import

	ChildrenKey        = collections.NewPrefix(9)  // (subnet id, parent) → Children
	ParentsKey         = collections.NewPrefix(10) // (subnet id, child, parent): an index, rebuilt at import
	PendingChildrenKey = collections.NewPrefix(11) // (subnet id, parent) → PendingChildren
	ChildrenDueKey     = collections.NewPrefix(12) // (due block, subnet id, parent): an index, rebuilt at import
	ChildkeyTakesKey   = collections.NewPrefix(13) // (subnet id, hotkey) → ChildkeyTake
	LocksKey           = collections.NewPrefix(14) // (subnet id, hotkey, coldkey) → alpha units
	HotkeyOfAccountKey = collections.NewPrefix(15) // account → hotkey, where they differ: an index, rebuilt at import
	RetiredKey         = collections.NewPrefix(16) // subnet id → RetiredPool
	ColdkeySwapsKey    = collections.NewPrefix(17) // coldkey → ColdkeySwap
	ColdkeySwapsDueKey = collections.NewPrefix(18) // (due block, coldkey): an index, rebuilt at import
	RecoveriesKey      = collections.NewPrefix(19) // coldkey → Recovery
	DisputeBarsKey     = collections.NewPrefix(20) // coldkey → DisputeBar
	PendingParentsKey  = collections.NewPrefix(21) // (subnet id, child, parent): an index, rebuilt at import
)

// Reasons of trades and of changes of stake, as events tell them.
const (
	ReasonStake        = "stake"
	ReasonUnstake      = "unstake"
	ReasonSwap         = "swap"
	ReasonMove         = "move"
	ReasonTransfer     = "transfer"
	ReasonRegistration = "registration"
	ReasonEmission     = "emission"
	ReasonRoot         = "root"
	ReasonIncentive    = "incentive"
	ReasonRevenue      = "revenue" // incentive too, of what customers' payments bought
	ReasonOwnerCut     = "owner_cut"
	ReasonTake         = "take"
	ReasonDividends    = "dividends"
	ReasonChildren     = "children"     // of recycling a fee
	ReasonColdkeySwap  = "coldkey_swap" // of recycling a fee
	ReasonChildkeyTake = "childkey_take"
	ReasonBurn         = "burn"
	ReasonRecycle      = "recycle"
	ReasonSlash        = "slash"
)
