package onchain

import (
	"context"
	"errors"
	"fmt"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnet"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// mapped wraps an error of the chain in the sentinel that package subnet's callers
// branch on, if there is one.
func mapped(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, subnetstypes.ErrNotRegistered):
		return fmt.Errorf("%w: %w", subnet.ErrNotRegistered, err)
	case errors.Is(err, weightstypes.ErrVersion):
		return fmt.Errorf("%w: %w", subnet.ErrOldVersion, err)
	case errors.Is(err, client.ErrUnavailable), errors.Is(err, client.ErrBehind),
		errors.Is(err, client.ErrTxUnknown), errors.Is(err, client.ErrTxExpired),
		errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", subnet.ErrUnavailable, err)
	}
	return err
}
