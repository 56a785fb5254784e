// Package events emits typed events as the SDK does, attribute for attribute, but
// without writing JSON and reading it again: a block in which epochs run has
// thousands of events, and a third of its time went there.
package events

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/gogoproto/proto"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Emit emits a typed event; one that can't be encoded is an error, since indexers
// rebuild the state from events.
func Emit(ctx context.Context, event proto.Message) error {
	e, err := Event(event)
	if err == nil {
		sdk.UnwrapSDKContext(ctx).EventManager().EmitEvent(e)
	}
	return err
}

// Event is sdk.TypedEventToEvent.
func Event(event proto.Message) (sdk.Event, error) {
	p := planOf(event)
	if p == nil {
		return sdk.TypedEventToEvent(event)
	}
	v := reflect.ValueOf(event).Elem()
	out := sdk.Event{Type: p.name, Attributes: make([]abci.EventAttribute, len(p.fields), len(p.fields)+1)} // the SDK adds one
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	all := (*buffer)[:0]
	var room [16]int
	ends := room[:0]
	for _, f := range p.fields {
		var err error
		if all, err = f.append(all, v.Field(f.index)); err != nil {
			return sdk.Event{}, err
		}
		ends = append(ends, len(all))
	}
	*buffer = all
	text, begin := string(all), 0 // one for all values
	for i, end := range ends {
		out.Attributes[i] = abci.EventAttribute{Key: p.fields[i].name, Value: text[begin:end]}
		begin = end
	}
	return out, nil
}

// buffers are for the values of one event.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// plan is how a type of events is written; field by field, by name.
type plan struct {
	name   string
	fields []field
}

type field struct {
	name   string
	index  int
	append func([]byte, reflect.Value) ([]byte, error) // the value in protobuf's JSON
}

// plans are made once: they follow from the types alone.
var plans sync.Map // reflect.Type → *plan

// planOf is nil for what is left to the SDK.
func planOf(event proto.Message) *plan {
	t := reflect.TypeOf(event)
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := makePlan(t)
	if p != nil {
		p.name = proto.MessageName(event)
	}
	plans.Store(t, p)
	return p
}

func makePlan(t reflect.Type) *plan {
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return nil
	}
	p := &plan{}
	for i := range t.Elem().NumField() {
		f := t.Elem().Field(i)
		tag := f.Tag.Get("protobuf")
		if f.Tag.Get("protobuf_oneof") != "" {
			return nil
		}
		if tag == "" {
			continue
		}
		name, write := nameOf(tag), writer(f.Type)
		if name == "" || write == nil || strings.Contains(tag, ",enum=") {
			return nil
		}
		p.fields = append(p.fields, field{name, i, write})
	}
	slices.SortFunc(p.fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return p
}

// nameOf is a field's name in its file, by its tag.
func nameOf(tag string) string {
	for _, part := range strings.Split(tag, ",") {
		if name, ok := strings.CutPrefix(part, "name="); ok {
			return name
		}
	}
	return ""
}

// writer is how values of a type are written; nil for what is left to the SDK.
func writer(t reflect.Type) func([]byte, reflect.Value) ([]byte, error) {
	switch {
	case t == reflect.TypeFor[sdkmath.Int]():
		return appendInt
	case t.Kind() == reflect.Struct && t.Implements(reflect.TypeFor[json.Marshaler]()):
		return func(b []byte, v reflect.Value) ([]byte, error) {
			raw, err := v.Interface().(json.Marshaler).MarshalJSON()
			return append(b, raw...), err
		}
	case t == reflect.TypeFor[[]byte]():
		return appendBytes
	case t.Kind() == reflect.Slice:
		one := writer(t.Elem())
		if one == nil || t.Elem().Kind() == reflect.Slice || t.Elem().Kind() == reflect.Struct {
			return nil
		}
		return func(b []byte, v reflect.Value) (_ []byte, err error) {
			b = append(b, '[')
			for i := range v.Len() {
				if i > 0 {
					b = append(b, ',')
				}
				if b, err = one(b, v.Index(i)); err != nil {
					return nil, err
				}
			}
			return append(b, ']'), nil
		}
	case t.PkgPath() != "": // a named type may write itself
		return nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendBool(b, v.Bool()), nil }
	case reflect.Uint32:
		return func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendUint(b, v.Uint(), 10), nil }
	case reflect.Int32:
		return func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendInt(b, v.Int(), 10), nil }
	case reflect.Uint64:
		return func(b []byte, v reflect.Value) ([]byte, error) {
			return append(strconv.AppendUint(append(b, '"'), v.Uint(), 10), '"'), nil
		}
	case reflect.Int64:
		return func(b []byte, v reflect.Value) ([]byte, error) {
			return append(strconv.AppendInt(append(b, '"'), v.Int(), 10), '"'), nil
		}
	case reflect.String:
		return appendString
	}
	return nil
}

// appendString quotes a string; what needs an escape is left to encoding/json.
func appendString(b []byte, v reflect.Value) ([]byte, error) {
	s := v.String()
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			raw, err := json.Marshal(s)
			return append(b, raw...), err
		}
	}
	return append(append(append(b, '"'), s...), '"'), nil
}

// appendInt writes a number of any size; one that was never set is 0.
func appendInt(b []byte, v reflect.Value) ([]byte, error) {
	i := v.Addr().Interface().(*sdkmath.Int).BigIntMut()
	if i == nil {
		return append(b, `"0"`...), nil
	}
	return append(i.Append(append(b, '"'), 10), '"'), nil
}

// appendBytes writes bytes in base64, and null where there are none at all.
func appendBytes(b []byte, v reflect.Value) ([]byte, error) {
	if v.IsNil() {
		return append(b, "null"...), nil
	}
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), v.Bytes()), '"'), nil
}
