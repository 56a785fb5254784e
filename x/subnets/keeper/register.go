package keeper

import (
	"context"

	"cosmossdk.io/collections"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/subnets/types"
)

// registration is the reason of the trade that a registration's burn is.
const registration = "registration"

// Register gives a hotkey a uid for a burn: the next one, or where the subnet is
// full the one that is first in the pruning order (protocol.md §4).
func (k msgServer) Register(ctx context.Context, m *types.MsgRegister) (*types.MsgRegisterResponse, error) {
	s, err := k.SubnetByNetuid(ctx, m.Netuid)
	if err != nil {
		return nil, err
	}
	hotkey, coldkey, err := k.bound(ctx, m.Hotkey, m.Coldkey)
	if err != nil {
		return nil, err
	}
	if err := k.registrable(ctx, s, hotkey.addr); err != nil {
		return nil, err
	}
	burn, err := k.BurnCost(ctx, s.Id)
	if err != nil {
		return nil, err
	}
	if burn > m.MaxBurn {
		return nil, types.ErrTooExpensive.Wrapf("a registration in subnet %d costs %d rao in this block, your max_burn is %d: raise it, or wait for the price to fall", s.Netuid, burn, m.MaxBurn)
	}
	n := types.Neuron{SubnetId: s.Id, Uid: s.Neurons, Hotkey: hotkey.text}
	n.RegisteredHeight, n.RegisteredTime = now(ctx)
	replaced := ""
	if s.Neurons < s.Hyperparameters.MaxUids {
		s.Neurons++
		if err := k.subnets.Set(ctx, s.Id, s); err != nil {
			return nil, err
		}
	} else if n.Uid, replaced, err = k.unseat(ctx, s); err != nil {
		return nil, err
	}
	bought, err := k.alpha.BuyAndBurn(ctx, s.Id, coldkey.addr, burn, registration)
	if err != nil {
		return nil, err
	}
	if err := k.burns.Set(ctx, s.Id, raised(s.Hyperparameters, burn)); err != nil {
		return nil, err
	}
	if replaced != "" {
		if err := k.unpublish(ctx, n); err != nil {
			return nil, err
		}
	}
	if err := k.seat(ctx, n, hotkey.addr); err != nil {
		return nil, err
	}
	err = emit(ctx, &types.EventNeuronRegistered{
		SubnetId: s.Id, Netuid: s.Netuid, Uid: n.Uid, Hotkey: hotkey.text, Coldkey: coldkey.text,
		Burn: burn, AlphaBurned: bought, ReplacedHotkey: replaced,
	})
	if err != nil {
		return nil, err
	}
	if err := k.upper.hooks.AfterNeuronRegistered(ctx, n, replaced != ""); err != nil {
		return nil, err
	}
	return &types.MsgRegisterResponse{Uid: n.Uid, Burn: burn}, nil
}

// registrable tells why a hotkey can't register now, if it can't.
func (k Keeper) registrable(ctx context.Context, s types.Subnet, hotkey sdk.AccAddress) error {
	if !s.Started() {
		return types.ErrNotStarted.Wrapf("a registration in subnet %d buys its alpha, which trades from the start on: its owner starts it with MsgStartSubnet", s.Netuid)
	}
	uid, there, err := found(k.hotkeys.Get(ctx, joinHotkey(s.Id, hotkey)))
	switch {
	case err != nil:
		return err
	case there:
		return types.ErrRegistered.Wrapf("hotkey %s holds uid %d in subnet %d", hotkey, uid, s.Netuid)
	case !s.Hyperparameters.RegistrationAllowed:
		return types.ErrRegistrationClosed.Wrapf("subnet %d takes nobody now: its owner set registration_allowed to 0", s.Netuid)
	}
	return nil
}

// pruneGas is charged for each neuron that a pruning order looks at. It is flat,
// so that nobody can make a subnet's registrations dear, or larger than a block,
// by what its neurons serve.
const pruneGas = 1_000

// unseat takes the uid of the neuron that is first in the pruning order.
func (k Keeper) unseat(ctx context.Context, s types.Subnet) (uid uint32, hotkey string, err error) {
	c := sdk.UnwrapSDKContext(ctx)
	c.GasMeter().ConsumeGas(pruneGas*uint64(s.Neurons), "pruning order")
	order, err := k.PruningOrder(c.WithGasMeter(storetypes.NewInfiniteGasMeter()), s.Id)
	if err != nil {
		return 0, "", err
	}
	if len(order) == 0 {
		return 0, "", types.ErrFull.Wrapf("subnet %d has room for %d neurons and none but its owner's, which is never pruned", s.Netuid, s.Hyperparameters.MaxUids)
	}
	out, err := k.Neuron(ctx, s.Id, order[0].Uid)
	if err != nil {
		return 0, "", err
	}
	old, err := k.ac.StringToBytes(out.Hotkey)
	if err != nil {
		return 0, "", err
	}
	return out.Uid, out.Hotkey, k.hotkeys.Remove(ctx, joinHotkey(s.Id, old))
}

func joinSlot(n types.Neuron) slot { return collections.Join(n.SubnetId, n.Uid) }

func joinHotkey(subnetID uint64, hotkey sdk.AccAddress) collections.Pair[uint64, sdk.AccAddress] {
	return collections.Join(subnetID, hotkey)
}
