// Package records is how a node hands out blocks with what came of them to programs that
// read them all, such as an index.
//
// CometBFT's RPC answers in JSON, which takes a node 36 ms for a block of 128 full subnets.
// It has these results as protobuf; a node of Lode sends them as they are, many blocks at
// once, where its RPC listens:
//
//	GET /lode/v1/records?from=HEIGHT&to=HEIGHT
//
// The answer's content type is [ContentType]. It is messages, each after its length as a
// varint:
//
//	message Record {
//	  tendermint.types.Header header = 1;
//	  repeated bytes txs = 2;
//	  tendermint.abci.ResponseFinalizeBlock results = 3;
//	}
//
// one a block, in their order, from a height on: as many as the node likes to send at
// once, none where it does not have the first. It is compressed if the caller accepts zstd.
package records

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
	"unsafe"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"google.golang.org/protobuf/encoding/protowire"
)

const (
	// Path is where a node serves them.
	Path = "/lode/v1/records"
	// ContentType is that of the answer.
	ContentType = "application/vnd.lode.records"
)

// ErrMalformed is what is no records.
var ErrMalformed = errors.New("malformed records")

// Record is a block as a node keeps it, with all that came of it.
type Record struct {
	Height   int64
	Time     time.Time
	Hash     []byte // 32 bytes
	Last     []byte // hash of the block before; empty for the first
	Proposer []byte // consensus address
	Txs      [][]byte
	Results  []*abci.ExecTxResult // of Txs
	Events   []abci.Event         // of the block's beginning and end, in their order

	memory *memory
}

// Free tells that nothing of Txs, Results and Events is used any more, no string either:
// other blocks may be read into their memory. Nobody has to; who reads many blocks spares
// the collector of garbage a megabyte a block.
func (r *Record) Free() {
	if r.memory != nil {
		r.memory.release()
		r.memory, r.Txs, r.Events, r.Results = nil, nil, nil, nil
	}
}

const (
	fieldHeader  = 1
	fieldTx      = 2
	fieldResults = 3
)

// AppendHead appends to b all of a record but its results, of which it is told the size:
// they follow, as a node has stored them.
func AppendHead(b []byte, header *cmtproto.Header, txs [][]byte, results int) ([]byte, error) {
	raw, err := header.Marshal()
	if err != nil {
		return b, err
	}
	size := protowire.SizeTag(fieldHeader) + protowire.SizeBytes(len(raw)) + protowire.SizeTag(fieldResults) + protowire.SizeBytes(results)
	for _, tx := range txs {
		size += protowire.SizeTag(fieldTx) + protowire.SizeBytes(len(tx))
	}
	b = protowire.AppendVarint(b, uint64(size))
	b = protowire.AppendBytes(protowire.AppendTag(b, fieldHeader, protowire.BytesType), raw)
	for _, tx := range txs {
		b = protowire.AppendBytes(protowire.AppendTag(b, fieldTx, protowire.BytesType), tx)
	}
	b = protowire.AppendTag(b, fieldResults, protowire.BytesType)
	return protowire.AppendVarint(b, uint64(results)), nil
}

// memory is what the blocks of an answer are in: some megabytes, for one answer after the
// other.
type memory struct {
	raw        bytes.Buffer
	events     []abci.Event
	attributes []abci.EventAttribute
	users      atomic.Int64 // records that are not freed
	left       int          // bytes that what is read may still take
}

// An answer of two bytes an event would become twenty times as much: what is read takes at
// most maxGrowth times its bytes, and roomAtLeast. Of blocks it is a third more.
const (
	maxGrowth   = 8
	roomAtLeast = 1 << 20
	sizeOfEvent = int(unsafe.Sizeof(abci.Event{}))
	sizeOfAttr  = int(unsafe.Sizeof(abci.EventAttribute{}))
	sizeOfTx    = int(unsafe.Sizeof([]byte(nil)) + unsafe.Sizeof(abci.ExecTxResult{}) + unsafe.Sizeof(uintptr(0)))
)

// take says whether there is room for so much more.
func (m *memory) take(size int) bool {
	m.left -= size
	return m.left >= 0
}

var memories = sync.Pool{New: func() any { return &memory{} }}

// usual is how much an answer took lately: they are alike, and the pool forgets.
var usual struct{ bytes, events, attributes atomic.Int64 }

// room is that for as much as usual, and a little more.
func room(usual *atomic.Int64) int { return int(usual.Load()) * 9 / 8 }

func (m *memory) release() {
	if m.users.Add(-1) == 0 {
		m.free()
	}
}

// free gives it to another. What is used of it afterwards is zeros, not another block's.
func (m *memory) free() {
	clear(m.raw.Bytes())
	usual.bytes.Store(int64(m.raw.Len()))
	usual.events.Store(int64(len(m.events)))
	usual.attributes.Store(int64(len(m.attributes)))
	memories.Put(m)
}

// Read reads a node's answer to its end. Where it breaks off, the whole records before
// that come beside the error.
func Read(from io.Reader) (out []*Record, err error) {
	m := memories.Get().(*memory)
	m.raw.Reset()
	m.raw.Grow(room(&usual.bytes) + bytes.MinRead)
	_, err = m.raw.ReadFrom(from)
	m.left = maxGrowth*m.raw.Len() + roomAtLeast
	m.events, m.attributes = slices.Grow(m.events[:0], room(&usual.events)), slices.Grow(m.attributes[:0], room(&usual.attributes))
	for rest := m.raw.Bytes(); len(rest) > 0; {
		one, n := protowire.ConsumeBytes(rest)
		if n < 0 {
			err = cmp.Or(err, fmt.Errorf("%w: the last one is not whole", ErrMalformed))
			break
		}
		rest = rest[n:]
		r := &Record{memory: m}
		if bad := m.record(one, r); bad != nil {
			err = cmp.Or(err, bad)
			break
		}
		out = append(out, r)
	}
	m.users.Store(int64(len(out)))
	if len(out) == 0 {
		m.free()
	}
	return out, err
}

// record reads one.
func (m *memory) record(b []byte, r *Record) error {
	var header, results []byte
	var f field
	for next(&b, &f) {
		switch f.number {
		case fieldHeader:
			header = f.bytes
		case fieldTx:
			if !m.take(sizeOfTx) {
				return fmt.Errorf("%w: a record of more transactions than bytes are for", ErrMalformed)
			}
			r.Txs = append(r.Txs, f.bytes)
		case fieldResults:
			results = f.bytes
		}
	}
	if b != nil {
		return fmt.Errorf("%w: a record that can't be read", ErrMalformed)
	}
	var raw cmtproto.Header
	if err := raw.Unmarshal(header); err != nil {
		return fmt.Errorf("%w: a header: %w", ErrMalformed, err)
	}
	h, err := cmttypes.HeaderFromProto(&raw)
	if err != nil {
		return fmt.Errorf("%w: a header: %w", ErrMalformed, err)
	}
	r.Height, r.Time, r.Hash, r.Last, r.Proposer = h.Height, h.Time, h.Hash(), h.LastBlockID.Hash, h.ProposerAddress
	if len(r.Hash) == 0 {
		return fmt.Errorf("%w: a header of block %d without a hash", ErrMalformed, r.Height)
	}
	if !m.response(results, r) {
		return fmt.Errorf("%w: results of block %d that can't be read", ErrMalformed, r.Height)
	}
	if len(r.Results) != len(r.Txs) {
		return fmt.Errorf("%w: block %d has %d transactions and %d results", ErrMalformed, r.Height, len(r.Txs), len(r.Results))
	}
	return nil
}

// response reads an abci.ResponseFinalizeBlock, as far as a record has it. Like what
// follows it says whether that was one.
func (m *memory) response(b []byte, r *Record) bool {
	first := len(m.events)
	var f field
	for next(&b, &f) {
		switch f.number {
		case 1:
			if !m.event(f.bytes) {
				return false
			}
		case 2:
			// Its events come amid the block's, so it waits.
			if !m.take(sizeOfTx) {
				return false
			}
			r.Results = append(r.Results, &abci.ExecTxResult{Data: f.bytes})
		}
	}
	r.Events = m.events[first:len(m.events):len(m.events)]
	for _, one := range r.Results {
		if !m.result(one.Data, one) {
			return false
		}
	}
	return b == nil
}

func (m *memory) event(b []byte) bool {
	var e abci.Event
	first := len(m.attributes)
	var f field
	for next(&b, &f) {
		switch f.number {
		case 1:
			e.Type = text(f.bytes)
		case 2:
			var a abci.EventAttribute
			one := f.bytes
			for next(&one, &f) {
				switch f.number {
				case 1:
					a.Key = text(f.bytes)
				case 2:
					a.Value = text(f.bytes)
				case 3:
					a.Index = f.value != 0
				}
			}
			if one != nil {
				return false
			}
			if !m.take(sizeOfAttr) {
				return false
			}
			m.attributes = append(m.attributes, a)
		}
	}
	if len(m.attributes) > first {
		e.Attributes = m.attributes[first:len(m.attributes):len(m.attributes)]
	}
	m.events = append(m.events, e)
	return b == nil && m.take(sizeOfEvent)
}

func (m *memory) result(b []byte, r *abci.ExecTxResult) bool {
	*r = abci.ExecTxResult{}
	first := len(m.events)
	var f field
	for next(&b, &f) {
		switch f.number {
		case 1:
			r.Code = uint32(f.value)
		case 2:
			r.Data = f.bytes
		case 3:
			r.Log = text(f.bytes)
		case 4:
			r.Info = text(f.bytes)
		case 5:
			r.GasWanted = int64(f.value)
		case 6:
			r.GasUsed = int64(f.value)
		case 7:
			if !m.event(f.bytes) {
				return false
			}
		case 8:
			r.Codespace = text(f.bytes)
		}
	}
	if len(m.events) > first {
		r.Events = m.events[first:len(m.events):len(m.events)]
	}
	return b == nil
}

// text is bytes as a string, without a copy; what is no UTF-8 is U+FFFD, as in JSON.
func text(b []byte) string {
	if !utf8.Valid(b) {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// field is one of a message: a number or bytes. Of other kinds there are none here.
type field struct {
	number protowire.Number
	value  uint64
	bytes  []byte
}

// next reads the first field of the message *b into f, and leaves what follows it. At the
// message's end *b is nil; where it is not, the rest can't be read.
func next(b *[]byte, f *field) bool {
	rest := *b
	if len(rest) == 0 {
		*b = nil
		return false
	}
	// Of nearly all tag and size take a byte each.
	if tag := rest[0]; len(rest) > 1 && tag&^7 != 0 && tag&^0x78 == byte(protowire.BytesType) && rest[1] < 1<<7 && len(rest)-2 >= int(rest[1]) {
		n := 2 + int(rest[1])
		*f = field{number: protowire.Number(tag >> 3), bytes: rest[2:n:n]}
		*b = rest[n:]
		return true
	}
	number, kind, n := protowire.ConsumeTag(rest)
	if n < 0 {
		return false
	}
	*f = field{number: number}
	rest = rest[n:]
	switch kind {
	case protowire.VarintType:
		f.value, n = protowire.ConsumeVarint(rest)
	case protowire.BytesType:
		f.bytes, n = protowire.ConsumeBytes(rest)
	default:
		f.number = 0 // no number that anybody asks for
		n = protowire.ConsumeFieldValue(number, kind, rest)
	}
	if n < 0 {
		return false
	}
	*b = rest[n:]
	return true
}
