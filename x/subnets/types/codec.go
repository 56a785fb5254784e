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
	legacy.RegisterAminoMsg(cdc, &MsgCreateSubnet{}, "lode/MsgCreateSubnet")
	legacy.RegisterAminoMsg(cdc, &MsgStartSubnet{}, "lode/MsgStartSubnet")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateSubnet{}, "lode/MsgUpdateSubnet")
	legacy.RegisterAminoMsg(cdc, &MsgSetHyperparameter{}, "lode/MsgSetHyperparameter")
	legacy.RegisterAminoMsg(cdc, &MsgRegister{}, "lode/MsgRegister")
	legacy.RegisterAminoMsg(cdc, &MsgServe{}, "lode/MsgServe")
	legacy.RegisterAminoMsg(cdc, &MsgTransferOwnership{}, "lode/MsgTransferOwnership")
	legacy.RegisterAminoMsg(cdc, &MsgPublish{}, "lode/MsgPublish")
	legacy.RegisterAminoMsg(cdc, &MsgPublishSealed{}, "lode/MsgPublishSealed")
	legacy.RegisterAminoMsg(cdc, &MsgRevealPublished{}, "lode/MsgRevealPublished")
	legacy.RegisterAminoMsg(cdc, &MsgSwapHotkey{}, "lode/MsgSwapHotkey")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "lode/x/subnets/MsgUpdateParams")
}

// RegisterInterfaces makes the messages known to the codec.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgCreateSubnet{}, &MsgStartSubnet{}, &MsgUpdateSubnet{}, &MsgSetHyperparameter{},
		&MsgRegister{}, &MsgServe{}, &MsgTransferOwnership{}, &MsgPublish{}, &MsgPublishSealed{},
		&MsgRevealPublished{}, &MsgSwapHotkey{}, &MsgUpdateParams{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
