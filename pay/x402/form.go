package x402

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
)

// Form is a payment by voucher on terms that were accepted, written but for its voucher
// and its identifier: who pays on the same terms again and again writes the rest once.
type Form struct {
	head, middle, tail []byte
	declares, declared int // where in middle the extension with the identifier begins, and in tail ends
}

// NewForm writes what [Encode] would of a [Payment] with these fields, and with
// [Extensions.WithIdentifier] of the extensions.
func NewForm(resource *Resource, accepted Requirements, e Extensions) (*Form, error) {
	head, err := marshal(struct {
		X402Version int          `json:"x402Version"`
		Resource    *Resource    `json:"resource,omitempty"`
		Accepted    Requirements `json:"accepted"`
	}{Version, resource, accepted})
	if err != nil {
		return nil, err
	}
	v, err := e.identifier()
	if err != nil {
		return nil, err
	}
	f := &Form{head: append(head[:len(head)-1], beforeVoucher...)}
	write := func(to *[]byte, v any) {
		var raw []byte
		if raw, err = marshal(v); err == nil {
			*to = append(*to, raw...)
		}
	}
	f.middle = []byte(`"}},"extensions":{`)
	at, first := &f.middle, true
	all := maps.Clone(e)
	if all == nil {
		all = Extensions{}
	}
	all[ExtensionIdentifier] = json.RawMessage("{}")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !first {
			*at = append(*at, ',')
		}
		first = false
		write(at, name)
		*at = append(*at, ':')
		if name != ExtensionIdentifier {
			write(at, all[name])
		} else {
			f.declares = len(*at)
			*at = append(*at, `{"info":{"required":`...)
			write(at, v.Info.Required)
			*at = append(*at, `,"id":"`...)
			at = &f.tail
			*at = append(*at, `"}`...)
			if len(v.Schema) > 0 {
				*at = append(*at, `,"schema":`...)
				write(at, v.Schema)
			}
			*at = append(*at, '}')
			f.declared = len(*at)
		}
		if err != nil {
			return nil, err
		}
	}
	f.tail = append(f.tail, "}}"...)
	return f, nil
}

// Encode is the header with a voucher and an identifier, which are of the form that
// [DecodePayment] wants.
func (f *Form) Encode(v Voucher, id string) string {
	return base64.StdEncoding.EncodeToString(f.write(v, id))
}

// What stands between the fields of a voucher.
const (
	beforeAmount    = `","maxClaimableAmount":"`
	beforeSignature = `","signature":"`
)

func (f *Form) write(v Voucher, id string) []byte {
	raw := make([]byte, 0, len(f.head)+len(f.middle)+len(f.tail)+len(id)+320)
	raw = append(raw, f.head...)
	raw = append(raw, v.ChannelID...)
	raw = append(raw, beforeAmount...)
	raw = append(raw, v.MaxClaimableAmount...)
	raw = append(raw, beforeSignature...)
	raw = append(raw, v.Signature...)
	raw = append(raw, f.middle...)
	raw = append(raw, id...)
	return append(raw, f.tail...)
}
