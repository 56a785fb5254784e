package app_test

import (
	"strings"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	protov2 "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	"github.com/cosmos/cosmos-sdk/x/tx/signing/aminojson"

	"github.com/lodenet/lode/app"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// filled sets every field of a message, or none of those that may be left out.
func filled(m protoreflect.Message, some bool) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		scalar := func() protoreflect.Value {
			switch f.Kind() {
			case protoreflect.StringKind:
				return protoreflect.ValueOfString("17")
			case protoreflect.BytesKind:
				return protoreflect.ValueOfBytes([]byte{1, 2, 3})
			case protoreflect.BoolKind:
				return protoreflect.ValueOfBool(true)
			case protoreflect.Uint32Kind:
				return protoreflect.ValueOfUint32(5)
			case protoreflect.Uint64Kind:
				return protoreflect.ValueOfUint64(1 << 60)
			case protoreflect.Int64Kind:
				return protoreflect.ValueOfInt64(6)
			case protoreflect.EnumKind:
				return protoreflect.ValueOfEnum(2)
			default:
				panic("a field of kind " + f.Kind().String())
			}
		}
		switch {
		case f.IsList() && !some:
		case f.IsList() && f.Kind() == protoreflect.MessageKind:
			for _, s := range []bool{true, false} {
				one := m.Mutable(f).List().AppendMutable().Message()
				filled(one, s)
			}
		case f.IsList():
			m.Mutable(f).List().Append(scalar())
		case f.Kind() == protoreflect.MessageKind:
			filled(m.Mutable(f).Message(), some)
		case some:
			m.Set(f, scalar())
		}
	}
}

// Hardware wallets sign what amino makes of a message, nodes check what x/tx makes
// of it.
func TestEveryMessageReadsTheSameToAWalletThatSignsAminoJSON(t *testing.T) {
	enc := app.MakeEncodingConfig()
	encoder := aminojson.NewEncoder(aminojson.EncoderOptions{FileResolver: enc.InterfaceRegistry})
	n := 0
	for _, url := range enc.InterfaceRegistry.ListImplementations(sdk.MsgInterfaceProtoName) {
		if !strings.HasPrefix(url, "/lode.") {
			continue
		}
		n++
		for _, some := range []bool{true, false} {
			d, err := enc.InterfaceRegistry.FindDescriptorByName(protoreflect.FullName(url[1:]))
			require.NoError(t, err)
			m := dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))
			filled(m, some)
			raw, err := protov2.Marshal(m)
			require.NoError(t, err)
			checked, err := encoder.Marshal(m)
			require.NoError(t, err, url)
			msg, err := enc.InterfaceRegistry.Resolve(url)
			require.NoError(t, err)
			require.NoError(t, proto.Unmarshal(raw, msg))
			signed, err := enc.Amino.MarshalJSON(msg)
			require.NoError(t, err, url)
			require.JSONEq(t, string(signed), string(checked), url)
		}
	}
	require.Greater(t, n, 40)
}

// An agent's limits are read on the wallet too.
func TestAGrantToSpendReadsTheSameToAWalletThatSignsAminoJSON(t *testing.T) {
	enc := app.MakeEncodingConfig()
	for _, a := range []*markettypes.SpendAuthorization{
		{Spender: text("agent"), Limit: 1 << 60, PerPeriod: 7, Period: 8, Netuids: []uint32{1, 2}, ServiceIds: []uint64{3}, MaxDeposit: 9},
		{Spender: text("agent")},
	} {
		msg, err := authz.NewMsgGrant(addr("user"), addr("agent"), a, nil)
		require.NoError(t, err)
		raw, err := proto.Marshal(msg)
		require.NoError(t, err)
		d, err := enc.InterfaceRegistry.FindDescriptorByName("cosmos.authz.v1beta1.MsgGrant")
		require.NoError(t, err)
		m := dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))
		require.NoError(t, protov2.Unmarshal(raw, m))
		checked, err := aminojson.NewEncoder(aminojson.EncoderOptions{FileResolver: enc.InterfaceRegistry}).Marshal(m)
		require.NoError(t, err)
		signed, err := enc.Amino.MarshalJSON(msg)
		require.NoError(t, err)
		require.JSONEq(t, string(signed), string(checked))
	}
}
