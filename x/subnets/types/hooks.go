package types

import (
	"context"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

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
	// AfterSubnetRemoved tells of a subnet that lost its slot. What costs the same
	// however large the subnet was is done here, the rest by SweepSubnet.
	AfterSubnetRemoved(ctx context.Context, s Subnet) error
	// SweepSubnet deletes at most so many records of a removed subnet, and returns
	// how many; fewer than most: nothing is left.
	SweepSubnet(ctx context.Context, subnetID uint64, most int) (int, error)
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

// AfterSubnetRemoved tells all.
func (m MultiHooks) AfterSubnetRemoved(ctx context.Context, s Subnet) error {
	for _, h := range m {
		if err := h.AfterSubnetRemoved(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// SweepSubnet lets one after the other delete.
func (m MultiHooks) SweepSubnet(ctx context.Context, subnetID uint64, most int) (swept int, err error) {
	for _, h := range m {
		n, err := h.SweepSubnet(ctx, subnetID, most-swept)
		if err != nil {
			return swept, err
		}
		if swept += n; swept >= most {
			break
		}
	}
	return swept, nil
}

// Economy is what x/emission knows and x/subnets asks.
type Economy interface {
	// MedianMovingPrice is the median of moving prices, TAO per alpha, over started
	// subnets with a price above 0: the lower middle, 1 if there is none.
	MedianMovingPrice(ctx context.Context) (fixed.Q64, error)
	// TargetBlockTime tells how long blocks should take: a delay of n blocks that
	// must pass in time too lasts n times this.
	TargetBlockTime(ctx context.Context) (time.Duration, error)
	// MovingPrice is a subnet's moving price, TAO per alpha; 0 before its start.
	MovingPrice(ctx context.Context, subnetID uint64) (fixed.Q64, error)
	// RecycleOf takes rao of an account out of circulation, so that they can be
	// minted again.
	RecycleOf(ctx context.Context, payer sdk.AccAddress, rao uint64, reason string) error
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
