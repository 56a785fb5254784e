package types

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	sdk "github.com/cosmos/cosmos-sdk/types"

	_ "github.com/lodenet/lode/x/alpha/types" // sets the prefix that addresses are read with
)

// Limits of texts, in bytes.
const (
	MaxName        = 64
	MaxDescription = 1_024
	MaxURL         = 256
	MaxParameters  = 8 << 10
	MaxProtocol    = 64
	MaxVersion     = 32
)

var (
	_ sdk.HasValidateBasic = (*MsgCreateSubnet)(nil)
	_ sdk.HasValidateBasic = (*MsgUpdateSubnet)(nil)
	_ sdk.HasValidateBasic = (*MsgSetHyperparameter)(nil)
	_ sdk.HasValidateBasic = (*MsgServe)(nil)
)

// ValidateBasic checks the identity's form.
func (m *MsgCreateSubnet) ValidateBasic() error {
	return ValidateIdentity(m.Name, m.Description, m.Url, m.Parameters)
}

// ValidateBasic checks the identity's form.
func (m *MsgUpdateSubnet) ValidateBasic() error {
	return ValidateIdentity(m.Name, m.Description, m.Url, m.Parameters)
}

// ValidateBasic checks the name and what no profile allows.
func (m *MsgSetHyperparameter) ValidateBasic() error {
	var h Hyperparameters
	return h.Set(m.Name, m.Value)
}

// ValidateBasic checks the endpoints and texts.
func (m *MsgServe) ValidateBasic() error {
	if err := line("protocol", m.Protocol, 1, MaxProtocol); err != nil {
		return err
	}
	if err := line("protocol_version", m.ProtocolVersion, 0, MaxVersion); err != nil {
		return err
	}
	hotkey, err := sdk.AccAddressFromBech32(m.Hotkey)
	if err != nil {
		return ErrInvalidEndpoint.Wrapf("hotkey %q is no address: %s", cut(m.Hotkey), err)
	}
	return ValidateEndpoints(hotkey, m.Endpoints)
}

// ValidateIdentity checks what a subnet says of itself. parameters is a JSON
// object, or nothing, which stands for {}.
func ValidateIdentity(name, description, link, parameters string) error {
	if err := line("name", name, 1, MaxName); err != nil {
		return err
	}
	if err := text("description", description, 0, MaxDescription); err != nil {
		return err
	}
	if err := line("url", link, 0, MaxURL); err != nil {
		return err
	}
	if link != "" && !isURL(link) {
		return ErrInvalidText.Wrapf("url %q: must be of the form https://host/path, in ASCII", link)
	}
	if err := text("parameters", parameters, 0, MaxParameters); err != nil {
		return err
	}
	if parameters == "" {
		return nil
	}
	if !json.Valid([]byte(parameters)) || bytes.TrimLeft([]byte(parameters), " \t\r\n")[0] != '{' {
		return ErrInvalidText.Wrapf("parameters %q: must be a JSON object such as {\"target\": 98}", cut(parameters))
	}
	return nil
}

// isURL asks for a web address that is safe to show. net/url would do more, but
// what it accepts changes with Go's version, and nodes must agree.
func isURL(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(s, "http://")
	}
	host, _, _ := strings.Cut(rest, "/")
	return ok && host != "" && !strings.ContainsFunc(host, func(r rune) bool { return strings.ContainsRune("?#@\\", r) }) &&
		!strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>`", r) })
}

// line is a text without line breaks, without space around it.
func line(field, s string, min, max int) error {
	if err := text(field, s, min, max); err != nil {
		return err
	}
	for i, r := range s {
		if r == '\n' || r == '\r' || r == '\t' || unicode.IsSpace(r) && (i == 0 || i+utf8.RuneLen(r) == len(s)) {
			return ErrInvalidText.Wrapf("%s %q: must be one line, without space at its ends", field, s)
		}
	}
	return nil
}

// text is UTF-8 without control characters, bounded in bytes.
func text(field, s string, min, max int) error {
	if len(s) < min || len(s) > max {
		return ErrInvalidText.Wrapf("%s has %d bytes, must have %d to %d", field, len(s), min, max)
	}
	if !utf8.ValidString(s) {
		return ErrInvalidText.Wrapf("%s is not UTF-8", field)
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return ErrInvalidText.Wrapf("%s has the control character %U: leave it out", field, r)
		}
	}
	return nil
}

// cut is a text of a stranger's, short enough for an error.
func cut(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
