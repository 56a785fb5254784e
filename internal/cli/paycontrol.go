package cli

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/lodenet/lode/pay"
)

// control lets this program's other commands use the books that this process has open.
// Who asks must know the token, which lies in a file that the books' owner alone can
// read: a program that may use a proxy must not go beyond its limits by it.
type control struct {
	purse ownPurse
	token string
	file  string // that says where it is
	http  *http.Server
	ended chan error
}

// hold takes commands while this process has the books open, on a port of its own.
func (b *books) hold(c *pay.Client) (*control, error) {
	token := make([]byte, 32)
	rand.Read(token) // never fails
	s := &control{purse: ownPurse{c}, token: hex.EncodeToString(token), file: b.controlFile(), ended: make(chan error, 1)}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { s.ended <- s.http.Serve(ln) }()
	raw, err := json.Marshal(controlFile{"http://" + ln.Addr().String(), s.token})
	if err == nil {
		err = replaceFile(s.file, raw)
	}
	if err != nil {
		return nil, errors.Join(err, s.http.Close(), s.over())
	}
	return s, nil
}

// end takes no more commands. Those under way may come to their end, unless ctx has
// ended: then they have a moment.
func (s *control) end(ctx context.Context) error {
	err := os.Remove(s.file)
	most := sendTimeout
	if ctx.Err() != nil {
		most = stopTime
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
	defer cancel()
	if late := s.http.Shutdown(wait); late != nil {
		err = errors.Join(err, s.http.Close()) // what goes on is broken off; the books know it
	}
	return errors.Join(err, s.over())
}

func (s *control) over() error {
	if err := <-s.ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != controlPath {
		http.NotFound(w, r)
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
	var receipt *pay.Receipt
	a, err := s.do(pay.WithReceipt(r.Context(), func(r pay.Receipt) { receipt = &r }), c)
	if err != nil {
		code, hint := explain(err)
		a = answer{Failed: &failed{code, err.Error(), hint}}
	}
	a.Receipt = receipt
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
	case "here":
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
		err = fmt.Errorf("the process that has the books open knows no %q: it is of another version", c.Verb)
	}
	return a, err
}
