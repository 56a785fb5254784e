package keeper_test

import (
	"context"
	"fmt"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/subnets/types"
)

// fakeAlpha knows pools and bindings.
type fakeAlpha struct {
	coldkeys map[string]sdk.AccAddress
	pools    []fakePool
	started  map[uint64]bool
	burned   []fakeBurn
	poor     string // an account without coins

	retired map[uint64]bool
	left    map[uint64]int // records of retired subnets
	unpaid  map[uint64]int // blocks until its holders are paid
	swept   int            // records deleted
	swapped [][2]string
	refuses error // a swap
}

type fakePool struct {
	netuid     uint32
	payer      string
	tao, alpha uint64
}

type fakeBurn struct {
	subnet uint64
	payer  string
	tao    uint64
	reason string
}

var _ types.AlphaKeeper = (*fakeAlpha)(nil)

// firstID tells permanent ids from netuids.
const firstID = 701

func (a *fakeAlpha) CreatePool(_ context.Context, netuid uint32, payer sdk.AccAddress, tao, alpha uint64) (uint64, error) {
	if payer.String() == a.poor {
		return 0, fmt.Errorf("%s has no coins", payer)
	}
	a.pools = append(a.pools, fakePool{netuid, payer.String(), tao, alpha})
	return firstID + uint64(len(a.pools)) - 1, nil
}

func (a *fakeAlpha) StartTrading(_ context.Context, subnetID uint64) error {
	a.started[subnetID] = true
	return nil
}

func (a *fakeAlpha) Coldkey(_ context.Context, hotkey sdk.AccAddress) (sdk.AccAddress, error) {
	if c, ok := a.coldkeys[string(hotkey)]; ok {
		return c, nil
	}
	return nil, fmt.Errorf("hotkey %s is not bound", hotkey)
}

func (a *fakeAlpha) BuyAndBurn(_ context.Context, subnetID uint64, payer sdk.AccAddress, tao uint64, reason string) (uint64, error) {
	if payer.String() == a.poor {
		return 0, fmt.Errorf("%s has no coins", payer)
	}
	if !a.started[subnetID] {
		return 0, fmt.Errorf("subnet id %d does not trade", subnetID)
	}
	a.burned = append(a.burned, fakeBurn{subnetID, payer.String(), tao, reason})
	return 3 * tao, nil
}

func (a *fakeAlpha) RetirePool(_ context.Context, subnetID uint64) error {
	if a.retired[subnetID] {
		return fmt.Errorf("subnet id %d is retired", subnetID)
	}
	a.retired[subnetID] = true
	return nil
}

func (a *fakeAlpha) Sweep(_ context.Context, subnetID uint64, most int) (int, bool, error) {
	if !a.retired[subnetID] {
		return 0, false, fmt.Errorf("subnet id %d trades", subnetID)
	}
	if most < 7 {
		return 0, false, fmt.Errorf("no room for a record of 7 keys in %d", most)
	}
	n := min(most, a.left[subnetID])
	a.left[subnetID] -= n
	a.swept += n
	a.unpaid[subnetID]--
	return n, a.unpaid[subnetID] < 0 && a.left[subnetID] == 0 && n < most, nil
}

func (a *fakeAlpha) ExchangeHotkeys(_ context.Context, hotkey, newHotkey sdk.AccAddress) error {
	if a.refuses != nil {
		return a.refuses
	}
	a.swapped = append(a.swapped, [2]string{hotkey.String(), newHotkey.String()})
	return nil
}

// fakeNetwork is what upper modules know.
type fakeNetwork struct {
	price  fixed.Q64
	due    map[uint64]int64
	prices map[uint64]fixed.Q64
	fees   []string
}

func (n *fakeNetwork) MedianMovingPrice(context.Context) (fixed.Q64, error)   { return n.price, nil }
func (n *fakeNetwork) TargetBlockTime(context.Context) (time.Duration, error) { return target, nil }
func (n *fakeNetwork) NextEpoch(_ context.Context, subnetID uint64) (int64, bool, error) {
	due, ok := n.due[subnetID]
	return due, ok, nil
}

func (n *fakeNetwork) MovingPrice(_ context.Context, subnetID uint64) (fixed.Q64, error) {
	return n.prices[subnetID], nil
}

func (n *fakeNetwork) RecycleOf(_ context.Context, payer sdk.AccAddress, rao uint64, reason string) error {
	n.fees = append(n.fees, fmt.Sprintf("%s %d %s", payer, rao, reason))
	return nil
}

// fakeBank are balances; who is not in it is rich.
type fakeBank map[string]int64

func (b fakeBank) SpendableCoin(_ context.Context, of sdk.AccAddress, denom string) sdk.Coin {
	if rao, ok := b[of.String()]; ok {
		return sdk.NewInt64Coin(denom, rao)
	}
	return sdk.NewInt64Coin(denom, 1_000*tao)
}

// fakeStaking are operators of chain validators.
type fakeStaking map[string]bool

func (s fakeStaking) GetValidator(_ context.Context, at sdk.ValAddress) (stakingtypes.Validator, error) {
	if s[sdk.AccAddress(at).String()] {
		return stakingtypes.Validator{OperatorAddress: at.String()}, nil
	}
	return stakingtypes.Validator{}, stakingtypes.ErrNoValidatorFound
}

// recorder writes down what the hooks tell.
type recorder struct {
	heard  []string
	fails  bool
	left   map[uint64]int // records of removed subnets
	swept  int
	broken uint64 // a subnet whose records can't be deleted
}

func (r *recorder) AfterSubnetRemoved(_ context.Context, s types.Subnet) error {
	return r.hear("removed %d of %d", s.Id, s.Netuid)
}

func (r *recorder) SweepSubnet(_ context.Context, subnetID uint64, most int) (int, error) {
	if subnetID == r.broken {
		panic("the records are damaged")
	}
	n := min(most, r.left[subnetID])
	r.left[subnetID] -= n
	r.swept += n
	return n, nil
}

func (r *recorder) hear(format string, args ...any) error {
	if r.fails {
		return fmt.Errorf("the listener fails")
	}
	r.heard = append(r.heard, fmt.Sprintf(format, args...))
	return nil
}

func (r *recorder) AfterSubnetCreated(_ context.Context, s types.Subnet) error {
	return r.hear("created %d", s.Netuid)
}

func (r *recorder) AfterSubnetStarted(_ context.Context, s types.Subnet) error {
	return r.hear("started %d in %d", s.Netuid, s.StartedHeight)
}

func (r *recorder) AfterNeuronRegistered(_ context.Context, n types.Neuron, replaced bool) error {
	return r.hear("uid %d of %d, replaced %v", n.Uid, n.SubnetId, replaced)
}
