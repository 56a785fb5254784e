package pay

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/lodenet/lode/pay/x402"
)

// answerRecord is what a payment got.
type answerRecord struct {
	Pending    bool                `json:"pending,omitempty"` // it is being served
	Hash       hexBytes            `json:"hash"`
	Print      string              `json:"print"`
	Time       int64               `json:"time"` // Unix milliseconds
	Settlement *x402.Settlement    `json:"settlement,omitempty"`
	Kept       bool                `json:"kept,omitempty"` // the answer's body is kept too
	Status     int                 `json:"status,omitempty"`
	Header     map[string][]string `json:"header,omitempty"`
}

// again answers a payment whose first request is still being served: with that one's
// answer, once it is there.
func (g *Gateway) again(w http.ResponseWriter, r *http.Request, channel []byte, c, running *call) {
	if string(c.hash) != string(running.hash) || c.print != running.print {
		writeError(w, http.StatusConflict, "identifier_in_use", "this payment-identifier belongs to another payment: choose a new one")
		return
	}
	select {
	case <-running.done:
	case <-r.Context().Done():
		return
	}
	if !g.replay(w, channel, c) {
		// It was not charged, so nothing was delivered.
		w.Header().Set("Retry-After", "1")
		writeError(w, http.StatusServiceUnavailable, "not_served", "the first request with this payment failed and cost nothing; ask again")
	}
}

// replay answers a payment that was served before with what it got.
func (g *Gateway) replay(w http.ResponseWriter, channel []byte, c *call) bool {
	key := keyed("", channel, []byte(c.identifier))
	var answer answerRecord
	known, err := g.store.get(keyed(kindAnswer, key), &answer)
	if err != nil {
		g.log.Error("an answer can't be read", "err", err)
		writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, "the gateway can't read its books")
		return true
	}
	if !known || answer.Pending {
		return false
	}
	if string(answer.Hash) != string(c.hash) || answer.Print != c.print {
		writeError(w, http.StatusConflict, "identifier_in_use", "this payment-identifier belongs to another payment: choose a new one")
		return true
	}
	settled, err := answer.Settlement.Encode()
	if err != nil {
		writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, err.Error())
		return true
	}
	body := []byte{}
	if answer.Kept {
		if body, err = g.store.db.Get(keyed(kindBody, key), nil); err != nil {
			answer.Kept = false // it was dropped meanwhile
		}
	}
	if !answer.Kept {
		w.Header().Set(x402.HeaderResponse, settled)
		writeError(w, http.StatusConflict, "already_served", "this payment was served and charged, and its answer is not kept")
		return true
	}
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.Header().Set(x402.HeaderResponse, settled)
	w.WriteHeader(answer.Status)
	_, _ = w.Write(body) // a client that is gone asks again
	return true
}

// prune drops answers and history that are old, answers too where they are too large
// together, and channels that are closed and owe nothing.
func (g *Gateway) prune() error {
	now := g.cfg.Now()
	var b batch
	g.mu.Lock()
	kept := g.kept
	g.mu.Unlock()
	var freed int64
	err := g.store.each(kindTime, nil, func(key, raw []byte) (bool, error) {
		var size int64
		if err := json.Unmarshal(raw, &size); err != nil || len(key) < 8+32 {
			return false, fmt.Errorf("record %x of the store can't be read: %w", key, err)
		}
		at := time.UnixMilli(int64(binary.BigEndian.Uint64(key)))
		old := now.Sub(at) > g.cfg.KeepAnswers
		if !old && kept-freed <= g.cfg.KeptAnswers {
			return false, nil
		}
		b.Delete(keyed(kindBody, key[8:]))
		freed += size
		if old {
			b.Delete(keyed(kindAnswer, key[8:]))
			b.Delete(keyed(kindTime, key))
		} else if size > 0 {
			b.put(keyed(kindTime, key), int64(0))
		}
		return b.Len() < 10_000, nil
	})
	if err != nil {
		return err
	}
	err = g.store.each(kindHistory, nil, func(key, raw []byte) (bool, error) {
		var e Entry
		if err := json.Unmarshal(raw, &e); err != nil {
			return false, fmt.Errorf("entry %x of the history: %w", key, err)
		}
		if now.Sub(e.Time) <= g.cfg.KeepHistory {
			return false, nil
		}
		b.Delete(keyed(kindHistory, key))
		return b.Len() < 20_000, nil
	})
	if err != nil {
		return err
	}
	for _, a := range g.known() {
		a.mu.Lock()
		r := &a.rec
		idle := now.Sub(time.UnixMilli(max(r.Used, r.Seen)))
		drop := a.reserved == 0 && (r.Gone && idle > g.cfg.KeepAnswers || r.Used == 0 && idle > g.cfg.Refresh)
		if drop {
			b.Delete(keyed(kindChannel, r.ID))
			g.mu.Lock()
			delete(g.accounts, string(r.ID))
			g.mu.Unlock()
		}
		a.mu.Unlock()
	}
	if b.Len() == 0 {
		return nil
	}
	if err := g.store.write("prune", false, &b); err != nil {
		return err
	}
	g.mu.Lock()
	g.kept -= freed
	g.mu.Unlock()
	return nil
}
