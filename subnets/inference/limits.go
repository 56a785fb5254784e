package inference

import (
	"time"

	"github.com/lodenet/lode/mesh"
)

// MinerLimits are the bounds that a miner is served with, see [subnet.Common]: whoever has
// a key may call, and a gateway carries many customers' requests. The miner's own bounds
// ([MinerConfig]) are narrower, so that vouchers get through while all is taken.
func MinerLimits() mesh.HandlerOptions {
	return mesh.HandlerOptions{Open: true, MaxBody: maxRequest, Timeout: callTime, PerPeer: 512, Total: 4096}
}

// Bounds of a miner in time.
const (
	bodyTime  = time.Minute      // for a caller to send what it asks
	writeTime = 30 * time.Second // for a caller to take a piece of its answer
)

// maxHeld is how many bytes a miner holds of what it is asked, all requests together.
const maxHeld = 256 << 20
