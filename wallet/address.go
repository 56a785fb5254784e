package wallet

import (
	"fmt"
	"strings"

	"github.com/cosmos/btcutil/bech32"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkbech32 "github.com/cosmos/cosmos-sdk/types/bech32"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// maxAddress is the most characters of an address that BIP 173 allows.
const maxAddress = 90

// CheckAddress refuses what is no address of this network, with [ErrBadAddress].
func CheckAddress(s string) error {
	_, err := parseAddress(s)
	return err
}

// IsAddress says that s is meant as an address, of this network or of another, right or
// wrong.
func IsAddress(s string) bool {
	if strings.HasPrefix(strings.ToLower(s), alphatypes.Bech32Prefix+"1") {
		return true
	}
	_, _, err := bech32.Decode(s, maxAddress)
	return err == nil
}

// parseAddress reads an address of this network. It does not say by which characters one
// with a wrong checksum would have a right one, as the decoder does: who puts those in
// pays somebody else, or nobody.
func parseAddress(s string) (sdk.AccAddress, error) {
	if len(s) > maxAddress {
		return nil, fmt.Errorf("%w: %q… is no address: it has %d characters, at most %d can be", ErrBadAddress, s[:maxAddress], len(s), maxAddress)
	}
	prefix, raw, err := sdkbech32.DecodeAndConvert(s)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %q is no address: a character is wrong, missing or too many", ErrBadAddress, s)
	case prefix != alphatypes.Bech32Prefix:
		return nil, fmt.Errorf("%w: %q is an address of another network, or of another kind: accounts here begin with %s1", ErrBadAddress, s, alphatypes.Bech32Prefix)
	case len(raw) != 20 && len(raw) != 32:
		return nil, fmt.Errorf("%w: %q is no address: it holds %d bytes, not 20 or 32", ErrBadAddress, s, len(raw))
	case s != strings.ToLower(s):
		// It would be another text for an address that is known.
		return nil, fmt.Errorf("%w: %q is in capitals: write %s", ErrBadAddress, s, strings.ToLower(s))
	}
	return raw, nil
}
