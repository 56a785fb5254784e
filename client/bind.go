package client

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// ErrBoundElsewhere says that a hotkey works for another coldkey. A binding is for ever.
var ErrBoundElsewhere = errors.New("the hotkey works for another coldkey")

// ColdkeyOf is whom a hotkey works for; empty where it is bound to nobody.
func (c *Client) ColdkeyOf(ctx context.Context, hotkey string) (string, error) {
	r, err := c.Alpha().Hotkey(ctx, &alphatypes.QueryHotkeyRequest{Hotkey: hotkey})
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return r.Hotkey.Coldkey, nil
}

// IsBound says whether a hotkey works for a coldkey. One that works for another is
// [ErrBoundElsewhere].
func (c *Client) IsBound(ctx context.Context, coldkey, hotkey string) (bool, error) {
	owner, err := c.ColdkeyOf(ctx, hotkey)
	if err == nil && owner != "" && owner != coldkey {
		err = fmt.Errorf("%w: %s for %s, not for %s", ErrBoundElsewhere, hotkey, owner, coldkey)
	}
	return owner == coldkey, err
}

// SendBound sends messages that a coldkey signs for its hotkey. A hotkey that works for
// nobody yet is bound by the same transaction, which both sign. Its account must exist
// before it can sign, so the coldkey first sends it a rao. Without messages, and with
// nothing to bind, nothing is sent and the result is nil.
func (c *Client) SendBound(ctx context.Context, cold, hot *wallet.Signer, msgs ...sdk.Msg) (*TxResult, error) {
	bound, err := c.IsBound(ctx, cold.Address(), hot.Address())
	switch {
	case err != nil:
		return nil, err
	case bound && len(msgs) == 0:
		return nil, nil
	case bound:
		return c.Send(ctx, []*wallet.Signer{cold}, msgs...)
	}
	exists, err := c.HasAccount(ctx, hot.Address())
	if err != nil {
		return nil, err
	}
	if !exists {
		if _, err := c.Transfer(ctx, cold, hot.Address(), 1); err != nil {
			return nil, err
		}
	}
	bind := &alphatypes.MsgBindHotkey{Coldkey: cold.Address(), Hotkey: hot.Address()}
	return c.Send(ctx, []*wallet.Signer{cold, hot}, append([]sdk.Msg{bind}, msgs...)...)
}
