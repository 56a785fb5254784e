package types

import "cosmossdk.io/collections"

const (
	// ModuleName is the module's name.
	ModuleName = "seed"
	// StoreKey is the module's store.
	StoreKey = ModuleName
)

// Prefixes of the store.
var (
	ParamsKey = collections.NewPrefix(0)
	SeedKey   = collections.NewPrefix(1) // the seed of the last block
	SeedsKey  = collections.NewPrefix(2) // height → Seed, of the last blocks
	KeysKey   = collections.NewPrefix(3) // operator → VRFKey
	OwnersKey = collections.NewPrefix(4) // VRF key → operator: nobody registers another's
)
