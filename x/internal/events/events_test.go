package events_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	"github.com/lodenet/lode/x/internal/events"
	markettypes "github.com/lodenet/lode/x/market/types"
	seedtypes "github.com/lodenet/lode/x/seed/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// all are one of every module, which registers the others of its file.
var all = []proto.Message{
	&alphatypes.EventTrade{}, &collateraltypes.EventClaimOpened{}, &emissiontypes.EventBurned{}, &markettypes.EventRedeemed{}, &seedtypes.EventSeed{},
	&subnetstypes.EventNeuronServed{}, &weightstypes.EventEpoch{},
}

// ours are all types of the chain's events.
func ours(t *testing.T) []reflect.Type {
	t.Helper()
	require.Len(t, all, 7)
	var out []reflect.Type
	names := map[string]reflect.Type{}
	for name, typ := range registered() {
		if strings.HasPrefix(name, "lode.") && strings.Contains(name, ".v1.Event") {
			names[name] = typ
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		out = append(out, names[name])
	}
	require.Greater(t, len(out), 50, "the registry has lost the chain's events")
	return out
}

func registered() map[string]reflect.Type {
	out := map[string]reflect.Type{}
	files, err := proto.MergedGlobalFileDescriptors()
	if err != nil {
		panic(err)
	}
	for _, f := range files.File {
		for _, m := range f.MessageType {
			name := f.GetPackage() + "." + m.GetName()
			if typ := proto.MessageType(name); typ != nil {
				out[name] = typ
			}
		}
	}
	return out
}

func TestEveryEventIsWrittenAsTheSDKWritesIt(t *testing.T) {
	for _, typ := range ours(t) {
		t.Run(typ.Elem().Name(), func(t *testing.T) {
			empty := reflect.New(typ.Elem()).Interface().(proto.Message)
			same(t, empty)
			rapid.Check(t, func(t *rapid.T) {
				v := reflect.New(typ.Elem())
				for i := range v.Elem().NumField() {
					fill(t, v.Elem().Field(i))
				}
				same(t, v.Interface().(proto.Message))
			})
		})
	}
}

func same(t require.TestingT, event proto.Message) {
	want, err := sdk.TypedEventToEvent(event)
	require.NoError(t, err)
	got, err := events.Event(event)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// fill draws a field's value.
func fill(t *rapid.T, v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[sdkmath.Int]():
		v.Set(reflect.ValueOf(sdkmath.NewInt(rapid.Int64().Draw(t, "int")).Mul(sdkmath.NewInt(1 << 40))))
	case v.Type() == reflect.TypeFor[[]byte]():
		v.SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes"))
	case v.Kind() == reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, "n")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(t, v.Index(i))
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case v.Kind() == reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case v.CanUint():
		v.SetUint(rapid.Uint64().Draw(t, "uint") >> (64 - v.Type().Bits()))
	case v.CanInt():
		v.SetInt(rapid.Int64().Draw(t, "int") >> (64 - v.Type().Bits()))
	case v.Kind() == reflect.String:
		v.SetString(rapid.OneOf(rapid.StringMatching(`[a-z0-9.]*`), rapid.String(), rapid.SampledFrom([]string{"a\x00\"<b>&\\\n", "\xff\xfe", "\u2028é"})).Draw(t, "string"))
	default:
		t.Fatalf("an event has a field of %s: say how to fill it", v.Type())
	}
}
