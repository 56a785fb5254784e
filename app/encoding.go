package app

import (
	"github.com/cosmos/gogoproto/proto"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/std"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"
	"github.com/cosmos/cosmos-sdk/x/tx/signing"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// Prefixes of bech32 addresses.
const (
	AccountPrefix   = alphatypes.Bech32Prefix
	ValidatorPrefix = alphatypes.Bech32Prefix + "valoper"
	ConsensusPrefix = alphatypes.Bech32Prefix + "valcons"
)

// EncodingConfig is how the chain's messages and transactions are encoded.
type EncodingConfig struct {
	InterfaceRegistry codectypes.InterfaceRegistry
	Codec             codec.Codec
	TxConfig          client.TxConfig
	Amino             *codec.LegacyAmino
}

// MakeEncodingConfig makes the encoding with the messages of all modules.
func MakeEncodingConfig() EncodingConfig {
	registry, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles: proto.HybridResolver,
		SigningOptions: signing.Options{
			AddressCodec:          addresscodec.NewBech32Codec(AccountPrefix),
			ValidatorAddressCodec: addresscodec.NewBech32Codec(ValidatorPrefix),
		},
	})
	if err != nil {
		panic(err) // the linked proto files don't fit each other: any test finds it
	}
	cdc := codec.NewProtoCodec(registry)
	txConfig, err := authtx.NewTxConfigWithOptions(cdc, authtx.ConfigOptions{
		EnabledSignModes: authtx.DefaultSignModes, ProtoDecoder: newTxDecoder(cdc),
	})
	if err != nil {
		panic(err) // as above
	}
	enc := EncodingConfig{
		InterfaceRegistry: registry,
		Codec:             cdc,
		TxConfig:          txConfig,
		Amino:             codec.NewLegacyAmino(),
	}
	std.RegisterLegacyAminoCodec(enc.Amino)
	std.RegisterInterfaces(registry)
	basics().RegisterLegacyAminoCodec(enc.Amino)
	basics().RegisterInterfaces(registry)
	if err := registry.SigningContext().Validate(); err != nil {
		panic(err) // a message without a signer: any test finds it
	}
	return enc
}
