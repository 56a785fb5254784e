package types

import (
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/legacy"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/msgservice"
	"github.com/cosmos/cosmos-sdk/x/authz"
)

// RegisterLegacyAminoCodec names the messages for amino JSON, which hardware wallets sign.
func RegisterLegacyAminoCodec(cdc *codec.LegacyAmino) {
	legacy.RegisterAminoMsg(cdc, &MsgListService{}, "lode/MsgListService")
	legacy.RegisterAminoMsg(cdc, &MsgUnlistService{}, "lode/MsgUnlistService")
	legacy.RegisterAminoMsg(cdc, &MsgOfferPlan{}, "lode/MsgOfferPlan")
	legacy.RegisterAminoMsg(cdc, &MsgRetirePlan{}, "lode/MsgRetirePlan")
	legacy.RegisterAminoMsg(cdc, &MsgDeposit{}, "lode/MsgDeposit")
	legacy.RegisterAminoMsg(cdc, &MsgRedeem{}, "lode/MsgRedeem")
	legacy.RegisterAminoMsg(cdc, &MsgClose{}, "lode/MsgClose")
	legacy.RegisterAminoMsg(cdc, &MsgCancelPlan{}, "lode/MsgCancelPlan")
	legacy.RegisterAminoMsg(cdc, &MsgSetRevenueSplit{}, "lode/MsgSetRevenueSplit")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "lode/x/market/MsgUpdateParams")
	cdc.RegisterConcrete(&SpendAuthorization{}, "lode/SpendAuthorization", nil)
}

// RegisterInterfaces makes the messages, and the authorization, known to the codec.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgListService{}, &MsgUnlistService{}, &MsgOfferPlan{}, &MsgRetirePlan{}, &MsgDeposit{}, &MsgRedeem{},
		&MsgClose{}, &MsgCancelPlan{}, &MsgSetRevenueSplit{}, &MsgUpdateParams{})
	registry.RegisterImplementations((*authz.Authorization)(nil), &SpendAuthorization{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
