package wallet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Claim is what somebody signs to prove that an address is theirs, as a login does: for
// whom, and that it is for now.
type Claim struct {
	Origin  string    `json:"origin"`  // of the page or program that asks, https://shop.example
	Chain   string    `json:"chain"`   // chain id
	Nonce   string    `json:"nonce"`   // of who asks, who takes each once
	Expires time.Time `json:"expires"` // to the second
}

// Proof is a claim that an address has signed by ADR-036 of the Cosmos SDK: a transaction
// with one message, sign/MsgSignData, that no chain takes, since it has no chain id.
type Proof struct {
	Signer    string          `json:"signer"`
	Data      []byte          `json:"data"` // the claim, in JSON
	PubKey    json.RawMessage `json:"pub_key"`
	Signature []byte          `json:"signature"`
}

const (
	// LongestProof is how long a proof is good at most.
	LongestProof = time.Hour
	// maxClaim bounds a claim's text, maxProof a proof's, in bytes.
	maxClaim = 1 << 10
	maxProof = 64 << 10
)

// ErrBadProof is a proof that proves nothing.
var ErrBadProof = errors.New("the proof is no good")

// check says what is wrong with a claim at a time.
func (c Claim) check(now time.Time) error {
	for name, text := range map[string]string{"origin": c.Origin, "chain": c.Chain, "nonce": c.Nonce} {
		if text == "" || len(text) > maxClaim/4 {
			return fmt.Errorf("%w: its %s has %d bytes, it takes 1 to %d", ErrBadProof, name, len(text), maxClaim/4)
		}
	}
	if !now.Before(c.Expires) {
		return fmt.Errorf("%w: it ended at %s", ErrBadProof, c.Expires.UTC().Format(time.RFC3339))
	}
	if c.Expires.After(now.Add(LongestProof)) {
		return fmt.Errorf("%w: it would be good until %s, longer than %s", ErrBadProof, c.Expires.UTC().Format(time.RFC3339), LongestProof)
	}
	return nil
}

// proofBytes are what ADR-036 has signed: amino JSON, its keys sorted.
func proofBytes(signer string, data []byte) ([]byte, error) {
	type value struct {
		Data   []byte `json:"data"`
		Signer string `json:"signer"`
	}
	type message struct {
		Type  string `json:"type"`
		Value value  `json:"value"`
	}
	type fee struct {
		Amount []string `json:"amount"`
		Gas    string   `json:"gas"`
	}
	return json.Marshal(struct {
		AccountNumber string    `json:"account_number"`
		ChainID       string    `json:"chain_id"`
		Fee           fee       `json:"fee"`
		Memo          string    `json:"memo"`
		Msgs          []message `json:"msgs"`
		Sequence      string    `json:"sequence"`
	}{"0", "", fee{[]string{}, "0"}, "", []message{{"sign/MsgSignData", value{data, signer}}}, "0"})
}

// Prove signs a claim.
func (s *Signer) Prove(c Claim) (Proof, error) {
	c.Expires = c.Expires.UTC().Truncate(time.Second)
	if err := c.check(time.Now()); err != nil {
		return Proof{}, err
	}
	data, err := json.Marshal(c)
	if err != nil {
		return Proof{}, err
	}
	doc, err := proofBytes(s.address, data)
	if err != nil {
		return Proof{}, err
	}
	signature, err := s.Sign(doc)
	if err != nil {
		return Proof{}, err
	}
	pub, err := MarshalPubKey(s.pub)
	return Proof{Signer: s.address, Data: data, PubKey: pub, Signature: signature}, err
}

// ReadProof reads one that [Signer.Prove] made, as JSON.
func ReadProof(from io.Reader) (p Proof, err error) {
	raw, err := io.ReadAll(io.LimitReader(from, maxProof+1))
	switch {
	case err != nil:
		return p, err
	case len(raw) > maxProof:
		return p, fmt.Errorf("%w: it has more than %d bytes", ErrBadProof, maxProof)
	}
	if err := strictly(raw, &p); err != nil {
		return p, fmt.Errorf("%w: it can't be read: %w", ErrBadProof, err)
	}
	return p, nil
}

// strictly reads JSON that has nothing else in it, nor after it.
func strictly(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows it")
	}
	return nil
}

// Verify returns the address whose key signed a proof, if that is for this origin, chain
// and nonce, and good at a time. Whoever asks for proofs makes the nonce, and takes it once.
func (p Proof) Verify(origin, chain, nonce string, now time.Time) (address string, err error) {
	var c Claim
	if len(p.Data) > maxClaim {
		return "", fmt.Errorf("%w: its data has %d bytes", ErrBadProof, len(p.Data))
	}
	if err := strictly(p.Data, &c); err != nil {
		return "", fmt.Errorf("%w: its data is no claim: %w", ErrBadProof, err)
	}
	for _, f := range []struct{ name, has, want string }{{"origin", c.Origin, origin}, {"chain", c.Chain, chain}, {"nonce", c.Nonce, nonce}} {
		if f.has != f.want {
			return "", fmt.Errorf("%w: its %s is %.80q, not %.80q", ErrBadProof, f.name, f.has, f.want)
		}
	}
	if err := c.check(now); err != nil {
		return "", err
	}
	pub, err := ParsePubKey(p.PubKey)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadProof, err)
	}
	s, err := NewAbsentSigner(pub)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadProof, err)
	}
	if s.Held() == Multisig {
		return "", fmt.Errorf("%w: an account of several keys can't sign one", ErrBadProof)
	}
	if s.Address() != p.Signer {
		return "", fmt.Errorf("%w: its key is that of %s, it says %.80q", ErrBadProof, s.Address(), p.Signer)
	}
	doc, err := proofBytes(p.Signer, p.Data)
	if err != nil {
		return "", err
	}
	if !pub.VerifySignature(doc, p.Signature) {
		return "", fmt.Errorf("%w: the signature is not of this claim", ErrBadProof)
	}
	return s.Address(), nil
}
