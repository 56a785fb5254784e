package app

import (
	"container/heap"
	"math/bits"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// offered is a transaction that a proposer may take.
type offered struct {
	raw     []byte
	tx      sdk.Tx
	free    bool
	fee     uint64 // rao; what is above 2^64 − 1 counts as that
	gas     uint64
	signers [][]byte
	at      int // its place in the mempool
	behind  int // signers of it that have an earlier one which isn't taken yet
}

// before tells whether a is taken before b: those of the lane first, then those that
// pay more for a unit of gas, and what came first.
func (a *offered) before(b *offered) bool {
	if a.free != b.free {
		return a.free
	}
	if !a.free {
		// a.fee/a.gas > b.fee/b.gas, without a division
		ah, al := bits.Mul64(a.fee, max(b.gas, 1))
		bh, bl := bits.Mul64(b.fee, max(a.gas, 1))
		if ah != bh {
			return ah > bh
		}
		if al != bl {
			return al > bl
		}
	}
	return a.at < b.at
}

// queue gives out transactions, dear ones first, but never a signer's later one before
// its earlier: its sequence would be wrong.
type queue struct {
	ready ready
	of    map[string][]*offered // by signer, in the mempool's order
}

type ready []*offered

func (r ready) Len() int           { return len(r) }
func (r ready) Less(i, j int) bool { return r[i].before(r[j]) }
func (r ready) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *ready) Push(x any)        { *r = append(*r, x.(*offered)) }
func (r *ready) Pop() any {
	last := len(*r) - 1
	x := (*r)[last]
	*r = (*r)[:last]
	return x
}

// newQueue reads a mempool. What can't be read was never checked, and is left out.
func newQueue(decode sdk.TxDecoder, mempool [][]byte) *queue {
	q := &queue{of: map[string][]*offered{}}
	for at, raw := range mempool {
		tx, err := decode(raw)
		if err != nil {
			continue
		}
		t, ok := tx.(sdk.FeeTx)
		if !ok {
			continue
		}
		o := &offered{raw: raw, tx: tx, free: isFree(tx), gas: t.GetGas(), signers: signersOf(tx), at: at, fee: 1<<64 - 1}
		if fee := t.GetFee().AmountOf(BaseDenom); fee.IsUint64() {
			o.fee = fee.Uint64()
		}
		for _, s := range o.signers {
			if earlier := q.of[string(s)]; len(earlier) > 0 {
				o.behind++
			}
			q.of[string(s)] = append(q.of[string(s)], o)
		}
		if o.behind == 0 {
			q.ready = append(q.ready, o)
		}
	}
	heap.Init(&q.ready)
	return q
}

// next is the one to take or to leave now; nil: there is none.
func (q *queue) next() *offered {
	if len(q.ready) == 0 {
		return nil
	}
	return heap.Pop(&q.ready).(*offered)
}

// taken lets the next ones of its signers come.
func (q *queue) taken(o *offered) {
	for _, s := range o.signers {
		of := q.of[string(s)][1:] // o was the first
		q.of[string(s)] = of
		if len(of) == 0 {
			continue
		}
		if of[0].behind--; of[0].behind == 0 {
			heap.Push(&q.ready, of[0])
		}
	}
}
