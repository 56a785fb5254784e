package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/server"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/node"
)

// watch has a node that starts complete the index that a killed one left behind, and end
// where CometBFT can't go on.
func (h *halt) watch(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) (err error) {
		defer func() {
			// CometBFT panics with a text where blocks and state don't fit together.
			switch r := recover().(type) {
			case nil:
			case string:
				err = fmt.Errorf("%w: %s", node.ErrDamaged, r)
			default:
				panic(r)
			}
		}()
		ctx := server.GetServerContextFromCmd(cmd)
		missing, err := node.CompleteIndex(nodeHome(cmd))
		if err != nil {
			return err
		}
		if missing > 0 {
			ctx.Logger.Info("the last process was killed: its transactions that were missing in the index are in it now", "count", missing)
		}
		ctx.Logger = node.Watch(ctx.Logger, h.end)
		return run(cmd, args)
	}
}

// told has the command that runs a node say what its end means.
func told(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error { return damaged(nodeHome(cmd), run(cmd, args)) }
}

// damaged gives errors of a node whose data can't be trusted their codes, and what to do.
func damaged(home string, err error) error {
	const again = "don't start it again as it is: `lode node doctor --data --home %s` says what is damaged, and how to begin anew"
	switch {
	case err == nil || errors.Is(err, app.ErrUpgradeNeeded) || errors.Is(err, app.ErrTooNew):
		return err // of another release, whatever it could not read
	case errors.Is(err, node.ErrDiffers):
		return fail("state_differs", fmt.Sprintf(again+". Or this is not the chain's version of lode", home), "this node has stopped: %w", err)
	case errors.Is(err, node.ErrDamaged), unreadable(err):
		return fail("data_damaged", fmt.Sprintf(again, home), "this node has stopped: %w", err)
	case errors.Is(err, node.ErrConsensus):
		return fail("consensus_stopped", "the log has the stack; "+fmt.Sprintf("`lode node doctor --data --home %s` says whether data is damaged", home), "this node has stopped: %w", err)
	}
	return err
}

// unreadable tells whether an error is of a library that can't read what it has written.
func unreadable(err error) bool {
	for _, words := range []string{"corrupt", "from proto error", "unmarshal", "the state can't be loaded", "can't get node", "missing for key", "error during handshake"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}
