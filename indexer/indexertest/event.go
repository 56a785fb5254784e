package indexertest

import (
	"encoding/json"
	"math/big"
	"strconv"

	abci "github.com/cometbft/cometbft/abci/types"
)

// Event writes a typed event as the chain does: keys and values by turns.
func Event(kind string, pairs ...any) abci.Event {
	e := abci.Event{Type: kind, Attributes: make([]abci.EventAttribute, 0, len(pairs)/2+1)}
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Attributes = append(e.Attributes, abci.EventAttribute{Key: pairs[i].(string), Value: value(pairs[i+1])})
	}
	return e
}

func value(v any) string {
	switch v := v.(type) {
	case uint64:
		return strconv.Quote(strconv.FormatUint(v, 10))
	case int64:
		return strconv.Quote(strconv.FormatInt(v, 10))
	case uint32:
		return strconv.FormatUint(uint64(v), 10)
	case bool:
		return strconv.FormatBool(v)
	case *big.Int:
		return strconv.Quote(v.String())
	case []uint64:
		b := []byte{'['}
		for i, n := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, '"')
			b = strconv.AppendUint(b, n, 10)
			b = append(b, '"')
		}
		return string(append(b, ']'))
	case []uint32:
		b := []byte{'['}
		for i, n := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendUint(b, uint64(n), 10)
		}
		return string(append(b, ']'))
	case json.RawMessage:
		return string(v)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // of what tests wrote
	}
	return string(raw)
}

// Plain is an event of the SDK's own modules, whose values are no JSON.
func Plain(kind string, pairs ...string) abci.Event {
	e := abci.Event{Type: kind}
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Attributes = append(e.Attributes, abci.EventAttribute{Key: pairs[i], Value: pairs[i+1]})
	}
	return e
}
