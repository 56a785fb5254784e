// Package field reads one field of stored messages: an epoch, or a query over a whole
// subnet, needs no more of thousands of them.
package field

import (
	"errors"
	"fmt"
	"strconv"

	"cosmossdk.io/collections/codec"
	"google.golang.org/protobuf/encoding/protowire"
)

// Uint64 is a codec of messages of which only the unsigned or int64 field of a number is
// read. A map that has it is a view of the one that holds the messages whole, under the same
// prefix, and of a schema of its own; it can't be written to.
func Uint64(number protowire.Number) codec.ValueCodec[uint64] { return view(number) }

var errView = errors.New("a view of a field can't be written")

type view protowire.Number

// Decode implements [codec.ValueCodec]. As in any proto3 message a field that is not there
// is 0, and of several the last one counts.
func (v view) Decode(raw []byte) (value uint64, err error) {
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		raw = raw[n:]
		if number != protowire.Number(v) {
			if n = protowire.ConsumeFieldValue(number, kind, raw); n < 0 {
				return 0, protowire.ParseError(n)
			}
			raw = raw[n:]
			continue
		}
		if kind != protowire.VarintType {
			return 0, fmt.Errorf("field %d is no integer", v)
		}
		if value, n = protowire.ConsumeVarint(raw); n < 0 {
			return 0, protowire.ParseError(n)
		}
		raw = raw[n:]
	}
	return value, nil
}

// Encode implements [codec.ValueCodec].
func (view) Encode(uint64) ([]byte, error) { return nil, errView }

// EncodeJSON implements [codec.ValueCodec].
func (view) EncodeJSON(uint64) ([]byte, error) { return nil, errView }

// DecodeJSON implements [codec.ValueCodec].
func (view) DecodeJSON([]byte) (uint64, error) { return 0, errView }

// Stringify implements [codec.ValueCodec].
func (view) Stringify(value uint64) string { return strconv.FormatUint(value, 10) }

// ValueType implements [codec.ValueCodec].
func (v view) ValueType() string { return fmt.Sprintf("field %d", v) }
