package node

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	ctypes "github.com/cometbft/cometbft/rpc/core/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/app"
	seedtypes "github.com/lodenet/lode/x/seed/types"
)

const (
	// maxSkew is how far a clock may be off: beyond it a validator's votes drag the
	// chain's time along.
	maxSkew  = 2 * time.Second
	setClock = "let the machine keep time: `timedatectl set-ntp true`"
)

// clock compares this machine's with that of nodes and of their latest blocks.
func (d *doctor) clock(n *note) {
	all := d.others
	if d.own != nil {
		all = append(slices.Clone(all), d.own)
	}
	if len(all) == 0 {
		n.add(Skipped, "no node answers to compare with", "start the node, or name another of the chain: --node http://HOST:26657")
		return
	}
	for _, s := range d.others { // the own node has this very clock
		switch off := s.skew.Abs() - s.error; {
		case s.error > 0 && off > maxSkew && s.skew < 0:
			n.add(Failed, fmt.Sprintf("this clock is %s before that of %s", round(s.skew), s.url), setClock)
		case s.error > 0 && off > maxSkew:
			n.add(Failed, fmt.Sprintf("this clock is %s behind that of %s", round(s.skew), s.url), setClock)
		}
	}
	for _, s := range all {
		if s.status.SyncInfo.LatestBlockHeight == 0 {
			continue
		}
		// A block's time is past when the block is made.
		if ahead := s.status.SyncInfo.LatestBlockTime.Sub(d.now()); ahead > maxSkew {
			n.add(Failed, fmt.Sprintf("the latest block of %s is from %s ahead of this clock", s.url, round(ahead)), setClock)
		}
	}
	if n.state == OK {
		n.add(OK, "within 2s of the nodes and of their blocks", "")
	}
}

// peers examines whom the node knows.
func (d *doctor) peers(n *note) {
	if !d.loaded {
		n.add(Skipped, "the configuration can't be read", "")
		return
	}
	named := list(d.settings.comet.P2P.PersistentPeers)
	for _, p := range slices.Concat(named, list(d.settings.comet.P2P.Seeds)) {
		if err := CheckPeer(p); err != nil {
			n.add(Failed, "config.toml names the peer "+err.Error(), "correct persistent_peers or seeds in config.toml")
		}
	}
	if d.own == nil {
		d.callPeers(n, named)
		return
	}
	info, err := d.own.rpc.NetInfo(d.context)
	if err != nil {
		n.add(Skipped, "the node does not say whom it is connected to: "+err.Error(), "")
		return
	}
	for _, p := range named {
		id, _, _ := strings.Cut(p, "@")
		if !slices.ContainsFunc(info.Peers, func(q ctypes.Peer) bool { return string(q.NodeInfo.DefaultNodeID) == id }) {
			n.add(Warning, "not connected to "+p, "see that this peer runs, and that its port can be reached from here")
		}
	}
	switch {
	case info.NPeers > 0:
		n.add(OK, fmt.Sprintf("connected to %d", info.NPeers), "")
	case d.alone():
		n.add(OK, "none, and none needed: this is the only validator", "")
	default:
		n.add(Failed, "the node is connected to nobody", "name a peer in persistent_peers of config.toml, and open the port for peers in the firewall")
	}
}

// callPeers tries to reach those that the configuration names.
func (d *doctor) callPeers(n *note, named []string) {
	if len(named) == 0 {
		if d.genesis != nil && !d.beganAlone() && len(list(d.settings.comet.P2P.Seeds)) == 0 {
			n.add(Warning, "config.toml names no peer and no seed", "name one in persistent_peers, ID@HOST:PORT")
			return
		}
		n.add(OK, "none are named, and the node does not run", "")
		return
	}
	answers := 0
	for _, p := range named[:min(len(named), 20)] {
		_, addr, ok := strings.Cut(p, "@")
		if ok && dial(d.context, addr) == nil {
			answers++
		}
	}
	says := fmt.Sprintf("%d of %d named peers can be reached", answers, min(len(named), 20))
	if answers == 0 {
		n.add(Warning, says, "see that one of them runs, and that its port can be reached from here")
		return
	}
	n.add(OK, says, "")
}

// alone tells whether the node is the chain's only validator now.
func (d *doctor) alone() bool {
	one := 1
	set, err := d.own.rpc.Validators(d.context, nil, nil, &one)
	return err == nil && set.Total == 1 && d.key != nil && bytes.Equal(set.Validators[0].Address, d.key.Address())
}

// beganAlone tells whether the genesis has the home's validator and no other.
func (d *doctor) beganAlone() bool {
	validators, err := genesisValidators(d.genesis)
	return err == nil && d.key != nil && len(validators) == 1 && string(validators[0]) == string(d.key.Address())
}

// blocks examines whether the node follows its chain.
func (d *doctor) blocks(n *note) {
	for _, s := range d.silent {
		n.add(Warning, s, "name one that runs with --node")
	}
	if d.own == nil {
		n.add(Skipped, "the node does not run", "lode node start --home "+d.home)
		return
	}
	if d.genesis != nil && d.own.status.NodeInfo.Network != d.genesis.ChainID {
		n.add(Failed, fmt.Sprintf("the node is of chain %s, the genesis of %s", d.own.status.NodeInfo.Network, d.genesis.ChainID), "a node has one genesis for life: restore it, or make a new home")
	}
	sync := d.own.status.SyncInfo
	age := d.now().Sub(sync.LatestBlockTime)
	switch {
	case sync.CatchingUp && sync.LatestBlockHeight == 0 && d.loaded && d.settings.comet.StateSync.Enable:
		n.add(Warning, "the node waits for a snapshot of the state", "wait; if none comes in some minutes, look at its log, and run `lode node state-sync` again")
	case sync.CatchingUp:
		n.add(Warning, fmt.Sprintf("block %d: the node still fetches old blocks", sync.LatestBlockHeight), "wait; if the height stays, look at peers")
	case d.target > 0 && sync.LatestBlockHeight > 0 && age > app.StandsAfter*d.target:
		n.add(Failed, fmt.Sprintf("block %d is %s old, more than %d block times: the chain or this node stands still, or this clock is ahead", sync.LatestBlockHeight, round(age), app.StandsAfter),
			"look at the node's log; compare with another node: --node http://HOST:26657")
	case sync.LatestBlockHeight == 0:
		n.add(Warning, "no block yet", "more than two thirds of the validators must run")
	default:
		n.add(OK, fmt.Sprintf("block %d, %s old", sync.LatestBlockHeight, round(age)), "")
	}
	for _, o := range d.others {
		d.compare(n, o)
	}
}

// compare looks for a fork at the last height that both nodes have.
func (d *doctor) compare(n *note, o *source) {
	if d.own.status.NodeInfo.Network != o.status.NodeInfo.Network {
		n.add(Failed, fmt.Sprintf("%s is of chain %s, this node of %s", o.url, o.status.NodeInfo.Network, d.own.status.NodeInfo.Network), "name a node of the same chain")
		return
	}
	height := min(d.own.status.SyncInfo.LatestBlockHeight, o.status.SyncInfo.LatestBlockHeight)
	if height == 0 {
		return
	}
	a, errA := d.own.rpc.Commit(d.context, &height)
	b, errB := o.rpc.Commit(d.context, &height)
	if err := errors.Join(errA, errB); err != nil {
		n.add(Skipped, fmt.Sprintf("block %d can't be compared with %s: %v", height, o.url, err), "")
		return
	}
	if string(a.Commit.BlockID.Hash) != string(b.Commit.BlockID.Hash) {
		n.add(Failed, fmt.Sprintf("block %d is %s here and %s at %s: a fork", height, a.Commit.BlockID.Hash, b.Commit.BlockID.Hash, o.url),
			"stop the node, and keep its home to find out why")
		return
	}
	n.add(OK, fmt.Sprintf("block %d is the same at %s", height, o.url), "")
}

// registered examines whether the validator can prove its part of the seed.
func (d *doctor) registered(n *note) {
	s := d.own
	if s == nil && len(d.others) > 0 {
		s = d.others[0]
	}
	switch {
	case s == nil:
		n.add(Skipped, "no node answers to ask whether it is registered", "start the node, or name another of the chain: --node http://HOST:26657")
		return
	case d.key == nil:
		n.add(Skipped, "the validator's key is not here to be looked up", "")
		return
	}
	v, err := d.validator(s)
	if errors.Is(err, errNothing) {
		n.add(OK, "no validator of the chain has this home's key: the node only follows", "")
		return
	}
	if err != nil {
		n.add(Skipped, "the chain's validators can't be asked for: "+err.Error(), "")
		return
	}
	if v.Jailed {
		n.add(Failed, "the validator is jailed: it makes no blocks", "correct what this table shows, then `lode tx slashing unjail`")
	} else if v.Status != stakingtypes.Bonded {
		n.add(Warning, "the validator is not among the bonded ones", "stake more to it")
	}
	operator, err := sdk.ValAddressFromBech32(v.OperatorAddress)
	if err != nil {
		n.add(Skipped, err.Error(), "")
		return
	}
	name := sdk.AccAddress(operator).String()
	var r seedtypes.QueryVRFKeyResponse
	err = s.query(d.context, "/lode.seed.v1.Query/VRFKey", &seedtypes.QueryVRFKeyRequest{Operator: name}, &r)
	const register = "lode node vrf-key register --operator "
	switch {
	case errors.Is(err, errNothing):
		n.add(Failed, "no VRF key is registered for "+name+": others refuse this node's blocks", register+name)
		return
	case err != nil:
		n.add(Skipped, "the registered VRF key can't be asked for: "+err.Error(), "")
		return
	}
	const lost = "put its secret back into vrf_key.json, or register another: `lode node vrf-key rotate`"
	on := r.Key
	if _, has := d.vrf.Find(on.Key); on.Active() && !has {
		n.add(Failed, fmt.Sprintf("the key in force, %x, is not in the file: others refuse this node's blocks", on.Key), lost)
	} else if on.Active() && on.ActiveHeight == 0 {
		n.add(OK, "in force since genesis, for "+name, "")
	} else if on.Active() {
		n.add(OK, fmt.Sprintf("in force since block %d, for %s", on.ActiveHeight, name), "")
	} else {
		n.add(Warning, fmt.Sprintf("registered, takes effect at block %d", on.PendingHeight), "wait: until then others refuse this node's blocks")
	}
	if _, has := d.vrf.Find(on.Pending); len(on.Pending) > 0 && !has {
		n.add(Failed, fmt.Sprintf("the key %x takes effect at block %d and is not in the file", on.Pending, on.PendingHeight), lost)
	}
}

// list are the words between commas.
func list(s string) (out []string) {
	for _, one := range strings.Split(s, ",") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

func round(d time.Duration) time.Duration { return d.Abs().Round(100 * time.Millisecond) }
