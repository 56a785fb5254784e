package wallet

import (
	"fmt"

	"github.com/cosmos/cosmos-sdk/crypto/hd"
	"github.com/cosmos/cosmos-sdk/crypto/ledger"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// device is a key on a Ledger with its Cosmos app. The program needs to be built with
// the tag ledger, and cgo, to find one.
type device struct {
	path hd.BIP44Params
	pub  cryptotypes.PubKey
}

// AddLedger adds a key that stays on a Ledger: its owner confirms the address on the
// device. account counts from 0.
func (w *Wallet) AddLedger(name string, account uint32, opts ...Option) (Key, error) {
	if account >= 1<<31 {
		return Key{}, fmt.Errorf("%w: account %d, the last is %d", ErrLedger, account, uint32(1<<31-1))
	}
	path := hd.NewFundraiserParams(account, coinType, 0)
	priv, address, err := ledger.NewPrivKeySecp256k1(*path, alphatypes.Bech32Prefix)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrLedger, err)
	}
	s, err := NewAbsentSigner(priv.PubKey())
	if err != nil {
		return Key{}, err
	}
	if s.address != address {
		return Key{}, fmt.Errorf("%w: it showed %s, but its key is that of %s", ErrLedger, address, s.address)
	}
	return w.addPublic(entry{Key: Key{Name: name, Kind: Coldkey, Address: address, Held: Ledger}, Path: path.String()}, s.pub, opts)
}

// newLedgerSigner is what signs with the device that is plugged in by then.
func newLedgerSigner(path string, pub cryptotypes.PubKey) (*Signer, error) {
	params, err := hd.NewParamsFromPath(path)
	if err != nil {
		return nil, fmt.Errorf("wallet: the path %q of a Ledger's key is damaged: %w", path, err)
	}
	s, err := NewAbsentSigner(pub)
	if err != nil {
		return nil, err
	}
	s.held, s.device = Ledger, &device{path: *params, pub: pub}
	return s, nil
}

// sign asks the device, which shows what it signs: amino JSON.
func (d *device) sign(msg []byte) ([]byte, error) {
	priv, err := ledger.NewPrivKeySecp256k1Unsafe(d.path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLedger, err)
	}
	if !priv.PubKey().Equals(d.pub) {
		return nil, fmt.Errorf("%w: it holds another key at %s: plug in the one that the key was added from", ErrLedger, d.path.String())
	}
	sig, err := priv.SignLedgerAminoJSON(msg)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLedger, err)
	}
	return sig, nil
}
