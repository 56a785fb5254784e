package wallet

import (
	"fmt"
	"strings"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// maxName is the most characters of a key's name.
const maxName = 64

// checkName refuses names that would not be file names everywhere, or that could be
// taken for an address.
func checkName(name string) error {
	if len(name) == 0 || len(name) > maxName {
		return fmt.Errorf("%w: %q has %d characters, must have 1 to %d", ErrBadName, name, len(name), maxName)
	}
	for i, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		case i > 0 && (r == '-' || r == '_' || r == '.'):
		default:
			return fmt.Errorf("%w: %q has %q at place %d; use letters and digits, after the first place also . _ and -", ErrBadName, name, r, i+1)
		}
	}
	if strings.HasPrefix(strings.ToLower(name), alphatypes.Bech32Prefix+"1") {
		return fmt.Errorf("%w: %q looks like an address", ErrBadName, name)
	}
	return nil
}
