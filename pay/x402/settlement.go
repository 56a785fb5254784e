package x402

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// AppendJSON appends a settlement as JSON: every answer carries one.
func (s *Settlement) AppendJSON(b []byte) ([]byte, error) {
	if len(s.Extensions) > 0 {
		raw, err := marshal(s)
		return append(b, raw...), err
	}
	some := func(name, v string) {
		if v != "" {
			b = appendField(b, name, v)
		}
	}
	b = append(b, `{"success":`...)
	b = strconv.AppendBool(b, s.Success)
	some("errorReason", s.ErrorReason)
	some("errorMessage", s.ErrorMessage)
	some("payer", s.Payer)
	b = appendField(b, "transaction", s.Transaction)
	b = appendField(b, "network", s.Network)
	b = appendField(b, "amount", s.Amount)
	b = append(b, `,"extra":{`...)
	some("commitmentId", s.Extra.CommitmentID)
	some("chargedAmount", s.Extra.ChargedAmount)
	if c := s.Extra.ChannelState; c != nil {
		b = appendName(b, "channelState")
		b = append(b, '{')
		b = appendField(b, "channelId", c.ChannelID)
		b = appendField(b, "balance", c.Balance)
		b = appendField(b, "totalClaimed", c.TotalClaimed)
		b = strconv.AppendInt(appendName(b, "withdrawRequestedAt"), c.WithdrawRequestedAt, 10)
		b = appendField(b, "chargedCumulativeAmount", c.ChargedCumulativeAmount)
		b = append(b, '}')
	}
	return append(b, "}}"...), nil
}

// Encode is the header PAYMENT-RESPONSE.
func (s *Settlement) Encode() (string, error) {
	raw, err := s.AppendJSON(make([]byte, 0, 768))
	return base64.StdEncoding.EncodeToString(raw), err
}

// appendName begins a field of an object whose first brace is written.
func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = append(b, name...)
	return append(b, `":`...)
}

func appendField(b []byte, name, v string) []byte {
	b = appendName(b, name)
	for i := range len(v) {
		if c := v[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			raw, _ := marshal(v) // a string can always be written
			return append(b, raw...)
		}
	}
	b = append(b, '"')
	b = append(b, v...)
	return append(b, '"')
}

// scanSettlement reads a settlement as [Settlement.AppendJSON] writes it, where no text in it
// has anything escaped. Of others it reports false.
func scanSettlement(data string) (Settlement, bool) {
	x := scan{rest: data}
	var s Settlement
	x.begin("success")
	switch {
	case x.literal("true"):
		s.Success = true
	case !x.literal("false"):
		return s, false
	}
	s.ErrorReason = x.some("errorReason")
	s.ErrorMessage = x.some("errorMessage")
	s.Payer = x.some("payer")
	s.Transaction = x.field("transaction")
	s.Network = x.field("network")
	s.Amount = x.field("amount")
	if x.bad = x.bad || !x.literal(`,"extra":{`); x.bad {
		return s, false
	}
	x.first = true
	s.Extra.CommitmentID = x.some("commitmentId")
	s.Extra.ChargedAmount = x.some("chargedAmount")
	if x.name("channelState") {
		c := &ChannelState{}
		s.Extra.ChannelState = c
		x.bad = x.bad || !x.literal("{")
		x.first = true
		c.ChannelID = x.field("channelId")
		c.Balance = x.field("balance")
		c.TotalClaimed = x.field("totalClaimed")
		c.WithdrawRequestedAt = x.number("withdrawRequestedAt")
		c.ChargedCumulativeAmount = x.field("chargedCumulativeAmount")
		x.bad = x.bad || !x.literal("}")
	}
	return s, !x.bad && x.rest == "}}"
}

// scan reads JSON whose form is known.
type scan struct {
	rest  string
	first bool // in its object
	bad   bool
}

func (x *scan) begin(name string) { x.bad = !x.literal(`{"` + name + `":`) }

func (x *scan) literal(s string) bool {
	rest, ok := strings.CutPrefix(x.rest, s)
	x.rest = rest
	return ok
}

// name reads a field's name, if that is the next.
func (x *scan) name(name string) bool {
	rest := x.rest
	if !x.first {
		if rest == "" || rest[0] != ',' {
			return false
		}
		rest = rest[1:]
	}
	if len(rest) < len(name)+3 || rest[0] != '"' || rest[1:1+len(name)] != name || rest[1+len(name):len(name)+3] != `":` {
		return false
	}
	x.rest, x.first = rest[len(name)+3:], false
	return true
}

// field reads a field's text.
func (x *scan) field(name string) string {
	if x.bad = x.bad || !x.name(name); x.bad {
		return ""
	}
	return x.text()
}

// some reads a field that may be left out; it never is empty.
func (x *scan) some(name string) string {
	if x.bad || !x.name(name) {
		return ""
	}
	return x.text()
}

func (x *scan) text() string {
	if x.bad = !x.literal(`"`); x.bad {
		return ""
	}
	for i := range len(x.rest) {
		switch c := x.rest[i]; {
		case c == '"':
			s := x.rest[:i]
			x.rest = x.rest[i+1:]
			return s
		case c < ' ' || c >= 0x7f || c == '\\':
			x.bad = true
			return ""
		}
	}
	x.bad = true
	return ""
}

// number reads a field that is a number from 0 on.
func (x *scan) number(name string) int64 {
	if x.bad = x.bad || !x.name(name); x.bad {
		return 0
	}
	end := 0
	for end < len(x.rest) && x.rest[end] >= '0' && x.rest[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(x.rest[:end], 10, 64)
	if err != nil || end > 1 && x.rest[0] == '0' {
		x.bad = true
	}
	x.rest = x.rest[end:]
	return n
}
