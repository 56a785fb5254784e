package wallet_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	secp "github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/wallet"
)

const shop, chainID, nonce = "https://shop.example", "lode-test-1", "8f14e45f"

func claim() wallet.Claim {
	return wallet.Claim{Origin: shop, Chain: chainID, Nonce: nonce, Expires: time.Now().Add(5 * time.Minute)}
}

func TestAProofSaysWhoseKeySignedIt(t *testing.T) {
	w := open(t, t.TempDir(), answer(secret))
	for _, a := range []wallet.Algorithm{wallet.Secp256k1, wallet.MLDSA65} {
		k, _, err := w.Create("key"+string(a), wallet.Coldkey, wallet.By(a))
		require.NoError(t, err)
		s, err := w.Signer(k.Name)
		require.NoError(t, err)
		made, err := s.Prove(claim())
		require.NoError(t, err)
		raw, err := json.Marshal(made)
		require.NoError(t, err)
		p, err := wallet.ReadProof(bytes.NewReader(raw))
		require.NoError(t, err)
		address, err := p.Verify(shop, chainID, nonce, time.Now())
		require.NoError(t, err)
		require.Equal(t, k.Address, address)
	}
}

// The bytes are ADR-036's, as Keplr and CosmJS write them.
func TestAProofSignsWhatADR036Says(t *testing.T) {
	s, err := wallet.NewSigner(bytes.Repeat([]byte{7}, 32))
	require.NoError(t, err)
	p, err := s.Prove(claim())
	require.NoError(t, err)
	doc := `{"account_number":"0","chain_id":"","fee":{"amount":[],"gas":"0"},"memo":"","msgs":[{"type":"sign/MsgSignData","value":{"data":"` +
		base64.StdEncoding.EncodeToString(p.Data) + `","signer":"` + s.Address() + `"}}],"sequence":"0"}`
	key, err := secp.ParsePubKey(s.PubKey().Bytes())
	require.NoError(t, err)
	var r, v secp.ModNScalar
	require.False(t, r.SetByteSlice(p.Signature[:32]))
	require.False(t, v.SetByteSlice(p.Signature[32:]))
	sum := sha256.Sum256([]byte(doc))
	require.True(t, ecdsa.NewSignature(&r, &v).Verify(sum[:], key))
	require.Regexp(t, `^{"origin":"https://shop.example","chain":"lode-test-1","nonce":"8f14e45f","expires":"[0-9T:-]+Z"}$`, string(p.Data))
}

func TestAProofIsForOneAskerOneTimeAndOneKey(t *testing.T) {
	s, err := wallet.NewSigner(bytes.Repeat([]byte{7}, 32))
	require.NoError(t, err)
	other, err := wallet.NewSigner(bytes.Repeat([]byte{8}, 32))
	require.NoError(t, err)
	good, err := s.Prove(claim())
	require.NoError(t, err)
	others, err := other.Prove(claim())
	require.NoError(t, err)
	for name, ask := range map[string]func(p wallet.Proof) (string, error){
		"of another origin": func(p wallet.Proof) (string, error) {
			return p.Verify("https://shop.example.evil", chainID, nonce, time.Now())
		},
		"of another chain": func(p wallet.Proof) (string, error) { return p.Verify(shop, "lode-main-1", nonce, time.Now()) },
		"of another nonce": func(p wallet.Proof) (string, error) { return p.Verify(shop, chainID, "", time.Now()) },
		"too late":         func(p wallet.Proof) (string, error) { return p.Verify(shop, chainID, nonce, time.Now().Add(time.Hour)) },
		"much too early": func(p wallet.Proof) (string, error) {
			return p.Verify(shop, chainID, nonce, time.Now().Add(-2*time.Hour))
		},
		"with another's key": func(p wallet.Proof) (string, error) {
			p.PubKey = others.PubKey
			return p.Verify(shop, chainID, nonce, time.Now())
		},
		"as another": func(p wallet.Proof) (string, error) {
			p.Signer, p.PubKey = others.Signer, others.PubKey
			return p.Verify(shop, chainID, nonce, time.Now())
		},
		"with another's signature": func(p wallet.Proof) (string, error) {
			p.Signature = others.Signature
			return p.Verify(shop, chainID, nonce, time.Now())
		},
		"without a signature": func(p wallet.Proof) (string, error) {
			p.Signature = nil
			return p.Verify(shop, chainID, nonce, time.Now())
		},
		"longer": func(p wallet.Proof) (string, error) {
			p.Data = bytes.Replace(p.Data, []byte(`"expires":"2`), []byte(`"expires":"3`), 1)
			return p.Verify(shop, chainID, nonce, time.Now())
		},
		"with more in it": func(p wallet.Proof) (string, error) {
			p.Data = append([]byte(`{"admin":true,`), p.Data[1:]...)
			return p.Verify(shop, chainID, nonce, time.Now())
		},
		"with something after it": func(p wallet.Proof) (string, error) {
			p.Data = append(bytes.Clone(p.Data), "{}"...)
			return p.Verify(shop, chainID, nonce, time.Now())
		},
		"with a key that the SDK falls over": func(p wallet.Proof) (string, error) {
			p.PubKey = []byte(`{"@type":"/cosmos.crypto.multisig.LegacyAminoPubKey","public_keys":[null]}`)
			return p.Verify(shop, chainID, nonce, time.Now())
		},
		"without a key": func(p wallet.Proof) (string, error) {
			p.PubKey = nil
			return p.Verify(shop, chainID, nonce, time.Now())
		},
	} {
		t.Run(name, func(t *testing.T) {
			address, err := ask(good)
			require.ErrorIs(t, err, wallet.ErrBadProof)
			require.Empty(t, address)
		})
	}
	for name, change := range map[string]func(*wallet.Claim){
		"no origin":     func(c *wallet.Claim) { c.Origin = "" },
		"no nonce":      func(c *wallet.Claim) { c.Nonce = "" },
		"a long nonce":  func(c *wallet.Claim) { c.Nonce = strings.Repeat("x", 300) },
		"an end before": func(c *wallet.Claim) { c.Expires = time.Now().Add(-time.Second) },
		"a late end":    func(c *wallet.Claim) { c.Expires = time.Now().Add(2 * time.Hour) },
	} {
		c := claim()
		change(&c)
		_, err := s.Prove(c)
		require.ErrorIs(t, err, wallet.ErrBadProof, name)
	}
	for _, text := range []string{"", "null x", `{"signer":1}`, `{"more":1}`, strings.Repeat(" ", 65<<10)} {
		_, err := wallet.ReadProof(strings.NewReader(text))
		require.ErrorIs(t, err, wallet.ErrBadProof, "%.20q", text)
	}
}
