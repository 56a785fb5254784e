package localnet

import (
	"regexp"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
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
var ownKey = regexp.MustCompile(`^(faucet|user|((inference-)?(owner|(validator|miner)-[0-9]+))(-hot)?|inference-purse-[0-9]+)$`)

// What genesis holds, in rao: 1,000,000 TAO in all (protocol.md §2, local profile).
const (
	genesisSupply = 1_000_000 * TAO
	userFunds     = 10_000 * TAO
	// operatorBond is what the chain's one validator bonds. Its operator is the first
	// video validator's hotkey.
	operatorBond = 10 * TAO
)

// crew are those who make a subnet: its owner first, then its neurons.
type crew struct {
	create subnetstypes.MsgCreateSubnet // Parameters may be filled in until it is created
	parts  []part
	netuid uint16 // known once the subnet is there
}

func (c *crew) owner() part     { return c.parts[0] }
func (c *crew) neurons() []part { return c.parts[1:] }

// part is one of a crew, with its keys and what it is given.
type part struct {
	role     string
	name     string // of its coldkey; the hotkey has hotSuffix
	strategy string // of a miner, as reports show it
	funds    uint64 // rao that the faucet gives to its coldkey
	stake    uint64 // rao that it stakes on its hotkey
	price    uint64 // rao for what a price of its is for; 0: customers pay nothing
	purse    string // of an inference validator: the coldkey that pays for its canaries
	cheats   bool   // an inference miner that runs another model than it says
}

// hotFees is what a hotkey that sells is given for the fees of listing and redeeming, in
// rao.
const hotFees = TAO

// ownerFunds are an owner's, in rao: a subnet's lock, twice over.
const ownerFunds = 2_000 * TAO

// crews lists who plays, by subnet.
func (c *Config) crews() []*crew {
	all := []*crew{c.videoCrew()}
	if c.Inference != nil {
		all = append(all, c.inferenceCrew())
	}
	return all
}
