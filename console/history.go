package console

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/indexer"
)

// Index is what the server asks of the history; [indexer.Store] is one. Subnets are
// named by their permanent ids.
type Index interface {
	// Status is how far it is; ErrEmpty before the first block.
	Status(ctx context.Context) (indexer.Status, error)
	// Trouble is why it gets no further although the node is there; nil: it does.
	Trouble() error
	// Figures are those of all live subnets.
	Figures(ctx context.Context) ([]indexer.Figures, error)
	// Candles and Epochs are oldest first, the other lists newest first.
	Candles(ctx context.Context, subnetID uint64, interval time.Duration, span indexer.Span) (indexer.List[indexer.Candle], error)
	Epochs(ctx context.Context, subnetID uint64, span indexer.Span) (indexer.List[indexer.Epoch], error)
	Registrations(ctx context.Context, subnetID uint64, page indexer.Page) (indexer.List[indexer.Registration], error)
	AccountRegistrations(ctx context.Context, address string, page indexer.Page) (indexer.List[indexer.Registration], error)
	Income(ctx context.Context, address string, page indexer.Page) (indexer.List[indexer.Income], error)
	AccountTransactions(ctx context.Context, address string, page indexer.Page) (indexer.List[indexer.Transaction], error)
	Transactions(ctx context.Context, page indexer.Page) (indexer.List[indexer.Transaction], error)
	Transaction(ctx context.Context, hash string) (indexer.TransactionDetail, error)
	Blocks(ctx context.Context, page indexer.Page) (indexer.List[indexer.Block], error)
	Block(ctx context.Context, height int64) (indexer.BlockDetail, error)
	// Yields are those of a coldkey's stakes.
	Yields(ctx context.Context, coldkey string) ([]indexer.StakeYields, indexer.At, error)
	// History writes an account's history as CSV with Koinly's columns.
	History(ctx context.Context, address string, w io.Writer) error
	// Subnets are all that there ever were.
	Subnets(ctx context.Context) ([]indexer.SubnetName, error)
	Search(ctx context.Context, text string) ([]indexer.Found, error)
}

var (
	errNoIndex      = fail(http.StatusNotFound, "no_index", "start the console with --db", "this console keeps no history")
	errForeignIndex = fail(http.StatusServiceUnavailable, "unavailable", "start the console with another --db, or with the node that this one is of", "the index is of another chain than the node")
)

// hasHistory is an error where there is none, or another chain's.
func (s *Server) hasHistory() error {
	switch {
	case s.index == nil:
		return errNoIndex
	case s.foreign.Load():
		return errForeignIndex
	}
	return nil
}

// historic makes a handler that needs the index.
func historic(serve func(s *Server, ctx context.Context, a *ask) (any, error)) func(s *Server, ctx context.Context, a *ask) (any, error) {
	return func(s *Server, ctx context.Context, a *ask) (any, error) {
		if err := s.hasHistory(); err != nil {
			return nil, err
		}
		v, err := serve(s, ctx, a)
		return v, indexError(err)
	}
}

// indexError makes an answer of the index's errors. What its database says of itself is
// for the log and /v1/status.
func indexError(err error) error {
	var f *failure
	var query *client.QueryError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, indexer.ErrNotFound):
		return fail(http.StatusNotFound, "not_found", "what is newer than indexed_height of /v1/status comes in a moment", "%v", err)
	case errors.Is(err, indexer.ErrCursor):
		return badCursor()
	case errors.Is(err, indexer.ErrEmpty):
		return fail(http.StatusServiceUnavailable, "unavailable", "try again in a moment", "the index has no block yet")
	case errors.As(err, &f), errors.As(err, &query), isCanceled(err):
		return err
	}
	if code, _ := client.Describe(err); code != "error" { // of the chain
		return err
	}
	return &failure{status: http.StatusServiceUnavailable, code: "unavailable", message: "the history can't be read now",
		hint: "index_error of /v1/status says why; what asks the chain works", cause: err}
}

// asideTime is how long an answer about the chain waits for what the index adds to it.
const asideTime = 3 * time.Second

// aside asks the index for something that an answer can do without: it is empty where the
// index has none, is another chain's, can't be read, or takes too long.
func aside[T any](ctx context.Context, s *Server, ask func(ctx context.Context) (T, error)) (v T, err error) {
	if s.hasHistory() != nil {
		return v, nil
	}
	asking, cancel := context.WithTimeout(ctx, asideTime)
	defer cancel()
	got, err := ask(asking)
	switch {
	case err == nil:
		return got, nil
	case ctx.Err() != nil:
		return v, ctx.Err()
	case !errors.Is(err, indexer.ErrEmpty):
		s.log.Warn("an answer lacks what the index adds to it", "err", err)
	}
	return v, nil
}

// pageOf is the page of a list that a request asks the index for.
func (a *ask) pageOf(list byte) (indexer.Page, error) {
	limit, key, err := a.page(list)
	p := indexer.Page{Limit: limit}
	if len(key) > 0 {
		p.After = string(key[1:])
	}
	return p, err
}

// listOf is the index's answer, with a cursor that is of this list alone.
func listOf[T any](l indexer.List[T], list byte) indexer.List[T] {
	if l.Next != "" {
		l.Next = cursor(append([]byte{list}, l.Next...))
	}
	return l
}

// spanOf is the part of a series that a request asks for.
func (a *ask) spanOf(list byte) (s indexer.Span, err error) {
	if s.Page, err = a.pageOf(list); err != nil {
		return s, err
	}
	if s.From, err = a.time("from"); err != nil {
		return s, err
	}
	s.To, err = a.time("to")
	return s, err
}

// subnetID is that of the live subnet that the path names.
func (s *Server) subnetID(ctx context.Context, a *ask) (netuid uint32, id uint64, err error) {
	if netuid, err = a.netuid(); err != nil {
		return 0, 0, err
	}
	_, _, sub, err := s.oneSubnet(ctx, a)
	if err != nil {
		return 0, 0, err
	}
	return netuid, sub.Id, nil
}

// intervals of candles.
var intervals = map[string]time.Duration{"5m": indexer.Minutes5, "1h": indexer.Hour, "1d": indexer.Day}

func (s *Server) candles(ctx context.Context, a *ask) (any, error) {
	interval, err := a.oneOf("interval", "1h", "5m", "1d")
	if err != nil {
		return nil, err
	}
	span, err := a.spanOf(ofCandles)
	if err != nil {
		return nil, err
	}
	netuid, id, err := s.subnetID(ctx, a)
	if err != nil {
		return nil, err
	}
	l, err := s.index.Candles(ctx, id, intervals[interval], span)
	if err != nil {
		return nil, err
	}
	return struct {
		indexer.List[indexer.Candle]
		Netuid   uint32 `json:"netuid"`
		SubnetID uint64 `json:"subnet_id"`
		Interval string `json:"interval"`
	}{listOf(l, ofCandles), netuid, id, interval}, nil
}

func (s *Server) emission(ctx context.Context, a *ask) (any, error) {
	span, err := a.spanOf(ofEpochs)
	if err != nil {
		return nil, err
	}
	netuid, id, err := s.subnetID(ctx, a)
	if err != nil {
		return nil, err
	}
	l, err := s.index.Epochs(ctx, id, span)
	if err != nil {
		return nil, err
	}
	return struct {
		indexer.List[indexer.Epoch]
		Netuid   uint32 `json:"netuid"`
		SubnetID uint64 `json:"subnet_id"`
	}{listOf(l, ofEpochs), netuid, id}, nil
}

func (s *Server) registrations(ctx context.Context, a *ask) (any, error) {
	p, err := a.pageOf(ofRegistrations)
	if err != nil {
		return nil, err
	}
	_, id, err := s.subnetID(ctx, a)
	if err != nil {
		return nil, err
	}
	l, err := s.index.Registrations(ctx, id, p)
	return listOf(l, ofRegistrations), err
}

// ofAccount answers with a list of an address.
func ofAccount[T any](of byte, list func(ix Index, ctx context.Context, address string, p indexer.Page) (indexer.List[T], error)) func(s *Server, ctx context.Context, a *ask) (any, error) {
	return func(s *Server, ctx context.Context, a *ask) (any, error) {
		address, err := a.address()
		if err != nil {
			return nil, err
		}
		p, err := a.pageOf(of)
		if err != nil {
			return nil, err
		}
		l, err := list(s.index, ctx, address, p)
		return listOf(l, of), err
	}
}

func (s *Server) history(ctx context.Context, a *ask) (any, error) {
	address, err := a.address()
	if err != nil {
		return nil, err
	}
	return raw{"text/csv; charset=utf-8", address + ".csv", func(w io.Writer) error {
		return indexError(s.index.History(ctx, address, w))
	}}, nil
}

func (s *Server) transactions(ctx context.Context, a *ask) (any, error) {
	p, err := a.pageOf(ofTransactions)
	if err != nil {
		return nil, err
	}
	l, err := s.index.Transactions(ctx, p)
	return listOf(l, ofTransactions), err
}

type attributeJSON struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type eventJSON struct {
	Type       string          `json:"type"`
	Attributes []attributeJSON `json:"attributes"`
}

func newEvents(events []abci.Event) []eventJSON {
	list := []eventJSON{}
	for _, e := range events {
		v := eventJSON{Type: e.Type, Attributes: []attributeJSON{}}
		for _, a := range e.Attributes {
			v.Attributes = append(v.Attributes, attributeJSON{a.Key, a.Value})
		}
		list = append(list, v)
	}
	return list
}

func (s *Server) transaction(ctx context.Context, a *ask) (any, error) {
	hash := strings.ToUpper(a.PathValue("hash"))
	if len(hash) != 64 || strings.Trim(hash, "0123456789ABCDEF") != "" {
		return nil, badValue("64 hexadecimal digits", "%.80q is no transaction's hash", hash)
	}
	t, err := s.index.Transaction(ctx, hash)
	if err != nil {
		return nil, err
	}
	v := struct {
		indexer.TransactionDetail
		Events []eventJSON `json:"events"`
	}{t, []eventJSON{}}
	if v.Messages == nil {
		v.Messages = []json.RawMessage{}
	}
	// The index leaves events to the node, which may be away or have dropped them.
	asking, cancel := context.WithTimeout(ctx, asideTime)
	defer cancel()
	r, err := s.client.Record(asking, t.Height)
	switch {
	case err == nil && t.Index < len(r.Results):
		v.Events = newEvents(r.Results[t.Index].Events)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && !errors.Is(err, client.ErrNotFound) && !errors.Is(err, client.ErrUnavailable):
		s.log.Warn("a transaction is shown without its events", "hash", hash, "err", err)
	}
	return v, nil
}

func (s *Server) blocks(ctx context.Context, a *ask) (any, error) {
	p, err := a.pageOf(ofBlocks)
	if err != nil {
		return nil, err
	}
	l, err := s.index.Blocks(ctx, p)
	return listOf(l, ofBlocks), err
}

func (s *Server) block(ctx context.Context, a *ask) (any, error) {
	height, err := number("height", a.PathValue("height"), 1, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	return s.index.Block(ctx, int64(height))
}

// addHistory adds what the index knows to the subnets' figures.
func (s *Server) addHistory(ctx context.Context, _ *table, list []subnetFigures) error {
	all, err := aside(ctx, s, func(ctx context.Context) ([]indexer.Figures, error) { return s.index.Figures(ctx) })
	if err != nil {
		return err
	}
	byID := map[uint64]indexer.Figures{}
	for _, f := range all {
		byID[f.SubnetID] = f
	}
	for i := range list {
		f, ok := byID[list[i].SubnetID]
		if !ok {
			continue // it is younger than the index, or there is none
		}
		volume, revenue := uint64(f.Volume24h), uint64(f.Revenue24h)
		list[i].Change1h, list[i].Change24h, list[i].Change7d = f.Change1h, f.Change24h, f.Change7d
		list[i].Volume24hRao, list[i].Revenue24hRao = &volume, &revenue
	}
	return nil
}

// addYields adds what stakes earned.
func (s *Server) addYields(ctx context.Context, v *portfolioJSON) error {
	all, err := aside(ctx, s, func(ctx context.Context) ([]indexer.StakeYields, error) {
		all, at, err := s.index.Yields(ctx, v.Address)
		if err == nil {
			v.IndexedHeight = &at.Height
		}
		return all, err
	})
	if err != nil {
		return err
	}
	type key struct {
		id     uint64
		hotkey string
	}
	byStake := map[key][]indexer.Yield{}
	for _, y := range all {
		byStake[key{y.SubnetID, y.Hotkey}] = y.Yields
	}
	for _, sub := range v.Subnets {
		for i := range sub.Stakes {
			st := &sub.Stakes[i]
			st.Yields = append(st.Yields, byStake[key{sub.SubnetID, st.Hotkey}]...)
		}
	}
	return nil
}

// nameRemoved adds the names of subnets that are gone, which the chain has forgotten.
func (s *Server) nameRemoved(ctx context.Context, list []stakeJSON) error {
	if !slices.ContainsFunc(list, func(st stakeJSON) bool { return st.Removed }) {
		return nil
	}
	all, err := aside(ctx, s, func(ctx context.Context) ([]indexer.SubnetName, error) { return s.index.Subnets(ctx) })
	if err != nil {
		return err
	}
	names := map[uint64]string{}
	for _, n := range all {
		names[n.SubnetID] = n.Name
	}
	for i := range list {
		if list[i].Removed {
			list[i].SubnetName = names[list[i].SubnetID]
		}
	}
	return nil
}

// indexSearch is what the index finds.
func (s *Server) indexSearch(ctx context.Context, q string) ([]foundJSON, error) {
	all, err := aside(ctx, s, func(ctx context.Context) ([]indexer.Found, error) { return s.index.Search(ctx, q) })
	if err != nil {
		return nil, err
	}
	var list []foundJSON
	for _, f := range all {
		list = append(list, found(f.Kind, f.ID, f.Title))
	}
	return list, nil
}
