package onchain

import (
	"context"
	"strconv"
	"strings"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/gogoproto/proto"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnet"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// changing are the events after which a subnet's neurons, hyperparameters or epoch may
// differ; permits, incentive and dividends change only in an epoch.
var changing = func() map[string]bool {
	names := map[string]bool{}
	for _, e := range []proto.Message{
		&subnetstypes.EventSubnetCreated{}, &subnetstypes.EventSubnetStarted{}, &subnetstypes.EventSubnetUpdated{},
		&subnetstypes.EventHyperparameterSet{}, &subnetstypes.EventNeuronRegistered{}, &subnetstypes.EventNeuronServed{},
		&weightstypes.EventEpoch{}, &weightstypes.EventEpochFailed{},
	} {
		names[proto.MessageName(e)] = true
	}
	return names
}()

// Blocks tells of new blocks until ctx ends; see [subnet.Chain].
func (c *chain) Blocks(ctx context.Context, netuid uint16) <-chan subnet.Block {
	out := make(chan subnet.Block)
	blocks := c.c.Blocks(ctx)
	go func() {
		defer close(out)
		relay(ctx, blocks, out, netuid)
	}()
	return out
}

// relay passes blocks on. What a slow reader misses is merged, so that a change in it
// is not lost.
func relay(ctx context.Context, in <-chan client.Block, out chan<- subnet.Block, netuid uint16) {
	var next subnet.Block
	var ready chan<- subnet.Block // nil while there is nothing to pass on
	for {
		select {
		case b, ok := <-in:
			if !ok {
				return
			}
			next.Changed = next.Changed || b.Missed || changes(b.Events, netuid)
			next.Height = b.Height
			ready = out
		case ready <- next:
			next, ready = subnet.Block{}, nil
		case <-ctx.Done():
			return
		}
	}
}

// changes says whether events change a subnet.
func changes(events []abci.Event, netuid uint16) bool {
	want := strconv.Itoa(int(netuid))
	for _, e := range events {
		if !changing[e.Type] {
			continue
		}
		for _, a := range e.Attributes {
			// Typed events hold JSON: numbers may be quoted.
			if a.Key == "netuid" && strings.Trim(a.Value, `"`) == want {
				return true
			}
		}
	}
	return false
}
