package wallet

import (
	"fmt"
	"strings"

	"github.com/cosmos/cosmos-sdk/crypto/hd"
	"github.com/cosmos/go-bip39"
)

// Path is where a key is derived: the ecosystem's coin type, the first account.
const Path = "m/44'/118'/0'/0/0"

// coinType is that of [Path].
const coinType = 118

// NewMnemonic returns 24 words for a new key.
func NewMnemonic() (string, error) { return newMnemonic(24) }

// newMnemonic returns 12 or 24 words.
func newMnemonic(words int) (string, error) {
	if words != 12 && words != 24 {
		return "", fmt.Errorf("%w: %d words can't be asked for, give 12 or 24", ErrBadMnemonic, words)
	}
	entropy, err := bip39.NewEntropy(words / 3 * 32)
	if err != nil {
		return "", err
	}
	return bip39.NewMnemonic(entropy)
}

// SignerFromMnemonic derives the key of a mnemonic without keeping it. The error wraps
// [ErrBadMnemonic] where the words are none; it does not repeat them.
func SignerFromMnemonic(mnemonic string) (*Signer, error) { return derive(mnemonic, Secp256k1) }

// derive is a mnemonic's key of an algorithm. That of ML-DSA has secp256k1's private
// key as its seed, as the SDK does it.
func derive(mnemonic string, a Algorithm) (*Signer, error) {
	mnemonic, err := normalise(mnemonic)
	if err != nil {
		return nil, err
	}
	raw, err := hd.Secp256k1.Derive()(mnemonic, "", Path)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrBadMnemonic, err)
	}
	priv, err := a.parsePrivKey(raw)
	if err != nil {
		return nil, err
	}
	return newSigner(priv)
}

// normalise checks a mnemonic and returns it with single spaces, as derivation needs it.
func normalise(mnemonic string) (string, error) {
	words := strings.Fields(strings.ToLower(mnemonic))
	if n := len(words); n < 12 || n > 24 || n%3 != 0 {
		return "", fmt.Errorf("%w: it has %d words, must have 12, 15, 18, 21 or 24", ErrBadMnemonic, n)
	}
	for i, word := range words {
		if _, ok := bip39.ReverseWordMap[word]; !ok {
			return "", fmt.Errorf("%w: word %d is not on the English BIP-39 list; look for a typing error", ErrBadMnemonic, i+1)
		}
	}
	mnemonic = strings.Join(words, " ")
	if _, err := bip39.MnemonicToByteArray(mnemonic); err != nil {
		return "", fmt.Errorf("%w: all words are known but its checksum is wrong; look for exchanged or wrong words", ErrBadMnemonic)
	}
	return mnemonic, nil
}
