package types

import (
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/legacy"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/msgservice"
)

// RegisterLegacyAminoCodec names the messages for amino JSON, which hardware wallets sign.
func RegisterLegacyAminoCodec(cdc *codec.LegacyAmino) {
	legacy.RegisterAminoMsg(cdc, &MsgSetWeights{}, "lode/MsgSetWeights")
	legacy.RegisterAminoMsg(cdc, &MsgCommitWeights{}, "lode/MsgCommitWeights")
	legacy.RegisterAminoMsg(cdc, &MsgRevealWeights{}, "lode/MsgRevealWeights")
	legacy.RegisterAminoMsg(cdc, &MsgBatchSetWeights{}, "lode/MsgBatchSetWeights")
	legacy.RegisterAminoMsg(cdc, &MsgBatchCommitWeights{}, "lode/MsgBatchCommitWeights")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "lode/x/weights/MsgUpdateParams")
}

// RegisterInterfaces makes the messages known to the codec.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgSetWeights{}, &MsgCommitWeights{}, &MsgRevealWeights{}, &MsgBatchSetWeights{}, &MsgBatchCommitWeights{}, &MsgUpdateParams{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
