package keeper

import (
	"context"
	"math/bits"

	"github.com/lodenet/lode/x/collateral/types"
)

// electorate is who can confirm a claim: the validators with a part of the active
// stake A in the subnet's last epoch, each with that part, without the accused.
// The accused is a coldkey: all its hotkeys are left out, or whoever runs a
// validator beside its miner would sit in judgement on itself.
func (k Keeper) electorate(ctx context.Context, subnetID uint64, accused party) (voters []types.Voter, active uint64, err error) {
	r, _, err := k.weights.EpochResult(ctx, subnetID)
	if err != nil {
		return nil, 0, err
	}
	for uid, part := range r.Active {
		if !part || r.Stake[uid] == 0 {
			continue
		}
		n, err := k.subnets.Neuron(ctx, subnetID, uint32(uid))
		if err != nil {
			return nil, 0, err
		}
		hotkey, err := k.addressOf("hotkey", n.Hotkey)
		if err != nil {
			return nil, 0, err
		}
		coldkey, err := k.alpha.Coldkey(ctx, hotkey)
		if err != nil {
			return nil, 0, err
		}
		if coldkey.Equals(accused.coldkey) {
			continue
		}
		account, err := k.alpha.Account(ctx, hotkey)
		if err != nil {
			return nil, 0, err
		}
		v := types.Voter{Weight: r.Stake[uid]}
		if v.Hotkey, err = k.text(account); err != nil {
			return nil, 0, err
		}
		sum, over := bits.Add64(active, v.Weight, 0)
		if over != 0 {
			return nil, 0, types.ErrNoVoters.Wrapf("the active stake of subnet id %d is over 64 bits", subnetID)
		}
		voters, active = append(voters, v), sum
	}
	return voters, active, nil
}

// passes tells whether more than 2/3 of active is confirmed.
func passes(confirmed, active uint64) bool {
	hi, lo := bits.Mul64(confirmed, 3)
	needHi, needLo := bits.Mul64(active, 2)
	return hi > needHi || hi == needHi && lo > needLo
}

// perMillion is floor(v · share / 10^6), for shares of at most 10^6.
func perMillion(v uint64, share uint32) uint64 {
	hi, lo := bits.Mul64(v, uint64(min(share, types.Million)))
	q, _ := bits.Div64(hi, lo, types.Million)
	return q
}
