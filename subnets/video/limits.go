package video

import "github.com/lodenet/lode/mesh"

// MinerLimits are the bounds that a miner is served with, see [subnet.Common]: a
// validator carries many customers' jobs, and waits for each in a request of its own.
func MinerLimits() mesh.HandlerOptions {
	return mesh.HandlerOptions{MaxBody: MaxSource, PerPeer: 16}
}

// GatewayLimits are the bounds that a validator's gateway is served with, see
// [subnet.Common]: whoever has a key may call, few at once each.
func GatewayLimits() mesh.HandlerOptions {
	return mesh.HandlerOptions{Open: true, MaxBody: MaxSource, PerPeer: gatewayPerCustomer + 4, Total: 4 * gatewayJobs}
}
