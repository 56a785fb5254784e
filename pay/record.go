package pay

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"
)

// appender is a record that writes its JSON by itself, as encoding/json would: those
// that each payment writes do, for they are most of its work.
type appender interface {
	appendJSON(b []byte) ([]byte, error)
}

// object is a JSON object that is being written.
type object []byte

func (o object) name(name string) object {
	if o[len(o)-1] != '{' {
		o = append(o, ',')
	}
	o = append(o, '"')
	o = append(o, name...)
	return append(o, `":`...)
}

func (o object) text(name, v string) object { return appendString(o.name(name), v) }

func (o object) hex(name string, v []byte) object {
	o = append(o.name(name), '"')
	return append(hex.AppendEncode(o, v), '"')
}

func (o object) uint(name string, v uint64) object { return strconv.AppendUint(o.name(name), v, 10) }

func (o object) int(name string, v int64) object { return strconv.AppendInt(o.name(name), v, 10) }

func (o object) time(name string, v time.Time) (object, error) {
	o, err := v.AppendText(append(o.name(name), '"'))
	return append(o, '"'), err
}

// What follows leaves a field out where it has no value.

func (o object) someText(name, v string) object {
	if v == "" {
		return o
	}
	return o.text(name, v)
}

func (o object) someUint(name string, v uint64) object {
	if v == 0 {
		return o
	}
	return o.uint(name, v)
}

func (o object) someInt(name string, v int64) object {
	if v == 0 {
		return o
	}
	return o.int(name, v)
}

func (o object) flag(name string, v bool) object {
	if !v {
		return o
	}
	return append(o.name(name), "true"...)
}

const hexDigits = "0123456789abcdef"

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			raw, _ := json.Marshal(s) // a string can always be written
			return append(b, raw...)
		}
	}
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '<', '>', '&':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

func (r channelRecord) appendJSON(b []byte) ([]byte, error) {
	o := object(append(b, '{')).hex("id", r.ID).text("payer", r.Payer).hex("sessionKey", r.SessionKey).someUint("planId", r.PlanID).int("closeDelay", r.CloseDelay)
	o = o.uint("limit", r.Limit).uint("claimed", r.Claimed).someInt("closingAt", r.ClosingAt).someInt("periodEnd", r.PeriodEnd).int("height", r.Height).int("seen", r.Seen)
	o = o.uint("cumulative", r.Cumulative).hex("signature", r.Signature).uint("charged", r.Charged).someInt("owedSince", r.OwedSince).int("used", r.Used)
	o = o.someUint("claiming", r.Claiming).someText("contested", r.Contested).flag("gone", r.Gone)
	return append(o, '}'), nil
}

func (r reservation) appendJSON(b []byte) ([]byte, error) {
	o := object(append(b, '{')).text("identifier", r.Identifier).text("resource", r.Resource).uint("ceiling", r.Ceiling).uint("charged", r.Charged)
	return append(o.uint("units", r.Units).int("began", r.Began), '}'), nil
}

func (r answerRecord) appendJSON(b []byte) ([]byte, error) {
	o := object(append(b, '{')).flag("pending", r.Pending).hex("hash", r.Hash).text("print", r.Print).int("time", r.Time)
	if r.Settlement != nil {
		var err error
		if o, err = r.Settlement.AppendJSON(o.name("settlement")); err != nil {
			return nil, err
		}
	}
	o = o.flag("kept", r.Kept).someInt("status", int64(r.Status))
	if len(r.Header) > 0 {
		raw, err := json.Marshal(r.Header)
		if err != nil {
			return nil, err
		}
		o = append(o.name("header"), raw...)
	}
	return append(o, '}'), nil
}

func (e Entry) appendJSON(b []byte) ([]byte, error) {
	o, err := object(append(b, '{')).time("time", e.Time)
	o = o.text("kind", string(e.Kind)).text("channel", e.Channel).text("payer", e.Payer).someUint("planId", e.PlanID).uint("amount", e.Amount)
	o = o.someUint("units", e.Units).someText("resource", e.Resource).someText("identifier", e.Identifier).someInt("status", int64(e.Status)).someText("note", e.Note)
	return append(o, '}'), err
}

func (ch clientChannel) appendJSON(b []byte) ([]byte, error) {
	o := object(append(b, '{')).hex("id", ch.ID).text("provider", ch.Provider).uint("serviceId", ch.ServiceID).someUint("planId", ch.PlanID)
	o = o.hex("sessionKey", ch.SessionKey).int("closeDelay", ch.CloseDelay).uint("limit", ch.Limit).uint("signed", ch.Signed).uint("charged", ch.Charged)
	o = o.flag("recovered", ch.Recovered).someText("stopped", ch.Stopped).flag("ended", ch.Ended)
	return append(o, '}'), nil
}

func (p Payment) appendJSON(b []byte) ([]byte, error) {
	o, err := object(append(b, '{')).uint("n", p.N).time("time", p.Time)
	o = o.text("state", string(p.State)).text("kind", p.Kind).someText("method", p.Method).someText("url", p.URL).text("provider", p.Provider)
	o = o.uint("serviceId", p.ServiceID).someUint("planId", p.PlanID).text("channel", p.Channel).someText("identifier", p.Identifier)
	o = o.uint("ceiling", p.Ceiling).uint("charged", p.Charged).someInt("status", int64(p.Status)).someText("note", p.Note)
	return append(o, '}'), err
}

var _ = []appender{channelRecord{}, reservation{}, answerRecord{}, Entry{}, clientChannel{}, Payment{}}
