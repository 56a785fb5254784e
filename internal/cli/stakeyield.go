package cli

import (
	"context"
	"errors"
	"math/big"
	"time"

	"github.com/lodenet/lode/client"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// year is what yields are given for.
const year = 365 * 24 * time.Hour

// stakeEpoch is a subnet's last epoch, as far as a coldkey's stakes are concerned. Nil
// is an epoch of which nothing is known.
type stakeEpoch struct {
	before map[string]alphatypes.StakeInfo // the coldkey's stakes in the subnet, by hotkey, a block before it
	took   time.Duration                   // since the epoch before; 0: not known
}

// lastStakeEpoch asks about a subnet's last epoch. It is nil where there was none, or
// where the node has dropped the state before it.
func lastStakeEpoch(ctx context.Context, c *client.Client, coldkey string, netuid uint32) (*stakeEpoch, error) {
	now, err := c.Weights().Epoch(ctx, &weightstypes.QueryEpochRequest{Netuid: netuid})
	if err != nil || now.Epoch.LastHeight <= 1 {
		return nil, unlessDropped(err)
	}
	ctx = client.AtHeight(ctx, now.Epoch.LastHeight-1)
	stakes, _, err := stakeInfos(ctx, c, coldkey)
	if err != nil {
		return nil, unlessDropped(err)
	}
	e := &stakeEpoch{before: map[string]alphatypes.StakeInfo{}}
	for _, s := range stakes {
		if s.Netuid == netuid && s.SubnetId == now.Epoch.SubnetId {
			e.before[s.Hotkey] = s
		}
	}
	from, err := epochBefore(ctx, c, netuid)
	if err != nil {
		return e, unlessDropped(err)
	}
	e.took, err = between(ctx, c, from, now.Epoch.LastHeight)
	return e, err
}

// epochBefore is the block of the epoch before, in the state that ctx asks about; the
// subnet's start where there was none.
func epochBefore(ctx context.Context, c *client.Client, netuid uint32) (int64, error) {
	r, err := c.Weights().Epoch(ctx, &weightstypes.QueryEpochRequest{Netuid: netuid})
	if err != nil || r.Epoch.LastHeight > 0 {
		return r.GetEpoch().LastHeight, err
	}
	s, err := c.Subnets().Subnet(ctx, &subnetstypes.QuerySubnetRequest{Netuid: netuid})
	if err != nil {
		return 0, err
	}
	return s.Subnet.StartedHeight, nil
}

// between is the time between two blocks, 0 where a node has dropped one of them.
func between(ctx context.Context, c *client.Client, from, to int64) (time.Duration, error) {
	if from <= 0 || from >= to {
		return 0, nil
	}
	var times [2]time.Time
	for i, height := range []int64{from, to} {
		t, err := c.BlockTime(ctx, height)
		if errors.Is(err, client.ErrNotFound) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		times[i] = t
	}
	return times[1].Sub(times[0]), nil
}

// unlessDropped forgives what a node says that has dropped old state, or knows of no
// such thing; that no node answers is an error.
func unlessDropped(err error) error {
	var q *client.QueryError
	if errors.As(err, &q) {
		return nil
	}
	return err
}

// earned is the alpha that the epoch added to a stake, and a year of such epochs as a
// fraction of what was there before; nil where that is not known. It goes by the worth
// of a share, so that what was staked or unstaked since does not count.
func (e *stakeEpoch) earned(now alphatypes.StakeInfo) (alpha *uint64, yield *float64) {
	if e == nil {
		return nil, nil
	}
	then, ok := e.before[now.Hotkey]
	if !ok || then.Alpha == 0 || !then.Shares.IsPositive() || !now.Shares.IsPositive() {
		return nil, nil
	}
	// What today's shares were worth before the epoch, rounded as the chain does.
	worth := new(big.Int).Mul(now.Shares.BigInt(), new(big.Int).SetUint64(then.Alpha))
	worth.Quo(worth, then.Shares.BigInt())
	if !worth.IsUint64() || worth.Uint64() > now.Alpha {
		// A share is worth less only where all were redeemed and new ones minted.
		return nil, nil
	}
	gain, base := now.Alpha-worth.Uint64(), worth.Uint64()
	if e.took <= 0 || base == 0 {
		return &gain, nil
	}
	rate := float64(gain) / float64(base) * (year.Seconds() / e.took.Seconds())
	return &gain, &rate
}
