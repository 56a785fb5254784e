package keeper_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/types"
)

// hidden is validators with commit–reveal on. Block 13, where it stands, is in
// epoch 2; epochs run in blocks 12, 22, 32, …
func hidden(t testing.TB, change ...func(*subnetstypes.Hyperparameters)) *env {
	t.Helper()
	return validators(t, append(change, func(h *subnetstypes.Hyperparameters) { h.CommitReveal = true })...)
}

var someRow = row{uid: 1, uids: []uint32{3, 2}, values: []uint32{10, 20}, salt: "salt"}

func TestSection8ACommitIsRevealedExactlyInItsEpoch(t *testing.T) {
	for _, c := range []struct {
		name            string
		period          uint32
		commit          int64
		epoch, reveal   uint64
		first, lastGood int64
	}{
		{"right after an epoch", 1, 13, 2, 3, 23, 32},
		{"in the block of an epoch", 1, 22, 2, 3, 23, 32},
		{"in the block after it", 1, 23, 3, 4, 33, 42},
		{"with a longer period", 3, 15, 2, 5, 43, 52},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := hidden(t, func(h *subnetstypes.Hyperparameters) { h.RevealPeriod = c.period })
			e.to(c.commit)
			got, err := e.commit(someRow)
			require.NoError(t, err)
			require.Equal(t, types.MsgCommitWeightsResponse{Epoch: c.epoch, RevealEpoch: c.reveal}, *got)
			require.Len(t, e.events("EventWeightsCommitted"), 1)
			_, ok := e.row(1)
			require.False(t, ok, "it is hidden")

			for _, height := range []int64{c.commit, c.first - 1} {
				e.to(height)
				err = e.reveal(someRow)
				require.ErrorIs(t, err, types.ErrRevealWindow, "block %d", height)
				require.ErrorContains(t, err, fmt.Sprintf("belongs to epoch %d and is revealed in epoch %d", c.epoch, c.reveal))
			}
			require.ErrorContains(t, err, fmt.Sprintf("from block %d on", c.first))
			e.to(c.first)
			start := e.ctx
			for _, height := range []int64{c.first, c.lastGood} {
				e.ctx, _ = start.CacheContext()
				e.to(height)
				require.NoError(t, e.reveal(someRow), "block %d", height)
				r, ok := e.row(1)
				require.True(t, ok)
				require.Equal(t, types.Row{
					SubnetId: firstID, Uid: 1, Uids: []uint32{2, 3}, Values: []uint32{20, 10}, Height: c.commit, SetHeight: height,
				}, r, "its age counts from the commit")
				require.ErrorIs(t, e.reveal(someRow), types.ErrTooSoon)
				e.to(height + 1)
				require.ErrorIs(t, e.reveal(someRow), types.ErrNoCommit, "a reveal can't be replayed")
			}
			e.ctx = start
			e.to(c.lastGood)
			e.end()
			expired := e.events("EventCommitExpired")
			require.Len(t, expired, 1)
			require.Contains(t, expired[0], hotkey(1))
			e.to(c.lastGood + 1)
			err = e.reveal(someRow)
			require.ErrorIs(t, err, types.ErrNoCommit)
			require.ErrorContains(t, err, "uid 1 of subnet 1 has no open commit")
		})
	}
}

func TestSection8TheRevealedRowCountsInThatEpoch(t *testing.T) {
	e := hidden(t)
	_, err := e.commit(someRow)
	require.NoError(t, err)
	e.to(32)
	require.NoError(t, e.reveal(someRow))
	e.end()
	require.EqualValues(t, 3, e.results[firstID].Number)
	require.NotZero(t, e.results[firstID].Output.Incentive[2])
}

func TestSection8AWrongRevealKeepsTheCommit(t *testing.T) {
	e := hidden(t)
	_, err := e.commit(someRow)
	require.NoError(t, err)
	e.to(23)
	for name, change := range map[string]func(*types.MsgRevealWeights){
		"another salt":       func(m *types.MsgRevealWeights) { m.Salt = bytes.Repeat([]byte{1}, 32) },
		"another order":      func(m *types.MsgRevealWeights) { m.Uids, m.Values = []uint32{2, 3}, []uint32{20, 10} },
		"another value":      func(m *types.MsgRevealWeights) { m.Values = []uint32{10, 21} },
		"values exchanged":   func(m *types.MsgRevealWeights) { m.Values = []uint32{20, 10} },
		"an entry more":      func(m *types.MsgRevealWeights) { m.Uids, m.Values = []uint32{3, 2, 4}, []uint32{10, 20, 0} },
		"an entry less":      func(m *types.MsgRevealWeights) { m.Uids, m.Values = []uint32{3}, []uint32{10} },
		"another version":    func(m *types.MsgRevealWeights) { m.Version = 1 },
		"a short salt":       func(m *types.MsgRevealWeights) { m.Salt = m.Salt[:31] },
		"no salt":            func(m *types.MsgRevealWeights) { m.Salt = nil },
		"a salt of megabyte": func(m *types.MsgRevealWeights) { m.Salt = make([]byte, 1<<20) },
		"no row":             func(m *types.MsgRevealWeights) { m.Uids, m.Values = nil, nil },
	} {
		m := someRow.reveal()
		change(m)
		_, err := send(e, e.msgs.RevealWeights, m)
		require.Error(t, err, name)
		require.Less(t, len(err.Error()), 1_000, name)
	}
	m := someRow.reveal()
	m.Version = 1
	_, err = send(e, e.msgs.RevealWeights, m)
	require.ErrorIs(t, err, types.ErrNoCommit)
	require.ErrorContains(t, err, fmt.Sprintf("open are %x: uids, values, their order, version and salt must be those of the commit", someRow.hash(chainID, 1)))
	require.NoError(t, e.reveal(someRow))
}

func TestSection8ACommitBelongsToItsHotkeySubnetAndChain(t *testing.T) {
	for name, c := range map[string]struct {
		hash []byte
	}{
		"another chain":  {someRow.hash("lode-2", 1)},
		"another subnet": {someRow.hash(chainID, 2)},
		"another hotkey": {row{uid: 0, uids: someRow.uids, values: someRow.values, salt: someRow.salt}.hash(chainID, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			e := hidden(t)
			_, err := send(e, e.msgs.CommitWeights, &types.MsgCommitWeights{Hotkey: hotkey(1), Netuid: 1, Hash: c.hash})
			require.NoError(t, err)
			e.to(23)
			require.ErrorIs(t, e.reveal(someRow), types.ErrNoCommit)
		})
	}
	e := hidden(t)
	_, err := e.commit(someRow)
	require.NoError(t, err)
	copied := &types.MsgCommitWeights{Hotkey: hotkey(0), Netuid: 1, Hash: someRow.hash(chainID, 1)}
	_, err = send(e, e.msgs.CommitWeights, copied)
	require.NoError(t, err, "a copy of a hash can be committed")
	e.to(23)
	require.NoError(t, e.reveal(someRow))
	m := someRow.reveal()
	m.Hotkey = hotkey(0)
	_, err = send(e, e.msgs.RevealWeights, m)
	require.ErrorIs(t, err, types.ErrNoCommit, "but not revealed")
}

func TestSection8ARevealMeetsTheRulesOfItsBlock(t *testing.T) {
	e := hidden(t)
	_, err := e.commit(someRow)
	require.NoError(t, err)
	e.to(23)
	e.set("weights_version", 9)
	require.ErrorIs(t, e.reveal(someRow), types.ErrVersion)
	e.set("weights_version", 0)
	e.set("max_weight_limit", 30_000)
	require.ErrorIs(t, e.reveal(someRow), types.ErrInvalidRow)
	e.set("max_weight_limit", 65_535)
	require.NoError(t, e.reveal(someRow), "the commit was kept")
}

func TestSection8ARevealReplacesOnlyARowOfAnOlderCommit(t *testing.T) {
	e := hidden(t)
	older, newer := someRow, someRow
	older.salt, newer.salt, newer.values = "older", "newer", []uint32{1, 2}
	_, err := e.commit(older)
	require.NoError(t, err)
	e.to(18)
	_, err = e.commit(newer)
	require.NoError(t, err)
	e.to(23)
	require.NoError(t, e.reveal(newer))
	e.to(24)
	err = e.reveal(older)
	require.ErrorIs(t, err, types.ErrNewerRow)
	require.ErrorContains(t, err, "the row in force is of block 18, this commit of block 13")
	r, _ := e.row(1)
	require.Equal(t, []uint32{2, 1}, r.Values)
}

func TestSection8ACommitMadeBeforeAPlainRowDoesNotReplaceIt(t *testing.T) {
	e := hidden(t)
	_, err := e.commit(someRow)
	require.NoError(t, err)
	e.set("commit_reveal", 0)
	e.to(24)
	require.NoError(t, e.setWeights(1, []uint32{4}, []uint32{1}))
	require.ErrorIs(t, e.reveal(someRow), types.ErrNewerRow)
	e.to(30)
	_, err = e.commit(someRow)
	require.ErrorContains(t, err, "subnet 1 has it off: use SetWeights")
}

func TestSection8ALaterRevealPeriodMovesNoPromise(t *testing.T) {
	e := hidden(t)
	_, err := e.commit(someRow)
	require.NoError(t, err)
	e.set("reveal_period", 3)
	e.to(23)
	require.NoError(t, e.reveal(someRow))
	e.to(24)
	next := someRow
	next.salt = "next"
	got, err := e.commit(next)
	require.NoError(t, err)
	require.EqualValues(t, 6, got.RevealEpoch)
	e.set("reveal_period", 1)
	e.to(53)
	require.NoError(t, e.reveal(next))
}

func TestSection7AFailedEpochCostsNobodyAReveal(t *testing.T) {
	e := hidden(t)
	_, err := e.commit(someRow)
	require.NoError(t, err)
	e.to(23)
	e.failing[firstID] = true
	e.to(33)
	e.failing = nil
	require.NoError(t, e.reveal(someRow), "epoch 3 did not run in block 32")
	e.to(43)
	require.EqualValues(t, 3, e.state().Number)
	require.NotZero(t, e.results[firstID].Output.Incentive[3])
}

func TestSection8AtMostSoManyCommitsAreOpen(t *testing.T) {
	e := hidden(t, func(h *subnetstypes.Hyperparameters) {
		h.RevealPeriod, h.WeightsRateLimit, h.ImmunityPeriod, h.ActivityCutoff = 5, 1, 100, 100
	})
	for i := range 10 {
		r := someRow
		r.salt = fmt.Sprint("salt ", i)
		_, err := e.commit(r)
		require.NoError(t, err)
		e.to(e.ctx.BlockHeight() + 1)
	}
	r := someRow
	r.salt = "one too many"
	_, err := e.commit(r)
	require.ErrorIs(t, err, types.ErrTooManyCommits)
	require.ErrorContains(t, err, "10 are open, the most there may be: the oldest expires after epoch 7, or reveal it in that epoch (the next is 3)")
	open, err := e.query.Commits(e.ctx, &types.QueryCommitsRequest{Netuid: 1, Hotkey: hotkey(1)})
	require.NoError(t, err)
	require.Len(t, open.Commits, 10)
	e.to(72)
	r.salt = "salt 0"
	require.NoError(t, e.reveal(r))
	_, err = e.commit(r)
	require.NoError(t, err, "there is room again")
	e.to(83)
	open, err = e.query.Commits(e.ctx, &types.QueryCommitsRequest{Netuid: 1, Hotkey: hotkey(1)})
	require.NoError(t, err)
	require.Len(t, open.Commits, 1, "what was not revealed has expired, the youngest has not")
}

func TestSection8ACommitIsRefused(t *testing.T) {
	e := hidden(t)
	for name, hash := range map[string][]byte{"no hash": nil, "a short hash": make([]byte, 31), "a long hash": make([]byte, 33), "a megabyte": make([]byte, 1<<20)} {
		_, err := send(e, e.msgs.CommitWeights, &types.MsgCommitWeights{Hotkey: hotkey(1), Netuid: 1, Hash: hash})
		require.ErrorIs(t, err, types.ErrInvalidCommit, name)
		require.ErrorContains(t, err, fmt.Sprintf("the hash has %d bytes, must have 32 (SHA-256)", len(hash)))
	}
	_, err := send(e, e.msgs.CommitWeights, &types.MsgCommitWeights{Hotkey: hotkey(2), Netuid: 1, Hash: make([]byte, 32)})
	require.ErrorIs(t, err, types.ErrNoPermit)
	_, err = e.commit(someRow)
	require.NoError(t, err)
	e.to(18)
	_, err = e.commit(someRow)
	require.ErrorIs(t, err, types.ErrInvalidCommit)
	require.ErrorContains(t, err, "is committed already, in block 13: use a fresh salt")
}

func TestSection8HashIsThatOfTheProtocol(t *testing.T) {
	// Byte by byte, as another implementation would write it.
	var b bytes.Buffer
	b.WriteString("lode/weights/1")
	b.WriteByte(11)
	b.WriteString("lode-test-1")
	b.Write([]byte{0, 1})
	b.Write(addr("hotkey 1"))
	b.Write([]byte{0, 0, 0, 0, 0, 0, 0, 7})
	b.Write([]byte{0, 2})
	b.Write([]byte{0, 3, 1, 0})
	b.Write([]byte{0, 10, 255, 255})
	b.Write(bytes.Repeat([]byte{9}, 32))
	got := types.WeightsHash("lode-test-1", 1, addr("hotkey 1"), 7, []uint16{3, 256}, []uint16{10, 65_535}, bytes.Repeat([]byte{9}, 32))
	require.Equal(t, sha256.Sum256(b.Bytes()), got)
}

// content is all that a commit is about.
type content struct {
	Chain        string
	Netuid       uint16
	Version      uint64
	Uids, Values []uint16
	Salt         []byte
}

func (c content) hash() [32]byte {
	return types.WeightsHash(c.Chain, c.Netuid, addr("hotkey 1"), c.Version, c.Uids, c.Values, c.Salt)
}

func TestSection8NoTwoContentsShareTheirBytes(t *testing.T) {
	some := rapid.Custom(func(t *rapid.T) content {
		n := rapid.IntRange(0, 3).Draw(t, "n")
		small := rapid.Uint16Range(0, 2)
		return content{
			Chain:   rapid.SampledFrom([]string{"", "a", "ab", "a\x00", "\x00"}).Draw(t, "chain"),
			Netuid:  rapid.SampledFrom([]uint16{0, 1, 256, 'a', 'b'}).Draw(t, "netuid"),
			Version: rapid.SampledFrom([]uint64{0, 1, 1 << 8, 1 << 56}).Draw(t, "version"),
			Uids:    rapid.SliceOfN(small, n, n).Draw(t, "uids"),
			Values:  rapid.SliceOfN(small, n, n).Draw(t, "values"),
			Salt:    bytes.Repeat([]byte{byte(rapid.IntRange(0, 2).Draw(t, "salt"))}, 32),
		}
	})
	rapid.Check(t, func(rt *rapid.T) {
		a, b := some.Draw(rt, "a"), some.Draw(rt, "b")
		if (fmt.Sprint(a) == fmt.Sprint(b)) != (a.hash() == b.hash()) {
			rt.Fatalf("%v and %v", a, b)
		}
	})
	// What would be ambiguous can't be revealed: as many values as uids, a salt of 32 bytes.
	m := someRow.reveal()
	m.Uids, m.Values = []uint32{1, 2, 3}, []uint32{1}
	require.ErrorContains(t, m.ValidateBasic(), "3 uids but 1 values")
	m = someRow.reveal()
	m.Salt = append(m.Salt, 0, 7)
	require.ErrorContains(t, m.ValidateBasic(), "the salt has 34 bytes, must have 32")
}
