package sim

import (
	"slices"
	"strings"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
)

// member is a validator as CometBFT knows it.
type member struct {
	address string // 20 bytes
	power   int64
}

// comet is what CometBFT would know and do: who is in the set of which block, who
// proposes, who votes, who signs twice, and how late it is.
type comet struct {
	height          int64
	time            time.Time
	last, now, next []member         // sets of this block, of the next, of the one after it; by address
	down            map[string]int64 // the block until which a member misses its votes
	rock            string           // the address that is never down
	twice           map[string]bool  // who was caught signing twice
}

func update(set []member, updates []abci.ValidatorUpdate) []member {
	set = slices.Clone(set)
	for _, u := range updates {
		address := string((&ed25519.PubKey{Key: u.PubKey.GetEd25519()}).Address())
		i, there := slices.BinarySearchFunc(set, address, func(m member, a string) int { return strings.Compare(m.address, a) })
		switch {
		case u.Power == 0 && there:
			set = slices.Delete(set, i, i+1)
		case u.Power == 0:
			fail("the chain removes a validator that is not there: %x", address)
		case there:
			set[i].power = u.Power
		default:
			set = slices.Insert(set, i, member{address, u.Power})
		}
	}
	if len(set) == 0 {
		fail("the validator set is empty: no chain goes on from there")
	}
	return set
}

func (c *comet) begin(updates []abci.ValidatorUpdate) {
	c.now = update(nil, updates)
	c.next = c.now
}

func (c *comet) committed(at time.Time, updates []abci.ValidatorUpdate) {
	c.height++
	c.time = at
	c.last, c.now, c.next = c.now, c.next, update(c.next, updates)
}

// block is the frame of the next block: all of it but its transactions.
func (s *sim) block() *abci.RequestFinalizeBlock {
	c := &s.comet
	req := &abci.RequestFinalizeBlock{
		Height: c.height + 1, Time: c.time.Add(s.pause()), ProposerAddress: s.proposer(), DecidedLastCommit: s.votes(), Misbehavior: s.misbehaviour(),
	}
	if c.height == 0 {
		req.Time = c.time // the first block has genesis' time
	}
	return req
}

// pause is mostly the target block time; also nearly nothing, and long ones.
func (s *sim) pause() time.Duration {
	switch x := s.n(100); {
	case x < 15:
		return time.Duration(1+s.n(50)) * time.Millisecond
	case x < 25:
		return time.Duration(1500+s.n(3500)) * time.Millisecond
	case x < 27:
		return time.Duration(20+s.n(100)) * time.Second
	}
	return time.Duration(800+s.n(500)) * time.Millisecond
}

// proposer is a member of the next block's set, by power, who is up.
func (s *sim) proposer() []byte {
	total := int64(0)
	var up []member
	for _, m := range s.comet.now {
		if !s.isDown(m) {
			up = append(up, m)
			total += m.power
		}
	}
	if total == 0 {
		return []byte(s.comet.now[0].address)
	}
	at := s.rng.Int64N(total)
	for _, m := range up {
		if at -= m.power; at < 0 {
			return []byte(m.address)
		}
	}
	panic("unreachable: at is below the total")
}

func (s *sim) isDown(m member) bool { return s.comet.down[m.address] > s.comet.height }

// votes are those for the last block. A minority of the power goes down now and
// then, for long enough to be jailed.
func (s *sim) votes() abci.CommitInfo {
	c := &s.comet
	if c.last == nil {
		return abci.CommitInfo{}
	}
	total, missing := int64(0), int64(0)
	for _, m := range c.last {
		total += m.power
		if s.isDown(m) {
			missing += m.power
		}
	}
	if len(c.last) > 3 && s.n(25) == 0 {
		if m := c.last[s.n(len(c.last))]; m.address != c.rock && !s.isDown(m) && 3*(missing+m.power) < total {
			c.down[m.address] = c.height + int64(4+s.n(25))
		}
	}
	info := abci.CommitInfo{Round: int32(s.n(2))}
	for _, m := range c.last {
		flag := cmtproto.BlockIDFlagCommit
		if s.isDown(m) {
			flag = cmtproto.BlockIDFlagAbsent
		}
		info.Votes = append(info.Votes, abci.VoteInfo{
			Validator: abci.Validator{Address: []byte(m.address), Power: m.power}, BlockIdFlag: flag,
		})
	}
	return info
}

// misbehaviour is now and then a validator that signed twice; sometimes the same
// evidence comes again.
func (s *sim) misbehaviour() []abci.Misbehavior {
	c := &s.comet
	if len(c.last) < 5 || s.n(150) != 0 {
		return nil
	}
	m := c.last[s.n(len(c.last))]
	if m.address == c.rock {
		return nil
	}
	c.twice[m.address] = true
	s.report.count("block with evidence of a double signature")
	e := abci.Misbehavior{
		Type: abci.MisbehaviorType_DUPLICATE_VOTE, Validator: abci.Validator{Address: []byte(m.address), Power: m.power},
		Height: max(1, c.height-int64(s.n(6))), Time: c.time.Add(-time.Duration(s.n(4)) * time.Second), TotalVotingPower: 10_000,
	}
	if s.n(4) == 0 {
		return []abci.Misbehavior{e, e}
	}
	return []abci.Misbehavior{e}
}

// initial are the validators of a genesis file, for InitChain.
func initial(vs []cmttypes.GenesisValidator) (out []abci.ValidatorUpdate) {
	for _, v := range vs {
		out = append(out, cmttypes.TM2PB.NewValidatorUpdate(v.PubKey, v.Power))
	}
	return out
}
