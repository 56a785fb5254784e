package pay

import (
	"encoding/json"
	"fmt"
	"time"
)

// EntryKind says what an entry of the history is about.
type EntryKind string

// Kinds of entries.
const (
	EntryCharge EntryKind = "charge" // a request was paid
	EntryRedeem EntryKind = "redeem" // a channel was redeemed
)

// Entry is one of the history of a gateway.
type Entry struct {
	Time       time.Time `json:"time"`
	Kind       EntryKind `json:"kind"`
	Channel    string    `json:"channel"` // hex
	Payer      string    `json:"payer"`
	PlanID     uint64    `json:"planId,omitempty"`
	Amount     uint64    `json:"amount"` // rao; charges of a plan: units
	Units      uint64    `json:"units,omitempty"`
	Resource   string    `json:"resource,omitempty"`
	Identifier string    `json:"identifier,omitempty"`
	Status     int       `json:"status,omitempty"` // of the answer
	Note       string    `json:"note,omitempty"`
}

// record adds an entry to a batch.
func (g *Gateway) record(b *batch, e Entry) {
	g.mu.Lock()
	g.history++
	number := g.history
	g.mu.Unlock()
	b.put(numbered(kindHistory, number), e)
}

// History visits the entries from a time on, oldest first, until visit says stop.
func (g *Gateway) History(from time.Time, visit func(Entry) (more bool)) error {
	return g.store.each(kindHistory, nil, func(key, raw []byte) (bool, error) {
		var e Entry
		if err := json.Unmarshal(raw, &e); err != nil {
			return false, fmt.Errorf("entry %x of the history: %w", key, err)
		}
		return e.Time.Before(from) || visit(e), nil
	})
}
