package node

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"

	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	pruningtypes "github.com/cosmos/cosmos-sdk/store/v2/pruning/types"
)

// Role is what a node is for. It decides what a new home's configuration keeps, so
// that its operator need not know the knobs.
type Role string

// Roles.
const (
	// RoleFull answers wallets and explorers: recent states, all blocks, an index of
	// transactions. It serves snapshots to nodes that join. It is the default.
	RoleFull Role = "full"
	// RoleValidator makes blocks and keeps little: no index, no snapshots, and blocks
	// only as long as they can prove that somebody signed twice.
	RoleValidator Role = "validator"
	// RoleArchive keeps every state, block and index for ever.
	RoleArchive Role = "archive"
	// RoleSeed tells nodes of each other's addresses, and keeps as little as a validator.
	RoleSeed Role = "seed"
)

// Roles are all there are.
func Roles() []Role { return []Role{RoleValidator, RoleFull, RoleArchive, RoleSeed} }

// ParseRole reads a role's name; "" is RoleFull.
func ParseRole(name string) (Role, error) {
	if name == "" {
		return RoleFull, nil
	}
	var names []string
	for _, r := range Roles() {
		if name == string(r) {
			return r, nil
		}
		names = append(names, string(r))
	}
	return "", fmt.Errorf("there is no role %q: %s", name, strings.Join(names, ", "))
}

const (
	// recentStates are those that a node keeps that answers no questions about the
	// past: enough to roll a block back and to export.
	recentStates = 100
	// recentBlocks stands for as few blocks as the chain allows: the application keeps
	// them while they can be evidence, and while a snapshot of its own needs them.
	recentBlocks = 1
	// snapshotInterval is how many blocks lie between two snapshots of a node that
	// serves them: 50 minutes at 3 s.
	snapshotInterval = 1_000
	// snapshotWindow is how long a snapshot must be there at least once the next one
	// is. A node that joins looks around for 15 s before it chooses, then fetches and
	// verifies: a snapshot that is pruned meanwhile makes it begin again.
	snapshotWindow = 5 * time.Minute
	// maxSnapshots bounds the disk that short intervals take.
	maxSnapshots = 100
	// maxSnapshotInterval is more blocks than a year has.
	maxSnapshotInterval = 100_000_000
)

// applyComet sets what the role means for CometBFT.
func (r Role) applyComet(cfg *cmtcfg.Config) {
	switch r {
	case RoleValidator, RoleSeed:
		cfg.TxIndex.Indexer = "null"
		cfg.Storage.DiscardABCIResponses = true
	}
	if r == RoleSeed {
		cfg.P2P.SeedMode, cfg.P2P.PexReactor = true, true
		cfg.P2P.MaxNumInboundPeers = 200
	}
}

// applyApp sets what it means for the application.
func (r Role) applyApp(cfg *serverconfig.Config) {
	switch r {
	case RoleValidator, RoleSeed:
		cfg.Pruning = pruningtypes.PruningOptionCustom
		cfg.PruningKeepRecent, cfg.PruningInterval = strconv.Itoa(recentStates), "10"
		cfg.MinRetainBlocks = recentBlocks
	case RoleArchive:
		cfg.Pruning = pruningtypes.PruningOptionNothing
	}
}

// snapshots is how many blocks lie between two snapshots of a role's node; 0: it makes
// none.
func (r Role) snapshots() int64 {
	if r == RoleFull || r == RoleArchive {
		return snapshotInterval
	}
	return 0
}

// snapshotsKept is how many snapshots a node must keep that makes one every so many
// blocks, for the last but one to live as long as a joining node needs it.
func snapshotsKept(interval int64, blockTime time.Duration) uint32 {
	if blockTime <= 0 {
		blockTime = time.Second
	}
	between := time.Duration(min(interval, int64(snapshotWindow/blockTime)+1)) * blockTime
	return uint32(min(maxSnapshots, max(2, 1+(snapshotWindow+between-1)/between)))
}
