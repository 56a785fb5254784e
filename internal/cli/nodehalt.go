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
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
		if err != nil && a.halt.ctx.Err() == nil { // else it was only cut off
			a.halt.once.Do(func() { a.halt.why <- fmt.Errorf("the chain has stopped at block %d: %w", req.Height, err) })
			select {} // the process is about to end: nothing may follow from this block
		}
	}()
	return a.App.FinalizeBlock(req)
}

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
			return damaged(nodeHome(cmd), err)
		case err := <-ended:
			return damaged(nodeHome(cmd), err)
		}
	}
}
