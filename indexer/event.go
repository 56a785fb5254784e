package indexer

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	abci "github.com/cometbft/cometbft/abci/types"
)

// event reads the attributes of a typed event, which are fields in protobuf's JSON. The
// first that is missing or can't be read is its error; sdk.ParseTypedEvent would do, at
// fifty times the cost.
type event struct {
	*abci.Event
	err error
}

func (e *event) fail(key string, value any) {
	if e.err == nil {
		e.err = fmt.Errorf("%w: %s has %s %.80q", ErrMalformed, e.Type, key, fmt.Sprint(value))
	}
}

// raw is an attribute's text. Equal names are rare: the first counts.
func (e *event) raw(key string) string {
	for i := range e.Attributes {
		if e.Attributes[i].Key == key {
			return e.Attributes[i].Value
		}
	}
	e.fail(key, "nowhere")
	return ""
}

// optional is raw of a field that older chains did not write.
func (e *event) optional(key string) string {
	for i := range e.Attributes {
		if e.Attributes[i].Key == key {
			return e.Attributes[i].Value
		}
	}
	return ""
}

// number is an unsigned number, quoted where it has 64 bits.
func (e *event) number(key string) uint64 {
	v := e.raw(key)
	t := v
	if len(t) >= 2 && t[0] == '"' && t[len(t)-1] == '"' {
		t = t[1 : len(t)-1]
	}
	if len(t) > 0 && len(t) < 20 { // 19 digits always fit
		n := uint64(0)
		for i := range len(t) {
			d := t[i] - '0'
			if d > 9 {
				e.fail(key, v)
				return 0
			}
			n = 10*n + uint64(d)
		}
		return n
	}
	n, err := strconv.ParseUint(t, 10, 64)
	if err != nil {
		e.fail(key, v)
	}
	return n
}

// height is a number from 0 up that has 63 bits.
func (e *event) height(key string) int64 {
	v := e.raw(key)
	n, err := strconv.ParseInt(strings.Trim(v, `"`), 10, 64)
	if err != nil || n < 0 {
		e.fail(key, v)
	}
	return n
}

func (e *event) flag(key string) bool {
	v := e.raw(key)
	if v != "true" && v != "false" {
		e.fail(key, v)
	}
	return v == "true"
}

// text is a string.
func (e *event) text(key string) string {
	v := e.raw(key)
	if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' && strings.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	var s string
	if err := json.Unmarshal([]byte(v), &s); err != nil {
		e.fail(key, v)
	}
	return s
}

// integer is a number of any size from 0 up.
func (e *event) integer(key string) *big.Int {
	v := e.raw(key)
	n, ok := new(big.Int), false
	if len(v) >= 2 && len(v) < 100 && v[0] == '"' {
		_, ok = n.SetString(v[1:len(v)-1], 10)
	}
	if !ok || n.Sign() < 0 {
		e.fail(key, v)
		return new(big.Int)
	}
	return n
}

// numbers is a list of them.
func (e *event) numbers(key string) []uint64 {
	v := e.raw(key)
	if v == "" || v == "[]" || v == "null" {
		return nil
	}
	if len(v) < 2 || v[0] != '[' || v[len(v)-1] != ']' {
		e.fail(key, v)
		return nil
	}
	v = v[1 : len(v)-1]
	out := make([]uint64, 0, strings.Count(v, ",")+1)
	for part := range strings.SplitSeq(v, ",") {
		n, err := strconv.ParseUint(strings.Trim(part, ` "`), 10, 64)
		if err != nil {
			e.fail(key, part)
			return nil
		}
		out = append(out, n)
	}
	return out
}

// object is a field that is neither.
func (e *event) object(key string, into any) {
	if err := json.Unmarshal([]byte(e.raw(key)), into); err != nil {
		e.fail(key, err)
	}
}

// coins is how much rao is in an amount of coins; other coins count for nothing.
func (e *event) coins(key string) uint64 {
	v := e.raw(key)
	if n, ok := strings.CutSuffix(v, "rao"); ok && !strings.Contains(n, ",") {
		if rao, err := strconv.ParseUint(n, 10, 64); err == nil {
			return rao
		}
	}
	var sum uint64
	for coin := range strings.SplitSeq(v, ",") {
		n, ok := strings.CutSuffix(coin, "rao")
		if !ok || strings.Trim(n, "0123456789") != "" || n == "" {
			continue
		}
		rao, err := strconv.ParseUint(n, 10, 64)
		if err != nil || sum+rao < sum {
			e.fail(key, v)
		}
		sum += rao
	}
	return sum
}

// end says whether the event is of its block's end.
func end(e *abci.Event) bool {
	for i := len(e.Attributes) - 1; i >= 0; i-- {
		if e.Attributes[i].Key == "mode" {
			return e.Attributes[i].Value == "EndBlock"
		}
	}
	return false
}

// clone is a copy of a text that is part of a block's bytes, so that these need not stay.
func clone(s string) string { return strings.Clone(s) }
