package subnet

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
)

// MinerNode is a miner's process. Make it with [NewMinerNode], run it once.
type MinerNode struct {
	*node
	miner Miner
	jobs  atomic.Uint64
}

// NewMinerNode checks the configuration; nothing happens before Run.
func NewMinerNode(cfg MinerConfig) (*MinerNode, error) {
	n, err := newNode(cfg.Common)
	if err != nil {
		return nil, err
	}
	if cfg.Miner == nil {
		return nil, errors.New("subnet: miner config without Miner")
	}
	return &MinerNode{node: n, miner: cfg.Miner}, nil
}

// Run serves until ctx ends. It returns nil then, or the reason why it could not start.
func (m *MinerNode) Run(ctx context.Context) error {
	if err := m.mount(http.HandlerFunc(m.serveHTTP), minerProtocol(m.common.Name)); err != nil {
		return err
	}
	defer m.unmount()
	done, err := m.observe(m.Stats)
	if err != nil {
		return err
	}
	defer done()
	return m.follow(ctx, func(context.Context) error { return nil })
}

func (m *MinerNode) serveHTTP(w http.ResponseWriter, r *http.Request) {
	m.jobs.Add(1)
	m.miner.ServeHTTP(w, r)
}

// Stats returns what the miner has done so far.
func (m *MinerNode) Stats() Stats {
	s := m.stats()
	s.Jobs = m.jobs.Load()
	return s
}
