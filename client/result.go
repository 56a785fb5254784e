package client

import (
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
)

// TxResult is a transaction that was committed and succeeded.
type TxResult struct {
	Hash      string // hexadecimal, upper case, as explorers show it
	Height    int64
	GasWanted int64
	GasUsed   int64
	FeeRao    uint64
	LastBlock int64 // that could have taken it; 0: it had none, or that is not known
	Events    []abci.Event
	// Responses are the messages' answers, in their order; see [Response].
	Responses []proto.Message
}

// Response returns the first answer of a type from a result, for example
//
//	resp, err := client.Response[*alphatypes.MsgStakeResponse](res)
func Response[T proto.Message](r *TxResult) (T, error) {
	for _, m := range r.Responses {
		if t, ok := m.(T); ok {
			return t, nil
		}
	}
	var none T
	return none, fmt.Errorf("transaction %s has no answer of type %T", r.Hash, none)
}

// TypedEvents decodes the typed events among events, in their order, for example
// *weightstypes.EventEpoch; others are left out.
func TypedEvents(events []abci.Event) []proto.Message {
	var out []proto.Message
	for _, e := range events {
		if proto.MessageType(e.Type) == nil {
			continue
		}
		if m, err := sdk.ParseTypedEvent(e); err == nil {
			out = append(out, m)
		}
	}
	return out
}
