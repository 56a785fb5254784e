package api_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/api/apitest"
)

// ended waits until an answer that goes on forever has ended.
func ended(t *testing.T, b *apitest.Backend) error {
	t.Helper()
	select {
	case err := <-b.Ended():
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("the backend still answers")
		return nil
	}
}

func TestAnAnswerEndsWhenTheClientLeaves(t *testing.T) {
	for path, form := range map[string]string{
		"/v1/chat/completions": `{"model":"lode/mini","messages":[{"role":"user","content":"forever"}]%s}`,
		"/v1/completions":      `{"model":"lode/mini","prompt":"forever","max_tokens":1000000000%s}`,
		"/v1/responses":        `{"model":"lode/mini","input":"forever"%s}`,
		"/v1/messages":         `{"model":"lode/mini","max_tokens":1000000000,"messages":[{"role":"user","content":"forever"}]%s}`,
	} {
		for _, stream := range []bool{true, false} {
			s, b := served(t, api.Config{})
			ctx, cancel := context.WithCancel(t.Context())
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, strings.NewReader(fmt.Sprintf(form, fmt.Sprintf(`,"stream":%v`, stream))))
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/json")
			if stream {
				res, err := s.Client().Do(req)
				require.NoError(t, err)
				_, err = bufio.NewReader(res.Body).ReadString('\n')
				require.NoError(t, err)
				cancel()
				_ = res.Body.Close() // cancelled
			} else {
				left := make(chan error, 1)
				go func() {
					res, err := s.Client().Do(req)
					if err == nil {
						err = res.Body.Close()
					}
					left <- err
				}()
				require.Eventually(t, func() bool { return b.Asked() == 1 }, 10*time.Second, time.Millisecond)
				cancel()
				require.ErrorIs(t, <-left, context.Canceled)
			}
			require.Error(t, ended(t, b), "%s %v", path, stream)
		}
	}
}

// raw opens a connection and sends the head of a request for a chat.
func raw(t *testing.T, s *httptest.Server, length int, body string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", length, body)
	require.NoError(t, err)
	return conn
}

const forever = `{"model":"lode/mini","messages":[{"role":"user","content":"forever"}],"stream":true}`

func TestWhoDoesNotReadIsLeft(t *testing.T) {
	b := apitest.New()
	s := httptest.NewUnstartedServer(api.Handler(b, api.Config{WriteTimeout: 100 * time.Millisecond}))
	s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		require.NoError(t, c.(*net.TCPConn).SetWriteBuffer(4<<10))
		return ctx
	}
	s.Start()
	t.Cleanup(s.Close)
	conn := raw(t, s, len(forever), forever)
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(4<<10))
	require.Error(t, ended(t, b), "once what the sockets hold is full")
}

func TestABodyThatDoesNotComeIsNotWaitedFor(t *testing.T) {
	s, b := served(t, api.Config{ReadTimeout: 100 * time.Millisecond})
	conn := raw(t, s, 100, `{"model":`)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusRequestTimeout, res.StatusCode, string(body))
	require.True(t, res.Close)
	require.Zero(t, b.Asked())
}

func TestAnAnswerMayTakeLongerThanABody(t *testing.T) {
	t.Parallel()
	s, b := served(t, api.Config{ReadTimeout: time.Second})
	conn := raw(t, s, len(forever), forever)
	began, r := time.Now(), bufio.NewReader(conn)
	for time.Since(began) < 1500*time.Millisecond {
		_, err := r.ReadString('\n')
		require.NoError(t, err)
	}
	require.NoError(t, conn.Close())
	require.Error(t, ended(t, b))
}

func TestARequestHasAnEnd(t *testing.T) {
	t.Parallel()
	s, b := served(t, api.Config{MaxDuration: time.Second})
	status, _, body := post(t, s, "/v1/chat/completions", forever)
	require.Equal(t, http.StatusOK, status)
	require.True(t, strings.HasSuffix(body, `{"error":{"message":"the answer took too long","type":"server_error","param":null,"code":"engine_gone"}}`+"\n\n"))
	require.ErrorIs(t, ended(t, b), context.DeadlineExceeded)
}

// timed is a connection that remembers what its write deadline is, and what was written
// without one.
type timed struct {
	net.Conn
	mu       sync.Mutex
	deadline time.Time
	bare     []byte
}

func (c *timed) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	return c.Conn.SetWriteDeadline(t)
}

func (c *timed) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.deadline.IsZero() {
		c.bare = append(c.bare, p...)
	}
	c.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *timed) told() (deadline time.Time, bare string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deadline, string(c.bare)
}

type timing struct{ net.Listener }

func (l timing) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &timed{Conn: c}, err
}

// A deadline that stayed would end the connection's next answer.
func TestAConnectionServesAgainAfterAStream(t *testing.T) {
	idle := make(chan net.Conn, 2)
	s := httptest.NewUnstartedServer(api.Handler(apitest.New(), api.Config{}))
	s.Listener = timing{s.Listener}
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			idle <- c
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	const body = `{"model":"lode/mini","messages":[{"role":"user","content":"say hi"}],"stream":true}`
	conn := raw(t, s, len(body), body)
	r := bufio.NewReader(conn)
	for range 2 {
		res, err := http.ReadResponse(r, nil)
		require.NoError(t, err)
		got, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.True(t, strings.HasSuffix(string(got), "data: [DONE]\n\n"))
		deadline, bare := (<-idle).(*timed).told()
		require.Zero(t, deadline)
		require.Empty(t, bare, "who does not read the last bytes holds nothing either")
		_, err = fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		require.NoError(t, err)
	}
}

func TestTheMemoryOfAllBodiesIsBounded(t *testing.T) {
	s, b := served(t, api.Config{MaxBody: 1000, MaxMemory: 1000})
	conn := raw(t, s, len(forever), forever)
	require.Eventually(t, func() bool { return b.Asked() == 1 }, 10*time.Second, time.Millisecond)
	go func() { _, _ = io.Copy(io.Discard, conn) }()

	big := fmt.Sprintf(taken["/v1/chat/completions"], `,"user":"`+strings.Repeat("x", 880)+`"`)
	require.Less(t, len(big), 1000)
	status, header, body := post(t, s, "/v1/chat/completions", big)
	require.Equal(t, http.StatusServiceUnavailable, status, body)
	require.Equal(t, "1", header.Get("Retry-After"))

	require.NoError(t, conn.Close())
	require.Error(t, ended(t, b))
	require.Eventually(t, func() bool {
		status, _, _ := post(t, s, "/v1/chat/completions", big)
		return status == http.StatusOK
	}, 10*time.Second, time.Millisecond)
}

func TestABodyOfUnknownLengthIsBounded(t *testing.T) {
	s, _ := served(t, api.Config{MaxBody: 1000})
	for size, want := range map[int]int{500: 200, 2000: 413} {
		body := fmt.Sprintf(taken["/v1/chat/completions"], `,"user":"`+strings.Repeat("x", size)+`"`)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/chat/completions", io.MultiReader(strings.NewReader(body)))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		res, err := s.Client().Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, want, res.StatusCode)
	}
}

func TestManyAtOnceDoNotMixTheirAnswers(t *testing.T) {
	s, _ := served(t, api.Config{})
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			want := strings.Repeat(fmt.Sprintf("<%d>", i), 20)
			status, _, body := post(t, s, "/v1/chat/completions", `{"model":"lode/mini","stream":true,"messages":[{"role":"user","content":"say `+want+`"}]}`)
			if status != http.StatusOK || said(body) != want {
				t.Errorf("%d got %d %s", i, status, body)
			}
		})
	}
	group.Wait()
}

func TestAnAnswerWithoutEndIsNotKept(t *testing.T) {
	s, b := served(t, api.Config{MaxAnswer: 10_000})
	for path, form := range map[string]string{
		"/v1/chat/completions": `{"model":"lode/mini","messages":[{"role":"user","content":"forever"}]%s}`,
		"/v1/completions":      `{"model":"lode/mini","prompt":"forever","max_tokens":1000000000,"logprobs":5%s}`,
		"/v1/responses":        `{"model":"lode/mini","input":"forever"%s}`,
		"/v1/messages":         `{"model":"lode/mini","max_tokens":1000000000,"messages":[{"role":"user","content":"forever"}]%s}`,
	} {
		status, _, body := post(t, s, path, fmt.Sprintf(form, ""))
		require.Equal(t, http.StatusServiceUnavailable, status, path)
		message, _, _ := refusal(t, body)
		require.Contains(t, message, "longer than 10000 bytes", path)
		require.Error(t, ended(t, b))
		status, _, body = post(t, s, path, fmt.Sprintf(form, `,"stream":true`))
		require.Equal(t, http.StatusOK, status, path)
		require.Contains(t, body, "longer than 10000 bytes", path)
		require.Error(t, ended(t, b))
	}
}

// said is the text of a chat's stream.
func said(stream string) string {
	var out strings.Builder
	for rest := stream; ; {
		_, after, ok := strings.Cut(rest, `"content":"`)
		if !ok {
			return out.String()
		}
		text, after, _ := strings.Cut(after, `"`)
		out.WriteString(text)
		rest = after
	}
}

// odd is a backend that does what none should.
type odd struct {
	api.Backend
	events []api.Event
	err    error
}

func (o odd) Generate(_ context.Context, _ *api.Request, emit func(api.Event) error) (api.Usage, error) {
	for _, e := range o.events {
		if err := emit(e); err != nil {
			return api.Usage{}, err
		}
	}
	return api.Usage{}, o.err
}

func TestABackendsMistakesHarmNobody(t *testing.T) {
	const ask = `{"model":"lode/mini","messages":[{"role":"user","content":"x"}]}`
	for name, c := range map[string]struct {
		odd
		status int
	}{
		"nothing":                {odd{}, 503},
		"no end":                 {odd{events: []api.Event{{Text: "x"}}}, 503},
		"a choice too many":      {odd{events: []api.Event{{Choice: 1, Text: "x", Finish: api.Stop}}}, 500},
		"a negative choice":      {odd{events: []api.Event{{Choice: -1, Text: "x", Finish: api.Stop}}}, 500},
		"more after the end":     {odd{events: []api.Event{{Text: "x", Finish: api.Stop}, {Text: "too late", Finish: api.Length}}}, 200},
		"an error after the end": {odd{events: []api.Event{{Text: "x", Finish: api.Stop}}, err: errors.New("late")}, 200},
		"an unknown end":         {odd{events: []api.Event{{Text: "x", Finish: "whatever"}}}, 200},
		"bytes that are no text": {odd{events: []api.Event{{Text: "x\xff\xfe", Finish: api.Stop}}}, 200},
	} {
		s := httptest.NewServer(api.Handler(c.odd, api.Config{}))
		status, _, body := post(t, s, "/v1/chat/completions", ask)
		s.Close()
		require.Equal(t, c.status, status, "%s: %s", name, body)
		if status == http.StatusOK {
			require.Contains(t, body, `"content":"x`, name)
			require.Contains(t, body, `"finish_reason":"stop"`, name)
			require.NotContains(t, body, "too late", name)
		}
	}
}
