package console_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	sdkmath "cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/crypto"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	"github.com/cosmos/cosmos-sdk/crypto/hd"
	kmultisig "github.com/cosmos/cosmos-sdk/crypto/keys/multisig"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	"github.com/cosmos/cosmos-sdk/crypto/types/multisig"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/bech32"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	distributiontypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	txsigning "github.com/cosmos/cosmos-sdk/x/tx/signing"
	"github.com/cosmos/gogoproto/gogoproto"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	protov2 "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"cosmossdk.io/api/amino"
	msgv1 "cosmossdk.io/api/cosmos/msg/v1"
	cosmosproto "github.com/cosmos/cosmos-proto"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	seedtypes "github.com/lodenet/lode/x/seed/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// The page signs by itself. What it must agree on with the chain to the byte is written
// here by the chain's own code, and read by the page and by its tests:
//
//   - web/src/wallet/schema.json: the messages that the wallet knows, field by field
//   - testdata/signing.json: transactions with what a signature is of, in both modes
//   - testdata/keys.json: mnemonics and key files with their keys, addresses and signatures
//   - testdata/several.json: accounts of several keys, transactions as files, and their signatures
var update = flag.Bool("write", false, "write web/src/wallet/schema.json and testdata anew")

// known are the messages that the wallet signs, by service; what only governance may
// send isn't among them.
var known = map[string][]string{
	"lode.alpha.v1.Msg":      {"*"},
	"lode.subnets.v1.Msg":    {"*"},
	"lode.weights.v1.Msg":    {"*"},
	"lode.collateral.v1.Msg": {"*"},
	"lode.market.v1.Msg":     {"*"},
	"cosmos.bank.v1beta1.Msg": {
		"Send",
	},
	"cosmos.staking.v1beta1.Msg":      {"Delegate", "Undelegate", "BeginRedelegate"},
	"cosmos.distribution.v1beta1.Msg": {"WithdrawDelegatorReward"},
	"cosmos.gov.v1.Msg":               {"Vote", "Deposit"},
	"cosmos.authz.v1beta1.Msg":        {"Grant", "Revoke"},
	"cosmos.feegrant.v1beta1.Msg":     {"GrantAllowance", "RevokeAllowance"},
}

// inside are messages that the wallet lets stand in an Any of another.
var inside = []string{
	"lode.market.v1.SpendAuthorization", "cosmos.feegrant.v1beta1.BasicAllowance", "cosmos.feegrant.v1beta1.PeriodicAllowance",
	"cosmos.feegrant.v1beta1.AllowedMsgAllowance",
	"cosmos.crypto.secp256k1.PubKey", "cosmos.crypto.mldsa65.PubKey", "cosmos.crypto.multisig.LegacyAminoPubKey",
}

type message struct {
	Amino   string   `json:"amino,omitempty"`
	Signers []string `json:"signers,omitempty"`
	Fields  []field  `json:"fields"`
}

type field struct {
	N        int32             `json:"n"`
	Name     string            `json:"name"`
	Kind     string            `json:"kind"`
	Type     string            `json:"type,omitempty"`     // of messages
	Values   map[string]string `json:"values,omitempty"`   // of enums
	Repeated bool              `json:"repeated,omitempty"` // never packed where it is strings, bytes or messages
	Address  bool              `json:"address,omitempty"`
	Always   bool              `json:"always,omitempty"` // a message that is written even if empty
	Keep     bool              `json:"keep,omitempty"`   // amino JSON has it even if empty
	Int      bool              `json:"int,omitempty"`    // amino JSON has "0" for an empty one
	Empty    bool              `json:"empty,omitempty"`  // amino JSON has [] for a list without items, not null
	JSONName string            `json:"amino,omitempty"`  // where amino JSON's name is another
}

func newRegistry(t *testing.T) codectypes.InterfaceRegistry {
	registry, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles: proto.HybridResolver,
		SigningOptions: txsigning.Options{
			AddressCodec:          address.NewBech32Codec(alphatypes.Bech32Prefix),
			ValidatorAddressCodec: address.NewBech32Codec(alphatypes.Bech32Prefix + "valoper"),
		},
	})
	require.NoError(t, err)
	for _, register := range []func(codectypes.InterfaceRegistry){
		cryptocodec.RegisterInterfaces, sdk.RegisterInterfaces, txtypes.RegisterInterfaces, banktypes.RegisterInterfaces,
		stakingtypes.RegisterInterfaces, distributiontypes.RegisterInterfaces, govtypes.RegisterInterfaces,
		authz.RegisterInterfaces, feegrant.RegisterInterfaces, alphatypes.RegisterInterfaces, subnetstypes.RegisterInterfaces,
		weightstypes.RegisterInterfaces, collateraltypes.RegisterInterfaces, emissiontypes.RegisterInterfaces,
		markettypes.RegisterInterfaces, seedtypes.RegisterInterfaces,
	} {
		register(registry)
	}
	return registry
}

func descriptor(t *testing.T, name string) protoreflect.MessageDescriptor {
	d, err := proto.HybridResolver.FindDescriptorByName(protoreflect.FullName(name))
	require.NoError(t, err, name)
	return d.(protoreflect.MessageDescriptor)
}

// messageNames returns the messages that the wallet signs, sorted.
func messageNames(t *testing.T) []string {
	var names []string
	for service, methods := range known {
		d, err := proto.HybridResolver.FindDescriptorByName(protoreflect.FullName(service))
		require.NoError(t, err, service)
		all := d.(protoreflect.ServiceDescriptor).Methods()
		for i := range all.Len() {
			method := all.Get(i)
			wanted := methods[0] == "*" && method.Name() != "UpdateParams"
			for _, m := range methods {
				wanted = wanted || m == string(method.Name())
			}
			if wanted {
				names = append(names, string(method.Input().FullName()))
			}
		}
	}
	sort.Strings(names)
	return names
}

func schema(t *testing.T) map[string]message {
	out := map[string]message{}
	var add func(d protoreflect.MessageDescriptor)
	add = func(d protoreflect.MessageDescriptor) {
		if _, done := out[string(d.FullName())]; done {
			return
		}
		m := message{Fields: []field{}}
		options := d.Options()
		if protov2.HasExtension(options, amino.E_Name) {
			m.Amino = protov2.GetExtension(options, amino.E_Name).(string)
		}
		m.Signers = protov2.GetExtension(options, msgv1.E_Signer).([]string)
		out[string(d.FullName())] = m
		fields := d.Fields()
		for i := range fields.Len() {
			f := fields.Get(i)
			require.Nil(t, f.ContainingOneof(), "%s: the wallet knows no oneof", f.FullName())
			require.False(t, f.IsMap(), "%s: the wallet knows no map", f.FullName())
			entry := field{N: int32(f.Number()), Name: string(f.Name()), Kind: f.Kind().String(), Repeated: f.IsList()}
			if f.IsList() && f.Kind() != protoreflect.MessageKind && f.Kind() != protoreflect.StringKind && f.Kind() != protoreflect.BytesKind {
				entry.Kind = "packed " + entry.Kind
			}
			options := f.Options()
			if protov2.HasExtension(options, amino.E_FieldName) {
				entry.JSONName = protov2.GetExtension(options, amino.E_FieldName).(string)
			}
			entry.Keep = protov2.GetExtension(options, amino.E_DontOmitempty).(bool)
			scalar := protov2.GetExtension(options, cosmosproto.E_Scalar).(string)
			entry.Address = strings.HasSuffix(scalar, "AddressString")
			entry.Int = scalar == "cosmos.Int"
			encoding := protov2.GetExtension(options, amino.E_Encoding).(string)
			entry.Empty = encoding == "legacy_coins" || encoding == "null_slice_as_empty"
			if f.Kind() == protoreflect.MessageKind {
				entry.Type = string(f.Message().FullName())
				entry.Always = !f.IsList() && nonNullable(t, f)
				add(f.Message())
			}
			if f.Kind() == protoreflect.EnumKind {
				entry.Values = map[string]string{}
				values := f.Enum().Values()
				for j := range values.Len() {
					entry.Values[fmt.Sprint(values.Get(j).Number())] = string(values.Get(j).Name())
				}
			}
			m.Fields = append(m.Fields, entry)
		}
		sort.Slice(m.Fields, func(i, j int) bool { return m.Fields[i].N < m.Fields[j].N })
		out[string(d.FullName())] = m
	}
	for _, name := range append(messageNames(t), inside...) {
		add(descriptor(t, name))
	}
	return out
}

// nonNullable says whether Go always writes a message field. The option's value is read
// from the bytes: gogoproto registers it with another registry.
func nonNullable(t *testing.T, f protoreflect.FieldDescriptor) bool {
	raw, err := protov2.Marshal(f.Options())
	require.NoError(t, err)
	want := []byte{}
	tag := uint64(gogoproto.E_Nullable.Field) << 3
	for tag >= 0x80 {
		want = append(want, byte(tag)|0x80)
		tag >>= 7
	}
	return bytes.Contains(raw, append(want, byte(tag), 0))
}

// golden holds what is to be against the file, or writes it.
func golden(t *testing.T, path string, value any) {
	text, err := json.MarshalIndent(value, "", " ")
	require.NoError(t, err)
	text = append(text, '\n')
	if *update {
		require.NoError(t, os.WriteFile(path, text, 0o644))
		return
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err, "write it with: go test ./console -run TestThePage -write")
	require.Equal(t, string(text), string(have), "write it with: go test ./console -run TestThePage -write")
}

func TestThePageKnowsTheChainsMessages(t *testing.T) {
	newRegistry(t)
	golden(t, "web/src/wallet/schema.json", schema(t))
}

func accountAddress(t *testing.T, seed string) string {
	sum := sha256.Sum256([]byte(seed))
	text, err := bech32.ConvertAndEncode(alphatypes.Bech32Prefix, sum[:20])
	require.NoError(t, err)
	return text
}

func operatorAddress(t *testing.T, seed string) string {
	sum := sha256.Sum256([]byte(seed))
	text, err := bech32.ConvertAndEncode(alphatypes.Bech32Prefix+"valoper", sum[:20])
	require.NoError(t, err)
	return text
}

// filled returns a message with every field set, or with no more than its addresses.
func filled(t *testing.T, d protoreflect.MessageDescriptor, full bool) *dynamicpb.Message {
	m := dynamicpb.NewMessage(d)
	fields := d.Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		scalar := protov2.GetExtension(f.Options(), cosmosproto.E_Scalar).(string)
		one := func(k int) protoreflect.Value {
			switch f.Kind() {
			case protoreflect.StringKind:
				switch {
				case strings.Contains(scalar, "ValidatorAddress"):
					return protoreflect.ValueOfString(operatorAddress(t, fmt.Sprint(f.FullName(), k)))
				case strings.HasSuffix(scalar, "AddressString"):
					return protoreflect.ValueOfString(accountAddress(t, fmt.Sprint(f.FullName(), k)))
				case scalar == "cosmos.Int":
					return protoreflect.ValueOfString(fmt.Sprint(1_000_000_007 + k))
				}
				return protoreflect.ValueOfString(fmt.Sprintf("<%s> & \"%d\" é \u2028 \u202e \x01", f.Name(), k))
			case protoreflect.BytesKind:
				sum := sha256.Sum256([]byte(fmt.Sprint(f.FullName(), k)))
				return protoreflect.ValueOfBytes(sum[:])
			case protoreflect.Uint64Kind:
				return protoreflect.ValueOfUint64(1<<63 + uint64(f.Number()) + uint64(k))
			case protoreflect.Int64Kind:
				return protoreflect.ValueOfInt64(1<<62 + int64(f.Number()) + int64(k))
			case protoreflect.Uint32Kind:
				return protoreflect.ValueOfUint32(1<<31 + uint32(f.Number()) + uint32(k))
			case protoreflect.Int32Kind:
				return protoreflect.ValueOfInt32(1<<30 + int32(f.Number()) + int32(k))
			case protoreflect.BoolKind:
				return protoreflect.ValueOfBool(true)
			case protoreflect.EnumKind:
				return protoreflect.ValueOfEnum(f.Enum().Values().Get(f.Enum().Values().Len() - 1).Number())
			case protoreflect.MessageKind:
				switch f.Message().FullName() {
				case "google.protobuf.Any":
					return protoreflect.ValueOfMessage(anyFor(t, f, full))
				case "google.protobuf.Timestamp":
					at := dynamicpb.NewMessage(f.Message())
					at.Set(f.Message().Fields().ByName("seconds"), protoreflect.ValueOfInt64(1_900_000_000))
					at.Set(f.Message().Fields().ByName("nanos"), protoreflect.ValueOfInt32(120_000_000))
					return protoreflect.ValueOfMessage(at)
				case "google.protobuf.Duration":
					span := dynamicpb.NewMessage(f.Message())
					span.Set(f.Message().Fields().ByName("seconds"), protoreflect.ValueOfInt64(86_400))
					return protoreflect.ValueOfMessage(span)
				}
				return protoreflect.ValueOfMessage(filled(t, f.Message(), full))
			}
			t.Fatalf("%s is of kind %s, which the wallet does not know", f.FullName(), f.Kind())
			return protoreflect.Value{}
		}
		isAddress := strings.HasSuffix(scalar, "AddressString")
		isAny := f.Kind() == protoreflect.MessageKind && f.Message().FullName() == "google.protobuf.Any"
		always := f.Kind() == protoreflect.MessageKind && !f.IsList() && nonNullable(t, f)
		switch {
		case !full && !isAddress && !always && !isAny:
		case f.IsList():
			list := m.NewField(f).List()
			list.Append(one(0))
			list.Append(one(1))
			m.Set(f, protoreflect.ValueOfList(list))
		default:
			m.Set(f, one(0))
		}
	}
	return m
}

// anyFor returns what may stand in an Any field.
func anyFor(t *testing.T, f protoreflect.FieldDescriptor, full bool) *dynamicpb.Message {
	name := "cosmos.feegrant.v1beta1.BasicAllowance"
	if f.FullName() == "cosmos.authz.v1beta1.Grant.authorization" {
		name = "lode.market.v1.SpendAuthorization"
	}
	value := wire(t, filled(t, descriptor(t, name), full))
	wrapped := dynamicpb.NewMessage(f.Message())
	wrapped.Set(f.Message().Fields().ByName("type_url"), protoreflect.ValueOfString("/"+name))
	wrapped.Set(f.Message().Fields().ByName("value"), protoreflect.ValueOfBytes(value))
	return wrapped
}

func wire(t *testing.T, m protov2.Message) []byte {
	raw, err := protov2.MarshalOptions{Deterministic: true}.Marshal(m)
	require.NoError(t, err)
	return raw
}

type signingVector struct {
	Name          string `json:"name"`
	TypeURL       string `json:"type_url"`
	Value         string `json:"value"` // hexadecimal, as all bytes here
	Memo          string `json:"memo"`
	TimeoutHeight string `json:"timeout_height"`
	Until         string `json:"until"` // nanoseconds since 1970; empty: none
	PublicKeyType string `json:"public_key_type"`
	PublicKey     string `json:"public_key"`
	Sequence      string `json:"sequence"`
	AccountNumber string `json:"account_number"`
	ChainID       string `json:"chain_id"`
	Fee           string `json:"fee"` // rao
	Gas           string `json:"gas"`
	Body          string `json:"body"`
	AuthInfo      string `json:"auth_info"`
	Direct        string `json:"direct"` // what the direct mode's signature is of
	AuthInfoAmino string `json:"auth_info_amino"`
	Amino         string `json:"amino"` // what amino JSON's is of, as text
}

func TestThePageSignsWhatTheChainVerifies(t *testing.T) {
	registry := newRegistry(t)
	config := authtx.NewTxConfig(codec.NewProtoCodec(registry), authtx.DefaultSignModes)
	secp := hd.Secp256k1.Generate()(bytes.Repeat([]byte{7}, 32)).PubKey()
	lattice := hd.MlDsa65.Generate()(bytes.Repeat([]byte{7}, 32)).PubKey()

	var vectors []signingVector
	for i, name := range append(messageNames(t), allowanceOfAnAgent) {
		for _, full := range []bool{true, false} {
			var pub cryptotypes.PubKey = secp
			if i == 0 {
				pub = lattice
			}
			described := fmt.Sprintf("%s, full %v", name, full)
			var value []byte
			if name == allowanceOfAnAgent {
				name, value = "cosmos.feegrant.v1beta1.MsgGrantAllowance", agentAllowance(t, full)
			} else {
				value = wire(t, filled(t, descriptor(t, name), full))
			}
			v := signingVector{
				Name: described, TypeURL: "/" + name, Value: hex.EncodeToString(value),
				Sequence: "0", AccountNumber: "0", ChainID: "lode-local-1", Fee: "0", Gas: "200000",
				PublicKeyType: pub.Type(), PublicKey: hex.EncodeToString(pub.Bytes()),
			}
			body := &txtypes.TxBody{Messages: []*codectypes.Any{{TypeUrl: "/" + name, Value: value}}}
			info := &txtypes.AuthInfo{Fee: &txtypes.Fee{GasLimit: 200_000}}
			data := authsigning.SignerData{ChainID: v.ChainID, Address: accountAddress(t, "signer"), PubKey: pub}
			sequence := uint64(0)
			if full {
				sequence = 1<<63 + uint64(i)
				until := time.Unix(5_000_000_000, 123_456_700)
				body.Memo, body.TimeoutHeight, body.TimeoutTimestamp = "<script>alert('1')</script> & \u2028", 123_456, &until
				info.Fee.Amount = sdk.NewCoins(sdk.NewCoin("rao", sdkmath.NewInt(1234)))
				data.AccountNumber = 42
				v.Memo, v.TimeoutHeight, v.Until, v.Fee = body.Memo, "123456", fmt.Sprint(until.UnixNano()), "1234"
				v.AccountNumber = "42"
			}
			if v.TimeoutHeight == "" {
				v.TimeoutHeight = "0"
			}
			data.Sequence, v.Sequence = sequence, fmt.Sprint(sequence)
			bodyBytes, err := body.Marshal()
			require.NoError(t, err)
			packed, err := codectypes.NewAnyWithValue(pub)
			require.NoError(t, err)
			signBytes := func(mode signing.SignMode) (auth, doc []byte) {
				info.SignerInfos = []*txtypes.SignerInfo{{
					PublicKey: packed, Sequence: sequence,
					ModeInfo: &txtypes.ModeInfo{Sum: &txtypes.ModeInfo_Single_{Single: &txtypes.ModeInfo_Single{Mode: mode}}},
				}}
				auth, err := info.Marshal()
				require.NoError(t, err)
				raw, err := (&txtypes.TxRaw{BodyBytes: bodyBytes, AuthInfoBytes: auth, Signatures: [][]byte{make([]byte, 64)}}).Marshal()
				require.NoError(t, err)
				tx, err := config.TxDecoder()(raw)
				require.NoError(t, err, v.Name)
				doc, err = authsigning.GetSignBytesAdapter(context.Background(), config.SignModeHandler(), mode, data, tx)
				require.NoError(t, err, v.Name)
				return auth, doc
			}
			auth, doc := signBytes(signing.SignMode_SIGN_MODE_DIRECT)
			aminoAuth, text := signBytes(signing.SignMode_SIGN_MODE_LEGACY_AMINO_JSON)
			v.Body, v.AuthInfo, v.Direct = hex.EncodeToString(bodyBytes), hex.EncodeToString(auth), hex.EncodeToString(doc)
			v.AuthInfoAmino, v.Amino = hex.EncodeToString(aminoAuth), string(text)
			vectors = append(vectors, v)
		}
	}
	golden(t, "testdata/signing.json", vectors)
}

// allowanceOfAnAgent is what `lode wallet allow` grants for fees, which stands in three
// messages.
const allowanceOfAnAgent = "the fees of an agent"

func agentAllowance(t *testing.T, full bool) []byte {
	periodic := &feegrant.PeriodicAllowance{}
	if full {
		until := time.Unix(1_900_000_000, 0).UTC()
		coins := sdk.NewCoins(sdk.NewCoin("rao", sdkmath.NewInt(10_000_000)))
		periodic = &feegrant.PeriodicAllowance{Basic: feegrant.BasicAllowance{Expiration: &until}, Period: time.Hour, PeriodSpendLimit: coins, PeriodCanSpend: coins, PeriodReset: until}
	}
	only, err := feegrant.NewAllowedMsgAllowance(periodic, []string{"/cosmos.authz.v1beta1.MsgExec", "/lode.market.v1.MsgClose"})
	require.NoError(t, err)
	packed, err := codectypes.NewAnyWithValue(only)
	require.NoError(t, err)
	raw, err := (&feegrant.MsgGrantAllowance{Granter: accountAddress(t, "granter"), Grantee: accountAddress(t, "grantee"), Allowance: packed}).Marshal()
	require.NoError(t, err)
	return raw
}

// severalVectors are accounts of several keys, and transactions as files have them.
type severalVectors struct {
	Accounts []severalVector  `json:"accounts"`
	Messages []messageAsFiles `json:"messages"`
}

type severalVector struct {
	Threshold  int               `json:"threshold"`
	Members    []json.RawMessage `json:"members"` // as `lode wallet show` prints public keys, in the order of their addresses
	Address    string            `json:"address"`
	ChainID    string            `json:"chain_id"`
	Number     string            `json:"account_number"`
	Sequence   string            `json:"sequence"`
	Unsigned   json.RawMessage   `json:"unsigned"`   // a transaction, as `lode … --generate-only` prints it
	Signatures []json.RawMessage `json:"signatures"` // of as many members as must sign, as `lode tx sign --multisig` prints them
	Signed     string            `json:"signed"`     // what is sent, hexadecimal
}

type messageAsFiles struct {
	TypeURL string          `json:"type_url"`
	Value   string          `json:"value"` // hexadecimal
	JSON    json.RawMessage `json:"json"`
}

// The page reads and writes the files that go between the owners of an account, and puts
// their signatures together as the program does.
func TestThePageSignsTogetherWithTheProgram(t *testing.T) {
	registry := newRegistry(t)
	cdc := codec.NewProtoCodec(registry)
	config := authtx.NewTxConfig(cdc, authtx.DefaultSignModes)
	key := func(n byte, lattice bool) cryptotypes.PrivKey {
		if lattice {
			return hd.MlDsa65.Generate()(bytes.Repeat([]byte{n}, 32))
		}
		return hd.Secp256k1.Generate()(bytes.Repeat([]byte{n}, 32))
	}
	var v severalVectors
	for i, keys := range [][]cryptotypes.PrivKey{
		{key(1, false), key(2, false)},
		{key(3, false), key(4, true), key(5, false)},
	} {
		slices.SortFunc(keys, func(a, b cryptotypes.PrivKey) int { return bytes.Compare(a.PubKey().Address(), b.PubKey().Address()) })
		var members []cryptotypes.PubKey
		s := severalVector{Threshold: 2, ChainID: "lode-local-1", Number: "7", Sequence: fmt.Sprint(i)}
		for _, k := range keys {
			members = append(members, k.PubKey())
			text, err := cdc.MarshalInterfaceJSON(k.PubKey())
			require.NoError(t, err)
			s.Members = append(s.Members, text)
		}
		pub := kmultisig.NewLegacyAminoPubKey(s.Threshold, members)
		var err error
		s.Address, err = bech32.ConvertAndEncode(alphatypes.Bech32Prefix, pub.Address())
		require.NoError(t, err)
		send := &banktypes.MsgSend{FromAddress: s.Address, ToAddress: accountAddress(t, "shop"), Amount: sdk.NewCoins(sdk.NewCoin("rao", sdkmath.NewInt(5)))}
		packed, err := codectypes.NewAnyWithValue(send)
		require.NoError(t, err)
		tx := &txtypes.Tx{
			Body:       &txtypes.TxBody{Messages: []*codectypes.Any{packed}, Memo: "rent & <more>", TimeoutHeight: uint64(99 * i)},
			AuthInfo:   &txtypes.AuthInfo{Fee: &txtypes.Fee{GasLimit: 200_000, Amount: sdk.NewCoins(sdk.NewCoin("rao", sdkmath.NewInt(2000)))}},
			Signatures: [][]byte{},
		}
		s.Unsigned, err = cdc.MarshalJSON(tx)
		require.NoError(t, err)

		body, err := tx.Body.Marshal()
		require.NoError(t, err)
		info, err := tx.AuthInfo.Marshal()
		require.NoError(t, err)
		raw, err := (&txtypes.TxRaw{BodyBytes: body, AuthInfoBytes: info}).Marshal()
		require.NoError(t, err)
		decoded, err := config.TxDecoder()(raw)
		require.NoError(t, err)
		mode := signing.SignMode_SIGN_MODE_LEGACY_AMINO_JSON
		doc, err := authsigning.GetSignBytesAdapter(context.Background(), config.SignModeHandler(), mode,
			authsigning.SignerData{ChainID: s.ChainID, Address: s.Address, AccountNumber: 7, Sequence: uint64(i), PubKey: pub}, decoded)
		require.NoError(t, err)
		together := multisig.NewMultisig(len(members))
		for _, k := range []cryptotypes.PrivKey{keys[len(keys)-1], keys[0]} {
			signature, err := k.Sign(doc)
			require.NoError(t, err)
			one := &signing.SingleSignatureData{SignMode: mode, Signature: signature}
			text, err := config.MarshalSignatureJSON([]signing.SignatureV2{{PubKey: k.PubKey(), Sequence: uint64(i), Data: one}})
			require.NoError(t, err)
			s.Signatures = append(s.Signatures, text)
			require.NoError(t, multisig.AddSignatureFromPubKey(together, one, k.PubKey(), members))
		}
		builder, err := config.WrapTxBuilder(decoded)
		require.NoError(t, err)
		require.NoError(t, builder.SetSignatures(signing.SignatureV2{PubKey: pub, Sequence: uint64(i), Data: together}))
		signed, err := config.TxEncoder()(builder.GetTx())
		require.NoError(t, err)
		s.Signed = hex.EncodeToString(signed)
		v.Accounts = append(v.Accounts, s)
	}
	for _, name := range messageNames(t) {
		for _, full := range []bool{true, false} {
			value := wire(t, filled(t, descriptor(t, name), full))
			tx := &txtypes.Tx{Body: &txtypes.TxBody{Messages: []*codectypes.Any{{TypeUrl: "/" + name, Value: value}}}, AuthInfo: &txtypes.AuthInfo{}}
			require.NoError(t, codectypes.UnpackInterfaces(tx, registry), name)
			text, err := cdc.MarshalJSON(tx)
			require.NoError(t, err, name)
			var read struct {
				Body struct{ Messages []json.RawMessage }
			}
			require.NoError(t, json.Unmarshal(text, &read))
			v.Messages = append(v.Messages, messageAsFiles{"/" + name, hex.EncodeToString(value), read.Body.Messages[0]})
		}
	}
	golden(t, "testdata/several.json", v)
}

type keyVector struct {
	Mnemonic   string `json:"mnemonic"`
	Algorithm  string `json:"algorithm"`
	Private    string `json:"private"` // secp256k1: the key; ML-DSA-65: the seed
	Public     string `json:"public"`
	Address    string `json:"address"`
	Message    string `json:"message"`
	Signature  string `json:"signature"`
	Passphrase string `json:"passphrase"`
	Armored    string `json:"armored"`
}

// The page's signatures are held against these to the byte: both algorithms sign
// deterministically, so what the page makes is what the chain verifies.
func TestThePageDerivesTheChainsKeys(t *testing.T) {
	const twelve = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
	twentyFour := strings.Repeat("abandon ", 23) + "art"
	var vectors []keyVector
	for _, mnemonic := range []string{twelve, twentyFour} {
		for _, algo := range []interface {
			Derive() hd.DeriveFn
			Generate() hd.GenerateFn
		}{hd.Secp256k1, hd.MlDsa65} {
			secret, err := algo.Derive()(mnemonic, "", "m/44'/118'/0'/0/0")
			require.NoError(t, err)
			key := algo.Generate()(secret)
			pub := key.PubKey()
			message := []byte("what is signed")
			signature, err := key.Sign(message)
			require.NoError(t, err)
			require.True(t, pub.VerifySignature(message, signature))
			text, err := bech32.ConvertAndEncode(alphatypes.Bech32Prefix, pub.Address())
			require.NoError(t, err)
			vectors = append(vectors, keyVector{
				Mnemonic: mnemonic, Algorithm: pub.Type(), Private: hex.EncodeToString(secret), Public: hex.EncodeToString(pub.Bytes()),
				Address: text, Message: hex.EncodeToString(message), Signature: hex.EncodeToString(signature),
				Passphrase: "a pass phrase", Armored: armored(t, key, pub.Type(), mnemonic == twelve),
			})
		}
	}
	golden(t, "testdata/keys.json", vectors)
}

// armored returns a key file of the SDK's. Its salt is drawn, so the one that is on
// record is held to open instead of to be equal.
func armored(t *testing.T, key cryptotypes.PrivKey, algorithm string, wanted bool) string {
	if !wanted {
		return ""
	}
	if !*update {
		var have []keyVector
		raw, err := os.ReadFile("testdata/keys.json")
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &have))
		for _, v := range have {
			if v.Algorithm != algorithm || v.Armored == "" {
				continue
			}
			opened, algo, err := crypto.UnarmorDecryptPrivKey(v.Armored, v.Passphrase)
			require.NoError(t, err)
			require.Equal(t, algorithm, algo)
			require.True(t, opened.Equals(key))
			return v.Armored
		}
	}
	return crypto.EncryptArmorPrivKey(key, "a pass phrase", algorithm)
}
