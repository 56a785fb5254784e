package cli

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/lodenet/lode/pay"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// purse is what commands do with a payer's books, which one process has open: this one,
// or another, say `lode pay proxy` or `lode video compress`, that is asked to do it.
type purse interface {
	Open(ctx context.Context, o pay.OpenOptions) (pay.Opened, error)
	TopUp(ctx context.Context, id []byte, rao uint64) (pay.Opened, error)
	CloseChannel(ctx context.Context, id []byte) (*markettypes.MsgCloseResponse, error)
	CancelPlan(ctx context.Context, id []byte, now bool) (*markettypes.MsgCancelPlanResponse, error)
	Channels(ctx context.Context) ([]pay.ClientChannel, error)
	Spent(ctx context.Context) (spentToday, error)
	// Ledger are the payments from a time on, oldest first; WriteCSV writes them.
	Ledger(ctx context.Context, from time.Time) ([]pay.Payment, error)
	WriteCSV(ctx context.Context, w io.Writer, from time.Time) error
}

// spentToday is what was spent since midnight UTC, in rao.
type spentToday struct {
	All        uint64
	ByProvider map[string]uint64 // by hotkey
}

// ownPurse has the books open itself.
type ownPurse struct{ *pay.Client }

func (p ownPurse) Channels(context.Context) ([]pay.ClientChannel, error) {
	return p.Client.Channels(), nil
}

func (p ownPurse) Spent(context.Context) (spentToday, error) {
	all, by := p.Client.Spent()
	return spentToday{all, by}, nil
}

func (p ownPurse) Ledger(_ context.Context, from time.Time) ([]pay.Payment, error) {
	var all []pay.Payment
	err := p.Client.Ledger(from, func(x pay.Payment) bool { all = append(all, x); return true })
	return all, err
}

func (p ownPurse) WriteCSV(_ context.Context, w io.Writer, from time.Time) error {
	return p.Client.WriteCSV(w, from)
}

// controlPath is where a process that has books open takes commands of this program.
const controlPath = "/.lode/control"

// controlFile says where that is, and what it knows this program by. Only the books'
// owner can read it.
type controlFile struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

func (b *books) controlFile() string { return filepath.Join(b.dir, "control.json") }

// controlTime is what a process has to say that it takes commands.
const controlTime = 2 * time.Second

// held is the process that has the books open: inUse says that there is one. One that
// starts, or ends, takes no commands, or none any more.
func (b *books) held(ctx context.Context, inUse error) (purse, error) {
	raw, err := os.ReadFile(b.controlFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, inUse
	}
	if err != nil {
		return nil, err
	}
	var f controlFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("%w; %s can't be read: %w", inUse, b.controlFile(), err)
	}
	ctx, cancel := context.WithTimeout(ctx, controlTime)
	defer cancel()
	p := &heldPurse{f}
	if _, err := p.do(ctx, command{Verb: "here"}); err != nil {
		return nil, fmt.Errorf("%w: %v", inUse, err)
	}
	return p, nil
}

// heldPurse asks the process that has the books open.
type heldPurse struct{ at controlFile }

// command is what it is asked to do. Verb is one of those of [control.do].
type command struct {
	Verb    string
	Open    pay.OpenOptions
	Channel string // hex
	Rao     uint64
	Now     bool
	From    time.Time
}

// answer is what came of it.
type answer struct {
	Receipt  *pay.Receipt // of the transaction, where one was sent
	Opened   pay.Opened
	Closed   markettypes.MsgCloseResponse
	Ends     int64
	Channels []pay.ClientChannel
	Spent    spentToday
	Payments []pay.Payment
	Failed   *failed
}

// failed is an error that crosses processes.
type failed struct{ Code, Message, Hint string }

func (p *heldPurse) do(ctx context.Context, c command) (answer, error) {
	var a answer
	resp, err := p.post(ctx, c)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return a, fmt.Errorf("the process that has the books open answers what can't be read: %w", err)
	}
	if a.Receipt != nil {
		pay.GiveReceipt(ctx, *a.Receipt)
	}
	if f := a.Failed; f != nil {
		return a, &failure{code: f.Code, hint: f.Hint, err: errors.New(f.Message)}
	}
	return a, nil
}

func (p *heldPurse) post(ctx context.Context, c command) (*http.Response, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.at.URL+controlPath, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+p.at.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fail("in_use", "try again, or stop that process", "the process that has the books open does not answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close() // it says nothing more
		return nil, fail("in_use", "try again, or stop that process", "the process that has the books open answers %s", resp.Status)
	}
	return resp, nil
}

func (p *heldPurse) Open(ctx context.Context, o pay.OpenOptions) (pay.Opened, error) {
	a, err := p.do(ctx, command{Verb: "open", Open: o})
	return a.Opened, err
}

func (p *heldPurse) TopUp(ctx context.Context, id []byte, rao uint64) (pay.Opened, error) {
	a, err := p.do(ctx, command{Verb: "top-up", Channel: hex.EncodeToString(id), Rao: rao})
	return a.Opened, err
}

func (p *heldPurse) CloseChannel(ctx context.Context, id []byte) (*markettypes.MsgCloseResponse, error) {
	a, err := p.do(ctx, command{Verb: "close", Channel: hex.EncodeToString(id)})
	return &a.Closed, err
}

func (p *heldPurse) CancelPlan(ctx context.Context, id []byte, now bool) (*markettypes.MsgCancelPlanResponse, error) {
	a, err := p.do(ctx, command{Verb: "cancel", Channel: hex.EncodeToString(id), Now: now})
	return &markettypes.MsgCancelPlanResponse{Ends: a.Ends}, err
}

func (p *heldPurse) Channels(ctx context.Context) ([]pay.ClientChannel, error) {
	a, err := p.do(ctx, command{Verb: "channels"})
	return a.Channels, err
}

func (p *heldPurse) Spent(ctx context.Context) (spentToday, error) {
	a, err := p.do(ctx, command{Verb: "spent"})
	return a.Spent, err
}

func (p *heldPurse) Ledger(ctx context.Context, from time.Time) ([]pay.Payment, error) {
	a, err := p.do(ctx, command{Verb: "ledger", From: from})
	return a.Payments, err
}

func (p *heldPurse) WriteCSV(ctx context.Context, w io.Writer, from time.Time) error {
	resp, err := p.post(ctx, command{Verb: "csv", From: from})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err = io.Copy(w, resp.Body); err != nil {
		err = fmt.Errorf("the process that has the books open broke off: %w", err)
	}
	return err
}
