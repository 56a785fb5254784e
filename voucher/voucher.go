package voucher

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/oasisprotocol/curve25519-voi/curve"
	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// Sizes in bytes.
const (
	KeySize       = 32
	SignatureSize = 64
	IDSize        = 32
)

const (
	channelTag = "lode/channel/1"
	voucherTag = "lode/voucher/1"
)

// batchSize bounds a batch of VerifyAll: beyond it a batch gets no faster, and a
// bad item costs those of its own batch alone the second look.
const batchSize = 1024

// ErrKey is wrapped by what CheckKey says of a key that no channel may have.
var ErrKey = errors.New("bad session key")

// Config is what a channel is opened with.
type Config struct {
	Payer      []byte // account
	Provider   []byte // account of the provider's hotkey
	SessionKey []byte // Ed25519 public key, 32 bytes
	SubnetID   uint64
	ServiceID  uint64
	PlanID     uint64 // 0: it pays by use
	CloseDelay int64  // seconds
}

// ChannelID is the id of a channel that is opened with a configuration in the
// block of a height.
func ChannelID(chainID string, c Config, openedHeight int64) []byte {
	b := make([]byte, 0, 256)
	b = append(b, channelTag...)
	for _, field := range [][]byte{[]byte(chainID), c.Payer, c.Provider, c.SessionKey} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
		b = append(b, field...)
	}
	for _, n := range []uint64{c.SubnetID, c.ServiceID, c.PlanID, uint64(c.CloseDelay), uint64(openedHeight)} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// Voucher promises the provider of a channel Cumulative in all: rao, or units
// where the channel pays a plan.
type Voucher struct {
	ChannelID  []byte // 32 bytes
	Cumulative uint64
}

// SignBytes is what is signed. A chain id has at most 255 bytes (CometBFT allows
// 50).
func (v Voucher) SignBytes(chainID string) []byte {
	b := make([]byte, 0, len(voucherTag)+1+len(chainID)+len(v.ChannelID)+8)
	b = append(b, voucherTag...)
	b = append(b, byte(len(chainID)))
	b = append(b, chainID...)
	b = append(b, v.ChannelID...)
	return binary.BigEndian.AppendUint64(b, v.Cumulative)
}

// Sign signs a voucher with a channel's session key: 64 bytes.
func (v Voucher) Sign(chainID string, key ed25519.PrivateKey) []byte {
	return ed25519.Sign(key, v.SignBytes(chainID))
}

// Verify says whether a signature of a voucher is the session key's. What has a
// wrong size is refused like what has a wrong signature.
func (v Voucher) Verify(chainID string, sessionKey, signature []byte) bool {
	if !v.sized(chainID, sessionKey, signature) {
		return false
	}
	return voi.VerifyWithOptions(sessionKey, v.SignBytes(chainID), signature, zip215)
}

var zip215 = &voi.Options{Verify: voi.VerifyOptionsZIP_215}

func (v Voucher) sized(chainID string, sessionKey, signature []byte) bool {
	return len(chainID) <= 255 && len(v.ChannelID) == IDSize && len(sessionKey) == KeySize && len(signature) == SignatureSize
}

// Signed is a voucher with its signature and the key that it should be of.
type Signed struct {
	Voucher
	SessionKey, Signature []byte
}

// VerifyAll verifies many vouchers and says of each what Verify would say: in
// batches, at half the cost, and one by one those of a batch that has a bad one.
func VerifyAll(chainID string, all []Signed) []bool {
	good := make([]bool, len(all))
	for from := 0; from < len(all); from += batchSize {
		to := min(from+batchSize, len(all))
		verifyBatch(chainID, all[from:to], good[from:to])
	}
	return good
}

func verifyBatch(chainID string, all []Signed, good []bool) {
	if len(all) == 1 {
		good[0] = all[0].Verify(chainID, all[0].SessionKey, all[0].Signature)
		return
	}
	batch := voi.NewBatchVerifierWithCapacity(len(all))
	at := make([]int, 0, len(all)) // of the batch's items in good
	for i, s := range all {
		if s.sized(chainID, s.SessionKey, s.Signature) {
			batch.AddWithOptions(s.SessionKey, s.SignBytes(chainID), s.Signature, zip215)
			at = append(at, i)
		}
	}
	_, valid := batch.Verify(nil)
	for i, ok := range valid {
		good[at[i]] = ok
	}
}

// CheckKey refuses keys that are no safe session keys: of another size, not the
// one encoding of a point of the curve, or of small order, with which a
// signature can be made that is good for every voucher. Its errors wrap ErrKey.
func CheckKey(sessionKey []byte) error {
	if len(sessionKey) != KeySize {
		return fmt.Errorf("%w: %d bytes, an Ed25519 public key has %d", ErrKey, len(sessionKey), KeySize)
	}
	compressed, err := curve.NewCompressedEdwardsYFromBytes(sessionKey)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrKey, err)
	}
	if !compressed.IsCanonicalVartime() {
		return fmt.Errorf("%w: not the canonical encoding of a point; generate it with an Ed25519 library", ErrKey)
	}
	point, err := curve.NewEdwardsPoint().SetCompressedY(compressed)
	if err != nil {
		return fmt.Errorf("%w: not a point of the curve; generate it with an Ed25519 library", ErrKey)
	}
	if point.IsSmallOrder() {
		return fmt.Errorf("%w: a point of small order, anybody can sign for it; generate it with an Ed25519 library", ErrKey)
	}
	return nil
}
