package node

import (
	"errors"
	"fmt"
	"strings"

	"cosmossdk.io/log/v2"
)

// Errors of a node that can't go on, beside those of its application.
var (
	// ErrDiffers says that what the chain's validators signed does not follow from the
	// state of this node.
	ErrDiffers = errors.New("the state here is not the chain's")
	// ErrDamaged says that the node's databases can't be read.
	ErrDamaged = errors.New("the data here is damaged")
	// ErrConsensus says that CometBFT's consensus has ended.
	ErrConsensus = errors.New("consensus has stopped")
)

// Watch is the log of a node that runs. halted is told once CometBFT can't go on: it
// says so nowhere else. Consensus that has panicked leaves the process running, without
// blocks; a node that catches up and finds that the next block does not fit its state gives up
// the peers that sent it, one after the other, for ever.
func Watch(l log.Logger, halted func(error)) log.Logger { return watching{l, halted} }

type watching struct {
	log.Logger
	halted func(error)
}

func (w watching) With(args ...any) log.Logger { return watching{w.Logger.With(args...), w.halted} }

// SetVerboseMode is what the SDK looks for in a logger, around upgrades.
func (w watching) SetVerboseMode(on bool) {
	if v, ok := w.Logger.(log.VerboseModeLogger); ok {
		v.SetVerboseMode(on)
	}
}

func (w watching) Error(msg string, args ...any) {
	w.Logger.Error(msg, args...)
	why := ""
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == "err" {
			why = fmt.Sprint(args[i+1])
		}
	}
	switch {
	case msg == "CONSENSUS FAILURE!!!" && strings.Contains(why, differs):
		w.halted(fmt.Errorf("%w: %s", ErrDiffers, why))
	case msg == "CONSENSUS FAILURE!!!" && strings.Contains(why, "leveldb"):
		w.halted(fmt.Errorf("%w: %s", ErrDamaged, why))
	case msg == "CONSENSUS FAILURE!!!":
		w.halted(fmt.Errorf("%w: %s", ErrConsensus, why))
	// The block's signatures have been verified before this: it is the chain's.
	case msg == "Error in validation" && strings.HasPrefix(why, differs):
		w.halted(fmt.Errorf("%w: %s", ErrDiffers, why))
	}
}

// differs is how CometBFT begins to say that a block's header does not fit the state.
const differs = "wrong Block.Header."
