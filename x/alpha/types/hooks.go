package types

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Hooks are what a module above does that keeps something under coldkeys; app wires them.
type Hooks interface {
	// MoveColdkey moves at most so many records of a coldkey's to the one that it is
	// swapped for, and returns how many: fewer than most means that nothing is left.
	// From the first call on until then the old coldkey is locked.
	MoveColdkey(ctx context.Context, from, to sdk.AccAddress, most int) (moved int, err error)
}
