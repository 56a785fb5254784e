package onchain

import (
	"context"
	"errors"
	"fmt"

	"github.com/lodenet/lode/client"
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
	_, err = c.c.SendBound(ctx, c.coldkey, c.hotkey, &subnetstypes.MsgRegister{
		Coldkey: c.coldkey.Address(), Hotkey: c.hotkey.Address(), Netuid: uint32(netuid), MaxBurn: maxBurn,
	})
	return mapped(err)
}
