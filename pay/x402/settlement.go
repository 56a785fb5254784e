package x402

import (
	"encoding/base64"
	"strconv"
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
