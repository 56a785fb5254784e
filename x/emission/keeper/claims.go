package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/emission/curve"
	"github.com/lodenet/lode/x/emission/types"
	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
)

// claims are the contributors to an epoch's dividends, and the weights by which
// each takes part in the alpha pot and in the root pot. A validator contributes
// for itself; child hotkeys will add their parents, after all validators, by
// address.
type claims struct {
	uids        []int // the validator's uid
	alpha, root []uint64
	neurons     int
}

// claimsOf splits each validator's dividends D by what earned them:
// r = D·tw·root/(alpha + tw·root) follows its root stake, a = D − r its alpha.
func claimsOf(r weightskeeper.Result) claims {
	c := claims{neurons: len(r.Neurons)}
	for uid, share := range r.Output.ValidatorShare {
		if share == 0 {
			continue
		}
		// D is a Q32.32 of at most 1; 31 bits more keep r exact for small stakes.
		share <<= 31
		weight := r.StakeWeight[uid]
		root := curve.MulDiv(share, weight-min(r.StakeAlpha[uid], weight), weight)
		c.uids = append(c.uids, uid)
		c.alpha = append(c.alpha, share-root)
		c.root = append(c.root, root)
	}
	return c
}

// divide hands a pot to the contributors by largest remainder and sums what each
// validator's neuron gets, by uid. Without a claim nobody gets anything.
func (c claims) divide(pot uint64, by []uint64) []uint64 {
	out := make([]uint64, c.neurons)
	for i, part := range fixed.Apportion(pot, by) {
		out[c.uids[i]] += part
	}
	return out
}

// payRoot hands the root pot to the delegators of the chain validators whose root
// stake earned it; without claimants it is recycled.
func (k Keeper) payRoot(ctx context.Context, p *payout) error {
	for uid, rao := range p.root {
		if rao == 0 {
			continue
		}
		v, err := k.staking.GetValidator(ctx, sdk.ValAddress(p.Hotkeys[uid]))
		if err != nil {
			return err
		}
		if err := k.payDelegators(ctx, v, rao); err != nil {
			return err
		}
		p.sums.RootPaid += rao
	}
	p.sums.RootRecycled = p.sums.RootPot - p.sums.RootPaid
	return k.recycle(ctx, p.sums.RootRecycled, types.ReasonRootUnclaimed)
}
