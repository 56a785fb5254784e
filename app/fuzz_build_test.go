package app_test

import (
	"slices"
	"strings"

	cosmosproto "github.com/cosmos/cosmos-proto"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"

	"github.com/lodenet/lode/app"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// builder makes messages of a program: field by field as their descriptors say,
// of values that get somewhere, with now and then one that must not.
type builder struct {
	*program
	registry codectypes.InterfaceRegistry
	left     int      // fields that may still be made: lists of lists grow
	served   []string // endpoints
}

const (
	deepest = 5
	giant   = 300 // entries of a list
)

func (b *builder) message(d protoreflect.MessageDescriptor, depth int) []byte {
	var out []byte
	if depth > deepest {
		return out
	}
	fields := d.Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		n := 1
		switch how := b.byte(); {
		case f.IsList() && how < 8:
			n = giant
		case f.IsList():
			n = int(how) % 4
		case how < 8:
			n = 0
		case how < 12:
			n = 2 // the last one counts
		}
		for range n {
			if b.left--; b.left < 0 {
				return out
			}
			out = b.field(out, f, depth)
		}
	}
	return out
}

func (b *builder) field(out []byte, f protoreflect.FieldDescriptor, depth int) []byte {
	at := f.Number()
	switch f.Kind() {
	case protoreflect.MessageKind:
		return protowire.AppendBytes(protowire.AppendTag(out, at, protowire.BytesType), b.inner(f, depth))
	case protoreflect.StringKind:
		return protowire.AppendString(protowire.AppendTag(out, at, protowire.BytesType), b.text(f))
	case protoreflect.BytesKind:
		return protowire.AppendBytes(protowire.AppendTag(out, at, protowire.BytesType), b.bytes(f))
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.AppendFixed64(protowire.AppendTag(out, at, protowire.Fixed64Type), b.number())
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.AppendFixed32(protowire.AppendTag(out, at, protowire.Fixed32Type), uint32(b.number()))
	default:
		return protowire.AppendVarint(protowire.AppendTag(out, at, protowire.VarintType), b.integer())
	}
}

func (b *builder) integer() uint64 {
	switch b.pick(8) {
	case 0, 1, 2:
		return 1
	case 3:
		return 0
	case 4:
		return choose[uint64](b.program, 2, 3, 4, 10, 60, 100, 32_767, 65_535, 65_536, 900_000, 1_000_000)
	case 5:
		return choose[uint64](b.program, tao/1_000, tao, 10*tao, 1_000*tao, 5_000*tao, anyPrice)
	case 6:
		return choose[uint64](b.program, 1<<31-1, 1<<31, 1<<32-1, 1<<32, 1<<63-1, 1<<63, 1<<64-1)
	}
	return b.number()
}

var (
	amounts = []string{"1", "0", "1000000000", "20000000", "-1", "", "1.5", "115792089237316195423570985008687907853269984665640564039457584007913129639935", "9223372036854775808", "1e9", " 1", "+5", "0x10", "99999999999999999999999999999999999999999999999999999999999999999999999999999999999999"}
	decs    = []string{"500000000000000000", "1000000000000000000", "0", "-1", "", "100000000000000000", "180000000000000000", "1000000000000000000000000000000000000000000000000000000000000000000000000000000000000", "0.5", "x"}
	denoms  = []string{app.BaseDenom, app.BaseDenom, app.BaseDenom, "TAO", "", "stake", "a", "RAO", "ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2", "rao\x00"}
	words   = []string{"video", "", "rao", "https://lode.example/x", `{"target":98}`, "{", "\xff\xfe", "a\nb", strings.Repeat("w", 5_000), "1", "01:00", "/cosmos.bank.v1beta1.MsgSend", "𝕃ode"}
)

// text is a string that fits its field's name and kind, mostly.
func (b *builder) text(f protoreflect.FieldDescriptor) string {
	scalar, _ := proto.GetExtension(f.Options(), cosmosproto.E_Scalar).(string)
	name := string(f.Name())
	switch {
	case scalar == "cosmos.ValidatorAddressString" || strings.HasPrefix(name, "validator_"):
		return b.address(func(a []byte) string { return sdk.ValAddress(a).String() })
	case scalar == "cosmos.ConsensusAddressString":
		return b.address(func(a []byte) string { return sdk.ConsAddress(a).String() })
	case scalar == "cosmos.AddressString" || isAddress(name):
		return b.address(func(a []byte) string { return sdk.AccAddress(a).String() })
	case scalar == "cosmos.Int" || name == "amount":
		return choose(b.program, amounts...)
	case scalar == "cosmos.Dec":
		return choose(b.program, decs...)
	case name == "denom":
		return choose(b.program, denoms...)
	case name == "endpoints":
		return choose(b.program, append(slices.Clone(b.served), words...)...)
	case name == "name" && strings.Contains(string(f.Parent().Name()), "Hyperparameter"):
		return choose(b.program, append(subnetstypes.HyperparameterNames(), words...)...)
	case strings.HasSuffix(name, "type_url"):
		return choose(b.program, b.urls()...)
	}
	return choose(b.program, words...)
}

func isAddress(field string) bool {
	return slices.Contains([]string{
		"hotkey", "coldkey", "new_coldkey", "new_hotkey", "to_hotkey", "from_hotkey", "to_coldkey", "recovery", "signer", "author", "child", "destination",
		"authority", "grantee", "granter", "operator",
	}, field)
}

func (b *builder) address(text func([]byte) string) string {
	all := people()
	switch n := b.pick(64); {
	case n < 2:
		return choose(b.program, "", "lode1", "cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh", strings.ToUpper(all[0].text), all[0].text+" ", "\xff", strings.Repeat("l", 300))
	case n < 4:
		return text(authtypes.NewModuleAddress(choose(b.program, govtypes.ModuleName, "emission", "bonded_tokens_pool", "distribution", "alpha")))
	case n < 5:
		return text(b.take(b.pick(40)))
	}
	return text(all[b.pick(len(all))].addr)
}

func (b *builder) bytes(f protoreflect.FieldDescriptor) []byte {
	switch b.pick(8) {
	case 0:
		return b.take(b.pick(200))
	case 1:
		return make([]byte, choose(b.program, 0, 31, 33, 80, 1_000, 20_000))
	case 2:
		v := vrfKey(validator)
		return v.Public()
	}
	salt := row("validator-1-hot", 1, 2).Salt
	return choose(b.program, salt, commit("validator-1-hot", row("validator-1-hot", 1, 2)).Hash, make([]byte, 32), named("user").addr)
}

// inner are a field's messages: the well-known ones as they are meant.
func (b *builder) inner(f protoreflect.FieldDescriptor, depth int) []byte {
	d := f.Message()
	if d.FullName() != "google.protobuf.Any" {
		if d.IsPlaceholder() {
			found, err := b.registry.FindDescriptorByName(d.FullName())
			if err != nil {
				return b.take(b.pick(64))
			}
			d = found.(protoreflect.MessageDescriptor)
		}
		return b.message(d, depth+1)
	}
	accepts, _ := proto.GetExtension(f.Options(), cosmosproto.E_AcceptsInterface).(string)
	urls := b.registry.ListImplementations(accepts)
	if accepts == "" || len(urls) == 0 || b.pick(16) == 0 {
		urls = b.urls()
	}
	slices.Sort(urls)
	url := urls[int(b.number()%uint64(len(urls)))]
	var value []byte
	if inner, err := b.registry.FindDescriptorByName(protoreflect.FullName(strings.TrimPrefix(url, "/"))); err == nil {
		value = b.message(inner.(protoreflect.MessageDescriptor), depth+1)
	}
	out := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), url)
	return protowire.AppendBytes(protowire.AppendTag(out, 2, protowire.BytesType), value)
}

// urls are the types of all messages, and two that are none.
func (b *builder) urls() []string {
	return append(messageURLs(b.registry), "", "/nothing.of.the.kind")
}

// messageURLs are the types of all messages that the chain knows, sorted.
func messageURLs(registry codectypes.InterfaceRegistry) []string {
	urls := registry.ListImplementations(sdk.MsgInterfaceProtoName)
	slices.Sort(urls)
	return urls
}
