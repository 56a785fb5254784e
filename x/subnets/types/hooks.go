package types

import (
	"context"
	"time"

	"github.com/lodenet/lode/fixed"
)

// Hooks are what upper modules hear of subnets and neurons. An error undoes what
// the message did.
type Hooks interface {
	AfterSubnetCreated(ctx context.Context, s Subnet) error
	AfterSubnetStarted(ctx context.Context, s Subnet) error
	// AfterNeuronRegistered tells of a neuron that got a uid; replaced if another
	// hotkey had it before, whose data under that uid end here.
	AfterNeuronRegistered(ctx context.Context, n Neuron, replaced bool) error
}

// MultiHooks calls several listeners in order.
type MultiHooks []Hooks

var _ Hooks = MultiHooks{}

// AfterSubnetCreated tells all.
func (m MultiHooks) AfterSubnetCreated(ctx context.Context, s Subnet) error {
	for _, h := range m {
		if err := h.AfterSubnetCreated(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// AfterSubnetStarted tells all.
func (m MultiHooks) AfterSubnetStarted(ctx context.Context, s Subnet) error {
	for _, h := range m {
		if err := h.AfterSubnetStarted(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// AfterNeuronRegistered tells all.
func (m MultiHooks) AfterNeuronRegistered(ctx context.Context, n Neuron, replaced bool) error {
	for _, h := range m {
		if err := h.AfterNeuronRegistered(ctx, n, replaced); err != nil {
			return err
		}
	}
	return nil
}

// Economy is what x/emission knows and x/subnets asks.
type Economy interface {
	// MedianMovingPrice is the median of moving prices, TAO per alpha, over started
	// subnets with a price above 0: the lower middle, 1 if there is none.
	MedianMovingPrice(ctx context.Context) (fixed.Q64, error)
	// TargetBlockTime tells how long blocks should take: a delay of n blocks that
	// must pass in time too lasts n times this.
	TargetBlockTime(ctx context.Context) (time.Duration, error)
}

// Schedule is what x/weights knows and x/subnets asks.
type Schedule interface {
	// NextEpoch is the block at whose end the subnet's next epoch is due; false
	// before its start.
	NextEpoch(ctx context.Context, subnetID uint64) (height int64, ok bool, err error)
}

// Network is what x/subnets must learn from upper modules. app wires it: see
// JoinNetwork.
type Network interface {
	Economy
	Schedule
}

type network struct {
	Economy
	Schedule
}

// JoinNetwork makes one of x/emission's keeper and x/weights'.
func JoinNetwork(e Economy, s Schedule) Network { return network{e, s} }
