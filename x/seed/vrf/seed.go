package vrf

import (
	"crypto/sha256"
	"encoding/binary"
)

// SeedSize is a seed's, in bytes.
const SeedSize = sha256.Size

// What is hashed begins with these, and with nothing else of this program's.
const (
	seedTag       = "lode/seed"
	genesisTag    = "lode/genesis"
	possessionTag = "lode/vrf-key"
)

// noBeta stands for β where a block proved nothing: 32 zero bytes, which no proof
// gives, for those have 64.
var noBeta [32]byte

// Genesis is the seed of the block before a chain's first:
// SHA-256("lode/genesis" ‖ chain id).
func Genesis(chainID string) []byte {
	sum := sha256.Sum256([]byte(genesisTag + chainID))
	return sum[:]
}

// Alpha is what the proposer of a block proves over: chain id ‖ height ‖ seed of
// the block before; the height as 8 bytes, big-endian. The last 40 bytes have a
// fixed length, so that no two chains, heights and seeds give the same bytes.
func Alpha(chainID string, height int64, previous []byte) []byte {
	alpha := make([]byte, 0, len(chainID)+8+len(previous))
	alpha = append(alpha, chainID...)
	alpha = binary.BigEndian.AppendUint64(alpha, uint64(height))
	return append(alpha, previous...)
}

// Next is a block's seed: SHA-256("lode/seed" ‖ seed of the block before ‖ β). No
// beta stands for a block that proved nothing: 32 zero bytes.
func Next(previous, beta []byte) []byte {
	if len(beta) == 0 {
		beta = noBeta[:]
	}
	h := sha256.New()
	h.Write([]byte(seedTag))
	h.Write(previous)
	h.Write(beta)
	return h.Sum(nil)
}

// NoBeta is what stands for β in a block that proved nothing.
func NoBeta() []byte { return append([]byte(nil), noBeta[:]...) }

// Possession is what somebody proves over to show that a key is theirs:
// "lode/vrf-key" ‖ chain id ‖ operator. It is never an [Alpha] of the same chain:
// operators have 20 or 32 bytes, and no such length gives the same total.
func Possession(chainID string, operator []byte) []byte {
	return append([]byte(possessionTag+chainID), operator...)
}
