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
	legacy.RegisterAminoMsg(cdc, &MsgLockCollateral{}, "lode/MsgLockCollateral")
	legacy.RegisterAminoMsg(cdc, &MsgUnbondCollateral{}, "lode/MsgUnbondCollateral")
	legacy.RegisterAminoMsg(cdc, &MsgOpenClaim{}, "lode/MsgOpenClaim")
	legacy.RegisterAminoMsg(cdc, &MsgConfirmClaim{}, "lode/MsgConfirmClaim")
	legacy.RegisterAminoMsg(cdc, &MsgAnswerClaim{}, "lode/MsgAnswerClaim")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "lode/x/collateral/MsgUpdateParams")
}

// RegisterInterfaces makes the messages known to the codec.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgLockCollateral{}, &MsgUnbondCollateral{}, &MsgOpenClaim{}, &MsgConfirmClaim{}, &MsgAnswerClaim{}, &MsgUpdateParams{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
