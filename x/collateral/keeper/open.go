package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/collateral/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// OpenClaim accuses a neuron: it takes the deposit, freezes the share of the
// collateral and who has how much to say about it.
func (k msgServer) OpenClaim(ctx context.Context, m *types.MsgOpenClaim) (*types.MsgOpenClaimResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if err := types.CheckEvidence(m.EvidenceHash, m.EvidenceUrl, int(params.MaxUrl)); err != nil {
		return nil, err
	}
	s, err := k.subnets.SubnetByNetuid(ctx, m.Netuid)
	if err != nil {
		return nil, err
	}
	if most := s.Hyperparameters.MaxSlash; m.Share > most {
		return nil, types.ErrShare.Wrapf("the share is %d per million, max_slash of subnet %d is %d", m.Share, s.Netuid, most)
	}
	author, err := k.author(ctx, s, m)
	if err != nil {
		return nil, err
	}
	accused, err := k.accused(ctx, s, m, author)
	if err != nil {
		return nil, err
	}
	at := collections.Join(s.Id, accused.account)
	c, _, err := k.collateral(ctx, s.Id, accused.account)
	if err != nil {
		return nil, err
	}
	claim := types.Claim{
		SubnetId: s.Id, Netuid: s.Netuid, Uid: m.Uid, Share: m.Share, Collateral: c.Total(), Deposit: params.ClaimDeposit,
		EvidenceHash: m.EvidenceHash, EvidenceUrl: m.EvidenceUrl, OpenedHeight: targetHeight(ctx), Tempo: s.Hyperparameters.Tempo,
	}
	if claim.Frozen = perMillion(claim.Collateral, claim.Share); claim.Frozen == 0 {
		return nil, types.ErrAccused.Wrapf("uid %d of subnet %d has %d alpha units of collateral, of which a share of %d per million is nothing", m.Uid, s.Netuid, claim.Collateral, m.Share)
	}
	claim.LastHeight = claim.OpenedHeight + int64(claim.Tempo)
	claim.EndHeight = claim.LastHeight
	voters, active, err := k.electorate(ctx, s.Id, accused)
	if err != nil {
		return nil, err
	}
	if claim.Active = active; active == 0 {
		return nil, types.ErrNoVoters.Wrapf("no validator of subnet %d but the accused had a part of the active stake in its last epoch", s.Netuid)
	}
	if claim.Accused, err = k.text(accused.account); err != nil {
		return nil, err
	}
	if claim.Author, err = k.text(author.account); err != nil {
		return nil, err
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, author.coldkey, types.ModuleName, rao(claim.Deposit)); err != nil {
		return nil, err
	}
	if claim.Id, err = k.nextClaimID.Get(ctx); err != nil {
		return nil, err
	}
	if err := k.nextClaimID.Set(ctx, claim.Id+1); err != nil {
		return nil, err
	}
	if err := k.storeClaim(ctx, at, claim, voters); err != nil {
		return nil, err
	}
	if err := k.keep(ctx, at, c); err != nil { // what is frozen now changes when to look
		return nil, err
	}
	return &types.MsgOpenClaimResponse{ClaimId: claim.Id, Frozen: claim.Frozen, LastHeight: claim.LastHeight}, emit(ctx, &types.EventClaimOpened{
		ClaimId: claim.Id, SubnetId: s.Id, Netuid: s.Netuid, Uid: m.Uid, Accused: accused.hotkeyText, Author: author.hotkeyText,
		Share: m.Share, Collateral: claim.Collateral, Frozen: claim.Frozen, Deposit: claim.Deposit,
		EvidenceHash: m.EvidenceHash, EvidenceUrl: m.EvidenceUrl, LastHeight: claim.LastHeight, Active: active, Voters: uint32(len(voters)),
	})
}

// author asks for a validator with a permit whose coldkey signed, and that waits
// for nothing.
func (k Keeper) author(ctx context.Context, s subnetstypes.Subnet, m *types.MsgOpenClaim) (party, error) {
	p, err := k.own(ctx, m.Hotkey, m.Coldkey)
	if err != nil {
		return p, err
	}
	n, err := k.subnets.NeuronByHotkey(ctx, s.Id, p.hotkey)
	if err != nil {
		return p, err
	}
	permitted, err := k.weights.Permitted(ctx, s.Id, n.Uid)
	if err != nil {
		return p, err
	}
	if !permitted {
		return p, types.ErrNoPermit.Wrapf("uid %d of subnet %d, %s: only validators with a permit open claims", n.Uid, s.Netuid, n.Hotkey)
	}
	at := collections.Join(s.Id, p.account)
	w, waits, err := found(k.waits.Get(ctx, at))
	if err != nil || !waits {
		return p, err
	}
	if now := targetHeight(ctx); now < w.UntilHeight {
		return p, types.ErrTooSoon.Wrapf("claim %d of %s failed: the first block that will be accepted is %d (this is for block %d)", w.ClaimId, p.hotkeyText, w.UntilHeight, now)
	}
	return p, k.waits.Remove(ctx, at)
}

// accused asks for a neuron that can be accused by this author: somebody else's,
// against whom no claim is open.
func (k Keeper) accused(ctx context.Context, s subnetstypes.Subnet, m *types.MsgOpenClaim, author party) (party, error) {
	n, err := k.subnets.Neuron(ctx, s.Id, m.Uid)
	if err != nil {
		return party{}, err
	}
	hotkey, err := k.addressOf("hotkey", n.Hotkey)
	if err != nil {
		return party{}, err
	}
	p, err := k.party(ctx, hotkey)
	if err != nil {
		return p, err
	}
	if m.Accused != "" {
		meant, err := k.addressOf("accused", m.Accused)
		if err != nil {
			return p, err
		}
		if !meant.Equals(hotkey) {
			return p, types.ErrAccused.Wrapf("uid %d of subnet %d is %s now, not %s", m.Uid, s.Netuid, p.hotkeyText, m.Accused)
		}
	}
	if p.coldkey.Equals(author.coldkey) {
		return p, types.ErrAccused.Wrapf("uid %d of subnet %d belongs to %s, and so does the author: nobody accuses itself", m.Uid, s.Netuid, p.coldkeyText)
	}
	open, ok, err := k.openClaim(ctx, collections.Join(s.Id, p.account))
	if err == nil && ok {
		err = types.ErrClaimOpen.Wrapf("claim %d against uid %d of subnet %d, until block %d: one at a time", open.Id, m.Uid, s.Netuid, open.EndHeight)
	}
	return p, err
}

func (k Keeper) storeClaim(ctx context.Context, at place, c types.Claim, voters []types.Voter) error {
	if err := k.claims.Set(ctx, c.Id, c); err != nil {
		return err
	}
	if err := k.claimOf.Set(ctx, at, c.Id); err != nil {
		return err
	}
	if err := k.claimEnds.Set(ctx, collections.Join(c.EndHeight, c.Id)); err != nil {
		return err
	}
	for _, v := range voters {
		account, err := k.addressOf("account", v.Hotkey)
		if err != nil {
			return err
		}
		v.ClaimId = c.Id
		if err := k.voters.Set(ctx, collections.Join(c.Id, account), v); err != nil {
			return err
		}
	}
	return nil
}
