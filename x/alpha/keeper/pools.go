package keeper

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// CreatePool opens a subnet's pool: tao of the payer's goes into the reserve,
// alpha is issued beside it, and the subnet gets its permanent id. Nothing trades
// until StartTrading.
func (k Keeper) CreatePool(ctx context.Context, netuid uint32, payer sdk.AccAddress, tao, alpha uint64) (uint64, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	if tao < params.MinReserve || alpha < params.MinReserve {
		return 0, types.ErrReserve.Wrapf("a pool of %d rao and %d alpha units: each must be at least %d", tao, alpha, params.MinReserve)
	}
	if netuid == 0 {
		return 0, types.ErrNoSubnet.Wrap("netuid 0: the first is 1")
	}
	if id, taken, err := found(k.netuids.Get(ctx, netuid)); err != nil {
		return 0, err
	} else if taken {
		return 0, types.ErrNetuidTaken.Wrapf("netuid %d is subnet id %d's", netuid, id)
	}
	id, err := k.nextSubnetID.Get(ctx)
	if err != nil {
		return 0, err
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, payer, types.ModuleName, rao(tao)); err != nil {
		return 0, err
	}
	if err := k.nextSubnetID.Set(ctx, id+1); err != nil {
		return 0, err
	}
	if err := k.netuids.Set(ctx, netuid, id); err != nil {
		return 0, err
	}
	p := types.Pool{SubnetId: id, Netuid: netuid, TaoReserve: tao}
	if err := emit(ctx, &types.EventPoolCreated{SubnetId: id, Netuid: netuid, Tao: tao, Alpha: alpha}); err != nil {
		return 0, err
	}
	if err := move(ctx, &p, types.Issuance, types.Reserve, alpha); err != nil {
		return 0, err
	}
	return id, k.setPool(ctx, p)
}

// StartTrading opens the pool to trades, for good.
func (k Keeper) StartTrading(ctx context.Context, subnetID uint64) error {
	p, err := k.Pool(ctx, subnetID)
	if err != nil || p.Trading {
		return err
	}
	p.Trading = true
	if err := emit(ctx, &types.EventTradingStarted{SubnetId: subnetID}); err != nil {
		return err
	}
	return k.setPool(ctx, p)
}

// Pool is a subnet's, by its permanent id.
func (k Keeper) Pool(ctx context.Context, subnetID uint64) (types.Pool, error) {
	p, ok, err := found(k.pools.Get(ctx, subnetID))
	if err == nil && !ok {
		err = types.ErrNoSubnet.Wrapf("no subnet has the id %d", subnetID)
	}
	return p, err
}

// PoolByNetuid is the live subnet's in a slot.
func (k Keeper) PoolByNetuid(ctx context.Context, netuid uint32) (types.Pool, error) {
	id, ok, err := found(k.netuids.Get(ctx, netuid))
	if err != nil {
		return types.Pool{}, err
	}
	if !ok {
		live, err := k.liveNetuids(ctx)
		if err != nil {
			return types.Pool{}, err
		}
		return types.Pool{}, types.ErrNoSubnet.Wrapf("netuid %d: %s", netuid, live)
	}
	return k.Pool(ctx, id)
}

// Pools are all live subnets', by netuid.
func (k Keeper) Pools(ctx context.Context) ([]types.Pool, error) {
	var ids []uint64
	err := k.netuids.Walk(ctx, nil, func(_ uint32, id uint64) (bool, error) {
		ids = append(ids, id)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	pools := make([]types.Pool, len(ids))
	for i, id := range ids {
		if pools[i], err = k.Pool(ctx, id); err != nil {
			return nil, err
		}
	}
	return pools, nil
}

func (k Keeper) setPool(ctx context.Context, p types.Pool) error {
	return k.pools.Set(ctx, p.SubnetId, p)
}

// started is an error for pools that don't trade yet.
func started(p types.Pool) error {
	if p.Trading {
		return nil
	}
	return types.ErrNotStarted.Wrapf("subnet %d does not trade yet: its owner starts it with MsgStartSubnet", p.Netuid)
}

// tradable is the pool of a slot, ready to trade.
func (k Keeper) tradable(ctx context.Context, netuid uint32) (types.Pool, error) {
	p, err := k.PoolByNetuid(ctx, netuid)
	if err != nil {
		return p, err
	}
	return p, started(p)
}

// move moves alpha between a pool's accounts and tells of it. The caller stores
// the pool.
func move(ctx context.Context, p *types.Pool, from, to types.Account, alpha uint64) error {
	if alpha == 0 {
		return nil
	}
	if err := p.MoveAlpha(from, to, alpha); err != nil {
		return err
	}
	return emit(ctx, &types.EventAlphaMoved{SubnetId: p.SubnetId, From: string(from), To: string(to), Alpha: alpha})
}

// liveNetuids says in words which subnets there are, runs of them as "3–7".
func (k Keeper) liveNetuids(ctx context.Context) (string, error) {
	type run struct{ first, last uint32 }
	var runs []run
	err := k.netuids.Walk(ctx, nil, func(n uint32, _ uint64) (bool, error) {
		if l := len(runs); l > 0 && runs[l-1].last+1 == n {
			runs[l-1].last = n
		} else {
			runs = append(runs, run{n, n})
		}
		return false, nil
	})
	if err != nil {
		return "", err
	}
	if len(runs) == 0 {
		return "there is no subnet yet", nil
	}
	words := make([]string, len(runs))
	for i, r := range runs {
		words[i] = fmt.Sprint(r.first)
		if r.last > r.first {
			words[i] += fmt.Sprintf("–%d", r.last)
		}
	}
	return "the subnets are " + strings.Join(words, ", "), nil
}
