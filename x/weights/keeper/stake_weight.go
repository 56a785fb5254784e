package keeper

import (
	"bytes"
	"context"
	"math"
	"math/bits"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/types"
)

// Stake is what a hotkey's stake weight in a subnet is made of (protocol.md §5).
// Weights are in units of 10^-9.
type Stake struct {
	Hotkey  sdk.AccAddress
	Binding alphatypes.Binding // the hotkey's
	Alpha   uint64             // units of 10^-9 on the hotkey, everybody's
	Root    uint64             // rao: its root stake

	Weight    uint64 // own less Lent plus Inherited
	Lent      uint64 // to all children, registered or not
	Inherited uint64 // from all parents

	// Contributors are the parts of Weight: what the hotkey has kept of its own
	// first, then its parents' by address. Who gives nothing is left out.
	Contributors []Contribution
}

// Contribution is the part of a stake weight that one hotkey's stake makes.
type Contribution struct {
	Hotkey sdk.AccAddress
	Alpha  uint64 // units of 10^-9
	Root   uint64 // tao_weight · root stake, units of 10^-9
}

func (c Contribution) weight() uint64 { return add(c.Alpha, c.Root) }

// part is the fraction of a contribution that a child gets, rounded down.
func (c Contribution) part(proportion uint32) Contribution {
	return Contribution{Hotkey: c.Hotkey, Alpha: fraction(c.Alpha, proportion), Root: fraction(c.Root, proportion)}
}

// less is what of a contribution is left; no part is larger than what is there.
func (c Contribution) less(p Contribution) Contribution {
	return Contribution{Hotkey: c.Hotkey, Alpha: c.Alpha - min(p.Alpha, c.Alpha), Root: c.Root - min(p.Root, c.Root)}
}

// StakeWeight is a hotkey's weight in a subnet: its own alpha, by all nominators
// together, and tao_weight times its root stake, less what it lends to children
// and, if it holds a uid, with what its parents lend it. alpha and root are its
// own, before lending; weight and alpha are in units of 10^-9, root in rao.
func (k Keeper) StakeWeight(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress) (weight, alpha, root uint64, err error) {
	stakes, _, err := k.stakes(ctx, subnetID, []sdk.AccAddress{hotkey}, k.RootStake, false)
	if err != nil {
		return 0, 0, 0, err
	}
	s := stakes[0]
	if s.Inherited > 0 {
		_, err := k.subnets.NeuronByHotkey(ctx, subnetID, hotkey)
		if subnetstypes.ErrNotRegistered.Is(err) {
			s.Weight -= s.Inherited // what is lent to it counts nowhere
		} else if err != nil {
			return 0, 0, 0, err
		}
	}
	return s.Weight, s.Alpha, s.Root, nil
}

// StakeWeights are the stakes of a subnet's neurons, by uid.
func (k Keeper) StakeWeights(ctx context.Context, subnetID uint64, neurons []subnetstypes.Neuron) ([]Stake, error) {
	roots, err := k.RootStakes(ctx)
	if err != nil {
		return nil, err
	}
	stakes, _, err := k.stakeWeights(ctx, subnetID, neurons, roots, false)
	return stakes, err
}

// epochStakes are StakeWeights for an epoch. It ends the loans of hotkeys whose own
// stake weight has come under min_lending_weight: they count nowhere, and each epoch
// would read them again, as many as somebody cared to make.
func (k Keeper) epochStakes(ctx context.Context, subnetID uint64, neurons []subnetstypes.Neuron, roots RootStakes) ([]Stake, error) {
	stakes, small, err := k.stakeWeights(ctx, subnetID, neurons, roots, true)
	if err != nil {
		return nil, err
	}
	for _, parent := range small {
		if err := k.alpha.EndLending(ctx, subnetID, parent); err != nil {
			return nil, err
		}
	}
	return stakes, nil
}

func (k Keeper) stakeWeights(ctx context.Context, subnetID uint64, neurons []subnetstypes.Neuron, roots RootStakes, all bool) (stakes []Stake, small []sdk.AccAddress, err error) {
	hotkeys := make([]sdk.AccAddress, len(neurons))
	for i, n := range neurons {
		if hotkeys[i], err = k.ac.StringToBytes(n.Hotkey); err != nil {
			return nil, nil, err
		}
	}
	return k.stakes(ctx, subnetID, hotkeys, roots.of, all)
}

// rootOf tells a hotkey's root stake, in rao.
type rootOf = func(context.Context, sdk.AccAddress) (uint64, error)

// stakes are those of hotkeys, in their order, as if each held a uid.
//
// A fraction lent leaves the parent whether or not the child is registered: lent
// to an unregistered child it counts nowhere. It is one level deep: what is lent
// is of the parent's own stake, never of what it inherits, so the order in which
// parents lend does not matter. Parts are rounded down and the rest stays with the
// parent: nothing is made up and nothing lost. A hotkey whose own stake weight is
// under min_lending_weight lends nothing; small are those parents, all of them where
// that is asked for.
func (k Keeper) stakes(ctx context.Context, subnetID uint64, hotkeys []sdk.AccAddress, root rootOf, all bool) (out []Stake, small []sdk.AccAddress, err error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, nil, err
	}
	at, kept := make(map[string]int, len(hotkeys)), make([]Contribution, len(hotkeys))
	out = make([]Stake, len(hotkeys))
	for i, hotkey := range hotkeys {
		at[string(hotkey)] = i
		if out[i], err = k.own(ctx, subnetID, hotkey, root); err != nil {
			return nil, nil, err
		}
		kept[i] = out[i].contribution(params)
	}
	lists, err := k.alpha.ChildrenIn(ctx, subnetID)
	if err != nil {
		return nil, nil, err
	}
	for _, list := range lists {
		parent, children, err := k.family(list)
		if err != nil {
			return nil, nil, err
		}
		i, listed := at[string(parent)]
		if !all && !listed && !slices.ContainsFunc(children, func(c sdk.AccAddress) bool { _, ok := at[string(c)]; return ok }) {
			continue // it concerns none of those who are asked for
		}
		var own Contribution
		if listed {
			own = out[i].contribution(params)
		} else {
			s, err := k.own(ctx, subnetID, parent, root)
			if err != nil {
				return nil, nil, err
			}
			own = s.contribution(params)
		}
		if own.weight() < params.MinLendingWeight {
			small = append(small, parent)
			continue
		}
		for n, child := range children {
			part := own.part(list.Children[n].Proportion)
			if listed {
				kept[i] = kept[i].less(part)
			}
			if to, ok := at[string(child)]; ok && part.weight() > 0 {
				out[to].Contributors = append(out[to].Contributors, part)
			}
		}
	}
	for i := range out {
		out[i].close(out[i].contribution(params), kept[i])
	}
	return out, small, nil
}

// own reads what is staked on a hotkey.
func (k Keeper) own(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress, root rootOf) (s Stake, err error) {
	s.Hotkey = hotkey
	if s.Alpha, s.Binding, err = k.alpha.Staked(ctx, subnetID, hotkey); err != nil {
		return s, err
	}
	s.Root, err = root(ctx, hotkey)
	return s, err
}

// family reads the addresses of a list of children.
func (k Keeper) family(list alphatypes.Children) (parent sdk.AccAddress, children []sdk.AccAddress, err error) {
	if parent, err = k.ac.StringToBytes(list.Parent); err != nil {
		return nil, nil, err
	}
	children = make([]sdk.AccAddress, len(list.Children))
	for i, c := range list.Children {
		if children[i], err = k.ac.StringToBytes(c.Hotkey); err != nil {
			return nil, nil, err
		}
	}
	return parent, children, nil
}

// contribution is all of a hotkey's own stake.
func (s Stake) contribution(p types.Params) Contribution {
	return Contribution{Hotkey: s.Hotkey, Alpha: s.Alpha, Root: p.WeighRoot(s.Root)}
}

// close sums up what is known of a stake once all parents have lent.
func (s *Stake) close(own, kept Contribution) {
	slices.SortFunc(s.Contributors, func(a, b Contribution) int { return bytes.Compare(a.Hotkey, b.Hotkey) })
	for _, c := range s.Contributors {
		s.Inherited = add(s.Inherited, c.weight())
	}
	s.Lent = own.weight() - kept.weight()
	s.Weight = add(kept.weight(), s.Inherited)
	if kept.weight() > 0 {
		s.Contributors = slices.Insert(s.Contributors, 0, kept)
	}
}

// fraction is floor(amount · millionths / 10^6).
func fraction(amount uint64, millionths uint32) uint64 {
	hi, lo := bits.Mul64(amount, uint64(min(millionths, alphatypes.Million)))
	q, _ := bits.Div64(hi, lo, alphatypes.Million)
	return q
}

// add is a + b, saturating.
func add(a, b uint64) uint64 {
	if s := a + b; s >= a {
		return s
	}
	return math.MaxUint64
}
