package node_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	cmtdb "github.com/cometbft/cometbft-db"
	abci "github.com/cometbft/cometbft/abci/types"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/app/node"
	"github.com/lodenet/lode/records"
)

// chain is CometBFT's databases with some blocks, written by its own code.
type chain struct {
	t      *testing.T
	blocks *store.BlockStore
	db     cmtdb.DB // the state's
	last   cmttypes.BlockID
	server *httptest.Server
	log    bytes.Buffer
}

func newChain(t *testing.T, blocks int) *chain {
	t.Helper()
	c := &chain{t: t, blocks: store.NewBlockStore(cmtdb.NewMemDB()), db: cmtdb.NewMemDB()}
	for range blocks {
		c.add(sm.StoreOptions{}, 100)
	}
	c.server = httptest.NewServer(node.Records(c.blocks, c.db, slog.New(slog.NewTextHandler(&c.log, nil))))
	t.Cleanup(c.server.Close)
	return c
}

func hashOf(height int64) []byte { return bytes.Repeat([]byte{byte(height)}, 32) }

// add adds a block, and what came of it: size bytes of events.
func (c *chain) add(o sm.StoreOptions, size int) {
	c.t.Helper()
	height := c.block()
	require.NoError(c.t, sm.NewStore(c.db, o).SaveFinalizeBlockResponse(height, &abci.ResponseFinalizeBlock{
		AppHash: hashOf(height), TxResults: []*abci.ExecTxResult{{GasUsed: height}},
		Events: []abci.Event{{Type: "test", Attributes: []abci.EventAttribute{{Key: "text", Value: strings.Repeat("x", size)}}}},
	}))
}

// block adds one whose results are not there yet.
func (c *chain) block() int64 {
	c.t.Helper()
	height := c.blocks.Height() + 1
	commit := &cmttypes.Commit{Height: height - 1, BlockID: c.last, Signatures: []cmttypes.CommitSig{cmttypes.NewCommitSigAbsent()}}
	if height == 1 {
		commit = &cmttypes.Commit{}
	}
	b := cmttypes.MakeBlock(height, cmttypes.Txs{fmt.Appendf(nil, "transaction of %d", height)}, commit, nil)
	hash := hashOf(height)
	b.ChainID, b.Time, b.LastBlockID, b.Version.Block = "lode-test-1", time.Unix(1_793_000_000+height, 0).UTC(), c.last, 11
	b.ValidatorsHash, b.NextValidatorsHash, b.ConsensusHash, b.ProposerAddress = hash, hash, hash, hash[:20]
	parts, err := b.MakePartSet(cmttypes.BlockPartSizeBytes)
	require.NoError(c.t, err)
	c.last = cmttypes.BlockID{Hash: b.Hash(), PartSetHeader: parts.Header()}
	c.blocks.SaveBlock(b, parts, &cmttypes.Commit{Height: height, BlockID: c.last})
	return height
}

// ask asks for records; query may be a whole one.
func (c *chain) ask(query string, header ...string) (*http.Response, []byte) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.server.URL+records.Path+"?"+query, nil)
	require.NoError(c.t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	return resp, body
}

// records are those of an answer.
func (c *chain) records(query string, header ...string) []*records.Record {
	c.t.Helper()
	resp, body := c.ask(query, header...)
	require.Equal(c.t, http.StatusOK, resp.StatusCode, "%s", body)
	require.Equal(c.t, records.ContentType, resp.Header.Get("Content-Type"))
	if resp.Header.Get("Content-Encoding") == "zstd" {
		z, err := zstd.NewReader(nil)
		require.NoError(c.t, err)
		defer z.Close()
		body, err = z.DecodeAll(body, nil)
		require.NoError(c.t, err)
	}
	list, err := records.Read(bytes.NewReader(body))
	require.NoError(c.t, err)
	return list
}

func (c *chain) same(from int64, list []*records.Record) {
	c.t.Helper()
	states := sm.NewStore(c.db, sm.StoreOptions{})
	for i, r := range list {
		height := from + int64(i)
		want, results := c.blocks.LoadBlock(height), must(states.LoadFinalizeBlockResponse(height))(c.t)
		require.Equal(c.t, height, r.Height)
		require.Equal(c.t, []byte(want.Hash()), r.Hash)
		require.Equal(c.t, want.Txs.ToSliceOfBytes(), r.Txs)
		require.Equal(c.t, results.Events, r.Events)
		require.Len(c.t, r.Results, 1)
		require.Equal(c.t, height, r.Results[0].GasUsed)
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

func TestRecordsAreWhatCometBFTKeeps(t *testing.T) {
	c := newChain(t, 20)
	list := c.records("from=3&to=9")
	require.Len(t, list, 7)
	c.same(3, list)
	require.Len(t, c.records("from=15&to=9223372036854775807"), 6)
	require.Len(t, c.records("from=9&to=3"), 1, "the first is sent anyway")
	require.Empty(t, c.records("from=21&to=30"))
	for accepted, want := range map[string]string{
		"zstd": "zstd", "gzip, zstd": "zstd", "gzip, zstd;q=0.5": "zstd", "ZSTD": "zstd", "zstd;q=0": "", "zstd; q=0.0": "", "gzip": "", "": "",
	} {
		resp, _ := c.ask("from=3&to=9", "Accept-Encoding", accepted)
		require.Equal(t, want, resp.Header.Get("Content-Encoding"), accepted)
		c.same(3, c.records("from=3&to=9", "Accept-Encoding", accepted))
	}
}

func TestRecordsEndWhereThereIsNoNext(t *testing.T) {
	c := newChain(t, 5)
	c.block()
	require.Len(t, c.records("from=4&to=9"), 2, "the last one's results are not there yet")
	require.Empty(t, c.records("from=6&to=6"))
	_, err := prune(c.blocks, 4)
	require.NoError(t, err)
	require.Empty(t, c.records("from=2&to=9"), "it was dropped")
	require.Len(t, c.records("from=4&to=9"), 2)
}

// prune drops blocks before a height.
func prune(s *store.BlockStore, before int64) (uint64, error) {
	pruned, _, err := s.PruneBlocks(before, sm.State{LastBlockHeight: s.Height(), LastBlockTime: time.Unix(1_793_000_000, 0)})
	return pruned, err
}

func TestRecordsAreBounded(t *testing.T) {
	c := newChain(t, 0)
	for range 9 {
		c.add(sm.StoreOptions{}, 1<<20)
	}
	list := c.records("from=1&to=9")
	require.Len(t, list, 4, "none begins after 4 MiB")
	c.same(1, list)
	require.Len(t, c.records("from=6&to=9", "Accept-Encoding", "zstd"), 4)
	for range 600 {
		c.add(sm.StoreOptions{}, 1)
	}
	require.Len(t, c.records("from=10&to=1000000"), 512)
}

func TestANodeThatKeepsNoResultsSaysSo(t *testing.T) {
	c := newChain(t, 0)
	for range 5 {
		c.add(sm.StoreOptions{DiscardABCIResponses: true}, 1)
	}
	resp, body := c.ask("from=3&to=4")
	require.Equal(t, http.StatusGone, resp.StatusCode)
	require.Contains(t, string(body), "discard_abci_responses")
}

func TestWhatIsNoQuestionForRecordsIsRefused(t *testing.T) {
	c := newChain(t, 3)
	for _, query := range []string{"", "from=1", "to=1", "from=0&to=1", "from=-1&to=1", "from=1&to=x", "from=1.5&to=2", "from=9223372036854775808&to=1", "from=" + strings.Repeat("9", 5_000) + "&to=1", "from=1&to=%zz"} {
		resp, body := c.ask(query)
		require.Equal(t, http.StatusBadRequest, resp.StatusCode, query)
		require.Contains(t, string(body), "from=HEIGHT&to=HEIGHT")
		require.Less(t, len(body), 300)
	}
	resp, err := http.Post(c.server.URL+records.Path+"?from=1&to=2", "text/plain", strings.NewReader("x"))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
}

// A database that fails is no end of the chain.
func TestRecordsThatCannotBeReadAreNoEnd(t *testing.T) {
	c := newChain(t, 6)
	require.NoError(t, c.db.Close())
	c.server.Config.Handler = node.Records(c.blocks, failing{c.db, 4}, slog.New(slog.NewTextHandler(&c.log, nil)))
	resp, _ := c.ask("from=4&to=6")
	require.Equal(t, http.StatusInternalServerError, resp.StatusCode)
	require.Contains(t, c.log.String(), "the disk is gone")
	resp, err := http.Get(c.server.URL + records.Path + "?from=1&to=6")
	if err == nil {
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
	}
	require.Error(t, err, "it must not look whole")
}

// failing is a database that can't read a block.
type failing struct {
	cmtdb.DB
	height int64
}

func (f failing) Get(key []byte) ([]byte, error) {
	if strings.HasSuffix(string(key), fmt.Sprintf(":%d", f.height)) {
		return nil, fmt.Errorf("the disk is gone")
	}
	return f.DB.Get(key)
}

func TestARunningNodeServesRecords(t *testing.T) {
	home, _ := initHome(t, 100*time.Millisecond)
	n := start(t, home)
	wait(t, n, 4)
	for _, encoding := range []string{"identity", "zstd"} {
		c := &chain{t: t, server: &httptest.Server{URL: "http://" + n.Endpoints().RPC}}
		list := c.records("from=1&to=3", "Accept-Encoding", encoding)
		require.Len(t, list, 3)
		for i, r := range list {
			require.EqualValues(t, i+1, r.Height)
			require.NotEmpty(t, r.Events)
			if i > 0 {
				require.Equal(t, list[i-1].Hash, r.Last)
			}
		}
	}
}
