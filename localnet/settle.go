package localnet

import (
	"context"
	"errors"
	"fmt"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"golang.org/x/sync/errgroup"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// settle brings the crews' subnets to where their processes can start, by transactions
// like anybody's: funds, the subnets, a uid for everyone, the validators' stake. What a
// former run has done is not done again.
func (n *Network) settle(ctx context.Context, crews []*crew) error {
	n.cfg.OnStep("funding the subnets' owners, validators and miners from the faucet")
	var all []part
	for _, c := range crews {
		all = append(all, c.parts...)
	}
	if err := n.fund(ctx, all); err != nil {
		return fmt.Errorf("fund the cast: %w", err)
	}
	for _, c := range crews {
		if err := n.createSubnet(ctx, c); err != nil {
			return fmt.Errorf("create the subnet %s: %w", c.create.Name, err)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, c := range crews {
		n.cfg.OnStep(fmt.Sprintf("registering %d neurons in subnet %d (%s)", len(c.neurons()), c.netuid, c.create.Name))
		for _, p := range c.neurons() {
			g.Go(func() error {
				if err := n.join(ctx, c.netuid, p); err != nil {
					return fmt.Errorf("register %s: %w", p.name, err)
				}
				return nil
			})
		}
	}
	return g.Wait()
}

// fund gives coldkeys that have too little what they need, and hotkeys that never had
// anything a rao, so that their accounts exist; more to those that pay fees. It is one
// transaction.
func (n *Network) fund(ctx context.Context, cast []part) error {
	faucet, err := n.wallet.Signer(FaucetKey)
	if err != nil {
		return err
	}
	var msgs []sdk.Msg
	give := func(to string, rao uint64) {
		msgs = append(msgs, &banktypes.MsgSend{FromAddress: faucet.Address(), ToAddress: to, Amount: coins(rao)})
	}
	for _, p := range cast {
		cold, hot, err := n.keys(p.name)
		if err != nil {
			return err
		}
		bound, err := n.client.IsBound(ctx, cold.Address, hot.Address)
		if errors.Is(err, client.ErrBoundElsewhere) {
			bound, err = true, nil // its coldkey was swapped: it works for the new one
		}
		if err != nil {
			return err
		}
		if !bound {
			give(cold.Address, p.funds)
		}
		has, err := n.client.Balance(ctx, hot.Address)
		if err != nil {
			return err
		}
		switch {
		case p.price > 0 && has < hotFees/10:
			give(hot.Address, hotFees)
		case has == 0 && !bound:
			give(hot.Address, 1)
		}
		if p.purse == "" {
			continue
		}
		purse, err := n.key(p.purse, wallet.Coldkey)
		if err != nil {
			return err
		}
		if has, err = n.client.Balance(ctx, purse.Address); err != nil {
			return err
		}
		if has < purseFunds/4 {
			give(purse.Address, purseFunds)
		}
	}
	if len(msgs) == 0 {
		return nil
	}
	_, err = n.client.Send(ctx, []*wallet.Signer{faucet}, msgs...)
	return err
}

func coins(rao uint64) sdk.Coins {
	return sdk.NewCoins(sdk.NewCoin(client.Denom, sdkmath.NewIntFromUint64(rao)))
}

// signers are a part's coldkey and hotkey.
func (n *Network) signers(name string) (cold, hot *wallet.Signer, err error) {
	if cold, err = n.wallet.Signer(name); err != nil {
		return nil, nil, err
	}
	hot, err = n.wallet.Signer(name + hotSuffix)
	return cold, hot, err
}

// createSubnet creates a crew's subnet, unless a former run did.
func (n *Network) createSubnet(ctx context.Context, c *crew) error {
	_, hot, err := n.signers(c.owner().name)
	if err != nil {
		return err
	}
	r, err := n.client.Subnets().Subnets(ctx, &subnetstypes.QuerySubnetsRequest{})
	if err != nil {
		return err
	}
	for _, s := range r.Subnets {
		if s.OwnerHotkey == hot.Address() && s.Name == c.create.Name {
			c.netuid = uint16(s.Netuid)
			return nil
		}
	}
	n.cfg.OnStep("creating the subnet " + c.create.Name)
	c.netuid, err = n.create(ctx, c.owner().name, c.create)
	return err
}

// create binds the owner's hotkey, creates a subnet and starts it: one transaction, so
// that there is no half of it. It returns the netuid.
func (n *Network) create(ctx context.Context, owner string, m subnetstypes.MsgCreateSubnet) (uint16, error) {
	cold, hot, err := n.signers(owner)
	if err != nil {
		return 0, err
	}
	lock, err := n.client.Subnets().LockCost(ctx, &subnetstypes.QueryLockCostRequest{})
	if err != nil {
		return 0, err
	}
	subnets, err := n.client.Subnets().Subnets(ctx, &subnetstypes.QuerySubnetsRequest{})
	if err != nil {
		return 0, err
	}
	netuid := uint32(1) // the first free slot is the one that a creation gets
	for _, s := range subnets.Subnets {
		if s.Netuid == netuid {
			netuid++
		}
	}
	m.Coldkey, m.Hotkey, m.MaxLock = cold.Address(), hot.Address(), lock.Lock
	_, err = n.client.SendBound(ctx, cold, hot, &m, &subnetstypes.MsgStartSubnet{Coldkey: cold.Address(), Netuid: netuid})
	return uint16(netuid), err
}

// join binds a hotkey, registers it and stakes on it, in one transaction.
func (n *Network) join(ctx context.Context, netuid uint16, p part) error {
	cold, hot, err := n.signers(p.name)
	if err != nil {
		return err
	}
	_, err = n.client.Subnets().Neuron(ctx, &subnetstypes.QueryNeuronRequest{Netuid: uint32(netuid), Hotkey: hot.Address()})
	if err == nil {
		return nil
	}
	if !errors.Is(err, client.ErrNotFound) {
		return err
	}
	bound, err := n.client.IsBound(ctx, cold.Address(), hot.Address())
	if err != nil {
		return err
	}
	msgs := []sdk.Msg{&subnetstypes.MsgRegister{Coldkey: cold.Address(), Hotkey: hot.Address(), Netuid: uint32(netuid), MaxBurn: maxBurn}}
	if p.stake > 0 && !bound {
		msgs = append(msgs, &alphatypes.MsgStake{
			Coldkey: cold.Address(), Hotkey: hot.Address(), Netuid: uint32(netuid), Tao: p.stake, LimitPrice: stakeLimit,
		})
	}
	_, err = n.client.SendBound(ctx, cold, hot, msgs...)
	return err
}

const (
	// maxBurn is the most that a member of the cast pays for its registration, in rao:
	// the dearest that the local profile allows.
	maxBurn = 5 * TAO
	// stakeLimit is the highest price at which the validators' first stake is bought:
	// with a pool of 1,000 TAO at price 1 it ends near 2.
	stakeLimit = 4 * TAO
)
