package types

import (
	"crypto/sha256"
	"encoding/binary"
)

// Sizes of a commit.
const (
	HashSize = sha256.Size
	SaltSize = 32
)

// WeightsHash is what CommitWeights commits to (protocol.md §8):
//
//	SHA-256("lode/weights/1" ‖ u8 length ‖ chain id ‖ u16 netuid ‖ hotkey ‖
//	        u64 version ‖ u16 n ‖ n·u16 uids ‖ n·u16 values ‖ salt)
//
// all big-endian. The hotkey is its 20 address bytes; uids and values are as
// many and in the order in which the reveal will give them; the salt is 32
// random bytes, fresh for every commit: without it a row can be guessed. Every
// field has a fixed size or is preceded by its length, so no two contents share
// their bytes.
func WeightsHash(chainID string, netuid uint16, hotkey []byte, version uint64, uids, values []uint16, salt []byte) [HashSize]byte {
	b := make([]byte, 0, 64+len(chainID)+len(hotkey)+2*len(uids)+2*len(values)+len(salt))
	b = append(b, "lode/weights/1"...)
	b = append(b, byte(len(chainID)))
	b = append(b, chainID...)
	b = binary.BigEndian.AppendUint16(b, netuid)
	b = append(b, hotkey...)
	b = binary.BigEndian.AppendUint64(b, version)
	b = binary.BigEndian.AppendUint16(b, uint16(len(uids)))
	for _, u := range uids {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	for _, v := range values {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return sha256.Sum256(append(b, salt...))
}
