package types

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	sdk "github.com/cosmos/cosmos-sdk/types"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// Limits of texts, in bytes.
const (
	MaxName        = 64
	MaxDescription = 1_024
	MaxTerms       = 1_024
	MaxEndpoint    = 256
)

// CheckEndpoint checks where a service answers: an http(s) URL in ASCII, or a multiaddr
// that ends in /p2p/ID with the hotkey's peer ID. net/url would say more of a URL, but
// what it accepts changes with Go's version, and nodes must agree.
func CheckEndpoint(hotkey sdk.AccAddress, endpoint string) error {
	if strings.HasPrefix(endpoint, "/") {
		if err := subnetstypes.ValidateEndpoints(hotkey, []string{endpoint}); err != nil {
			return ErrEndpoint.Wrap(err.Error())
		}
		return nil
	}
	if len(endpoint) > MaxEndpoint {
		return ErrEndpoint.Wrapf("%q has %d bytes, may have %d", cut(endpoint), len(endpoint), MaxEndpoint)
	}
	rest, ok := strings.CutPrefix(endpoint, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(endpoint, "http://")
	}
	host, _, _ := strings.Cut(rest, "/")
	if !ok || host == "" || strings.ContainsAny(host, "?#@\\") ||
		strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>`", r) }) {
		return ErrEndpoint.Wrapf("%q: must be of the form https://host/path, in ASCII, or a multiaddr that ends in /p2p/ID", cut(endpoint))
	}
	return nil
}

// line is a text without line breaks, without space around it.
func line(field, s string, min, max int) error {
	if err := text(field, s, min, max); err != nil {
		return err
	}
	for i, r := range s {
		if r == '\n' || r == '\r' || r == '\t' || unicode.IsSpace(r) && (i == 0 || i+utf8.RuneLen(r) == len(s)) {
			return ErrText.Wrapf("%s %q: must be one line, without space at its ends", field, s)
		}
	}
	return nil
}

// text is UTF-8 without control characters, bounded in bytes.
func text(field, s string, min, max int) error {
	if len(s) < min || len(s) > max {
		return ErrText.Wrapf("%s has %d bytes, must have %d to %d", field, len(s), min, max)
	}
	if !utf8.ValidString(s) {
		return ErrText.Wrapf("%s is not UTF-8", field)
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return ErrText.Wrapf("%s has the control character %U: leave it out", field, r)
		}
	}
	return nil
}

// TAO is an amount of rao in words, for errors.
func TAO(rao uint64) string {
	whole, part := rao/tao, rao%tao
	if part == 0 {
		return fmt.Sprintf("%d TAO", whole)
	}
	return fmt.Sprintf("%d.%s TAO", whole, strings.TrimRight(fmt.Sprintf("%09d", part), "0"))
}

// Date is a time in Unix seconds in words, for errors.
func Date(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

// cut is a text of a stranger's, short enough for an error.
func cut(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
