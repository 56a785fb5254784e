package indexer

import (
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"strings"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// subnetEvent applies events of subnets and neurons, and of weights.
func (s *state) subnetEvent(e *event) bool {
	switch e.Type {
	case "lode.subnets.v1.EventSubnetCreated":
		s.subnetCreated(e)
	case "lode.subnets.v1.EventSubnetStarted":
		n, due := s.subnet(e), e.height("first_epoch")
		if e.err != nil {
			break
		}
		n.started, n.epochDue = s.block.height, due
	case "lode.subnets.v1.EventSubnetUpdated":
		n := s.subnet(e)
		name, description, link, parameters := e.text("name"), e.text("description"), e.text("url"), e.text("parameters")
		if e.err != nil {
			break
		}
		n.name, n.description, n.url, n.parameters = clone(name), clone(description), clone(link), clone(parameters)
	case "lode.subnets.v1.EventHyperparameterSet":
		n, name, value := s.subnet(e), e.text("name"), e.number("value")
		if e.err != nil {
			break
		}
		if err := n.hyper.Set(name, value); err != nil {
			e.fail(name, value)
			break
		}
		n.setBurn(n.burn)
		s.hyperparameter(n, clone(name), value)
	case "lode.subnets.v1.EventOwnershipTransferred":
		n, hot, cold := s.subnet(e), e.text("new_hotkey"), e.text("new_coldkey")
		if e.err != nil {
			break
		}
		n.ownerHotkey, n.ownerColdkey = s.id(hot), s.id(cold)
	case "lode.subnets.v1.EventNeuronRegistered":
		s.registered(e)
	case "lode.subnets.v1.EventNeuronServed":
		s.served(e)
	case "lode.subnets.v1.EventHotkeySwapped":
		s.hotkeySwapped(e)
	case "lode.subnets.v1.EventSubnetRemoved":
		n := s.subnet(e)
		if e.err != nil {
			break
		}
		n.removed = s.block.height
		if int(n.netuid) < len(s.live) && s.live[n.netuid] == n {
			s.live[n.netuid] = nil
		}
	case "lode.subnets.v1.EventSubnetSwept":
		n := s.subnet(e)
		if e.err != nil {
			break
		}
		s.sweep(n)
	case "lode.weights.v1.EventWeightsSet":
		s.weightsSet(e)
	case "lode.weights.v1.EventEpoch":
		s.epochRan(e)
	case "lode.weights.v1.EventEpochFailed":
		n, due := s.subnet(e), e.height("next_due")
		if e.err != nil {
			break
		}
		n.epochDue = due
	default:
		return false
	}
	return true
}

func (s *state) subnetCreated(e *event) {
	n := s.subnet(e)
	name, hot, cold, lock := e.text("name"), e.text("owner_hotkey"), e.text("owner_coldkey"), e.number("lock")
	description, link, parameters := e.text("description"), e.text("url"), e.text("parameters")
	h, burn := hyperparametersOf(e), e.number("burn")
	if e.err != nil {
		return
	}
	n.name, n.description, n.url, n.parameters = clone(name), clone(description), clone(link), clone(parameters)
	n.ownerHotkey, n.ownerColdkey, n.lock, n.hyper, n.burn = s.id(hot), s.id(cold), lock, h, burn
	s.allHyperparameters(n)
}

// allHyperparameters begins the history of each.
func (s *state) allHyperparameters(n *subnet) {
	for _, name := range subnetstypes.HyperparameterNames() {
		if v, err := n.hyper.Get(name); err == nil { // these are all names that there are
			s.hyperparameter(n, name, v)
		}
	}
}

func (s *state) hyperparameter(n *subnet, name string, value uint64) {
	s.batch.add(tHyper, int64(n.id), name, s.block.height, s.next(), put(value))
}

func (s *state) registered(e *event) {
	n, uid := s.subnet(e), e.number("uid")
	hot, cold, burn, alpha, replaced := e.text("hotkey"), e.text("coldkey"), e.number("burn"), e.number("alpha_burned"), e.text("replaced_hotkey")
	if e.err == nil && uid > uint64(len(n.neurons)) {
		e.fail("uid", uid)
	}
	if e.err != nil {
		return
	}
	one := &neuron{hotkey: s.id(hot), height: s.block.height, time: s.block.nanos}
	coldkey, old := s.id(cold), s.id(replaced)
	if uid == uint64(len(n.neurons)) {
		n.neurons = append(n.neurons, one)
	} else {
		n.neurons[uid] = one
		n.newWeights[uint32(uid)] = weightRow{}
		n.endStint(e, uid)
	}
	n.dirtyNeurons[uint32(uid)] = true
	if burn > 0 { // what the creation of a subnet registers is free
		n.setBurn(mulDiv(burn, uint64(n.hyper.BurnIncrease), 100))
	}
	s.boughtBy(n, one.hotkey, coldkey)
	s.batch.add(tRegistrations, s.block.height, s.next(), int64(n.id), int64(uid), int64(one.hotkey), int64(coldkey), put(burn), put(alpha), int64(old), int64(n.epoch))
}

// mulDiv is a·b/d, or the most there is.
func mulDiv(a, b, d uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi >= d {
		return 1<<64 - 1
	}
	q, _ := bits.Div64(hi, lo, d)
	return q
}

// neuron is the one of an event, about to change.
func (s *state) neuron(e *event, n *subnet) *neuron {
	uid := e.number("uid")
	if e.err == nil && uid >= uint64(len(n.neurons)) {
		e.fail("uid", uid)
	}
	if e.err != nil {
		return nil
	}
	n.dirtyNeurons[uint32(uid)] = true
	return n.neurons[uid]
}

func (s *state) served(e *event) {
	n := s.subnet(e)
	var endpoints []string
	e.object("endpoints", &endpoints)
	protocol, version := e.text("protocol"), e.text("protocol_version")
	one := s.neuron(e, n)
	if e.err != nil {
		return
	}
	one.endpoints, one.protocol, one.version, one.served = strings.Join(endpoints, " "), clone(protocol), clone(version), s.block.height
}

func (s *state) hotkeySwapped(e *event) {
	old, to, netuids := e.text("hotkey"), e.text("new_hotkey"), e.numbers("netuids")
	if e.err != nil {
		return
	}
	a, b := s.id(old), s.id(to)
	for _, netuid := range netuids {
		if netuid >= uint64(len(s.live)) || s.live[netuid] == nil {
			e.fail("netuids", netuid)
			return
		}
		n := s.live[netuid]
		n.dirty = true
		if n.ownerHotkey == a {
			n.ownerHotkey = b
		}
		for uid, one := range n.neurons {
			if one.hotkey == a {
				one.hotkey, one.endpoints = b, ""
				s.newStint(e, n, uint64(uid), a, s.hotkey(b))
			}
		}
	}
}

// rebound gives what a hotkey has to its new coldkey.
func (s *state) rebound(e *event, h *hotkey) {
	for _, n := range s.live {
		if n == nil {
			continue
		}
		if n.ownerHotkey == h.id {
			n.ownerColdkey, n.dirty = h.coldkey, true
		}
		for uid, one := range n.neurons {
			if one.hotkey == h.id {
				s.newStint(e, n, uint64(uid), h.id, h)
			}
		}
	}
}

// newStint notes that from here on what a uid earns is another's: of a hotkey in the
// place of one before, or of the same one's new coldkey.
func (s *state) newStint(e *event, n *subnet, uid, before uint64, h *hotkey) {
	n.endStint(e, uid)
	n.dirtyNeurons[uint32(uid)] = true
	s.batch.add(tRegistrations, s.block.height, s.next(), int64(n.id), int64(uid), int64(h.id), int64(h.coldkey), put(0), put(0), int64(before), int64(n.epoch))
}

// sweep forgets what a removed subnet still has; its history stays.
func (s *state) sweep(n *subnet) {
	for _, p := range n.pools {
		s.leave(p)
		p.alpha = 0
		p.shares.SetInt64(0)
		for _, at := range p.positions {
			at.shares.SetInt64(0)
			at.locked = 0
		}
	}
}

func (s *state) weightsSet(e *event) {
	n, uid, uids, values := s.subnet(e), e.number("uid"), e.numbers("uids"), e.numbers("values")
	if e.err == nil && len(uids) != len(values) {
		e.fail("values", len(values))
	}
	if e.err != nil {
		return
	}
	row := make([]byte, 0, 4*len(uids))
	for i := range uids {
		row = binary.BigEndian.AppendUint16(row, uint16(uids[i]))
		row = binary.BigEndian.AppendUint16(row, uint16(values[i]))
	}
	n.newWeights[uint32(uid)] = weightRow{s.block.height, row}
}

// hyperJSON is how hyperparameters are stored.
func hyperJSON(h subnetstypes.Hyperparameters) (string, error) {
	raw, err := json.Marshal(h)
	return string(raw), err
}
