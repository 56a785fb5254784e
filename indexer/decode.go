package indexer

import (
	"encoding/binary"
	"errors"
	"unsafe"

	abci "github.com/cometbft/cometbft/abci/types"
)

var errWire = errors.New("the response to a block's execution can't be read")

// Decode reads the response to a block's execution as nodes store it, protobuf's
// ResponseFinalizeBlock: the block's events and its transactions' results. It is for
// catching up: generated code takes five times as long. What it returns is part of raw,
// which must not change any more.
func Decode(raw []byte) (events []abci.Event, results []*abci.ExecTxResult, err error) {
	d := wire{}
	err = d.fields(raw, func(field int, _ uint64, value []byte) error {
		switch field {
		case 1:
			e, err := d.event(value)
			events = append(events, e)
			return err
		case 2:
			r, err := d.result(value)
			results = append(results, r)
			return err
		}
		return nil
	})
	return events, results, err
}

// wire reads protobuf. Attributes come out of few large pieces of memory.
type wire struct{ attributes []abci.EventAttribute }

// fields calls f with each field: a number, or bytes. Other kinds are passed over.
func (d *wire) fields(b []byte, f func(field int, number uint64, value []byte) error) error {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29 {
			return errWire
		}
		b = b[n:]
		var number uint64
		var value []byte
		switch tag & 7 {
		case 0:
			if number, n = binary.Uvarint(b); n <= 0 {
				return errWire
			}
			b = b[n:]
		case 2:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return errWire
			}
			value, b = b[n:n+int(size)], b[n+int(size):]
		case 1, 5:
			size := 8
			if tag&7 == 5 {
				size = 4
			}
			if len(b) < size {
				return errWire
			}
			b = b[size:]
			continue
		default:
			return errWire
		}
		if err := f(int(tag>>3), number, value); err != nil {
			return err
		}
	}
	return nil
}

// textOf is bytes as a string, without a copy.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// slab is how many attributes a piece of memory holds.
const slab = 2_048

func (d *wire) event(b []byte) (e abci.Event, err error) {
	if cap(d.attributes)-len(d.attributes) < 64 {
		d.attributes = make([]abci.EventAttribute, 0, slab)
	}
	first := len(d.attributes)
	// Written out, not by fields: this is where the time goes.
	for len(b) > 0 {
		tag := b[0]
		if tag != 0x0a && tag != 0x12 || len(b) < 2 {
			return d.oddEvent(e, first, b)
		}
		size, n := uint64(b[1]), 1
		if size >= 0x80 {
			if size, n = binary.Uvarint(b[1:]); n <= 0 {
				return e, errWire
			}
		}
		if size > uint64(len(b)-1-n) {
			return e, errWire
		}
		value := b[1+n : 1+n+int(size)]
		b = b[1+n+int(size):]
		if tag == 0x0a {
			e.Type = textOf(value)
			continue
		}
		var a abci.EventAttribute
		if err := d.attribute(value, &a); err != nil {
			return e, err
		}
		d.attributes = append(d.attributes, a)
	}
	e.Attributes = d.attributes[first:len(d.attributes):len(d.attributes)]
	return e, nil
}

// oddEvent goes on with an event that has fields which this version does not know.
func (d *wire) oddEvent(e abci.Event, first int, b []byte) (abci.Event, error) {
	err := d.fields(b, func(field int, _ uint64, value []byte) error {
		switch field {
		case 1:
			e.Type = textOf(value)
		case 2:
			var a abci.EventAttribute
			if err := d.attribute(value, &a); err != nil {
				return err
			}
			d.attributes = append(d.attributes, a)
		}
		return nil
	})
	e.Attributes = d.attributes[first:len(d.attributes):len(d.attributes)]
	return e, err
}

func (d *wire) attribute(b []byte, a *abci.EventAttribute) error {
	for len(b) >= 2 && (b[0] == 0x0a || b[0] == 0x12) && b[1] < 0x80 {
		size := int(b[1])
		if size > len(b)-2 {
			return errWire
		}
		if b[0] == 0x0a {
			a.Key = textOf(b[2 : 2+size])
		} else {
			a.Value = textOf(b[2 : 2+size])
		}
		b = b[2+size:]
	}
	if len(b) == 2 && b[0] == 0x18 && b[1] < 2 {
		a.Index = b[1] == 1
		return nil
	}
	return d.fields(b, func(field int, number uint64, value []byte) error {
		switch field {
		case 1:
			a.Key = textOf(value)
		case 2:
			a.Value = textOf(value)
		case 3:
			a.Index = number != 0
		}
		return nil
	})
}

func (d *wire) result(b []byte) (*abci.ExecTxResult, error) {
	r := &abci.ExecTxResult{}
	err := d.fields(b, func(field int, number uint64, value []byte) error {
		switch field {
		case 1:
			r.Code = uint32(number)
		case 2:
			r.Data = value
		case 3:
			r.Log = textOf(value)
		case 4:
			r.Info = textOf(value)
		case 5:
			r.GasWanted = int64(number)
		case 6:
			r.GasUsed = int64(number)
		case 7:
			e, err := d.event(value)
			r.Events = append(r.Events, e)
			return err
		case 8:
			r.Codespace = textOf(value)
		}
		return nil
	})
	return r, err
}
