package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/p2p"
	ssproto "github.com/cometbft/cometbft/proto/tendermint/statesync"
	"github.com/cometbft/cometbft/statesync"
	"github.com/cometbft/cometbft/version"
)

const (
	// snapshotAnswer is how long peers have to say what snapshots they offer: one that has
	// none says nothing.
	snapshotAnswer = 5 * time.Second
	// snapshotQuiet is how long no further answer comes once the peers are through.
	snapshotQuiet = 500 * time.Millisecond
	// maxAsked is how many peers are asked.
	maxAsked = 20
	// maxOffers bounds what peers can make us keep: each offers its ten latest.
	maxOffers = 1_000
	// snapshotMessage is the most bytes of an offer, CometBFT's own bound.
	snapshotMessage = 4_000_000
)

// asker is a peer for no longer than it takes to be told of snapshots.
type asker struct {
	p2p.BaseReactor
	connected chan p2p.ID // each peer that was reached
	offers    chan int64  // a snapshot's height for each offer
}

func newAsker() *asker {
	a := &asker{connected: make(chan p2p.ID, maxAsked), offers: make(chan int64, maxOffers)}
	a.BaseReactor = *p2p.NewBaseReactor("Asker", a)
	return a
}

// GetChannels implements p2p.Reactor.
func (a *asker) GetChannels() []*p2p.ChannelDescriptor {
	return []*p2p.ChannelDescriptor{{
		ID: statesync.SnapshotChannel, Priority: 5, SendQueueCapacity: 10,
		RecvMessageCapacity: snapshotMessage, MessageType: &ssproto.Message{},
	}}
}

// AddPeer implements p2p.Reactor.
func (a *asker) AddPeer(peer p2p.Peer) {
	peer.Send(p2p.Envelope{ChannelID: statesync.SnapshotChannel, Message: &ssproto.SnapshotsRequest{}})
	select {
	case a.connected <- peer.ID():
	default:
	}
}

// Receive implements p2p.Reactor.
func (a *asker) Receive(e p2p.Envelope) {
	if offer, ok := e.Message.(*ssproto.SnapshotsResponse); ok && offer.Height > 0 && offer.Height < 1<<62 {
		select {
		case a.offers <- int64(offer.Height):
		default: // more than anybody needs to know of
		}
	}
}

// askSnapshots asks peers for the heights of the snapshots that they offer, the newest
// first; reached are the peers that answer at all. The error wraps [ErrNoSnapshot] where
// there is none.
func askSnapshots(ctx context.Context, chainID string, peers []string) (heights []int64, reached []string, err error) {
	key := p2p.NodeKey{PrivKey: ed25519.GenPrivKey()}
	info := p2p.DefaultNodeInfo{
		ProtocolVersion: p2p.NewProtocolVersion(version.P2PProtocol, version.BlockProtocol, 0),
		DefaultNodeID:   key.ID(), ListenAddr: "tcp://127.0.0.1:1", Network: chainID, Version: version.TMCoreSemVer,
		Channels: []byte{statesync.SnapshotChannel}, Moniker: "asker",
	}
	cfg := cmtcfg.DefaultP2PConfig()
	cfg.AllowDuplicateIP = true
	a := newAsker()
	sw := p2p.NewSwitch(cfg, p2p.NewMultiplexTransport(info, key, p2p.MConnConfig(cfg)))
	sw.SetLogger(log.NewNopLogger())
	sw.SetNodeKey(&key)
	sw.SetNodeInfo(info)
	sw.AddReactor("STATESYNC", a)
	if err := sw.Start(); err != nil {
		return nil, nil, err
	}
	defer func() { _ = sw.Stop() }() // nothing is left to do about connections that were being given up

	var mu sync.Mutex
	var failed []string
	dialed := make(chan struct{})
	var dialing sync.WaitGroup
	for _, peer := range peers[:min(len(peers), maxAsked)] {
		dialing.Go(func() {
			addr, err := p2p.NewNetAddressString(peer)
			if err == nil {
				err = sw.DialPeerWithAddress(addr)
			}
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = append(failed, fmt.Sprintf("%s: %v", peer, err))
			}
		})
	}
	go func() { dialing.Wait(); close(dialed) }()

	ids, heights := collect(ctx, a, dialed)
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	for _, peer := range peers {
		if id, _, _ := strings.Cut(peer, "@"); slices.Contains(ids, p2p.ID(strings.ToLower(id))) {
			reached = append(reached, peer)
		}
	}
	if len(heights) > 0 {
		return heights, reached, nil
	}
	mu.Lock()
	defer mu.Unlock()
	if len(reached) == 0 {
		slices.Sort(failed)
		return nil, nil, fmt.Errorf("%w: none of %d peers can be reached: %s", ErrNoSnapshot, len(peers), strings.Join(failed, "; "))
	}
	return nil, nil, fmt.Errorf("%w: %d of %d peers answer, and have none. A node makes them with snapshot-interval = %d under [state-sync] of its app.toml, as with `lode node init --role full`",
		ErrNoSnapshot, len(reached), len(peers), snapshotInterval)
}

// collect gathers offers until all who answer have answered.
func collect(ctx context.Context, a *asker, dialed chan struct{}) (reached []p2p.ID, heights []int64) {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("peers take too long"))
	defer cancel()
	patience := time.NewTimer(time.Hour)
	defer patience.Stop()
	through := false
	rest := func() {
		switch {
		case !through:
		case len(heights) > 0:
			patience.Reset(snapshotQuiet)
		default:
			patience.Reset(snapshotAnswer)
		}
	}
	for {
		select {
		case id := <-a.connected:
			reached = append(reached, id)
		case h := <-a.offers:
			if !slices.Contains(heights, h) {
				heights = append(heights, h)
			}
			rest()
		case <-dialed:
			dialed, through = nil, true
			rest()
			if len(reached)+len(a.connected) == 0 { // nobody is there
				return nil, nil
			}
		case <-patience.C:
			slices.Sort(heights)
			slices.Reverse(heights)
			return reached, heights
		case <-ctx.Done():
			slices.Sort(heights)
			slices.Reverse(heights)
			return reached, heights
		}
	}
}
