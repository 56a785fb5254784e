package client

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	abci "github.com/cometbft/cometbft/abci/types"
	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"
	cmttypes "github.com/cometbft/cometbft/types"
)

// ask calls a method of a node with a height, and reads its result by f, into memory
// that has held one before.
func (n *node) ask(ctx context.Context, m *memory, method string, height int64, f func(s *scan)) error {
	question := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{"height":"%d"}}`, method, height)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, strings.NewReader(question))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := n.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	m.raw.Reset()
	if method == results {
		m.raw.Grow(int(usual.raw.Load())*9/8 + bytes.MinRead)
	}
	if _, err := m.raw.ReadFrom(resp.Body); err != nil {
		return err
	}
	return readAnswer(m.raw.Bytes(), f)
}

const (
	blocks  = "block"
	results = "block_results"
)

// memory is what a record's events are in: 300 kB of text, and as much of structures.
type memory struct {
	raw        bytes.Buffer
	events     []abci.Event
	attributes []abci.EventAttribute
}

var memories = sync.Pool{New: func() any { return &memory{} }}

// usual is how much a block takes that was read lately, in bytes and attributes: blocks
// are alike, and the pool forgets.
var usual struct{ raw, attributes atomic.Int64 }

// free gives it to another. What is used of it afterwards is zeros, not another block's.
func (m *memory) free() {
	clear(m.raw.Bytes())
	usual.raw.Store(int64(m.raw.Len()))
	usual.attributes.Store(int64(len(m.attributes)))
	memories.Put(m)
}

// readAnswer reads the answer of a JSON-RPC server, and its result by f.
func readAnswer(raw []byte, f func(s *scan)) error {
	s := &scan{b: raw}
	var refused *rpctypes.RPCError
	answered := false
	s.object(func(key string) {
		switch {
		case key == "result":
			answered = true
			f(s)
		case key == "error" && !s.null():
			refused = &rpctypes.RPCError{}
			s.object(func(key string) {
				switch key {
				case "code":
					refused.Code = int(s.number())
				case "message":
					refused.Message = s.text()
				case "data":
					refused.Data = s.text()
				default:
					s.skip()
				}
			})
		default:
			s.skip()
		}
	})
	switch err := s.end(); {
	case err != nil:
		return err
	case refused != nil:
		return refused
	case !answered:
		return fmt.Errorf("%w: it has no result", errJSON)
	}
	return nil
}

// block reads the answer to "block": header, hash and transactions.
func (s *scan) block(r *Record) (hash []byte) {
	var h cmttypes.Header
	s.object(func(key string) {
		switch key {
		case "block_id":
			hash = s.blockID().Hash
		case "block":
			s.object(func(key string) {
				switch key {
				case "header":
					h = s.header()
				case "data":
					s.object(func(key string) {
						if key != "txs" {
							s.skip()
							return
						}
						r.Txs = r.Txs[:0]
						s.list(func() { r.Txs = append(r.Txs, s.base64()) })
					})
				default:
					s.skip()
				}
			})
		default:
			s.skip()
		}
	})
	r.Height, r.Time, r.Hash, r.Last, r.Proposer = h.Height, h.Time, h.Hash(), h.LastBlockID.Hash, h.ProposerAddress
	return hash
}

func (s *scan) blockID() (id cmttypes.BlockID) {
	s.object(func(key string) {
		switch key {
		case "hash":
			id.Hash = s.hex()
		case "parts":
			s.object(func(key string) {
				switch key {
				case "total":
					id.PartSetHeader.Total = s.number32()
				case "hash":
					id.PartSetHeader.Hash = s.hex()
				default:
					s.skip()
				}
			})
		default:
			s.skip()
		}
	})
	return id
}

func (s *scan) header() (h cmttypes.Header) {
	s.object(func(key string) {
		switch key {
		case "version":
			s.object(func(key string) {
				switch key {
				case "block":
					h.Version.Block = uint64(s.number())
				case "app":
					h.Version.App = uint64(s.number())
				default:
					s.skip()
				}
			})
		case "chain_id":
			h.ChainID = s.text()
		case "height":
			h.Height = s.number()
		case "time":
			h.Time = s.time()
		case "last_block_id":
			h.LastBlockID = s.blockID()
		case "last_commit_hash":
			h.LastCommitHash = s.hex()
		case "data_hash":
			h.DataHash = s.hex()
		case "validators_hash":
			h.ValidatorsHash = s.hex()
		case "next_validators_hash":
			h.NextValidatorsHash = s.hex()
		case "consensus_hash":
			h.ConsensusHash = s.hex()
		case "app_hash":
			h.AppHash = s.hex()
		case "last_results_hash":
			h.LastResultsHash = s.hex()
		case "evidence_hash":
			h.EvidenceHash = s.hex()
		case "proposer_address":
			h.ProposerAddress = s.hex()
		default:
			s.skip()
		}
	})
	return h
}

// results reads the answer to "block_results".
func (s *scan) results(r *Record, m *memory) (height int64) {
	e := events{s, slices.Grow(m.attributes[:0], int(usual.attributes.Load())*9/8)}
	s.object(func(key string) {
		switch key {
		case "height":
			height = s.number()
		case "txs_results":
			r.Results = r.Results[:0]
			s.list(func() { r.Results = append(r.Results, e.result()) })
		case "finalize_block_events":
			m.events = e.list(m.events[:0])
			r.Events = m.events
		default:
			s.skip()
		}
	})
	m.attributes = e.attributes
	return height
}

// events reads events; all their attributes are in one piece, or few.
type events struct {
	*scan
	attributes []abci.EventAttribute
}

func (e *events) list(out []abci.Event) []abci.Event {
	e.scan.list(func() { out = append(out, e.event()) })
	return out
}

func (e *events) event() (one abci.Event) {
	first := len(e.attributes)
	e.object(func(key string) {
		switch key {
		case "type":
			one.Type = e.text()
		case "attributes":
			e.scan.list(e.attribute)
		default:
			e.skip()
		}
	})
	one.Attributes = e.attributes[first:len(e.attributes):len(e.attributes)]
	return one
}

func (e *events) attribute() {
	var a abci.EventAttribute
	if after := plainAttribute(e.b, e.at, &a); after > 0 {
		e.at = after
	} else {
		e.object(func(key string) {
			switch key {
			case "key":
				a.Key = e.text()
			case "value":
				a.Value = e.text()
			case "index":
				a.Index = e.flag()
			default:
				e.skip()
			}
		})
	}
	e.attributes = append(e.attributes, a)
}

// plainAttribute reads one as nodes write it, and returns where it ends; 0 where it is
// written in another way, of which it reads nothing.
func plainAttribute(b []byte, at int, a *abci.EventAttribute) (after int) {
	const key, value, yes, no = `{"key":"`, `,"value":"`, `,"index":true}`, `,"index":false}`
	if len(b)-at < len(key) || string(b[at:at+len(key)]) != key {
		return 0
	}
	start := at + len(key)
	for at = start; at < len(b) && !special[b[at]]; {
		at++
	}
	name := b[start:at]
	if at++; len(b)-at < len(value) || b[at-1] != '"' || string(b[at:at+len(value)]) != value {
		return 0
	}
	// A quoted text loses its backslash, so the attribute's end is looked for first.
	start = at + len(value)
	end := start
	if end < len(b) && b[end] == '\\' {
		end += 2
	}
	for end < len(b) && !special[b[end]] {
		end++
	}
	if end < len(b) && b[end] == '\\' {
		end += 2
	}
	end++
	switch {
	case len(b)-end >= len(yes) && string(b[end:end+len(yes)]) == yes:
		a.Index, after = true, end+len(yes)
	case len(b)-end >= len(no) && string(b[end:end+len(no)]) == no:
		a.Index, after = false, end+len(no)
	default:
		return 0
	}
	text, stop := plain(b, start)
	if stop != end {
		return 0
	}
	a.Key, a.Value = unsafe.String(unsafe.SliceData(name), len(name)), text
	return after
}

func (e *events) result() *abci.ExecTxResult {
	r := &abci.ExecTxResult{}
	e.object(func(key string) {
		switch key {
		case "code":
			r.Code = e.number32()
		case "data":
			r.Data = e.base64()
		case "log":
			r.Log = e.text()
		case "info":
			r.Info = e.text()
		case "gas_wanted", "gasWanted":
			r.GasWanted = e.number()
		case "gas_used", "gasUsed":
			r.GasUsed = e.number()
		case "events":
			r.Events = e.list(nil)
		case "codespace":
			r.Codespace = e.text()
		default:
			e.skip()
		}
	})
	return r
}
