package sim

import (
	"crypto/sha256"

	sdk "github.com/cosmos/cosmos-sdk/types"

	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	seedtypes "github.com/lodenet/lode/x/seed/types"
)

func (t table) collateral() {
	t.add(&collateraltypes.MsgLockCollateral{}, 40, lockCollateral)
	t.add(&collateraltypes.MsgUnbondCollateral{}, 25, unbondCollateral)
	t.add(&collateraltypes.MsgOpenClaim{}, 12, openClaim)
	t.add(&collateraltypes.MsgConfirmClaim{}, 50, confirmClaim)
	t.add(&collateraltypes.MsgAnswerClaim{}, 12, answerClaim)
	t.add(&seedtypes.MsgRegisterVRFKey{}, 8, registerVRFKey)
}

func lockCollateral(s *sim) sdk.Msg {
	h, ok := s.stake(true)
	if !ok || !h.net.has(h.hot.text) {
		return nil
	}
	return &collateraltypes.MsgLockCollateral{Coldkey: h.cold.text, Hotkey: h.hot.text, Netuid: h.net.Netuid, Alpha: max(1, h.alpha/uint64(2+s.n(10)))}
}

func unbondCollateral(s *sim) sdk.Msg {
	if len(s.view.claims.Collaterals) == 0 {
		return nil
	}
	c := s.view.claims.Collaterals[s.n(len(s.view.claims.Collaterals))]
	n, hot := s.netOf(c.SubnetId), s.view.hotkey[c.Hotkey]
	if n == nil || hot == "" || c.Bonded == 0 {
		return nil
	}
	return &collateraltypes.MsgUnbondCollateral{Coldkey: s.view.coldkey[hot], Hotkey: hot, Netuid: n.Netuid, Alpha: s.part(c.Bonded)}
}

func openClaim(s *sim) sdk.Msg {
	if len(s.view.claims.Collaterals) == 0 {
		return nil
	}
	c := s.view.claims.Collaterals[s.n(len(s.view.claims.Collaterals))]
	n, hot := s.netOf(c.SubnetId), s.view.hotkey[c.Hotkey]
	if n == nil || len(n.permitted) == 0 || n.Hyperparameters.MaxSlash == 0 {
		return nil
	}
	author := n.permitted[s.n(len(n.permitted))].Hotkey
	if s.view.coldkey[author] == s.view.coldkey[hot] {
		return nil
	}
	for _, x := range n.neurons {
		if x.Hotkey == hot {
			hash := sha256.Sum256([]byte("evidence"))
			return &collateraltypes.MsgOpenClaim{
				Coldkey: s.view.coldkey[author], Hotkey: author, Netuid: n.Netuid, Uid: x.Uid, Accused: hot,
				Share: uint32(1 + s.n(int(n.Hyperparameters.MaxSlash))), EvidenceHash: hash[:], EvidenceUrl: "https://lode.example/evidence",
			}
		}
	}
	return nil
}

func confirmClaim(s *sim) sdk.Msg {
	if len(s.view.claims.Voters) == 0 {
		return nil
	}
	v := s.view.claims.Voters[s.n(len(s.view.claims.Voters))]
	if v.ConfirmedHeight > 0 || v.ClaimId%4 == 0 && s.n(8) > 0 { // one claim of four finds no friends
		return nil
	}
	return &collateraltypes.MsgConfirmClaim{Hotkey: s.view.hotkey[v.Hotkey], ClaimId: v.ClaimId}
}

func answerClaim(s *sim) sdk.Msg {
	if len(s.view.claims.Claims) == 0 {
		return nil
	}
	c := s.view.claims.Claims[s.n(len(s.view.claims.Claims))]
	who := s.view.hotkey[c.Accused]
	if s.n(2) == 0 {
		who = s.view.coldkey[who]
	}
	hash := sha256.Sum256([]byte("answer"))
	return &collateraltypes.MsgAnswerClaim{Signer: who, ClaimId: c.Id, Hash: hash[:], Url: "https://lode.example/answer"}
}

// registerVRFKey rotates a key, or registers one before its validator is created.
func registerVRFKey(s *sim) sdk.Msg {
	o := s.n(operators)
	if s.prefer != nil {
		return nil
	}
	return seedtypes.NewMsgRegisterVRFKey(chainID, s.operators()[o].addr, vrfKey(o, s.n(vrfKeysEach)))
}
