package console

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

	_ "github.com/lodenet/lode/x/alpha/types" // sets the prefix of addresses
)

// Sizes of pages.
const (
	defaultLimit = 50
	maxLimit     = 500
	maxCursor    = 512 // bytes
	maxAmount    = 20  // digits of a 64-bit number
)

// ask is a request of the API, with its parameters checked as they are read.
type ask struct {
	*http.Request
	query url.Values
}

// newAsk reads a request's query; each parameter may be there once, and only those that
// the route knows.
func newAsk(r *http.Request, known []string) (*ask, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badValue("", "the query can't be read: %v", err)
	}
	for name, values := range q {
		if !contains(known, name) {
			return nil, badValue("see /v1/openapi.yaml", "there is no parameter %.40q", name)
		}
		if len(values) > 1 {
			return nil, badValue("give it once", "%s is there %d times", name, len(values))
		}
	}
	return &ask{r, q}, nil
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// number reads a whole number from least to most.
func number(what, s string, least, most uint64) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n < least || n > most || s != strconv.FormatUint(n, 10) {
		return 0, badValue("", "%s %.40q is no whole number from %d to %d", what, s, least, most)
	}
	return n, nil
}

// netuid is that of the path.
func (a *ask) netuid() (uint32, error) {
	n, err := number("netuid", a.PathValue("netuid"), 1, 65535)
	return uint32(n), err
}

// address is that of the path.
func (a *ask) address() (string, error) { return checkAddress(a.PathValue("address")) }

func checkAddress(s string) (string, error) {
	if len(s) > 100 {
		return "", badAddress(s)
	}
	raw, err := sdk.AccAddressFromBech32(s)
	if err != nil || raw.String() != s || len(raw) != 20 && len(raw) != 32 {
		return "", badAddress(s)
	}
	return s, nil
}

func badAddress(s string) error {
	return fail(http.StatusBadRequest, "bad_address", "addresses begin with lode1 and are in lower case", "%.100q is no address", s)
}

// limit is how many items a page has.
func (a *ask) limit() (int, error) {
	s := a.query.Get("limit")
	if s == "" {
		return defaultLimit, nil
	}
	n, err := number("limit", s, 1, maxLimit)
	return int(n), err
}

// optional reads a number that may be missing; has says whether it is there.
func (a *ask) optional(name string, least, most uint64) (n uint64, has bool, err error) {
	s := a.query.Get(name)
	if s == "" {
		return 0, false, nil
	}
	n, err = number(name, s, least, most)
	return n, true, err
}

// oneOf reads a parameter that has few values; the first is what it is if it is missing.
func (a *ask) oneOf(name string, values ...string) (string, error) {
	s := a.query.Get(name)
	if s == "" {
		return values[0], nil
	}
	if !contains(values, s) {
		return "", badValue("", "%s %.40q must be one of %s", name, s, strings.Join(values, ", "))
	}
	return s, nil
}

// time reads a time that may be missing; then it is zero.
func (a *ask) time(name string) (time.Time, error) {
	s := a.query.Get(name)
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, badValue("write it as 2026-11-26T14:50:00Z", "%s %.40q is no time", name, s)
	}
	return t.UTC(), nil
}

// after is the cursor; empty: the first page.
func (a *ask) after() (string, error) {
	s := a.query.Get("after")
	if len(s) > maxCursor {
		return "", badCursor()
	}
	return s, nil
}

func badCursor() error {
	return fail(http.StatusBadRequest, "bad_cursor", "take `next` of the page before as it is, or leave it out to begin", "after is no cursor of this list")
}

// The first byte of a cursor says of which list it is: one list's leads nowhere in
// another.
const (
	ofBlocks               = 'b'
	ofTransactions         = 't'
	ofAccountTransactions  = 'T'
	ofRegistrations        = 'r'
	ofAccountRegistrations = 'R'
	ofIncome               = 'i'
	ofCandles              = 'k'
	ofEpochs               = 'e'
	ofValidators           = 'v'
	ofServices             = 'l'
	ofChannels             = 'h'
	ofAllowances           = 'w'
	ofStakes               = 's' // stakes come before claims on removed subnets
	ofClaims               = 'c'
	ofChainValidators      = 'C'
	ofDelegations          = 'd'
	ofProposals            = 'p'
	ofVotes                = 'o'
)

// page reads a list's limit and its cursor, which begins with one of kinds; the key is
// empty on the first page.
func (a *ask) page(kinds ...byte) (limit int, key []byte, err error) {
	if limit, err = a.limit(); err != nil {
		return 0, nil, err
	}
	after, err := a.after()
	if err != nil || after == "" {
		return limit, nil, err
	}
	if key, err = uncursor(after); err != nil {
		return 0, nil, err
	}
	if len(key) == 0 || !slices.Contains(kinds, key[0]) {
		return 0, nil, badCursor()
	}
	return limit, key, nil
}

// cursor makes a cursor of bytes.
func cursor(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// uncursor reads one.
func uncursor(s string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, badCursor()
	}
	return raw, nil
}
