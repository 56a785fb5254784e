package console_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/console"
)

type told struct {
	ID     string
	Height int64 `json:"height"`
	Missed bool  `json:"missed"`
}

// subscribe opens a stream and reads its events until the test ends.
func subscribe(t *testing.T, c *http.Client, url, last string) (events <-chan told, end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/stream", nil)
	require.NoError(t, err)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := c.Do(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	out := make(chan told, 4096)
	go func() {
		defer close(out)
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		var e told
		for lines.Scan() {
			if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
				e.ID = id
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if json.Unmarshal([]byte(data), &e) != nil {
					return
				}
				out <- e
			}
		}
	}()
	t.Cleanup(cancel)
	return out, cancel
}

func nextEvent(t *testing.T, events <-chan told) told {
	t.Helper()
	select {
	case e, ok := <-events:
		require.True(t, ok, "the stream ended")
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("no event came")
	}
	return told{}
}

// joined waits until so many streams are open.
func joined(t *testing.T, s *console.Server, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return s.Readers() == n }, 20*time.Second, time.Millisecond, "%d streams", n)
}

func TestAStreamTellsOfEachBlock(t *testing.T) {
	s, h := listen(t, nil)
	events, _ := subscribe(t, h.Client(), h.URL, "")
	joined(t, s, 1)
	for height := int64(1); height <= 3; height++ {
		s.Tell(height, height == 1)
		require.Equal(t, told{fmt.Sprint(height), height, height == 1}, nextEvent(t, events))
	}
	late, _ := subscribe(t, h.Client(), h.URL, "")
	require.Equal(t, told{"3", 3, true}, nextEvent(t, late), "who comes late begins with the latest, and must read lists")
}

func TestAStreamGoesOnWhereItsReaderWas(t *testing.T) {
	s, h := listen(t, nil)
	for height := int64(5); height <= 10; height++ {
		s.Tell(height, height == 5)
	}
	heights := func(last string, n int) (all []int64, missed bool) {
		events, end := subscribe(t, h.Client(), h.URL, last)
		defer end()
		for i := range n {
			e := nextEvent(t, events)
			if i == 0 {
				missed = e.Missed
			}
			all = append(all, e.Height)
		}
		return all, missed
	}
	all, missed := heights("7", 3)
	require.Equal(t, []int64{8, 9, 10}, all)
	require.False(t, missed)
	all, missed = heights("2", 6)
	require.Equal(t, []int64{5, 6, 7, 8, 9, 10}, all)
	require.True(t, missed, "3 and 4 are not known any more")
	_, missed = heights("99", 1)
	require.True(t, missed, "the chain was begun anew")

	events, _ := subscribe(t, h.Client(), h.URL, "10")
	joined(t, s, 1)
	s.Tell(11, false)
	require.Equal(t, told{"11", 11, false}, nextEvent(t, events))
	s.Tell(20, true) // blocks went by unheard
	require.Equal(t, told{"20", 20, true}, nextEvent(t, events))
	all, missed = heights("11", 1)
	require.Equal(t, []int64{20}, all)
	require.True(t, missed)
}

func TestManyThousandBlocksAreNotRemembered(t *testing.T) {
	s, h := listen(t, nil)
	for height := int64(1); height <= 5000; height++ {
		s.Tell(height, height == 1)
	}
	events, _ := subscribe(t, h.Client(), h.URL, "1")
	first := nextEvent(t, events)
	require.True(t, first.Missed)
	require.GreaterOrEqual(t, first.Height, int64(5000-1024))
}

// A reader that takes nothing must neither hold the others up nor fill the memory.
func TestASlowReaderIsCutOff(t *testing.T) {
	t.Parallel()
	s, h := listen(t, nil)
	conn, err := net.Dial("tcp", h.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(4<<10))
	_, err = fmt.Fprintf(conn, "GET /v1/stream HTTP/1.1\r\nHost: %s\r\n\r\n", h.Listener.Addr())
	require.NoError(t, err)
	joined(t, s, 1)
	quick, _ := subscribe(t, h.Client(), h.URL, "")
	joined(t, s, 2)
	height := int64(0)
	// It is cut off once the connection's buffers and its own are full.
	for s.Readers() == 2 {
		height++
		require.Less(t, height, int64(500_000), "it was never cut off")
		s.Tell(height, false)
		require.Equal(t, height, nextEvent(t, quick).Height, "the quick one goes on")
	}
	require.Equal(t, 1, s.Readers())
}

func TestStreamsAreBoundedInNumber(t *testing.T) {
	t.Parallel()
	const most = 2000
	s, h := listen(t, func(c *console.Config) { c.MaxStreams = most })
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for range most {
		conn, err := net.Dial("tcp", h.Listener.Addr().String())
		require.NoError(t, err)
		conns = append(conns, conn)
		_, err = fmt.Fprintf(conn, "GET /v1/stream HTTP/1.1\r\nHost: %s\r\n\r\n", h.Listener.Addr())
		require.NoError(t, err)
	}
	joined(t, s, most)
	resp, err := h.Client().Get(h.URL + "/v1/stream")
	require.NoError(t, err)
	require.Equal(t, "too_many", code(t, resp))
	resp.Body.Close()
	resp, err = h.Client().Get(h.URL + "/v1/status")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode, "the rest is served")
	s.Tell(1, false)
	for _, c := range conns[:50] {
		require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			require.NoError(t, err)
			if strings.HasPrefix(line, "id: 1") {
				break
			}
		}
	}
	for _, c := range conns {
		c.Close()
	}
	joined(t, s, 0)
}

func TestAskingForAStreamsHeadersOpensNone(t *testing.T) {
	_, h := listen(t, func(c *console.Config) { c.MaxStreams = 1 })
	events, _ := subscribe(t, h.Client(), h.URL, "")
	_ = events // it holds the only place
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, h.URL+"/v1/stream", nil)
	require.NoError(t, err)
	resp, err := h.Client().Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	conn := ask(t, h.Listener.Addr().String(), "HEAD /v1/stream HTTP/1.1\r\nHost: "+h.Listener.Addr().String()+"\r\nConnection: close\r\n\r\n")
	_, err = io.ReadAll(conn.Body)
	require.NoError(t, err, "and it ends")
}

func TestStreamsEndWithTheServer(t *testing.T) {
	s := newServer(t, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln, nil) }()
	resp, err := http.Get("http://" + ln.Addr().String() + "/v1/stream")
	require.NoError(t, err)
	defer resp.Body.Close()
	joined(t, s, 1)
	cancel()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(4 * time.Second):
		t.Fatal("a stream holds the server up")
	}
}
