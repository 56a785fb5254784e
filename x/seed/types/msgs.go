package types

import (
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/seed/vrf"
)

var _ sdk.HasValidateBasic = (*MsgRegisterVRFKey)(nil)

// ValidateBasic checks sizes; whether the key may be used and the proof shows it
// takes more than a mempool gives away.
func (m *MsgRegisterVRFKey) ValidateBasic() error {
	if len(m.Key) != vrf.PublicSize {
		return ErrInvalidKey.Wrapf("the key has %d bytes, must have %d", len(m.Key), vrf.PublicSize)
	}
	if len(m.Proof) != vrf.ProofSize {
		return ErrInvalidProof.Wrapf("the proof has %d bytes, must have %d", len(m.Proof), vrf.ProofSize)
	}
	return nil
}

// NewMsgRegisterVRFKey registers a key of whoever has its secret.
func NewMsgRegisterVRFKey(chainID string, operator sdk.AccAddress, key vrf.Key) *MsgRegisterVRFKey {
	return &MsgRegisterVRFKey{
		Operator: operator.String(), Key: key.Public(), Proof: key.Prove(vrf.Possession(chainID, operator)),
	}
}
