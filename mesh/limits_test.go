package mesh_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lodenet/lode/mesh"
)

// unsized hides a body's length, so that it is sent in chunks.
type unsized struct{ io.Reader }

func TestABodyBeyondTheLimitIsRefused(t *testing.T) {
	client, server := pair(t)
	const limit = 1 << 20
	opts := mesh.HandlerOptions{Open: true, MaxBody: limit}
	mount(t, server, "/count", opts, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, " ", err)
	})
	mount(t, server, "/careless", opts, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "fine")
	})
	for _, path := range []string{"/count", "/careless"} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"sized":   func(r io.Reader) io.Reader { return r },
			"unsized": func(r io.Reader) io.Reader { return unsized{r} },
		} {
			mustCall(t, client, server, path, wrap(strings.NewReader(strings.Repeat("x", limit))), 200)
			text := mustCall(t, client, server, path, wrap(strings.NewReader(strings.Repeat("x", limit+1))), 413)
			if !strings.Contains(text, `"code":"too_large"`) || !strings.Contains(text, strconv.Itoa(limit)) {
				t.Errorf("%s %s: %s", path, name, text)
			}
			mustCall(t, client, server, path, wrap(strings.NewReader(strings.Repeat("x", 20*limit))), 413)
		}
	}
	if in := server.Counters().BytesIn; in > 40*limit {
		t.Errorf("%d bytes were read of bodies that are refused", in)
	}
}

func TestTheUsualLimitOfABodyIs64MiB(t *testing.T) {
	client, server := pair(t)
	mount(t, server, "/x", open, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	req, err := http.NewRequestWithContext(ctxOf(t), http.MethodPost, "http://"+server.Hotkey()+"/x", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	req.Body, req.ContentLength = io.NopCloser(zeros{}), 64<<20+1
	resp, err := client.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Errorf("status %d, want 413", resp.StatusCode)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestARequestThatTakesTooLongIsAnsweredInTheHandlersPlace(t *testing.T) {
	client, server := pair(t)
	opts := mesh.HandlerOptions{Open: true, Timeout: 100 * time.Millisecond}
	ended := make(chan error, 1)
	mount(t, server, "/waits", opts, func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		_, err := io.WriteString(w, "late")
		ended <- err
	})
	text := mustCall(t, client, server, "/waits", nil, 503)
	if !strings.Contains(text, `"code":"timeout"`) || !strings.Contains(text, "100ms") {
		t.Errorf("answered %s", text)
	}
	if err := <-ended; !errors.Is(err, http.ErrHandlerTimeout) {
		t.Errorf("the handler's late answer gave %v, want http.ErrHandlerTimeout", err)
	}
}

func TestAHandlerThatEndsWithoutAWordHasAnswered(t *testing.T) {
	client, server := pair(t)
	mount(t, server, "/head", open, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Said", "this") })
	mount(t, server, "/gives-up", mesh.HandlerOptions{Open: true, Timeout: 20 * time.Millisecond}, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	})
	resp, err := client.Client().Get("http://" + server.Hotkey() + "/head")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 || resp.Header.Get("X-Said") != "this" || resp.ContentLength != 0 {
		t.Errorf("status %d, header %q, %d bytes", resp.StatusCode, resp.Header.Get("X-Said"), resp.ContentLength)
	}
	for range 10 {
		mustCall(t, client, server, "/gives-up", nil, 503)
	}
}

func TestACallerThatSendsTooSlowlyIsCutOff(t *testing.T) {
	client, server := pair(t)
	mount(t, server, "/reads", mesh.HandlerOptions{Open: true, Timeout: 100 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	})
	body, feed := io.Pipe() // never ends by itself
	defer feed.Close()
	go func() { _, _ = io.WriteString(feed, "x") }()
	if text := mustCall(t, client, server, "/reads", body, 503); !strings.Contains(text, `"code":"timeout"`) {
		t.Errorf("answered %s", text)
	}
}

func TestACallerThatReadsTooSlowlyIsCutOff(t *testing.T) {
	t.Parallel() // it waits for the 5 s that a handler's timeout leaves for the answer
	client, server := pair(t)
	ended := make(chan error, 1)
	mount(t, server, "/floods", mesh.HandlerOptions{Open: true, Timeout: 100 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(w, io.LimitReader(zeros{}, 1<<30))
		ended <- err
	})
	req, err := http.NewRequestWithContext(ctxOf(t), http.MethodGet, "http://"+server.Hotkey()+"/floods", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	select {
	case err := <-ended: // the client reads nothing
		if err == nil {
			t.Error("1 GiB went to somebody who reads nothing")
		}
	case <-time.After(patience):
		t.Error("the handler still writes")
	}
}

func TestAHandlerMaySetEarlierDeadlinesAndNoLaterOnes(t *testing.T) {
	client, server := pair(t)
	opts := mesh.HandlerOptions{Open: true, Timeout: time.Hour}
	ended := make(chan error, 1)
	mount(t, server, "/floods", opts, func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Error(err)
		}
		_, err := io.Copy(w, io.LimitReader(zeros{}, 1<<30))
		ended <- err
	})
	mount(t, server, "/reads", opts, func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		if err := rc.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Error(err)
		}
		_, err := io.Copy(io.Discard, r.Body)
		if err := rc.SetReadDeadline(time.Time{}); err != nil {
			t.Error(err)
		}
		fmt.Fprint(w, errors.Is(err, os.ErrDeadlineExceeded))
	})
	late := mesh.HandlerOptions{Open: true, Timeout: 100 * time.Millisecond}
	mount(t, server, "/late", late, func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		if err := errors.Join(rc.SetReadDeadline(time.Now().Add(time.Hour)), rc.SetWriteDeadline(time.Now())); err != nil {
			t.Error(err)
		}
		_, _ = io.Copy(io.Discard, r.Body) // until the request's own deadline
	})
	body, feed := io.Pipe() // never ends by itself
	defer feed.Close()
	go func() { _, _ = io.WriteString(feed, "x") }()
	if text := mustCall(t, client, server, "/reads", body, 200); text != "true" {
		t.Errorf("answered %s", text)
	}
	body, feed = io.Pipe()
	defer feed.Close()
	if text := mustCall(t, client, server, "/late", body, 503); !strings.Contains(text, `"code":"timeout"`) {
		t.Errorf("answered %s", text)
	}
	req, err := http.NewRequestWithContext(ctxOf(t), http.MethodGet, "http://"+server.Hotkey()+"/floods", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	select {
	case err := <-ended: // the client reads nothing
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the write ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("the handler still writes")
	}
}

func TestAPeerHasOnlySoManyRequestsAtOnce(t *testing.T) {
	client, server := pair(t)
	other := newHost(t, "other")
	introduce(t, other, server)
	entered := make(chan chan struct{}) // of each request, what lets it go
	mount(t, server, "/work", mesh.HandlerOptions{Open: true, PerPeer: 2, Total: 3}, func(http.ResponseWriter, *http.Request) {
		leave := make(chan struct{})
		entered <- leave
		<-leave
	})
	begin := func(h *mesh.Host) (end func()) {
		status := make(chan int, 1)
		go func() {
			s, _, err := call(ctxOf(t), h, server, "/work", nil)
			if err != nil {
				t.Error(err)
			}
			status <- s
		}()
		leave := <-entered
		return func() {
			close(leave)
			if s := <-status; s != 200 {
				t.Errorf("status %d", s)
			}
		}
	}
	first, second := begin(client), begin(client)
	if text := mustCall(t, client, server, "/work", nil, 429); !strings.Contains(text, `"code":"too_many"`) || !strings.Contains(text, "2 requests") {
		t.Errorf("the third is answered %s", text)
	}
	third := begin(other) // who has none yet
	if text := mustCall(t, other, server, "/work", nil, 503); !strings.Contains(text, `"code":"busy"`) {
		t.Errorf("beyond all is answered %s", text)
	}
	first() // its end makes room, once the handler has returned
	waitFor(t, "the request to be over", func() bool {
		client.Client().CloseIdleConnections()
		return server.PeerCounters(client.Hotkey()).StreamsOpen == 1
	})
	fourth := begin(client)
	for _, end := range []func(){second, third, fourth} {
		end()
	}
}

func TestTheUsualLimitIsEightAtOnce(t *testing.T) {
	client, server := pair(t)
	entered, leave := make(chan struct{}, 20), make(chan struct{})
	mount(t, server, "/work", open, func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-leave
	})
	statuses := make(chan int, 8)
	for range 8 {
		go func() {
			status, _, err := call(ctxOf(t), client, server, "/work", nil)
			if err != nil {
				t.Error(err)
			}
			statuses <- status
		}()
		<-entered
	}
	mustCall(t, client, server, "/work", nil, 429)
	close(leave)
	for range 8 {
		if status := <-statuses; status != 200 {
			t.Errorf("status %d", status)
		}
	}
}

func TestARefusalSaysWhenToTryAgain(t *testing.T) {
	client, server := pair(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	mount(t, server, "/work", mesh.HandlerOptions{Open: true, PerPeer: 1}, func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-leave
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		mustCallOrError(t, client, server)
	}()
	<-entered
	resp, err := client.Client().Get("http://" + server.Hotkey() + "/work")
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("status %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	var e *mesh.Error
	if err := mesh.ResponseError(resp); !errors.As(err, &e) || e.Status != 429 || e.Code != "too_many" || e.Message == "" || e.Hint == "" {
		t.Errorf("as an error: %v", err)
	}
	close(leave)
	<-done
}

func mustCallOrError(t *testing.T, client, server *mesh.Host) {
	if status, _, err := call(ctxOf(t), client, server, "/work", nil); err != nil || status != 200 {
		t.Errorf("status %d, %v", status, err)
	}
}

func TestAPanickingHandlerHarmsOnlyItsRequest(t *testing.T) {
	client, server := pair(t)
	mount(t, server, "/panics", open, func(http.ResponseWriter, *http.Request) { panic("a secret") })
	mount(t, server, "/half", open, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic("a secret")
	})
	for range 10 { // more than a peer may have at once
		if text := mustCall(t, client, server, "/panics", nil, 500); !strings.Contains(text, `"code":"internal"`) || strings.Contains(text, "secret") {
			t.Errorf("answered %s", text)
		}
	}
	if _, text, err := call(ctxOf(t), client, server, "/half", nil); err == nil {
		t.Errorf("half an answer, %q, looks like a whole one", text)
	}
}

func TestAnAnswerBeyondTheCallersLimitIsCutOff(t *testing.T) {
	client, server := pair(t, func(c *mesh.Config) { c.MaxResponse = 1 << 20 })
	mount(t, server, "/sized/", open, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strings.TrimPrefix(r.URL.Path, "/sized/"))
		n, _ := strconv.ParseInt(strings.TrimPrefix(r.URL.Path, "/sized/"), 10, 64)
		_, _ = io.CopyN(w, zeros{}, n)
	})
	mount(t, server, "/unsized/", open, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		n, _ := strconv.ParseInt(strings.TrimPrefix(r.URL.Path, "/unsized/"), 10, 64)
		_, _ = io.CopyN(w, zeros{}, n)
	})
	for _, kind := range []string{"/sized/", "/unsized/"} {
		if text := mustCall(t, client, server, fmt.Sprint(kind, 1<<20), nil, 200); len(text) != 1<<20 {
			t.Errorf("%s: %d bytes", kind, len(text))
		}
		if _, text, err := call(ctxOf(t), client, server, fmt.Sprint(kind, 1<<20+1), nil); !errors.Is(err, mesh.ErrResponseTooLarge) || len(text) > 1<<20 {
			t.Errorf("%s: %d bytes, %v", kind, len(text), err)
		}
		ctx := mesh.WithMaxResponse(ctxOf(t), 10)
		if _, text, err := call(ctx, client, server, kind+"11", nil); !errors.Is(err, mesh.ErrResponseTooLarge) || len(text) > 10 {
			t.Errorf("%s of at most 10: %d bytes, %v", kind, len(text), err)
		}
		if _, text, err := call(ctx, client, server, kind+"10", nil); err != nil || len(text) != 10 {
			t.Errorf("%s of at most 10: %d bytes, %v", kind, len(text), err)
		}
	}
	client.Client().CloseIdleConnections()
	waitFor(t, "the streams to be given up", func() bool { return client.Counters().StreamsOpen == 0 })
}

func TestACallEndsWithItsDeadline(t *testing.T) {
	client, server := pair(t, func(c *mesh.Config) { c.CallTimeout = 200 * time.Millisecond })
	mount(t, server, "/waits", open, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mount(t, server, "/trickles", open, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	for _, path := range []string{"/waits", "/trickles"} { // the reading of the answer counts, too
		if _, _, err := call(context.WithoutCancel(t.Context()), client, server, path, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s without a deadline of its own: %v", path, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, _, err := call(ctx, client, server, path, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", path, err)
		}
		cancel()
	}
	waitFor(t, "the handlers to notice that the caller is gone", func() bool { return server.Counters().StreamsOpen == 0 })
}

func TestAllowIsAskedBeforeTheBodyAndBoundedInTime(t *testing.T) {
	client, server := pair(t)
	var asked atomic.Int64
	mount(t, server, "/x", mesh.HandlerOptions{Timeout: 100 * time.Millisecond, Allow: func(ctx context.Context, _ string) error {
		asked.Add(1)
		<-ctx.Done()
		return ctx.Err()
	}}, echo)
	body, feed := io.Pipe()
	defer feed.Close()
	mustCall(t, client, server, "/x", body, 403)
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestErrorsHaveOneForm(t *testing.T) {
	client, server := pair(t)
	mount(t, server, "/mine", open, func(w http.ResponseWriter, r *http.Request) {
		mesh.WriteError(w, &mesh.Error{Status: 418, Code: "teapot", Message: "no <coffee> here", Hint: "try tea"})
	})
	mount(t, server, "/theirs", open, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "plain text", http.StatusBadGateway) })
	mount(t, server, "/fine", open, echo)
	mount(t, server, "/elsewhere", open, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/fine", http.StatusFound) })

	errorOf := func(path string) error {
		resp, err := client.Client().Get("http://" + server.Hotkey() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return mesh.ResponseError(resp)
	}
	var body struct {
		Error struct{ Code, Message, Hint string }
	}
	if err := json.Unmarshal([]byte(mustCall(t, client, server, "/mine", nil, 418)), &body); err != nil {
		t.Fatal(err)
	}
	if body.Error.Code != "teapot" || body.Error.Message != "no <coffee> here" || body.Error.Hint != "try tea" {
		t.Errorf("as JSON %+v", body)
	}
	for path, want := range map[string]string{
		"/mine":      "no <coffee> here (418 teapot); try tea",
		"/theirs":    "the peer answered 502 Bad Gateway (502 http)",
		"/elsewhere": "the peer answered 302 Found (302 http)", // followed by nobody
	} {
		if err := errorOf(path); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	if err := errorOf("/fine"); err != nil {
		t.Errorf("/fine: %v", err)
	}
}
