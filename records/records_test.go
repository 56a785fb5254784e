package records

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
)

// block is one with what came of it, as a node has them.
type block struct {
	header  cmttypes.Header
	txs     [][]byte
	results abci.ResponseFinalizeBlock
}

// sample is a block with everything that one can have.
func sample(rnd *rand.Rand, height int64) (b block) {
	some := func(n int) []byte {
		out := make([]byte, n)
		for i := range out {
			out[i] = byte(rnd.Uint32())
		}
		return out
	}
	texts := []string{"", `"12"`, `"` + "\u20ac" + `"`, "12rao", `{"a":[1,"<&>"]}`, "\x00\n\t\\\"", "\U0001f600", strings.Repeat("x", 300), `["1","2"]`}
	text := func() string { return texts[rnd.IntN(len(texts))] }
	events := func() (out []abci.Event) {
		for range rnd.IntN(20) {
			e := abci.Event{Type: "lode.test.v1." + text()}
			for range []int{0, 1, 3, 7, 7, 90}[rnd.IntN(6)] {
				e.Attributes = append(e.Attributes, abci.EventAttribute{Key: text(), Value: text(), Index: rnd.IntN(2) == 0})
			}
			out = append(out, e)
		}
		return out
	}
	b.header = cmttypes.Header{
		ChainID: "lode-test-1", Height: height, Time: time.Unix(1_793_000_000, rnd.Int64N(1e9)).UTC(),
		LastBlockID:    cmttypes.BlockID{Hash: some(32), PartSetHeader: cmttypes.PartSetHeader{Total: rnd.Uint32(), Hash: some(32)}},
		LastCommitHash: some(32), DataHash: some(32), ValidatorsHash: some(32), NextValidatorsHash: some(32), ConsensusHash: some(32), AppHash: some(32),
		LastResultsHash: some(32), EvidenceHash: some(32), ProposerAddress: some(20),
	}
	b.header.Version.Block, b.header.Version.App = 11, rnd.Uint64N(5)
	b.results = abci.ResponseFinalizeBlock{Events: events(), AppHash: some(32), ValidatorUpdates: []abci.ValidatorUpdate{{Power: 7}}}
	for range rnd.IntN(5) {
		b.txs = append(b.txs, some(rnd.IntN(400)))
		b.results.TxResults = append(b.results.TxResults, &abci.ExecTxResult{Code: rnd.Uint32(), Data: some(rnd.IntN(9)), Log: text(), Info: text(),
			GasWanted: rnd.Int64(), GasUsed: rnd.Int64() - rnd.Int64(), Events: events(), Codespace: text()})
	}
	return b
}

// written is a block as a node sends it.
func (b block) written(t testing.TB) []byte {
	t.Helper()
	results, err := b.results.Marshal()
	require.NoError(t, err)
	head, err := AppendHead(nil, b.header.ToProto(), b.txs, len(results))
	require.NoError(t, err)
	return append(head, results...)
}

func (b block) same(t testing.TB, r *Record) {
	t.Helper()
	require.Equal(t, b.header.Height, r.Height)
	require.Equal(t, []byte(b.header.Hash()), r.Hash, "the whole header was read")
	require.Equal(t, b.header.Time, r.Time)
	require.Equal(t, []byte(b.header.LastBlockID.Hash), r.Last)
	require.Equal(t, []byte(b.header.ProposerAddress), r.Proposer)
	require.Len(t, r.Txs, len(b.txs))
	for i, tx := range b.txs {
		require.True(t, bytes.Equal(tx, r.Txs[i]))
	}
	sameResponse(t, &b.results, r)
}

// sameResponse compares with what CometBFT has.
func sameResponse(t testing.TB, want *abci.ResponseFinalizeBlock, r *Record) {
	t.Helper()
	sameEvents(t, want.Events, r.Events)
	require.Len(t, r.Results, len(want.TxResults))
	for i, w := range want.TxResults {
		g := r.Results[i]
		sameEvents(t, w.Events, g.Events)
		require.True(t, bytes.Equal(w.Data, g.Data))
		require.Equal(t, []any{w.Code, valid(w.Log), valid(w.Info), w.GasWanted, w.GasUsed, valid(w.Codespace)},
			[]any{g.Code, g.Log, g.Info, g.GasWanted, g.GasUsed, g.Codespace})
	}
}

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func sameEvents(t testing.TB, want, got []abci.Event) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, valid(want[i].Type), got[i].Type)
		require.Len(t, got[i].Attributes, len(want[i].Attributes))
		for k, a := range want[i].Attributes {
			require.Equal(t, abci.EventAttribute{Key: valid(a.Key), Value: valid(a.Value), Index: a.Index}, got[i].Attributes[k])
		}
	}
}

func TestWhatANodeSendsIsRead(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var sent []byte
	var want []block
	for height := int64(1); height <= 12; height++ {
		b := sample(rnd, height)
		want = append(want, b)
		sent = append(sent, b.written(t)...)
	}
	got, err := Read(iotest.OneByteReader(bytes.NewReader(sent)))
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for i, b := range want {
		b.same(t, got[i])
	}
	none, err := Read(strings.NewReader(""))
	require.NoError(t, err)
	require.Empty(t, none)
}

// A block that is read into freed memory is as one that is read into new; the memory is
// not given on before all of its blocks are freed.
func TestARecordThatIsFreedHoldsNothing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	a, b := sample(rnd, 7), sample(rnd, 8)
	sent := append(a.written(t), b.written(t)...)
	for range 5 {
		list, err := Read(bytes.NewReader(sent))
		require.NoError(t, err)
		kept := list[0].Events[0]
		list[0].Free()
		list[0].Free()
		require.Empty(t, list[0].Events)
		require.Empty(t, list[0].Results)
		b.same(t, list[1])
		require.NotEmpty(t, strings.Trim(kept.Type, "\x00"))
		list[1].Free()
		require.Empty(t, strings.Trim(kept.Type, "\x00"), "what is used all the same is no other block's")
	}
}

func TestRecordsThatBreakOffAreReadAsFarAsTheyAreWhole(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	a, b := sample(rnd, 1), sample(rnd, 2)
	first, second := a.written(t), b.written(t)
	sent := append(bytes.Clone(first), second...)
	for at := range sent {
		list, err := Read(bytes.NewReader(sent[:at]))
		require.Len(t, list, btoi(at >= len(first)))
		if at == 0 || at == len(first) {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, ErrMalformed)
		}
	}
	lost := errors.New("the connection was lost")
	list, err := Read(io.MultiReader(bytes.NewReader(sent[:len(first)+9]), iotest.ErrReader(lost)))
	require.ErrorIs(t, err, lost)
	require.Len(t, list, 1)
	a.same(t, list[0])
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestWhatIsNoRecordIsRefused(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	b := sample(rnd, 7)
	for len(b.txs) == 0 {
		b = sample(rnd, 7)
	}
	fewer := b
	fewer.results.TxResults = b.results.TxResults[1:]
	message := func(fields ...[]byte) []byte { return protowire.AppendBytes(nil, bytes.Join(fields, nil)) }
	field := func(number protowire.Number, value []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
	}
	header, err := b.header.ToProto().Marshal()
	require.NoError(t, err)
	for name, sent := range map[string][]byte{
		"a page":                           []byte("<html><body>hello</body></html>"),
		"nothing of a header":              message(field(fieldTx, []byte("tx"))),
		"a header that is none":            message(field(fieldHeader, []byte("header"))),
		"a transaction without a result":   fewer.written(t),
		"results that are none":            message(field(fieldHeader, header), field(fieldResults, []byte("\x0a\x7f"))),
		"an event that is none":            message(field(fieldHeader, header), field(fieldResults, field(1, []byte("\x0a\x7f")))),
		"an attribute that is none":        message(field(fieldHeader, header), field(fieldResults, field(1, field(2, []byte("\x0a\x7f"))))),
		"a result's event that is none":    message(field(fieldHeader, header), field(fieldTx, nil), field(fieldResults, field(2, field(7, []byte("\x0a"))))),
		"a field's number that is none":    message([]byte{0x02, 0x00}),
		"a length of more than there is":   {0xff, 0xff, 0xff, 0xff, 0x0f, 0x0a},
		"a length of more than 64 bits":    bytes.Repeat([]byte{0xff}, 20),
		"the end of a group without begin": message([]byte{0x0c}),
		// What is small as bytes and large when it is read.
		"a million transactions of nothing": message(field(fieldHeader, header), bytes.Repeat(field(fieldTx, nil), 1e6), field(fieldResults, bytes.Repeat(field(2, nil), 1e6))),
		"a million events of nothing":       message(field(fieldHeader, header), field(fieldResults, bytes.Repeat(field(1, nil), 1e6))),
		"a million attributes of nothing":   message(field(fieldHeader, header), field(fieldResults, field(1, bytes.Repeat(field(2, nil), 1e6)))),
		"a million results of nothing":      message(field(fieldHeader, header), field(fieldResults, bytes.Repeat(field(2, nil), 1e6))),
	} {
		t.Run(name, func(t *testing.T) {
			list, err := Read(bytes.NewReader(sent))
			require.ErrorIs(t, err, ErrMalformed)
			require.Empty(t, list)
			before := sample(rnd, 6)
			list, err = Read(bytes.NewReader(append(before.written(t), sent...)))
			require.ErrorIs(t, err, ErrMalformed)
			require.Len(t, list, 1)
			before.same(t, list[0])
		})
	}
}

// What CometBFT writes is read as it is, and nothing is read as something else than
// CometBFT reads in it.
func FuzzResultsAreReadAsCometBFTReadsThem(f *testing.F) {
	rnd := rand.New(rand.NewPCG(9, 9))
	for height := range int64(10) {
		b := sample(rnd, height+1)
		raw, err := b.results.Marshal()
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Add([]byte("\x0a\x04\x0a\x02\xff\xfe"))
	f.Add([]byte("\x0a\x80\x00\x18\x01\x23\x24"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var want abci.ResponseFinalizeBlock
		if want.Unmarshal(raw) != nil {
			return
		}
		r := &Record{}
		if (&memory{left: 1 << 40}).response(bytes.Clone(raw), r) { // it refuses numbers of fields that are none
			sameResponse(t, &want, r)
		}
		written, err := want.Marshal()
		require.NoError(t, err)
		r = &Record{}
		require.True(t, (&memory{left: 1 << 40}).response(written, r))
		sameResponse(t, &want, r)
	})
}

// Whatever a node sends, reading ends.
func FuzzRead(f *testing.F) {
	b := sample(rand.New(rand.NewPCG(9, 9)), 3)
	f.Add(b.written(f))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := Read(bytes.NewReader(raw))
		if err == nil {
			require.Equal(t, len(raw) > 0, len(list) > 0)
		}
		for _, r := range list {
			require.Len(t, r.Hash, 32)
			r.Free()
		}
	})
}
