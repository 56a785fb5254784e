package types

import sdk "github.com/cosmos/cosmos-sdk/types"

var (
	_ sdk.HasValidateBasic = (*MsgBindHotkey)(nil)
	_ sdk.HasValidateBasic = (*MsgStake)(nil)
	_ sdk.HasValidateBasic = (*MsgUnstake)(nil)
	_ sdk.HasValidateBasic = (*MsgUnstakeAll)(nil)
	_ sdk.HasValidateBasic = (*MsgMoveStake)(nil)
	_ sdk.HasValidateBasic = (*MsgSwapStake)(nil)
	_ sdk.HasValidateBasic = (*MsgTransferStake)(nil)
	_ sdk.HasValidateBasic = (*MsgSetChildren)(nil)
	_ sdk.HasValidateBasic = (*MsgBurnAlpha)(nil)
	_ sdk.HasValidateBasic = (*MsgRecycleAlpha)(nil)
)

// ValidateBasic checks that there are two keys.
func (m *MsgBindHotkey) ValidateBasic() error {
	if m.Hotkey == m.Coldkey {
		return ErrBound.Wrapf("%s can't be its own coldkey: a hotkey lies on a working machine, the coldkey should not", m.Hotkey)
	}
	return nil
}

// ValidateBasic checks amount and limit.
func (m *MsgStake) ValidateBasic() error {
	if m.Tao == 0 {
		return ErrInvalidAmount.Wrap("0 rao to stake: give an amount")
	}
	return limit("limit_price", m.LimitPrice, "the highest price at which you still buy")
}

// ValidateBasic checks amount and limit.
func (m *MsgUnstake) ValidateBasic() error {
	if m.Alpha == 0 {
		return ErrInvalidAmount.Wrap("0 alpha units to unstake: give an amount")
	}
	return limit("limit_price", m.LimitPrice, "the lowest price at which you still sell")
}

// ValidateBasic checks that each subnet is there once, with a limit.
func (m *MsgUnstakeAll) ValidateBasic() error {
	if len(m.Subnets) == 0 {
		return ErrInvalidRequest.Wrap("no subnet to unstake from: list at least one")
	}
	seen := make(map[uint32]bool, len(m.Subnets))
	for _, s := range m.Subnets {
		if seen[s.Netuid] {
			return ErrInvalidRequest.Wrapf("subnet %d is listed twice", s.Netuid)
		}
		seen[s.Netuid] = true
		if err := limit("limit_price", s.LimitPrice, "the lowest price at which you still sell"); err != nil {
			return err
		}
	}
	return nil
}

// ValidateBasic checks the amount and that there are two hotkeys.
func (m *MsgMoveStake) ValidateBasic() error {
	switch {
	case m.Alpha == 0:
		return ErrInvalidAmount.Wrap("0 alpha units to move: give an amount")
	case m.FromHotkey == m.ToHotkey:
		return ErrInvalidRequest.Wrapf("the stake is on %s already: move it to another hotkey", m.ToHotkey)
	}
	return nil
}

// ValidateBasic checks amount and limits and that there are two subnets.
func (m *MsgSwapStake) ValidateBasic() error {
	switch {
	case m.Alpha == 0:
		return ErrInvalidAmount.Wrap("0 alpha units to swap: give an amount")
	case m.FromNetuid == m.ToNetuid:
		return ErrInvalidRequest.Wrapf("both are subnet %d: within a subnet MsgMoveStake moves stake without a trade", m.ToNetuid)
	}
	if err := limit("sell_limit_price", m.SellLimitPrice, "the lowest price at which you still sell"); err != nil {
		return err
	}
	return limit("buy_limit_price", m.BuyLimitPrice, "the highest price at which you still buy")
}

// ValidateBasic checks the amount and that there are two coldkeys.
func (m *MsgTransferStake) ValidateBasic() error {
	switch {
	case m.Alpha == 0:
		return ErrInvalidAmount.Wrap("0 alpha units to transfer: give an amount")
	case m.Coldkey == m.ToColdkey:
		return ErrInvalidRequest.Wrapf("the stake is %s's already: transfer it to another coldkey", m.ToColdkey)
	}
	return nil
}

// ValidateBasic checks number, fractions and that each child is there once.
func (m *MsgSetChildren) ValidateBasic() error {
	return ValidateChildren(m.Hotkey, m.Children)
}

// ValidateBasic checks the amount.
func (m *MsgBurnAlpha) ValidateBasic() error {
	if m.Alpha == 0 {
		return ErrInvalidAmount.Wrap("0 alpha units to burn: give an amount")
	}
	return nil
}

// ValidateBasic checks the amount.
func (m *MsgRecycleAlpha) ValidateBasic() error {
	if m.Alpha == 0 {
		return ErrInvalidAmount.Wrap("0 alpha units to recycle: give an amount")
	}
	return nil
}

func limit(name string, price uint64, meaning string) error {
	if price == 0 {
		return ErrLimitPrice.Wrapf("%s is 0: every trade carries one, in rao per whole alpha, %s", name, meaning)
	}
	return nil
}
