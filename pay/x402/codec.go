package x402

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxHeader is how many bytes an encoded header may have. Servers and proxies on the
// way allow 8 KiB for all headers or more.
const MaxHeader = 16 << 10

// MaxBody bounds the JSON bodies of facilitator routes.
const MaxBody = 64 << 10

// maxAccepts bounds the terms that one answer may offer.
const maxAccepts = 64

// ErrMalformed is wrapped by every error about what can't be read. A gateway answers
// it with 400.
var ErrMalformed = errors.New("malformed payment")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// Encode is the header's form of a value: base64 of JSON.
func Encode(v any) (string, error) {
	b, err := marshal(v)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b), nil
}

// marshal writes JSON as JavaScript does: <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func decode(header string, v any) error {
	raw, err := unwrap(header)
	if err != nil {
		return err
	}
	return unmarshal(raw, v)
}

// unwrap is what a header carries.
func unwrap(header string) ([]byte, error) {
	if len(header) > MaxHeader {
		return nil, malformed("the header has %d bytes, at most %d are read", len(header), MaxHeader)
	}
	if strings.ContainsAny(header, "\r\n") { // which encoding/base64 would skip
		return nil, malformed("the header is not base64")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(header)
	if err != nil {
		return nil, malformed("the header is not base64 (%v)", err)
	}
	return raw, nil
}

// unmarshal reads one JSON value and nothing behind it.
func unmarshal(raw []byte, v any) error {
	if !utf8.Valid(raw) {
		return malformed("not UTF-8")
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return malformed("%v", err)
	}
	return nil
}

// DecodeRequired reads the header PAYMENT-REQUIRED. Terms of schemes and networks that
// are not ours are read as they are.
func DecodeRequired(header string) (Required, error) {
	var r Required
	if err := decode(header, &r); err != nil {
		return Required{}, err
	}
	switch {
	case r.X402Version != Version:
		return Required{}, malformed("version %d of x402, this is version %d", r.X402Version, Version)
	case len(r.Accepts) > maxAccepts:
		return Required{}, malformed("%d offers, at most %d are read", len(r.Accepts), maxAccepts)
	}
	return r, nil
}

// DecodePayment reads the header PAYMENT-SIGNATURE: a payment whose voucher has the
// right form. Whether it is good is not looked at.
func DecodePayment(header string) (Payment, error) {
	var p Payment
	if err := decode(header, &p); err != nil {
		return Payment{}, err
	}
	err := p.check()
	return p, err
}

// check looks at a payment's form, and keeps what it reads.
func (p *Payment) check() error {
	if p.X402Version != Version {
		return malformed("version %d of x402, this is version %d", p.X402Version, Version)
	}
	if p.Accepted.Scheme != Scheme {
		return nil // the payload is of another form, and refused for its scheme
	}
	switch p.Payload.Type {
	case TypeVoucher, TypeDeposit, TypeRefund:
	default:
		return malformed("payload type %.40q, it is voucher, deposit or refund", p.Payload.Type)
	}
	var err error
	if p.voucher, err = p.Payload.Voucher.Parse(); err != nil {
		return err
	}
	if d := p.Payload.Deposit; d != nil {
		if _, err := ParseAmount(d.Amount); err != nil {
			return err
		}
		if len(d.Transaction) > 128 {
			return malformed("a transaction's hash of %d characters", len(d.Transaction))
		}
	}
	if p.Payload.Stream != "" && !validIdentifier(p.Payload.Stream) {
		return malformed("stream %.40q is no payment-identifier", p.Payload.Stream)
	}
	p.identifier, err = p.Extensions.Identifier()
	return err
}

// Read is the voucher and the payment-identifier, empty if there is none, of a payment
// that was read. Payments of another scheme have neither.
func (p *Payment) Read() (Parsed, string) { return p.voucher, p.identifier }

// DecodeSettlement reads the header PAYMENT-RESPONSE.
func DecodeSettlement(header string) (Settlement, error) {
	raw, err := unwrap(header)
	if err != nil {
		return Settlement{}, err
	}
	return readSettlement(raw)
}

// ParseSettlement reads a settlement that is JSON, as the event payment-response
// carries it.
func ParseSettlement(data []byte) (Settlement, error) {
	if len(data) > MaxHeader {
		return Settlement{}, malformed("a settlement of %d bytes", len(data))
	}
	return readSettlement(data)
}

func readSettlement(raw []byte) (Settlement, error) {
	s, ok := scanSettlement(string(raw))
	if !ok {
		s = Settlement{}
		if err := unmarshal(raw, &s); err != nil {
			return Settlement{}, err
		}
	}
	return s, s.check()
}

func (s *Settlement) check() error {
	if a := s.Extra.ChargedAmount; a != "" {
		if _, err := ParseAmount(a); err != nil {
			return err
		}
	}
	return s.Extra.ChannelState.check()
}

func (s *ChannelState) check() error {
	if s == nil {
		return nil
	}
	if _, err := parseHex(s.ChannelID, 32, "channel id"); err != nil {
		return err
	}
	for _, a := range []string{s.Balance, s.TotalClaimed, s.ChargedCumulativeAmount} {
		if _, err := ParseAmount(a); err != nil {
			return err
		}
	}
	return nil
}

// ParseNeedVoucher reads the data of the event payment-need-voucher.
func ParseNeedVoucher(data []byte) (NeedVoucher, error) {
	var n NeedVoucher
	if len(data) > MaxHeader {
		return n, malformed("an event of %d bytes", len(data))
	}
	if err := unmarshal(data, &n); err != nil {
		return NeedVoucher{}, err
	}
	if _, err := parseHex(n.ChannelID, 32, "channel id"); err != nil {
		return NeedVoucher{}, err
	}
	if n.Additional == "" {
		n.Additional = "0"
	}
	for _, a := range []string{n.RequiredCumulative, n.AcceptedCumulative, n.Additional, n.Deposit} {
		if _, err := ParseAmount(a); err != nil {
			return NeedVoucher{}, err
		}
	}
	return n, nil
}

// ParseVerifyRequest reads the body of a facilitator's /verify and /settle.
func ParseVerifyRequest(body io.Reader) (VerifyRequest, error) {
	raw, err := io.ReadAll(io.LimitReader(body, MaxBody+1))
	if err != nil {
		return VerifyRequest{}, malformed("%v", err)
	}
	if len(raw) > MaxBody {
		return VerifyRequest{}, malformed("a body above %d bytes", MaxBody)
	}
	var v VerifyRequest
	if err := unmarshal(raw, &v); err != nil {
		return VerifyRequest{}, err
	}
	err = v.PaymentPayload.check()
	return v, err
}

// Parsed is a voucher's content.
type Parsed struct {
	ChannelID  []byte
	Cumulative uint64
	Signature  []byte
}

// Parse reads a voucher's fields.
func (v Voucher) Parse() (Parsed, error) {
	id, err := parseHex(v.ChannelID, 32, "channel id")
	if err != nil {
		return Parsed{}, err
	}
	sum, err := ParseAmount(v.MaxClaimableAmount)
	if err != nil {
		return Parsed{}, err
	}
	signature, err := parseHex(v.Signature, 64, "signature")
	return Parsed{id, sum, signature}, err
}

// Terms reads the scheme's extra fields. Requirements of another scheme have none.
func (r Requirements) Terms() (Terms, error) {
	var t Terms
	if r.Scheme != Scheme {
		return t, malformed("terms of scheme %.40q, this is %s", r.Scheme, Scheme)
	}
	if err := unmarshal(r.Extra, &t); err != nil {
		return Terms{}, err
	}
	for _, a := range []string{t.ServiceID, t.Price, t.Per} {
		if _, err := ParseAmount(a); err != nil {
			return Terms{}, err
		}
	}
	for _, a := range []string{t.MinDeposit, t.PlanID, t.PlanPrice, t.PlanQuota} {
		if a == "" {
			continue
		}
		if _, err := ParseAmount(a); err != nil {
			return Terms{}, err
		}
	}
	if v := t.VoucherState; v != nil {
		if _, err := ParseAmount(v.SignedMaxClaimable); err != nil {
			return Terms{}, err
		}
		if _, err := parseHex(v.Signature, 64, "signature"); err != nil {
			return Terms{}, err
		}
	}
	return t, t.ChannelState.check()
}

// WithTerms puts the scheme's extra fields into requirements.
func (r Requirements) WithTerms(t Terms) (Requirements, error) {
	extra, err := marshal(t)
	r.Extra = extra
	return r, err
}

// Amount writes a number of rao or units.
func Amount(n uint64) string { return strconv.FormatUint(n, 10) }

// ParseAmount reads one: decimal digits without sign, point or leading zeros.
func ParseAmount(s string) (uint64, error) {
	if s == "" || len(s) > 20 || len(s) > 1 && s[0] == '0' {
		return 0, malformed("amount %.40q is not a decimal number", s)
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, malformed("amount %.40q is not a decimal number", s)
		}
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, malformed("amount %s is above 2^64", s)
	}
	return n, nil
}

func parseHex(s string, size int, what string) ([]byte, error) {
	if len(s) != 2*size {
		return nil, malformed("%s of %d characters, it has %d hexadecimal digits", what, len(s), 2*size)
	}
	b, err := hex.DecodeString(s)
	if err != nil || hex.EncodeToString(b) != s {
		return nil, malformed("%s is not lower-case hexadecimal", what)
	}
	return b, nil
}
