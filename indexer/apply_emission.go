package indexer

import (
	"slices"
)

// emissionEvent applies events of issuance and epochs.
func (s *state) emissionEvent(e *event) bool {
	switch e.Type {
	case "lode.emission.v1.EventSubnetEmission":
		n, tao, price := s.subnet(e), e.number("tao"), e.text("moving_price")
		if e.err != nil {
			break
		}
		n.emission = s.plus(e, n.emission, tao)
		if n.movingPrice != price {
			n.movingPrice = clone(price)
		}
	case "lode.emission.v1.EventBlockReward":
		issued := e.number("issued")
		if e.err != nil {
			break
		}
		s.issued = issued
	case "lode.emission.v1.EventRecycled":
		tao := e.number("tao")
		if e.err != nil {
			break
		}
		s.issued = s.less(e, s.issued, tao)
		s.recycled = s.plus(e, s.recycled, tao)
	case "lode.emission.v1.EventBurned":
		tao := e.number("tao")
		if e.err != nil {
			break
		}
		s.burned = s.plus(e, s.burned, tao)
	case "lode.emission.v1.EventNeuronPaid":
		s.neuronPaid(e)
	case "lode.emission.v1.EventEpochPaid":
		s.epochDone(e)
	default:
		return false
	}
	return true
}

// epochNow is an epoch whose payments are being told.
type epochNow struct {
	number  uint64
	outcome string
	uids    []uidEpoch
}

// epochRan begins an epoch: who was judged how.
func (s *state) epochRan(e *event) {
	n, number, due, outcome := s.subnet(e), e.number("number"), e.height("next_due"), e.text("outcome")
	consensus, trust := e.numbers("consensus"), e.numbers("validator_trust")
	if e.err == nil && (len(consensus) != len(n.neurons) || len(trust) != len(n.neurons)) {
		e.fail("consensus", len(consensus))
	}
	if e.err == nil && number <= n.epoch {
		e.fail("number", number)
	}
	if e.err != nil {
		return
	}
	now := &epochNow{number: number, outcome: clone(outcome), uids: make([]uidEpoch, len(n.neurons))}
	for uid := range now.uids {
		now.uids[uid].consensus, now.uids[uid].trust = u16(consensus[uid]), u16(trust[uid])
	}
	n.now, n.epoch, n.epochHeight, n.epochDue = now, number, s.block.height, due
}

// u16 is a fraction of 2^32 as one of 65,535.
func u16(q32 uint64) uint16 { return uint16(min(mulDiv(q32, 65_535, 1<<32), 65_535)) }

func (s *state) neuronPaid(e *event) {
	n, number, uid := s.subnet(e), e.number("epoch"), e.number("uid")
	incentive, dividends, root, revenue := e.number("incentive"), e.number("dividends"), e.number("root_tao"), e.number("revenue")
	if e.err == nil && (n.now == nil || n.now.number != number || uid >= uint64(len(n.now.uids))) {
		e.fail("epoch", number)
	}
	if e.err != nil {
		return
	}
	u := &n.now.uids[uid]
	u.incentive, u.dividends, u.root, u.revenue = incentive, dividends, root, revenue
}

// epochDone ends it.
func (s *state) epochDone(e *event) {
	n, number := s.subnet(e), e.number("epoch")
	var sums [9]uint64
	for i, field := range []string{"pending", "paid", "owner", "revenue", "burned", "recycled", "carried", "root_paid"} {
		sums[i] = e.number(field)
	}
	if e.err == nil && (n.now == nil || n.now.number != number) {
		e.fail("epoch", number)
	}
	if e.err != nil {
		return
	}
	s.batch.add(tEpochs, int64(n.id), int64(number), s.block.height, s.block.nanos, n.now.outcome,
		put(sums[0]), put(sums[1]), put(sums[2]), put(sums[3]), put(sums[4]), put(sums[5]), put(sums[6]), put(sums[7]), n.price())
	n.recent[number] = encodeEpoch(n.now.uids)
	n.newRecent[number] = true
	n.now = nil
	if number%chunkEpochs == 0 {
		s.compact(e, n, number)
	}
}

// endStint notes in a subnet's last epoch that a uid is in other hands from then on.
func (n *subnet) endStint(e *event, uid uint64) {
	data, ok := n.recent[n.epoch]
	if !ok {
		return // it ends with a chunk
	}
	list, err := decode(data)
	if err != nil {
		e.fail("uid", err)
		return
	}
	if uid >= uint64(len(list)) {
		return // it had nobody before
	}
	list[uid].ended = true
	n.recent[n.epoch] = encodeEpoch(list)
	if !n.newRecent[n.epoch] {
		n.newRecent[n.epoch] = false // it has a row, which changes
	}
}

// compact makes one row a uid of the epochs up to number that have a row each.
func (s *state) compact(e *event, n *subnet, number uint64) {
	numbers := make([]uint64, 0, len(n.recent))
	for at := range n.recent {
		numbers = append(numbers, at)
	}
	slices.Sort(numbers)
	chunk := int64(number/chunkEpochs) - 1
	first := number - chunkEpochs + 1
	for uid, data := range transpose(first, numbers, n.recent) {
		data, err := thin(data, first, n.hyper.Tempo)
		if err != nil {
			e.fail("epoch", err)
			return
		}
		if len(data) > 0 {
			s.batch.add(tChunks, int64(n.id), int64(uid), chunk, data)
		}
	}
	for _, at := range numbers {
		if !n.newRecent[at] {
			s.batch.remove(tBlobs, int64(n.id), int64(at))
		}
	}
	clear(n.recent)
	clear(n.newRecent)
}
