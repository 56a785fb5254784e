package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/fixed"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/emission/types"
	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
	"github.com/lodenet/lode/yuma"
)

// payout is an epoch being paid: who gets what, and the sums.
type payout struct {
	weightskeeper.Result
	bonded   map[string]stakingtypes.Validator // by the bytes of the operator's address
	claims   []claim                           // of contributors to dividends
	payments []alphatypes.Payment              // of pending alpha, in their order

	// What each neuron got, by uid. Dividends and root include what went through the
	// neuron to its parents: they are what it earned, which pruning goes by.
	incentive, dividends []uint64 // alpha units
	revenue              []uint64 // alpha units
	root                 []uint64 // rao

	owner        sdk.AccAddress
	ownerColdkey sdk.AccAddress
	sums         types.EventEpochPaid
}

// payEpoch hands out what piled up since the last epoch (protocol.md §7, "Paying
// it out"). Those who held the stake that earned the dividends share them alone:
// dividends raise the pools first, then takes, incentives and the owner's cut buy
// new shares.
func (k Keeper) payEpoch(ctx context.Context, bonded map[string]stakingtypes.Validator, r weightskeeper.Result) error {
	id := r.Subnet.Id
	e, err := k.Emission(ctx, id)
	if err != nil {
		return err
	}
	n := len(r.Neurons)
	p := payout{
		Result: r, bonded: bonded,
		incentive: make([]uint64, n), dividends: make([]uint64, n), revenue: make([]uint64, n), root: make([]uint64, n),
	}
	p.sums = types.EventEpochPaid{SubnetId: id, Netuid: r.Subnet.Netuid, Epoch: r.Number, RootPot: e.RootPot}
	var fits bool
	if p.sums.Pending, fits = e.Pending(); !fits {
		return types.ErrAccounting.Wrapf("the pending alpha of subnet %d exceeds 64 bits", r.Subnet.Netuid)
	}
	if p.owner, err = k.ac.StringToBytes(r.Subnet.OwnerHotkey); err != nil {
		return err
	}
	if p.ownerColdkey, err = k.alpha.Coldkey(ctx, p.owner); err != nil {
		return err
	}

	miners, validators, unpaid, err := r.Output.Pay(e.PendingMiners, e.PendingValidators)
	if err != nil {
		return err
	}
	p.claims = claimsOf(r)
	p.payments = make([]alphatypes.Payment, 0, n+2*len(p.claims)) // a reward and a take each, and the miners
	dividePots(p.claims, sum(validators), e.RootPot)

	for _, step := range []func(context.Context, *payout) error{k.payRoot, k.payDividends} {
		if err := step(ctx, &p); err != nil {
			return err
		}
	}
	p.sums.Carried = sum(validators) - sum(p.dividends)
	revenue := divideRevenue(e.PendingRevenue, r.Output.Incentive)
	if revenue == nil {
		p.sums.Carried += e.PendingRevenue
	}
	if err := k.payMiners(ctx, &p, miners, revenue); err != nil {
		return err
	}
	p.leaveUnpaid(unpaid)
	p.stake(p.owner, nil, p.ownerColdkey, e.PendingOwner, alphatypes.ReasonOwnerCut)
	p.sums.Owner = e.PendingOwner
	if err := k.alpha.PayPending(ctx, id, p.payments); err != nil {
		return err
	}

	e.PendingMiners, e.PendingOwner, e.RootPot = 0, 0, 0
	e.PendingValidators = sum(validators) - sum(p.dividends)
	if revenue != nil {
		e.PendingRevenue = 0
	}
	e.Withheld = p.sums.Withheld
	if err := k.emissions.Set(ctx, id, e); err != nil {
		return err
	}
	return k.closePayout(ctx, p)
}

// leaveUnpaid burns the miners' half where nobody judged them, which counts as
// withheld in full, and recycles both halves where nobody has stake.
func (p *payout) leaveUnpaid(alpha uint64) {
	switch p.Outcome {
	case yuma.NoWeights:
		p.sums.Withheld = uint64(fixed.One)
		p.burn(alpha)
	case yuma.NoStake:
		p.sums.Recycled += alpha
		p.pay(alphatypes.Payment{To: alphatypes.Issuance, Alpha: alpha})
	} // weighted: everything has a taker
}

// stake turns pending alpha into new shares of a hotkey's pool.
// account is the hotkey's, nil where it is not known.
func (p *payout) stake(hotkey, account, coldkey sdk.AccAddress, alpha uint64, reason string) {
	p.sums.Paid += alpha
	p.pay(alphatypes.Payment{To: alphatypes.Staked, Alpha: alpha, Hotkey: hotkey, Account: account, Coldkey: coldkey, Reason: reason})
}

// reward raises the value of all shares of a hotkey's pool; account as with stake.
func (p *payout) reward(hotkey, account sdk.AccAddress, alpha uint64) {
	p.stake(hotkey, account, nil, alpha, "")
}

func (p *payout) burn(alpha uint64) {
	p.sums.Burned += alpha
	p.pay(alphatypes.Payment{To: alphatypes.Burned, Alpha: alpha})
}

func (p *payout) pay(one alphatypes.Payment) {
	if one.Alpha > 0 {
		p.payments = append(p.payments, one)
	}
}

// closePayout checks the sums, tells x/subnets what each neuron got, which its
// pruning goes by, and emits the events.
func (k Keeper) closePayout(ctx context.Context, p payout) error {
	s := p.sums
	if s.Paid+s.Burned+s.Recycled+s.Carried != s.Pending || s.RootPaid+s.RootRecycled != s.RootPot {
		return types.ErrAccounting.Wrapf("epoch %d of subnet %d: %d alpha pending, %d paid, %d burned, %d recycled, %d carried; %d rao of root, %d paid, %d recycled",
			s.Epoch, s.Netuid, s.Pending, s.Paid, s.Burned, s.Recycled, s.Carried, s.RootPot, s.RootPaid, s.RootRecycled)
	}
	emissions := make([]uint64, len(p.Neurons))
	for uid, n := range p.Neurons {
		emissions[uid] = p.incentive[uid] + p.revenue[uid] + p.dividends[uid]
		if emissions[uid] == 0 && p.root[uid] == 0 {
			continue
		}
		err := emit(ctx, &types.EventNeuronPaid{
			SubnetId: s.SubnetId, Netuid: s.Netuid, Epoch: s.Epoch, Uid: n.Uid, Hotkey: n.Hotkey,
			Incentive: p.incentive[uid], Revenue: p.revenue[uid], Dividends: p.dividends[uid], RootTao: p.root[uid],
		})
		if err != nil {
			return err
		}
	}
	if err := k.subnets.SetEmissions(ctx, p.Neurons, emissions); err != nil {
		return err
	}
	return emit(ctx, &s)
}

func sum(in []uint64) (s uint64) {
	for _, v := range in {
		s += v
	}
	return s
}
