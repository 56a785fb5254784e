package onchain

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/wallet"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// chain speaks for one hotkey.
type chain struct {
	c       *client.Client
	hotkey  *wallet.Signer
	coldkey *wallet.Signer // nil: it can't register
}

var _ subnet.Chain = (*chain)(nil)

// New returns a chain that speaks for a hotkey. The coldkey pays for registering; it
// may be nil where the process is not to register.
func New(c *client.Client, hotkey, coldkey *wallet.Signer) subnet.Chain {
	return &chain{c: c, hotkey: hotkey, coldkey: coldkey}
}

// one is 1 in Q32.32.
const one = 1 << 32

// Metagraph returns a subnet as of the latest block.
func (c *chain) Metagraph(ctx context.Context, netuid uint16) (*subnet.Metagraph, error) {
	id, err := c.c.ChainID(ctx)
	if err != nil {
		return nil, mapped(err)
	}
	r, err := c.c.Metagraph(ctx, uint32(netuid))
	if err != nil {
		return nil, mapped(err)
	}
	m, err := metagraph(id, r)
	if err != nil {
		return nil, fmt.Errorf("metagraph of subnet %d: %w", netuid, err)
	}
	return m, nil
}

func metagraph(chainID string, r *emissiontypes.QueryMetagraphResponse) (*subnet.Metagraph, error) {
	s, hp := r.Subnet, r.Subnet.Hyperparameters
	m := &subnet.Metagraph{
		ChainID: chainID, Netuid: uint16(s.Netuid), SubnetID: s.Id, Name: s.Name, Height: r.Height,
		Epoch: r.Epoch.Number + 1, NextEpoch: r.Epoch.DueHeight, Started: s.StartedHeight > 0,
		Hyperparameters: subnet.Hyperparameters{
			Tempo: int64(hp.Tempo), WeightsRateLimit: int64(hp.WeightsRateLimit), WeightsVersion: hp.WeightsVersion,
			MinAllowedWeights: int(hp.MinAllowedWeights), MaxWeightLimit: uint16(hp.MaxWeightLimit),
			CommitReveal: hp.CommitReveal, RevealPeriod: uint64(hp.RevealPeriod),
		},
		Neurons: make([]subnet.Neuron, 0, len(r.Neurons)),
	}
	if s.Parameters != "" {
		m.Parameters = json.RawMessage(s.Parameters)
	}
	for i, n := range r.Neurons {
		if int(n.Uid) != i {
			return nil, fmt.Errorf("neuron %d of the answer has uid %d: uids must be dense", i, n.Uid)
		}
		m.Neurons = append(m.Neurons, subnet.Neuron{
			UID: uint16(n.Uid), Hotkey: n.Hotkey, Coldkey: n.Coldkey,
			Endpoints: n.Endpoints, Protocol: n.Protocol, ProtocolVersion: n.ProtocolVersion,
			Permit: n.Permit, Stake: n.StakeWeight,
			Incentive: float64(n.Incentive) / one, Dividends: float64(n.Dividends) / one,
			RegisteredAt: n.RegisteredHeight,
		})
	}
	return m, nil
}

// Commits returns the hotkey's open commits in a subnet.
func (c *chain) Commits(ctx context.Context, netuid uint16) (subnet.Commits, error) {
	r, err := c.c.Weights().Commits(ctx, &weightstypes.QueryCommitsRequest{Netuid: uint32(netuid), Hotkey: c.hotkey.Address()})
	if err != nil {
		return subnet.Commits{}, mapped(err)
	}
	out := subnet.Commits{NextHeight: r.NextCommitHeight}
	for _, o := range r.Commits {
		if len(o.Hash) != weightstypes.HashSize {
			return subnet.Commits{}, fmt.Errorf("a commit's hash of %d bytes, must be %d", len(o.Hash), weightstypes.HashSize)
		}
		out.Open = append(out.Open, subnet.Commit{Hash: [32]byte(o.Hash), Epoch: o.Epoch, Reveal: o.RevealEpoch, Height: o.Height})
	}
	return out, nil
}
