package onchain

import (
	"context"
	"errors"
	"fmt"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// Register gives the hotkey a uid for a burn of at most maxBurn rao, which the coldkey
// pays. It binds the hotkey first if it is unbound. One that has a uid already keeps it
// and pays nothing.
func (c *chain) Register(ctx context.Context, netuid uint16, maxBurn uint64) error {
	_, err := c.c.Subnets().Neuron(ctx, &subnetstypes.QueryNeuronRequest{Netuid: uint32(netuid), Hotkey: c.hotkey.Address()})
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, client.ErrNotFound):
		return mapped(err)
	}
	if c.coldkey == nil {
		return fmt.Errorf("hotkey %s can't be registered here: only its coldkey can pay, and it is not in this process", c.hotkey.Address())
	}
	if err := c.bind(ctx); err != nil {
		return mapped(err)
	}
	_, err = c.c.Send(ctx, []*wallet.Signer{c.coldkey}, &subnetstypes.MsgRegister{
		Coldkey: c.coldkey.Address(), Hotkey: c.hotkey.Address(), Netuid: uint32(netuid), MaxBurn: maxBurn,
	})
	return mapped(err)
}

// bind binds the hotkey to the coldkey, unless it is.
func (c *chain) bind(ctx context.Context) error {
	r, err := c.c.Alpha().Hotkey(ctx, &alphatypes.QueryHotkeyRequest{Hotkey: c.hotkey.Address()})
	if err == nil {
		if r.Hotkey.Coldkey != c.coldkey.Address() {
			return fmt.Errorf("hotkey %s is bound to coldkey %s, not to %s: a binding is for ever", c.hotkey.Address(), r.Hotkey.Coldkey, c.coldkey.Address())
		}
		return nil
	}
	if !errors.Is(err, client.ErrNotFound) {
		return err
	}
	// A key can sign only once its account exists.
	exists, err := c.c.HasAccount(ctx, c.hotkey.Address())
	if err != nil {
		return err
	}
	if !exists {
		if _, err := c.c.Transfer(ctx, c.coldkey, c.hotkey.Address(), 1); err != nil {
			return err
		}
	}
	_, err = c.c.Send(ctx, []*wallet.Signer{c.coldkey, c.hotkey}, &alphatypes.MsgBindHotkey{
		Coldkey: c.coldkey.Address(), Hotkey: c.hotkey.Address(),
	})
	return err
}
