package types

import (
	"unicode"
	"unicode/utf8"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

var (
	_ sdk.HasValidateBasic = (*MsgLockCollateral)(nil)
	_ sdk.HasValidateBasic = (*MsgUnbondCollateral)(nil)
	_ sdk.HasValidateBasic = (*MsgOpenClaim)(nil)
	_ sdk.HasValidateBasic = (*MsgConfirmClaim)(nil)
	_ sdk.HasValidateBasic = (*MsgAnswerClaim)(nil)
)

// ValidateBasic checks the amount.
func (m *MsgLockCollateral) ValidateBasic() error { return someAlpha(m.Alpha) }

// ValidateBasic checks the amount.
func (m *MsgUnbondCollateral) ValidateBasic() error { return someAlpha(m.Alpha) }

// ValidateBasic checks what can be said without the subnet: the share, and the
// evidence's form.
func (m *MsgOpenClaim) ValidateBasic() error {
	if m.Share < 1 || m.Share > Million {
		return ErrShare.Wrapf("the share is %d per million, must be 1 to %d, and at most the subnet's max_slash", m.Share, Million)
	}
	return CheckEvidence(m.EvidenceHash, m.EvidenceUrl, MaxURL)
}

// ValidateBasic checks the claim's id.
func (m *MsgConfirmClaim) ValidateBasic() error { return someClaim(m.ClaimId) }

// ValidateBasic checks the claim's id and the answer's form.
func (m *MsgAnswerClaim) ValidateBasic() error {
	if err := someClaim(m.ClaimId); err != nil {
		return err
	}
	return CheckEvidence(m.Hash, m.Url, MaxURL)
}

func someAlpha(units uint64) error {
	if units == 0 {
		return ErrAmount.Wrap("0 alpha units: give at least 1 (10^-9 alpha)")
	}
	return nil
}

func someClaim(id uint64) error {
	if id == 0 {
		return ErrNoClaim.Wrap("claims are numbered from 1: the query claims of a subnet lists the open ones")
	}
	return nil
}

// CheckEvidence checks the hash and the address of evidence or of an answer, of at
// most so many bytes. What stands there is shown to people: it must be text.
func CheckEvidence(hash []byte, url string, most int) error {
	switch {
	case len(hash) != HashSize:
		return ErrEvidence.Wrapf("the hash has %d bytes, must have %d", len(hash), HashSize)
	case url == "":
		return ErrEvidence.Wrap("no address: say where what has this hash can be read")
	case len(url) > most:
		return ErrEvidence.Wrapf("the address has %d bytes, at most %d", len(url), most)
	case !utf8.ValidString(url):
		return ErrEvidence.Wrapf("the address %q is not UTF-8", url)
	}
	for _, r := range url {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) {
			return ErrEvidence.Wrapf("the address %q holds %U: no spaces and nothing invisible", url, r)
		}
	}
	return nil
}
