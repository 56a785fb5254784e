package app

import (
	"context"
	"crypto/sha256"
	"sync"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/auth/ante"
)

// verifiedSize is how many signatures are remembered at least: those of a few full
// blocks. It takes two megabytes.
const verifiedSize = 16_384

// verified remembers signatures that were found to be right, so that a block doesn't
// verify again what the mempool's check has. A signature is remembered with the key
// and the very bytes that it signs, account number and sequence among them: the answer
// is the one that verifying would give, whatever has happened to the state in between.
// What was wrong is not remembered.
type verified struct {
	mu       sync.Mutex
	now, old map[[sha256.Size]byte]struct{} // when now is full it becomes old
}

// check is pub.VerifySignature.
func (v *verified) check(pub *secp256k1.PubKey, msg, signature []byte) bool {
	if len(pub.Key) != secp256k1.PubKeySize || len(signature) != 64 {
		return pub.VerifySignature(msg, signature) // no key of the record: the parts' lengths set them apart
	}
	h := sha256.New()
	h.Write(pub.Key)
	h.Write(signature)
	h.Write(msg)
	id := [sha256.Size]byte(h.Sum(nil))
	if v.has(id) {
		return true
	}
	if !pub.VerifySignature(msg, signature) {
		return false
	}
	v.add(id)
	return true
}

func (v *verified) has(id [sha256.Size]byte) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.now[id]; ok {
		return true
	}
	_, ok := v.old[id]
	return ok
}

func (v *verified) add(id [sha256.Size]byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.now == nil || len(v.now) >= verifiedSize {
		v.now, v.old = make(map[[sha256.Size]byte]struct{}, verifiedSize), v.now
	}
	v.now[id] = struct{}{}
}

// rememberingKeeper hands accounts whose keys remember what they have verified to the
// one decorator that verifies.
type rememberingKeeper struct {
	ante.AccountKeeper
	verified *verified
}

func (k rememberingKeeper) GetAccount(ctx context.Context, addr sdk.AccAddress) sdk.AccountI {
	a := k.AccountKeeper.GetAccount(ctx, addr)
	if a == nil {
		return nil
	}
	if pub, ok := a.GetPubKey().(*secp256k1.PubKey); ok && pub != nil {
		return rememberingAccount{a, rememberingKey{pub, k.verified}}
	}
	return a // multisignatures and other curves are verified each time
}

type rememberingAccount struct {
	sdk.AccountI
	key rememberingKey
}

func (a rememberingAccount) GetPubKey() cryptotypes.PubKey { return a.key }

type rememberingKey struct {
	*secp256k1.PubKey
	verified *verified
}

func (k rememberingKey) VerifySignature(msg, signature []byte) bool {
	return k.verified.check(k.PubKey, msg, signature)
}

// XXX_MessageName keeps the name by which the key is packed.
func (rememberingKey) XXX_MessageName() string { return "cosmos.crypto.secp256k1.PubKey" }
