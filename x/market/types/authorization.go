package types

import (
	"context"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/cosmos-sdk/x/authz"
)

// MaxAllowed is how many netuids, and how many services, an authorization can name.
const MaxAllowed = 128

var _ authz.Authorization = (*SpendAuthorization)(nil)

// MsgTypeURL is the one message that an authorization is for.
func (*SpendAuthorization) MsgTypeURL() string { return sdk.MsgTypeURL(&MsgDeposit{}) }

// ValidateBasic checks that the limits make sense together.
func (a *SpendAuthorization) ValidateBasic() error {
	if _, err := sdk.AccAddressFromBech32(a.Spender); err != nil {
		return ErrSpender.Wrapf("spender %q: %s", cut(a.Spender), err)
	}
	switch {
	case (a.PerPeriod == 0) != (a.Period == 0) || a.Period < 0 || a.Period > MaxDelay:
		return ErrLimit.Wrapf("%d rao in %d seconds: give both, per_period and period of at most %d seconds, or neither", a.PerPeriod, a.Period, MaxDelay)
	case a.PeriodLeft > a.PerPeriod || a.PeriodReset < 0:
		return ErrLimit.Wrapf("period_left is %d rao of %d, reset at second %d: leave both out, then the first period begins with the first deposit", a.PeriodLeft, a.PerPeriod, a.PeriodReset)
	case len(a.Netuids) > MaxAllowed || len(a.ServiceIds) > MaxAllowed:
		return ErrLimit.Wrapf("%d netuids and %d services, at most %d each", len(a.Netuids), len(a.ServiceIds), MaxAllowed)
	}
	return nil
}

// Accept lets a deposit through that is within the limits, and takes it off them. An
// authorization that is used up stays: refunds fill it again. Which services it may pay
// x/market checks by CheckService, since a message may name a channel alone.
func (a *SpendAuthorization) Accept(ctx context.Context, msg sdk.Msg) (authz.AcceptResponse, error) {
	m, ok := msg.(*MsgDeposit)
	if !ok {
		return authz.AcceptResponse{}, sdkerrors.ErrInvalidType.Wrapf("%s: this authorization is for deposits alone", sdk.MsgTypeURL(msg))
	}
	if !sameAddress(m.Spender, a.Spender) {
		return authz.AcceptResponse{}, ErrSpender.Wrapf("the message's spender is %q, must be %s, so that refunds find the way back", cut(m.Spender), a.Spender)
	}
	left := *a
	left.begin(sdk.UnwrapSDKContext(ctx).BlockTime().Unix())
	switch {
	case m.Amount > left.Limit:
		return authz.AcceptResponse{}, ErrLimit.Wrapf("%s, and %s are left of the limit", TAO(m.Amount), TAO(left.Limit))
	case left.PerPeriod > 0 && m.Amount > left.PeriodLeft:
		return authz.AcceptResponse{}, ErrLimit.Wrapf("%s, and %s are left of the %s for this period, until %s", TAO(m.Amount), TAO(left.PeriodLeft), TAO(left.PerPeriod), Date(left.PeriodReset))
	case left.MaxDeposit > 0 && m.Amount > left.MaxDeposit:
		return authz.AcceptResponse{}, ErrLimit.Wrapf("%s, and at most %s may be deposited at once", TAO(m.Amount), TAO(left.MaxDeposit))
	}
	left.Limit -= m.Amount
	if left.PerPeriod > 0 {
		left.PeriodLeft -= m.Amount
	}
	return authz.AcceptResponse{Accept: true, Updated: &left}, nil
}

// begin begins a new period where the last is over.
func (a *SpendAuthorization) begin(seconds int64) {
	if a.PerPeriod == 0 || seconds < a.PeriodReset {
		return
	}
	a.PeriodLeft = a.PerPeriod
	if a.PeriodReset += a.Period; a.PeriodReset <= seconds { // the first, or some were left out
		a.PeriodReset = seconds + a.Period
	}
}

// CheckService tells why a service may not be paid under the authorization.
func (a *SpendAuthorization) CheckService(netuid uint32, serviceID uint64) error {
	if len(a.Netuids) > 0 && !slices.Contains(a.Netuids, netuid) {
		return ErrLimit.Wrapf("%s may pay services of the subnets %d, this is of subnet %d", a.Spender, a.Netuids, netuid)
	}
	if len(a.ServiceIds) > 0 && !slices.Contains(a.ServiceIds, serviceID) {
		return ErrLimit.Wrapf("%s may pay the services %d, this is service %d", a.Spender, a.ServiceIds, serviceID)
	}
	return nil
}

// sameAddress compares addresses, which may be written in upper case.
func sameAddress(a, b string) bool {
	x, errX := sdk.AccAddressFromBech32(a)
	y, errY := sdk.AccAddressFromBech32(b)
	return errX == nil && errY == nil && x.Equals(y)
}
