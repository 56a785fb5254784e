package localnet

import (
	"fmt"
	"regexp"

	"github.com/lodenet/lode/subnets/video"
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
var ownKey = regexp.MustCompile(`^(faucet|user|((inference-)?(owner|(validator|miner)-[0-9]+))(-hot)?)$`)

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
	create subnetstypes.MsgCreateSubnet
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
	price    uint64 // rao for a unit of what it sells; 0: customers pay nothing
	model    string // of an inference miner: the file that it runs
}

// videoPrice is what the validator that sells takes for a minute of video, and hotFees
// what a hotkey that sells is given for the fees of listing and redeeming, in rao.
const (
	videoPrice = TAO / 100
	hotFees    = TAO
)

// ownerFunds are an owner's, in rao: a subnet's lock, twice over.
const ownerFunds = 2_000 * TAO

// crews lists who plays, by subnet.
func (c *Config) crews() []*crew {
	all := []*crew{c.videoCrew()}
	return all
}

// videoCrew is subnet 1's. The validators' stakes differ a little, so that who reads the
// table sees dividends follow stake. The second one's customers pay.
func (c *Config) videoCrew() *crew {
	parts := []part{{role: RoleOwner, name: "owner", funds: ownerFunds}}
	for i := range validators {
		parts = append(parts, part{
			role: RoleValidator, name: fmt.Sprintf("validator-%d", i+1),
			funds: 500 * TAO, stake: uint64(200+50*i) * TAO, price: uint64(i) * videoPrice,
		})
	}
	for i, s := range c.Strategies {
		parts = append(parts, part{role: RoleMiner, name: fmt.Sprintf("miner-%d", i+1), strategy: s, funds: 20 * TAO})
	}
	return &crew{parts: parts, create: subnetstypes.MsgCreateSubnet{
		Name: video.Name, Description: "compresses video: fewer bytes at equal quality",
		Url: "https://github.com/lodenet/lode", Parameters: videoParameters,
	}}
}
