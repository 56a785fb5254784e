package localnet

import (
	"context"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// Member is somebody of a local network with a coldkey, a hotkey and some funds, for
// subnets beside the network's own.
type Member struct {
	Cold, Hot *wallet.Signer

	name    string
	network *Network
}

// Hire makes a member of that name, or finds it: the coldkey NAME, to which the faucet
// gives so many rao, and the hotkey NAME-hot. The network must be ready.
func (n *Network) Hire(ctx context.Context, name string, funds uint64) (*Member, error) {
	if err := n.fund(ctx, []part{{name: name, funds: funds}}); err != nil {
		return nil, err
	}
	cold, hot, err := n.signers(name)
	if err != nil {
		return nil, err
	}
	return &Member{Cold: cold, Hot: hot, name: name, network: n}, nil
}

// CreateSubnet hires an owner who creates a subnet and starts it; parameters are the
// subnet's own, a JSON object.
func (n *Network) CreateSubnet(ctx context.Context, owner, name, parameters string) (netuid uint16, err error) {
	lock, err := n.client.Subnets().LockCost(ctx, &subnetstypes.QueryLockCostRequest{})
	if err != nil {
		return 0, err
	}
	if _, err := n.Hire(ctx, owner, lock.Lock+10*TAO); err != nil {
		return 0, err
	}
	return n.create(ctx, owner, subnetstypes.MsgCreateSubnet{Name: name, Parameters: parameters})
}

// Common is what a process of the member in a subnet is made of: it registers by
// itself. The mesh host ends with ctx. name is the subnet's in protocols.
func (m *Member) Common(ctx context.Context, netuid uint16, name string) (subnet.Common, error) {
	common, host, err := m.network.common(ctx, m.name, netuid, name, 1)
	if err != nil {
		return common, err
	}
	context.AfterFunc(ctx, func() { m.network.close(host) })
	return common, nil
}

// close closes a host whose owner is gone.
func (n *Network) close(host *mesh.Host) {
	if err := host.Close(); err != nil {
		n.log.Warn("closing a mesh host", "hotkey", host.Hotkey(), "err", err)
	}
}

// Stake buys a subnet's alpha for so many rao, at any price up to a hundred times its
// own, and stakes it on the member's hotkey. It binds the hotkey if need be.
func (m *Member) Stake(ctx context.Context, netuid uint16, rao uint64) error {
	_, err := m.network.client.SendBound(ctx, m.Cold, m.Hot, &alphatypes.MsgStake{
		Coldkey: m.Cold.Address(), Hotkey: m.Hot.Address(), Netuid: uint32(netuid), Tao: rao, LimitPrice: 100 * TAO,
	})
	return err
}
