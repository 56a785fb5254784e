package wallet_test

import (
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/cosmos/cosmos-sdk/crypto/hd"
	"github.com/cosmos/cosmos-sdk/crypto/ledger"
	"github.com/cosmos/cosmos-sdk/types/bech32"
	secp "github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/wallet"
)

// pretend stands in for a Ledger with the Cosmos app, by the interface of the SDK's own.
type pretend struct {
	t     *testing.T
	words string
	mode  *byte // of the last signature
	deny  error
}

func (p pretend) key(path []uint32) *secp.PrivateKey {
	seed, err := hd.Secp256k1.Derive()(p.words, "", hd.NewParams(path[0], path[1], path[2], path[3] != 0, path[4]).String())
	require.NoError(p.t, err)
	return secp.PrivKeyFromBytes(seed)
}

func (p pretend) Close() error { return nil }

func (p pretend) GetPublicKeySECP256K1(path []uint32) ([]byte, error) {
	return p.key(path).PubKey().SerializeUncompressed(), p.deny
}

func (p pretend) GetAddressPubKeySECP256K1(path []uint32, hrp string) ([]byte, string, error) {
	s, err := wallet.NewSigner(p.key(path).Serialize())
	require.NoError(p.t, err)
	address, err := bech32.ConvertAndEncode(hrp, s.AccAddress())
	require.NoError(p.t, err)
	return p.key(path).PubKey().SerializeUncompressed(), address, p.deny
}

func (p pretend) SignSECP256K1(path []uint32, msg []byte, mode byte) ([]byte, error) {
	*p.mode = mode
	hash := sha256.Sum256(msg)
	return ecdsa.Sign(p.key(path), hash[:]).Serialize(), p.deny
}

func plug(t *testing.T, words string, deny error) *byte {
	mode := byte(255)
	ledger.SetDiscoverLedger(func() (ledger.SECP256K1, error) { return pretend{t, words, &mode, deny}, nil })
	t.Cleanup(func() { ledger.SetDiscoverLedger(nil) })
	return &mode
}

func TestALedgersKeyStaysThereAndSignsAminoJSON(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, mute(t))
	_, err := w.AddLedger("cold", 0)
	require.ErrorIs(t, err, wallet.ErrLedger, "none is plugged in, and this program can't find one")

	mode := plug(t, vector, nil)
	key, err := w.AddLedger("cold", 0)
	require.NoError(t, err)
	require.Equal(t, wallet.Ledger, key.Held)
	same, err := wallet.SignerFromMnemonic(vector)
	require.NoError(t, err)
	require.Equal(t, same.Address(), key.Address, "the first account is that of its words")
	second, err := w.AddLedger("second", 1)
	require.NoError(t, err)
	require.NotEqual(t, key.Address, second.Address)
	_, err = w.AddLedger("beyond", 1<<31)
	require.ErrorIs(t, err, wallet.ErrLedger)

	w = open(t, dir, mute(t))
	s, err := w.Signer("cold")
	require.NoError(t, err)
	require.True(t, s.SignsAmino())
	require.Nil(t, s.PrivKey())
	sig, err := s.Sign([]byte(`{"a":1}`))
	require.NoError(t, err)
	require.True(t, s.PubKey().VerifySignature([]byte(`{"a":1}`), sig))
	require.Zero(t, *mode, "amino JSON is 0 to the device")

	plug(t, vector2, nil)
	_, err = s.Sign([]byte(`{"a":1}`))
	require.ErrorContains(t, err, "another key")
	plug(t, vector, errors.New("rejected by its owner"))
	_, err = s.Sign([]byte(`{"a":1}`))
	require.ErrorIs(t, err, wallet.ErrLedger)
	require.ErrorContains(t, err, "rejected by its owner")
}
