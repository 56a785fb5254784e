package video

import (
	"time"

	"github.com/lodenet/lode/mesh"
)

// GatewayLimits are the bounds of what a validator serves: everybody may call, the
// caller's key identifies the customer.
func GatewayLimits() mesh.HandlerOptions {
	return mesh.HandlerOptions{Open: true, MaxBody: MaxSource, Timeout: time.Minute, PerPeer: gatewayPerCustomer}
}
