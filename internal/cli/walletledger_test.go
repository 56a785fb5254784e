package cli

import (
	"crypto/sha256"
	"os"

	"github.com/cosmos/cosmos-sdk/crypto/hd"
	"github.com/cosmos/cosmos-sdk/crypto/ledger"
	"github.com/cosmos/cosmos-sdk/types/bech32"
	secp "github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/lodenet/lode/wallet"
)

// pretendLedger stands in for a Ledger where a script asks for one: it has the key of
// words, and refuses all but amino JSON.
type pretendLedger struct{ words string }

// plugIn plugs it in.
func plugIn() {
	if os.Getenv("LODE_TEST_LEDGER") != "" {
		ledger.SetDiscoverLedger(func() (ledger.SECP256K1, error) {
			return pretendLedger{"legal winner thank year wave sausage worth useful legal winner thank yellow"}, nil
		})
	}
}

func (p pretendLedger) key(path []uint32) (*secp.PrivateKey, error) {
	raw, err := hd.Secp256k1.Derive()(p.words, "", hd.NewParams(path[0], path[1], path[2], path[3] != 0, path[4]).String())
	if err != nil {
		return nil, err
	}
	return secp.PrivKeyFromBytes(raw), nil
}

func (pretendLedger) Close() error { return nil }

func (p pretendLedger) GetPublicKeySECP256K1(path []uint32) ([]byte, error) {
	k, err := p.key(path)
	if err != nil {
		return nil, err
	}
	return k.PubKey().SerializeUncompressed(), nil
}

func (p pretendLedger) GetAddressPubKeySECP256K1(path []uint32, hrp string) ([]byte, string, error) {
	k, err := p.key(path)
	if err != nil {
		return nil, "", err
	}
	s, err := wallet.NewSigner(k.Serialize())
	if err != nil {
		return nil, "", err
	}
	address, err := bech32.ConvertAndEncode(hrp, s.AccAddress())
	return k.PubKey().SerializeUncompressed(), address, err
}

func (p pretendLedger) SignSECP256K1(path []uint32, msg []byte, mode byte) ([]byte, error) {
	if mode != 0 || len(msg) == 0 || msg[0] != '{' {
		return nil, os.ErrInvalid
	}
	k, err := p.key(path)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(msg)
	return ecdsa.Sign(k, hash[:]).Serialize(), nil
}
