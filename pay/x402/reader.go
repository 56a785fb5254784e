package x402

import (
	"bytes"
	"encoding/json"
	"maps"
	"sync"
)

// Reader reads payments as [DecodePayment] does. Who pays on the same terms again and
// again sends the same each time but for voucher and identifier: a reader that has seen one
// such payment reads no more than these of the next. It is safe for concurrent use; the zero
// value is ready. What payments point to is shared by all of the same form: nobody changes
// it.
type Reader struct {
	mu    sync.RWMutex
	known map[string]*knownForm // by all that stands before the voucher
}

type knownForm struct {
	form    *Form
	payment Payment // one of it
}

// maxKnown bounds how many forms are kept, each of a header's size at most.
const maxKnown = 256

// beforeVoucher is what stands before a voucher in a [Form].
const beforeVoucher = `,"payload":{"type":"` + TypeVoucher + `","voucher":{"channelId":"`

// DecodePayment reads the header PAYMENT-SIGNATURE.
func (r *Reader) DecodePayment(header string) (Payment, error) {
	raw, err := unwrap(header)
	if err != nil {
		return Payment{}, err
	}
	if p, ok := r.again(raw); ok {
		return p, nil
	}
	var p Payment
	if err := unmarshal(raw, &p); err != nil {
		return Payment{}, err
	}
	if err := p.check(); err != nil {
		return p, err
	}
	r.learn(raw, p)
	return p, nil
}

// again reads a payment of a form that is known.
func (r *Reader) again(raw []byte) (Payment, bool) {
	at := bytes.Index(raw, []byte(beforeVoucher))
	if at < 0 {
		return Payment{}, false
	}
	r.mu.RLock()
	k := r.known[string(raw[:at+len(beforeVoucher)])]
	r.mu.RUnlock()
	if k == nil {
		return Payment{}, false
	}
	v, id, ok := k.form.read(raw)
	if !ok {
		return Payment{}, false
	}
	p := k.payment
	p.Payload.Voucher, p.identifier = v, id
	var err error
	if p.voucher, err = v.Parse(); err != nil {
		return Payment{}, false // whose error is told by who reads all
	}
	p.Extensions = maps.Clone(p.Extensions)
	p.Extensions[ExtensionIdentifier] = k.form.extension(id)
	return p, true
}

// learn remembers a payment's form, if it is one: if the form writes the payment to the
// last byte.
func (r *Reader) learn(raw []byte, p Payment) {
	if p.identifier == "" || p.Payload.Type != TypeVoucher || p.Payload.Deposit != nil || p.Payload.Stream != "" || !bytes.Contains(raw, []byte(beforeVoucher)) {
		return
	}
	form, err := NewForm(p.Resource, p.Accepted, p.Extensions)
	if err != nil || !bytes.Equal(form.write(p.Payload.Voucher, p.identifier), raw) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || len(r.known) >= maxKnown {
		r.known = map[string]*knownForm{}
	}
	r.known[string(form.head)] = &knownForm{form, p}
}

// read takes voucher and identifier out of a payment whose head is the form's. It reports
// false where the rest is not the form's.
func (f *Form) read(raw []byte) (v Voucher, id string, ok bool) {
	rest := raw[len(f.head):]
	// A field ends with a quote: what is escaped is of no good form anyway.
	field := func(next []byte) (s string) {
		end := bytes.IndexByte(rest, '"')
		if end < 0 || !bytes.HasPrefix(rest[end:], next) {
			ok = false
			return ""
		}
		s, rest = string(rest[:end]), rest[end+len(next):]
		return s
	}
	ok = true
	v.ChannelID = field([]byte(beforeAmount))
	v.MaxClaimableAmount = field([]byte(beforeSignature))
	v.Signature = field(f.middle)
	id = field(f.tail)
	return v, id, ok && len(rest) == 0 && validIdentifier(id)
}

// extension is the one that has the identifier.
func (f *Form) extension(id string) json.RawMessage {
	b := append([]byte(nil), f.middle[f.declares:]...)
	b = append(b, id...)
	return append(b, f.tail[:f.declared]...)
}
