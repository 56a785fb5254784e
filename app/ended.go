package app

import (
	"sync/atomic"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/spf13/cast"

	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// ended carries the events of a block's end past the SDK, which copies each of them and
// makes a text of every attribute to look it up among those to be indexed: a sixth of the
// time of a block with four epochs. FinalizeBlock adds them where the SDK would have.
//
// Blocks run one after the other, also those that are run before they are decided: when
// FinalizeBlock returns, the last end was that of its block.
type ended struct {
	all    bool // all attributes are indexed, as is usual; where not, the SDK does it
	events atomic.Pointer[[]abci.Event]
}

func newEnded(appOpts servertypes.AppOptions) *ended {
	return &ended{all: len(cast.ToStringSlice(appOpts.Get(server.FlagIndexEvents))) == 0}
}

// take keeps the events of an end, each as the SDK would have written it.
func (e *ended) take(end *sdk.EndBlock) {
	if !e.all {
		return
	}
	events := end.Events
	end.Events = nil
	for i := range events {
		attributes := append(events[i].Attributes, abci.EventAttribute{Key: "mode", Value: "EndBlock"})
		for j := range attributes {
			attributes[j].Index = true
		}
		events[i].Attributes = attributes
	}
	e.events.Store(&events)
}

// FinalizeBlock implements [servertypes.ABCI].
func (app *App) FinalizeBlock(req *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	res, err := app.BaseApp.FinalizeBlock(req)
	events := app.ended.events.Swap(nil) // nil where the same block is asked for again: its response has them
	if err == nil && events != nil {
		res.Events = append(res.Events, *events...)
	}
	return res, err
}
