package subnet

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/cosmos/btcutil/bech32"
)

// commitHash is what a validator commits to (protocol.md §8).
func commitHash(chainID string, netuid uint16, hotkey string, w Weights, salt [32]byte) ([32]byte, error) {
	_, raw, err := bech32.DecodeToBase256(hotkey)
	if err != nil || len(raw) != 20 {
		return [32]byte{}, fmt.Errorf("hotkey %q is not an address", hotkey)
	}
	if len(chainID) > 255 {
		return [32]byte{}, fmt.Errorf("chain id of %d bytes, the limit is 255", len(chainID))
	}
	b := []byte("lode/weights/1")
	b = append(b, byte(len(chainID)))
	b = append(b, chainID...)
	b = binary.BigEndian.AppendUint16(b, netuid)
	b = append(b, raw...)
	b = binary.BigEndian.AppendUint64(b, w.Version)
	b = binary.BigEndian.AppendUint16(b, uint16(len(w.UIDs)))
	for _, u := range w.UIDs {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	for _, v := range w.Values {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	b = append(b, salt[:]...)
	return sha256.Sum256(b), nil
}
