package pay

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"
)

// State is how a payment went.
type State string

// States of a payment.
const (
	Pending State = "pending" // it is under way
	Paid    State = "paid"    // Charged is what the provider has charged
	Unpaid  State = "unpaid"  // it cost nothing
	// Unknown is a payment whose answer was lost: Charged is the most that it can have
	// cost, until a later answer tells more.
	Unknown State = "unknown"
)

// Payment is an entry of the ledger: a request that was paid, or a deposit.
type Payment struct {
	N          uint64    `json:"n"` // number of the entry
	Time       time.Time `json:"time"`
	State      State     `json:"state"`
	Kind       string    `json:"kind"` // request, deposit
	Method     string    `json:"method,omitempty"`
	URL        string    `json:"url,omitempty"`
	Provider   string    `json:"provider"` // hotkey
	ServiceID  uint64    `json:"serviceId"`
	PlanID     uint64    `json:"planId,omitempty"` // amounts are its units, of 0 they are rao
	Channel    string    `json:"channel"`          // hex
	Identifier string    `json:"identifier,omitempty"`
	Ceiling    uint64    `json:"ceiling"` // what it might have cost
	Charged    uint64    `json:"charged"` // of a deposit: the amount
	Status     int       `json:"status,omitempty"`
	Note       string    `json:"note,omitempty"` // of a deposit: its transaction

	ended func(Payment) // of [OnPaid]
}

type paidKey struct{}

// OnPaid returns a context whose requests tell f of each payment that they make, once it
// is known what it has cost, and again where that is corrected. An answer that streams is
// paid when it was read to its end. f must return soon, and not call the client.
func OnPaid(ctx context.Context, f func(Payment)) context.Context {
	return context.WithValue(ctx, paidKey{}, f)
}

// unit is what the amounts of an entry are in.
func (p *Payment) unit() string {
	if p.PlanID != 0 && p.Kind != kindDeposit {
		return "unit"
	}
	return "rao"
}

// Kinds of entries.
const (
	kindRequest = "request"
	kindDeposit = "deposit"
)

// Ledger visits the payments from a time on, oldest first, until visit says stop.
func (c *Client) Ledger(from time.Time, visit func(Payment) (more bool)) error {
	return c.store.each(kindPayment, nil, func(key, raw []byte) (bool, error) {
		var p Payment
		if err := json.Unmarshal(raw, &p); err != nil {
			return false, fmt.Errorf("payment %x of the ledger: %w", key, err)
		}
		return p.Time.Before(from) || visit(p), nil
	})
}

// WriteCSV writes the payments from a time on as CSV, with a line of names first.
func (c *Client) WriteCSV(w io.Writer, from time.Time) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvNames); err != nil {
		return err
	}
	var failed error
	err := c.Ledger(from, func(p Payment) bool {
		failed = out.Write(p.record())
		return failed == nil
	})
	if err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	out.Flush()
	return out.Error()
}

var csvNames = []string{"n", "time", "kind", "state", "charged", "ceiling", "unit", "provider", "service", "plan", "channel", "method", "url", "identifier", "status", "note"}

func (p *Payment) record() []string {
	n := func(v uint64) string { return strconv.FormatUint(v, 10) }
	return []string{n(p.N), p.Time.UTC().Format(time.RFC3339), p.Kind, string(p.State), n(p.Charged), n(p.Ceiling), p.unit(), p.Provider, n(p.ServiceID),
		n(p.PlanID), p.Channel, cell(p.Method), cell(p.URL), p.Identifier, strconv.Itoa(p.Status), cell(p.Note)}
}

// cell keeps a spreadsheet from taking text that others chose for a formula.
func cell(s string) string {
	if s != "" && (s[0] == '=' || s[0] == '+' || s[0] == '-' || s[0] == '@' || s[0] == '\t' || s[0] == '\r') {
		return "'" + s
	}
	return s
}
