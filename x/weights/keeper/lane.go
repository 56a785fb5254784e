package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/types"
)

// IsLaneMsg tells whether a message is of a kind that the free lane carries.
func IsLaneMsg(msg sdk.Msg) bool {
	switch msg.(type) {
	case *types.MsgSetWeights, *types.MsgCommitWeights, *types.MsgRevealWeights, *subnetstypes.MsgServe:
		return true
	}
	return false
}

// LaneCheck tells whether a message may go without a fee (protocol.md §8): it is
// of a lane's kind, its signer is registered in the subnet, holds a permit where
// it is about weights, has a commit to open where it reveals, and is within its
// limit. The error says what is missing and, for a limit, when to try again.
func (k Keeper) LaneCheck(ctx context.Context, msg sdk.Msg) error {
	n, l, err := k.lane(ctx, msg)
	if err != nil {
		return err
	}
	return k.checkLimit(ctx, n, l)
}

// LaneConsume checks as LaneCheck does and consumes the limit, so that a message
// that fails later has still used it; run the message in the context of InLane. In a mempool's check the record makes a
// second pending transaction of the neuron and kind fail.
func (k Keeper) LaneConsume(ctx context.Context, msg sdk.Msg) error {
	n, l, err := k.lane(ctx, msg)
	if err != nil {
		return err
	}
	if err := k.checkLimit(ctx, n, l); err != nil {
		return err
	}
	return k.consumeLimit(ctx, n, l)
}

type laneKey struct{}

// InLane marks the context of a message for which the free lane has consumed the
// limit, so that the message does not ask for it again.
func InLane(ctx sdk.Context) sdk.Context { return ctx.WithValue(laneKey{}, true) }

func inLane(ctx context.Context) bool { return ctx.Value(laneKey{}) != nil }

// lane finds the neuron that a message of the lane is for, and its limit.
func (k Keeper) lane(ctx context.Context, msg sdk.Msg) (subnetstypes.Neuron, limit, error) {
	switch m := msg.(type) {
	case *types.MsgSetWeights:
		return k.weightsLane(ctx, m.Netuid, m.Hotkey)
	case *types.MsgCommitWeights:
		return k.weightsLane(ctx, m.Netuid, m.Hotkey)
	case *types.MsgRevealWeights:
		return k.revealLane(ctx, m)
	case *subnetstypes.MsgServe:
		_, n, err := k.neuron(ctx, m.Netuid, m.Hotkey)
		if err != nil {
			return n, limit{}, err
		}
		blocks, err := k.subnets.ServeRateLimit(ctx)
		return n, limit{kind: types.KindServe, name: "serve_rate_limit", blocks: max(blocks, 1), last: n.ServedHeight}, err
	}
	return subnetstypes.Neuron{}, limit{}, types.ErrNotLane.Wrapf("%s always pays a fee", sdk.MsgTypeURL(msg))
}

func (k Keeper) weightsLane(ctx context.Context, netuid uint32, hotkey string) (subnetstypes.Neuron, limit, error) {
	s, n, err := k.validator(ctx, netuid, hotkey)
	return n, weightsLimit(s), err
}

// revealLane lets a reveal in only while a commit of the neuron can be revealed.
func (k Keeper) revealLane(ctx context.Context, m *types.MsgRevealWeights) (subnetstypes.Neuron, limit, error) {
	s, n, err := k.validator(ctx, m.Netuid, m.Hotkey)
	if err != nil {
		return n, limit{}, err
	}
	state, err := k.started(ctx, s.Id, s.Netuid)
	if err != nil {
		return n, limit{}, err
	}
	open, err := k.openCommits(ctx, n)
	if err != nil {
		return n, limit{}, err
	}
	for _, c := range open {
		if c.RevealEpoch == state.Number+1 {
			return n, freeRevealLimit(s), nil
		}
	}
	if len(open) == 0 {
		return n, limit{}, noCommits(n, s.Netuid)
	}
	return n, limit{}, tooEarly(open[0], state)
}

// neuron finds a hotkey's neuron in a subnet.
func (k Keeper) neuron(ctx context.Context, netuid uint32, hotkey string) (subnetstypes.Subnet, subnetstypes.Neuron, error) {
	s, err := k.subnets.SubnetByNetuid(ctx, netuid)
	if err != nil {
		return s, subnetstypes.Neuron{}, err
	}
	addr, err := k.ac.StringToBytes(hotkey)
	if err != nil {
		return s, subnetstypes.Neuron{}, err
	}
	n, err := k.subnets.NeuronByHotkey(ctx, s.Id, addr)
	return s, n, err
}

// validator finds a hotkey's neuron in a subnet and asks for its permit.
func (k Keeper) validator(ctx context.Context, netuid uint32, hotkey string) (subnetstypes.Subnet, subnetstypes.Neuron, error) {
	s, n, err := k.neuron(ctx, netuid, hotkey)
	if err != nil {
		return s, n, err
	}
	permitted, err := k.Permitted(ctx, s.Id, n.Uid)
	if err == nil && !permitted {
		err = types.ErrNoPermit.Wrapf("uid %d of subnet %d may not set weights: permits go to the %d largest stakes and the owner at each epoch",
			n.Uid, netuid, s.Hyperparameters.MaxValidators)
	}
	return s, n, err
}
