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
	legacy.RegisterAminoMsg(cdc, &MsgBindHotkey{}, "lode/MsgBindHotkey")
	legacy.RegisterAminoMsg(cdc, &MsgStake{}, "lode/MsgStake")
	legacy.RegisterAminoMsg(cdc, &MsgUnstake{}, "lode/MsgUnstake")
	legacy.RegisterAminoMsg(cdc, &MsgUnstakeAll{}, "lode/MsgUnstakeAll")
	legacy.RegisterAminoMsg(cdc, &MsgMoveStake{}, "lode/MsgMoveStake")
	legacy.RegisterAminoMsg(cdc, &MsgSwapStake{}, "lode/MsgSwapStake")
	legacy.RegisterAminoMsg(cdc, &MsgTransferStake{}, "lode/MsgTransferStake")
	legacy.RegisterAminoMsg(cdc, &MsgSetTake{}, "lode/MsgSetTake")
	legacy.RegisterAminoMsg(cdc, &MsgSetChildren{}, "lode/MsgSetChildren")
	legacy.RegisterAminoMsg(cdc, &MsgSetChildkeyTake{}, "lode/MsgSetChildkeyTake")
	legacy.RegisterAminoMsg(cdc, &MsgSetDestination{}, "lode/MsgSetDestination")
	legacy.RegisterAminoMsg(cdc, &MsgBurnAlpha{}, "lode/MsgBurnAlpha")
	legacy.RegisterAminoMsg(cdc, &MsgRecycleAlpha{}, "lode/MsgRecycleAlpha")
	legacy.RegisterAminoMsg(cdc, &MsgClaim{}, "lode/MsgClaim")
	legacy.RegisterAminoMsg(cdc, &MsgSetRecoveryKey{}, "lode/MsgSetRecoveryKey")
	legacy.RegisterAminoMsg(cdc, &MsgAnnounceColdkeySwap{}, "lode/MsgAnnounceColdkeySwap")
	legacy.RegisterAminoMsg(cdc, &MsgDisputeColdkeySwap{}, "lode/MsgDisputeColdkeySwap")
	legacy.RegisterAminoMsg(cdc, &MsgDecideColdkeySwap{}, "lode/MsgDecideColdkeySwap")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "lode/x/alpha/MsgUpdateParams")
}

// RegisterInterfaces makes the messages known to the codec.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgBindHotkey{}, &MsgStake{}, &MsgUnstake{}, &MsgUnstakeAll{}, &MsgMoveStake{},
		&MsgSwapStake{}, &MsgTransferStake{}, &MsgSetTake{},
		&MsgSetChildren{}, &MsgSetChildkeyTake{}, &MsgSetDestination{}, &MsgBurnAlpha{}, &MsgRecycleAlpha{},
		&MsgClaim{}, &MsgSetRecoveryKey{}, &MsgAnnounceColdkeySwap{}, &MsgDisputeColdkeySwap{}, &MsgDecideColdkeySwap{},
		&MsgUpdateParams{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
