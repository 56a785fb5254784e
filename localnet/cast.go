package localnet

import (
	"fmt"
	"regexp"
)

// Names of the keys in a home's wallet.
const (
	// FaucetKey is the coldkey of the genesis account that `lode faucet` spends.
	FaucetKey = "faucet"
	// UserKey is the coldkey of the person at the keyboard: client commands use it
	// unless told otherwise.
	UserKey = "user"

	hotSuffix = "-hot"
	// operatorKey is the hotkey of the first validator: it operates the chain's one
	// proof-of-stake validator.
	operatorKey = "validator-1" + hotSuffix
)

// TAO is a whole coin in rao, and a whole alpha in its units.
const TAO = 1_000_000_000

// ownKey matches the names of keys that a network makes for itself.
var ownKey = regexp.MustCompile(`^(faucet|user|(owner|(validator|miner)-[0-9]+)(-hot)?)$`)

// What genesis holds, in rao: 1,000,000 TAO in all (protocol.md §2, local profile).
const (
	genesisSupply = 1_000_000 * TAO
	userFunds     = 10_000 * TAO
	// operatorBond is what the chain's one validator bonds. Its operator is the first
	// video validator's hotkey.
	operatorBond = 10 * TAO
)

// part is one of the cast: a neuron of subnet 1 with its keys, and what it is given.
type part struct {
	role     string
	name     string // of its coldkey; the hotkey has hotSuffix
	strategy string // of a miner
	funds    uint64 // rao that the faucet gives to its coldkey
	stake    uint64 // rao that it stakes on its hotkey
	price    uint64 // rao for a minute of video through it; 0: customers pay nothing
}

// videoPrice is what the validator that sells takes for a minute of video, and hotFees
// what its hotkey is given for the fees of listing and redeeming, in rao.
const (
	videoPrice = TAO / 100
	hotFees    = TAO
)

// cast lists who plays in subnet 1, the owner first. The validators' stakes differ a
// little, so that who reads the table sees dividends follow stake. The second one's
// customers pay.
func (c *Config) cast() []part {
	parts := []part{{role: RoleOwner, name: "owner", funds: 2_000 * TAO}}
	for i := range validators {
		parts = append(parts, part{
			role: RoleValidator, name: fmt.Sprintf("validator-%d", i+1),
			funds: 500 * TAO, stake: uint64(200+50*i) * TAO, price: uint64(i) * videoPrice,
		})
	}
	for i, s := range c.Strategies {
		parts = append(parts, part{role: RoleMiner, name: fmt.Sprintf("miner-%d", i+1), strategy: s, funds: 20 * TAO})
	}
	return parts
}
