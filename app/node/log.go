package node

import (
	"context"
	"fmt"
	"log/slog"

	cmtlog "github.com/cometbft/cometbft/libs/log"

	"cosmossdk.io/log/v2"

	cmtlogwrapper "github.com/cosmos/cosmos-sdk/server/log"
)

// quiet is the application's and CometBFT's log in ours. What they call
// information is a line for every step of every block: here it is for debugging.
type quiet struct {
	*slog.Logger
}

var _ log.Logger = quiet{}

func (q quiet) Info(msg string, args ...any) { q.Debug(msg, args...) }

func (q quiet) InfoContext(ctx context.Context, msg string, args ...any) {
	q.DebugContext(ctx, msg, args...)
}

func (q quiet) With(args ...any) log.Logger { return quiet{q.Logger.With(args...)} }
func (q quiet) Impl() any                   { return q.Logger }

// comet is the log as CometBFT wants it.
func (q quiet) comet() cmtlog.Logger { return cmtlogwrapper.CometLoggerWrapper{Logger: q} }

// cometLog is CometBFT's log, in which it says that it can't go on.
func (n *Node) cometLog() cmtlog.Logger {
	return cmtlogwrapper.CometLoggerWrapper{Logger: Watch(n.log, func(err error) {
		n.fail(fmt.Errorf("the node has stopped: %w", err))
	})}
}
