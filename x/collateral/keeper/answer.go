package keeper

import (
	"context"

	"github.com/lodenet/lode/x/collateral/types"
)

// AnswerClaim keeps where the accused's answer can be read; the last one stands.
// Whoever has the accused's stake now speaks for it: hotkey or coldkey.
func (k msgServer) AnswerClaim(ctx context.Context, m *types.MsgAnswerClaim) (*types.MsgAnswerClaimResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if err := types.CheckEvidence(m.Hash, m.Url, int(params.MaxUrl)); err != nil {
		return nil, err
	}
	c, err := k.standing(ctx, m.ClaimId)
	if err != nil {
		return nil, err
	}
	p, err := k.accountParty(ctx, c.Accused)
	if err != nil {
		return nil, err
	}
	signer, err := k.addressOf("signer", m.Signer)
	if err != nil {
		return nil, err
	}
	if !signer.Equals(p.hotkey) && !signer.Equals(p.coldkey) {
		return nil, types.ErrNotAccused.Wrapf("claim %d is against hotkey %s of %s: one of the two answers, not %s", c.Id, p.hotkeyText, p.coldkeyText, m.Signer)
	}
	c.AnswerHash, c.AnswerUrl = m.Hash, m.Url
	if err := k.claims.Set(ctx, c.Id, c); err != nil {
		return nil, err
	}
	return &types.MsgAnswerClaimResponse{}, emit(ctx, &types.EventClaimAnswered{
		ClaimId: c.Id, SubnetId: c.SubnetId, Netuid: c.Netuid, Accused: p.hotkeyText, Hash: m.Hash, Url: m.Url,
	})
}
