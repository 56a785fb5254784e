package node

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	cmtdb "github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/store"
	"github.com/klauspost/compress/zstd"

	"github.com/lodenet/lode/records"
)

const (
	// mostRecords and mostRecordBytes bound what is sent at once: no block begins after.
	mostRecords     = 512
	mostRecordBytes = 4 << 20
	// recordTime is how long a caller may take to read a block.
	recordTime = 30 * time.Second
)

// Records serves blocks with what came of them, as package records says, out of CometBFT's
// databases: that of its blocks, and that which it calls "state".
func Records(blocks *store.BlockStore, state cmtdb.DB, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", http.MethodGet)
			http.Error(w, "records are asked for by GET", http.StatusMethodNotAllowed)
			return
		}
		from, err := height(r, "from")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		to, err := height(r, "to")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s := sending{blocks: blocks, state: state}
		if err := s.load(from); err != nil {
			log.Error("records can't be read", "height", from, "err", err)
			http.Error(w, "the node can't read block "+strconv.FormatInt(from, 10), http.StatusInternalServerError)
			return
		}
		if len(s.results) == 0 && from >= blocks.Base() && from < blocks.Height() {
			http.Error(w, fmt.Sprintf("it has block %d and kept no results of it: discard_abci_responses is true in its config.toml, or was", from), http.StatusGone)
			return
		}
		h := w.Header()
		h.Set("Content-Type", records.ContentType)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Vary", "Accept-Encoding")
		out, done := io.Writer(w), func() error { return nil }
		if accepts(r, "zstd") {
			h.Set("Content-Encoding", "zstd")
			z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
			if err != nil {
				panic(err) // of options that are none
			}
			out, done = z, z.Close
		}
		err = s.send(out, http.NewResponseController(w), from, to)
		if err = errors.Join(err, done()); err != nil && r.Context().Err() == nil {
			log.Error("records can't be sent", "from", from, "err", err)
			panic(http.ErrAbortHandler) // so that what was sent does not look whole
		}
	})
}

// height is a parameter of a request.
func height(r *http.Request, name string) (int64, error) {
	n, err := strconv.ParseInt(r.URL.Query().Get(name), 10, 64)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s is %.40q: records are asked for by %s?from=HEIGHT&to=HEIGHT", name, r.URL.Query().Get(name), records.Path)
	}
	return n, nil
}

// accepts says whether a caller takes an encoding.
func accepts(r *http.Request, encoding string) bool {
	for _, line := range r.Header.Values("Accept-Encoding") {
		for one := range strings.SplitSeq(line, ",") {
			name, weight, weighed := strings.Cut(one, ";")
			if !strings.EqualFold(strings.TrimSpace(name), encoding) {
				continue
			}
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
			return !weighed || err == nil && q > 0
		}
	}
	return false
}

// sending is an answer, and the block that it has come to.
type sending struct {
	blocks  *store.BlockStore
	state   cmtdb.DB
	head    []byte
	results []byte // empty: there is no such block, or not yet
}

// load reads a block.
func (s *sending) load(height int64) (err error) {
	s.results, err = s.state.Get(fmt.Appendf(nil, "abciResponsesKey:%d", height)) // as CometBFT's state.Store names it
	if err != nil || len(s.results) == 0 {
		return err
	}
	b := s.blocks.LoadBlockProto(height)
	if b == nil {
		s.results = nil
		return nil
	}
	s.head, err = records.AppendHead(s.head[:0], &b.Header, b.Data.Txs, len(s.results))
	return err
}

// send writes blocks from the one that is loaded on. It ends where there is no next one:
// the newest may not have its results yet.
func (s *sending) send(w io.Writer, c *http.ResponseController, from, to int64) error {
	sent := 0
	for at := from; len(s.results) > 0; {
		if err := c.SetWriteDeadline(time.Now().Add(recordTime)); err != nil {
			return err
		}
		for _, part := range [][]byte{s.head, s.results} {
			n, err := w.Write(part)
			if err != nil {
				return err
			}
			sent += n
		}
		if at++; at > to || at-from >= mostRecords || sent >= mostRecordBytes {
			return nil
		}
		if err := s.load(at); err != nil {
			return err
		}
	}
	return nil
}
