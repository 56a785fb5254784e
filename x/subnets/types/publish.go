package types

import (
	"crypto/sha256"
	"encoding/binary"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Sizes of what a neuron publishes, in bytes.
const (
	MaxData  = 512
	HashSize = sha256.Size
	SaltSize = 32
)

var (
	_ sdk.HasValidateBasic = (*MsgPublish)(nil)
	_ sdk.HasValidateBasic = (*MsgPublishSealed)(nil)
	_ sdk.HasValidateBasic = (*MsgRevealPublished)(nil)
)

// PublishHash is what PublishSealed commits to (protocol.md §4):
//
//	SHA-256("lode/publish/1" ‖ u8 length ‖ chain id ‖ u16 netuid ‖ hotkey ‖
//	        u16 length ‖ data ‖ salt)
//
// all big-endian. The hotkey is its 20 address bytes; the salt is 32 random
// bytes, fresh for every commit: without it short data can be guessed. Every
// field has a fixed size or is preceded by its length, so no two contents share
// their bytes, and nobody can reveal what another hotkey sealed.
func PublishHash(chainID string, netuid uint16, hotkey, data, salt []byte) [HashSize]byte {
	b := make([]byte, 0, 32+len(chainID)+len(hotkey)+len(data)+len(salt))
	b = append(b, "lode/publish/1"...)
	b = append(b, byte(len(chainID)))
	b = append(b, chainID...)
	b = binary.BigEndian.AppendUint16(b, netuid)
	b = append(b, hotkey...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
	b = append(b, data...)
	return sha256.Sum256(append(b, salt...))
}

// ValidateBasic checks the size.
func (m *MsgPublish) ValidateBasic() error { return validateData(m.Data) }

// ValidateBasic checks the size.
func (m *MsgPublishSealed) ValidateBasic() error {
	if len(m.Hash) != HashSize {
		return ErrInvalidData.Wrapf("the hash has %d bytes, must have %d: it is a SHA-256", len(m.Hash), HashSize)
	}
	return nil
}

// ValidateBasic checks the sizes.
func (m *MsgRevealPublished) ValidateBasic() error {
	if len(m.Salt) != SaltSize {
		return ErrInvalidData.Wrapf("the salt has %d bytes, must have %d", len(m.Salt), SaltSize)
	}
	return validateData(m.Data)
}

func validateData(data []byte) error {
	if len(data) < 1 || len(data) > MaxData {
		return ErrInvalidData.Wrapf("%d bytes of data, must be 1 to %d: publish a hash or an address of what is larger", len(data), MaxData)
	}
	return nil
}
