package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cast"
	"github.com/spf13/cobra"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"

	"github.com/lodenet/lode/app"
)

// halt ends a server command whose chain can't go on. CometBFT itself logs why and
// stands still, or takes the whole process down with a stack where it was catching up:
// neither tells an operator, or what supervises the process, what to do.
type halt struct {
	ctx  context.Context // ends when the command is to end
	once sync.Once
	why  chan error
}

func newHalt() *halt { return &halt{why: make(chan error, 1)} }

// starting makes the application that makes blocks; one that is not the chain's is
// refused before anything runs, except to answer queries about the past.
func (h *halt) starting(logger log.Logger, db dbm.DB, opts servertypes.AppOptions) servertypes.Application {
	a := app.New(logger, db, opts, server.DefaultBaseappOptions(opts)...)
	if !cast.ToBool(opts.Get("grpc-only")) {
		if err := a.CheckRelease(); err != nil {
			panic(errors.Join(err, a.Close()))
		}
	}
	return halting{a, h}
}

// opened is the application for commands that work on a node's data: a release that has
// not the chain's last upgrade would damage it.
func opened(logger log.Logger, db dbm.DB, opts servertypes.AppOptions) servertypes.Application {
	a := app.New(logger, db, opts, server.DefaultBaseappOptions(opts)...)
	if err := a.CheckDone(); err != nil {
		panic(errors.Join(err, a.Close()))
	}
	return a
}

// halting is an application of which a block's failure is known.
type halting struct {
	*app.App
	halt *halt
}

func (a halting) FinalizeBlock(req *abci.RequestFinalizeBlock) (res *abci.ResponseFinalizeBlock, err error) {
	defer a.halt.failed(&err, "the chain has stopped at block %d", req.Height)
	return a.App.FinalizeBlock(req)
}

// Commit writes a block's state, and panics where the database can't be read.
func (a halting) Commit() (res *abci.ResponseCommit, err error) {
	defer a.halt.failed(&err, "the state can't be written")
	return a.App.Commit()
}

// failed, deferred, has the command end where a call of the application panicked or
// gave an error.
func (h *halt) failed(err *error, what string, args ...any) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("panic: %v", r)
	}
	if *err != nil && h.ctx.Err() == nil { // else it was only cut off
		h.end(fmt.Errorf(what+": %w", append(args, *err)...))
		select {} // the process is about to end: nothing may follow from this
	}
}

// end has the command end.
func (h *halt) end(why error) { h.once.Do(func() { h.why <- why }) }

// wrap has a command end with the reason why its chain stopped, or why the application
// could not be made: the SDK's server takes no error from there, only a panic.
func (h *halt) wrap(cmd *cobra.Command) {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		h.ctx = cmd.Context()
		ended := make(chan error, 1)
		go func() {
			defer func() {
				switch r := recover().(type) {
				case nil:
				case runtime.Error:
					panic(r) // a bug, with its stack
				case error:
					ended <- r
				default:
					panic(r)
				}
			}()
			ended <- run(cmd, args)
		}()
		select {
		case err := <-h.why:
			return err
		case err := <-ended:
			select {
			case err = <-h.why: // the cause of what ended it
			default:
			}
			return err
		}
	}
}
