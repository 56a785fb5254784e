package cli

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"github.com/lodenet/lode/pay"
)

// control lets this program's other commands use the books that a proxy has open. Who
// asks must know the token, which lies in a file that the books' owner alone can read:
// a program that may use the proxy must not go beyond its limits by it.
type control struct {
	purse ownPurse
	token string
	next  http.Handler
}

func newControl(c *pay.Client, next http.Handler) *control {
	token := make([]byte, 32)
	rand.Read(token) // never fails
	return &control{ownPurse{c}, hex.EncodeToString(token), next}
}

func (s *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != controlPath || r.URL.IsAbs() {
		s.next.ServeHTTP(w, r)
		return
	}
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+s.token)) != 1 {
		http.Error(w, "this is for lode's own commands", http.StatusForbidden)
		return
	}
	var c command
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&c); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if c.Verb == "csv" {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		if err := s.purse.WriteCSV(r.Context(), w, c.From); err != nil {
			panic(http.ErrAbortHandler) // a file that breaks off must not look whole
		}
		return
	}
	a, err := s.do(r.Context(), c)
	if err != nil {
		code, hint := explain(err)
		a = answer{Failed: &failed{code, err.Error(), hint}}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a) // who is gone sees it in the books
}

func (s *control) do(ctx context.Context, c command) (a answer, err error) {
	var id []byte
	if c.Channel != "" {
		if id, err = pay.ParseChannelID(c.Channel); err != nil {
			return a, err
		}
	}
	switch c.Verb {
	case "open":
		a.Opened, err = s.purse.Open(ctx, c.Open)
	case "top-up":
		a.Opened, err = s.purse.TopUp(ctx, id, c.Rao)
	case "close":
		r, err := s.purse.CloseChannel(ctx, id)
		if err != nil {
			return a, err
		}
		a.Closed = *r
	case "cancel":
		r, err := s.purse.CancelPlan(ctx, id, c.Now)
		if err != nil {
			return a, err
		}
		a.Ends = r.Ends
	case "channels":
		a.Channels, err = s.purse.Channels(ctx)
	case "spent":
		a.Spent, err = s.purse.Spent(ctx)
	case "ledger":
		a.Payments, err = s.purse.Ledger(ctx, c.From)
	default:
		err = fmt.Errorf("the proxy knows no %q: it is of another version", c.Verb)
	}
	return a, err
}

// announce tells other commands where the proxy is, until withdrawn.
func (s *control) announce(file, url string) (withdraw func() error, err error) {
	raw, err := json.Marshal(proxyFile{url, s.token})
	if err != nil {
		return nil, err
	}
	if err := replaceFile(file, raw); err != nil {
		return nil, err
	}
	return func() error { return os.Remove(file) }, nil
}
