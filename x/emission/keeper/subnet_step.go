package keeper

import (
	"context"

	"github.com/lodenet/lode/fixed"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/emission/curve"
	"github.com/lodenet/lode/x/emission/types"
	"github.com/lodenet/lode/x/internal/guarded"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// member is a started subnet as a block finds it.
type member struct {
	subnet   subnetstypes.Subnet
	pool     alphatypes.Pool
	emission types.SubnetEmission // with the moving price of this block
	err      error                // its pool can't be read: its share stays with it, unminted
}

// emitSubnets divides rao among the started subnets and runs each one's part of
// the block. It returns what was minted. The coins of all are moved at once: a pool
// is as much work as its sends otherwise.
func (k Keeper) emitSubnets(ctx context.Context, b block, rao uint64) (minted uint64, err error) {
	members, err := k.members(ctx, b)
	if err != nil {
		return 0, err
	}
	moving, withheld := make([]fixed.Q64, len(members)), make([]fixed.Q32, len(members))
	var sum fixed.Q64
	for i, m := range members {
		moving[i], withheld[i] = m.emission.MovingPrice, fixed.Q32(m.emission.Withheld)
		sum = sum.Add(moving[i])
	}
	sellRoot := sum.Cmp(fixed.OneQ64()) > 0

	var sold uint64
	shares := curve.Shares(rao, moving, withheld)
	for i, m := range members {
		root, err := uint64(0), m.err
		if err == nil {
			root, err = guarded.Attempt(ctx, types.ModuleName, func(ctx context.Context) (uint64, error) {
				return k.emitSubnet(ctx, b, m, shares[i], sellRoot)
			})
		}
		if err != nil {
			if err := dropped(ctx, m.subnet.Id, m.subnet.Netuid, err); err != nil {
				return 0, err
			}
			continue
		}
		minted += shares[i]
		sold += root
	}
	return minted, k.settlePools(ctx, minted, sold)
}

// settlePools mints what the pools were given and takes what root's alpha brought.
func (k Keeper) settlePools(ctx context.Context, minted, sold uint64) error {
	if minted > 0 {
		if err := k.bank.MintCoins(ctx, types.ModuleName, coins(minted)); err != nil {
			return err
		}
		if err := k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, alphatypes.ModuleName, coins(minted)); err != nil {
			return err
		}
	}
	if sold == 0 {
		return nil
	}
	return k.bank.SendCoinsFromModuleToModule(ctx, alphatypes.ModuleName, types.ModuleName, coins(sold))
}

// members reads the started subnets by netuid and moves their prices, in memory:
// a subnet whose part of the block fails leaves nothing.
func (k Keeper) members(ctx context.Context, b block) ([]member, error) {
	subnets, err := k.subnets.Subnets(ctx)
	if err != nil {
		return nil, err
	}
	var members []member
	for _, s := range subnets {
		if s.StartedHeight == 0 {
			continue
		}
		m := member{subnet: s}
		m.err = guarded.Read(ctx, types.ModuleName, func() (err error) {
			if m.emission, err = k.Emission(ctx, s.Id); err != nil {
				return err
			}
			if m.pool, err = k.alpha.Pool(ctx, s.Id); err != nil {
				return err
			}
			m.emission.MovingPrice = curve.Move(m.emission.MovingPrice, m.pool.Price(),
				b.params.MovingPriceBase, uint64(max(b.height-s.StartedHeight, 0)), b.params.MovingPriceHalfTime)
			return nil
		})
		members = append(members, m)
	}
	return members, nil
}

// emitSubnet is one subnet's part of a block (protocol.md §6, steps 3 to 7). tao is
// its share, all of which goes to its pool; it returns the rao that root's alpha
// brought. It moves no coins: settlePools does.
func (k Keeper) emitSubnet(ctx context.Context, b block, m member, tao uint64, sellRoot bool) (root uint64, err error) {
	e, pool := m.emission, m.pool
	room := b.params.Cap - min(pool.AlphaIssued, b.params.Cap)
	perBlock := curve.Reward(b.params.Cap, b.params.InitialReward, pool.AlphaIssued)
	var alpha uint64
	alpha, e.AlphaRemainder = curve.Scale(perBlock, e.AlphaRemainder, b.elapsed, b.target)
	alpha = min(alpha, room)
	ofRoot := func(of uint64) uint64 { return curve.MulDiv(of, b.rootWeight, b.rootWeight+pool.AlphaIssued) }

	// Both sides of the pool grow by the same ratio, so the price stays; the TAO is
	// rounded up, in the pool's favour, and is still within its share.
	event := types.EventSubnetEmission{SubnetId: e.SubnetId, Netuid: m.subnet.Netuid, MovingPrice: e.MovingPrice.String()}
	event.AlphaIn = min(curve.MulDiv(tao, pool.AlphaReserve, pool.TaoReserve), ofRoot(alpha), room-alpha)
	event.TaoIn = curve.MulDivUp(event.AlphaIn, pool.TaoReserve, pool.AlphaReserve)
	event.Excess = tao - event.TaoIn
	event.Tao = tao
	e.TaoTotal += tao

	out := divide(m.subnet, b.params, alpha)
	sold := ofRoot(out.validators)
	out.validators -= sold
	if !sellRoot {
		sold = 0
	}
	event.AlphaOut = out.owner + out.miners + out.validators
	event.RootTao, err = k.alpha.Emit(ctx, e.SubnetId, alphatypes.BlockEmission{
		TaoIn: event.TaoIn, AlphaIn: event.AlphaIn, Excess: event.Excess, Sold: sold, Pending: event.AlphaOut,
	})
	if err != nil {
		return 0, err
	}
	if event.RootTao > 0 {
		event.RootAlpha = sold
		e.RootPot += event.RootTao
	}
	e.PendingOwner += out.owner
	e.PendingMiners += out.miners
	e.PendingValidators += out.validators
	if err := k.emissions.Set(ctx, e.SubnetId, e); err != nil {
		return 0, err
	}
	return event.RootTao, emit(ctx, &event)
}

// parts of a block's alpha.
type parts struct{ owner, miners, validators uint64 }

// divide gives the owner its cut and halves the rest; an odd unit is the
// validators'.
func divide(s subnetstypes.Subnet, p types.Params, alpha uint64) (out parts) {
	if s.Hyperparameters.OwnerCutEnabled {
		out.owner = curve.MulDiv(alpha, uint64(p.OwnerCut), million)
	}
	out.miners = (alpha - out.owner) / 2
	out.validators = alpha - out.owner - out.miners
	return out
}
