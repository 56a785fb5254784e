package node

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"
)

func TestWhatCometBFTSaysWhenItCantGoOn(t *testing.T) {
	const wrong = "wrong Block.Header.AppHash.  Expected 62, got 02"
	for _, c := range []struct {
		says string
		err  any
		want error
	}{
		{"CONSENSUS FAILURE!!!", errors.New("+2/3 committed an invalid block: " + wrong), ErrDiffers},
		{"CONSENSUS FAILURE!!!", "failed to write batch, leveldb/table: corruption on data-block", ErrDamaged},
		{"CONSENSUS FAILURE!!!", "failed to apply block; error", ErrConsensus},
		{"Error in validation", errors.New(wrong), ErrDiffers},
		{"Error in validation", errors.New("wrong signature (#0)"), nil}, // a peer's fault
		{"Stopping peer for error", errors.New("reactor validation error: " + wrong), nil},
	} {
		var got error
		l := Watch(log.NewNopLogger(), func(err error) { got = err }).With("module", "consensus")
		l.Error(c.says, "height", 7, "err", c.err)
		if c.want == nil {
			require.NoError(t, got, "%s: %v", c.says, c.err)
			continue
		}
		require.ErrorIs(t, got, c.want, c.says)
		require.ErrorContains(t, got, fmt.Sprint(c.err))
	}
}
