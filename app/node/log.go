package node

import (
	"context"
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
