package types

import (
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/voucher"
)

var (
	_ sdk.HasValidateBasic = (*MsgListService)(nil)
	_ sdk.HasValidateBasic = (*MsgUnlistService)(nil)
	_ sdk.HasValidateBasic = (*MsgOfferPlan)(nil)
	_ sdk.HasValidateBasic = (*MsgRetirePlan)(nil)
	_ sdk.HasValidateBasic = (*MsgDeposit)(nil)
	_ sdk.HasValidateBasic = (*MsgRedeem)(nil)
	_ sdk.HasValidateBasic = (*MsgClose)(nil)
	_ sdk.HasValidateBasic = (*MsgCancelPlan)(nil)
	_ sdk.HasValidateBasic = (*MsgSetRevenueSplit)(nil)
)

// ValidateBasic checks texts, unit and price; the endpoint where the hotkey is known.
func (m *MsgListService) ValidateBasic() error {
	if err := line("name", m.Name, 1, MaxName); err != nil {
		return err
	}
	if err := text("description", m.Description, 0, MaxDescription); err != nil {
		return err
	}
	if err := text("terms", m.Terms, 0, MaxTerms); err != nil {
		return err
	}
	if _, ok := Unit_name[int32(m.Unit)]; !ok || m.Unit == UNIT_UNSPECIFIED {
		return ErrUnit.Wrapf("%d: give request, token, gib_month, video_minute or task", m.Unit)
	}
	if m.Price == 0 || m.Per == 0 {
		return ErrAmount.Wrapf("a price of %d rao for %d units: both must be at least 1", m.Price, m.Per)
	}
	return nil
}

// ValidateBasic checks the service's id.
func (m *MsgUnlistService) ValidateBasic() error { return someService(m.ServiceId) }

// ValidateBasic checks what can be said without the parameters.
func (m *MsgOfferPlan) ValidateBasic() error {
	if err := someService(m.ServiceId); err != nil {
		return err
	}
	if err := line("name", m.Name, 1, MaxName); err != nil {
		return err
	}
	if m.Price == 0 || m.Quota == 0 {
		return ErrPlan.Wrapf("a price of %d rao for %d units: both must be at least 1", m.Price, m.Quota)
	}
	if m.Period < 1 || m.Period > MaxDelay {
		return ErrPlan.Wrapf("a period of %d seconds, must be 1 to %d", m.Period, MaxDelay)
	}
	return nil
}

// ValidateBasic checks the plan's id.
func (m *MsgRetirePlan) ValidateBasic() error {
	if m.PlanId == 0 {
		return ErrNoPlan.Wrap("plans are numbered from 1: the query service shows a service's")
	}
	return nil
}

// ValidateBasic checks that it either opens a channel or puts more into one.
func (m *MsgDeposit) ValidateBasic() error {
	if m.Amount == 0 {
		return ErrAmount.Wrap("0 rao: give at least 1")
	}
	if len(m.ChannelId) > 0 {
		if m.ServiceId != 0 || len(m.SessionKey) > 0 || m.CloseDelay != 0 || m.PlanId != 0 || m.MaxPrice != 0 {
			return ErrChannel.Wrap("channel_id puts more into a channel, service_id, session_key, close_delay, plan_id and max_price open one: give either")
		}
		return someChannel(m.ChannelId)
	}
	if err := someService(m.ServiceId); err != nil {
		return err
	}
	if err := voucher.CheckKey(m.SessionKey); err != nil {
		return ErrSessionKey.Wrap(err.Error())
	}
	if m.CloseDelay < 1 || m.CloseDelay > MaxDelay {
		return ErrChannel.Wrapf("close_delay is %d seconds, must be 1 to %d", m.CloseDelay, MaxDelay)
	}
	if (m.PlanId == 0) != (m.MaxPrice == 0) {
		return ErrPlan.Wrapf("plan_id %d with max_price %d: give max_price, in rao a period, for a plan, and only for one", m.PlanId, m.MaxPrice)
	}
	return nil
}

// ValidateBasic checks that there are items, and no more than can be. What is wrong
// with one of them is its result's business.
func (m *MsgRedeem) ValidateBasic() error {
	if len(m.Items) == 0 || len(m.Items) > MaxItems {
		return ErrTooMany.Wrapf("%d items, must be 1 to max_items", len(m.Items))
	}
	return nil
}

// ValidateBasic checks the channel's id.
func (m *MsgClose) ValidateBasic() error { return someChannel(m.ChannelId) }

// ValidateBasic checks the channel's id.
func (m *MsgCancelPlan) ValidateBasic() error { return someChannel(m.ChannelId) }

// ValidateBasic checks that the split adds up.
func (m *MsgSetRevenueSplit) ValidateBasic() error { return m.Split.Validate() }

func someService(id uint64) error {
	if id == 0 {
		return ErrNoService.Wrap("services are numbered from 1: the query services lists them")
	}
	return nil
}

func someChannel(id []byte) error {
	if len(id) != voucher.IDSize {
		return ErrNoChannel.Wrapf("a channel's id has %d bytes, not %d", voucher.IDSize, len(id))
	}
	return nil
}
