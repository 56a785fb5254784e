package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	cmtjson "github.com/cometbft/cometbft/libs/json"
	ctypes "github.com/cometbft/cometbft/rpc/core/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/gorilla/websocket"
)

// silence is how long a websocket may say nothing: the server pings every 27 s.
const silence = 60 * time.Second

// stream hears blocks over a websocket until it fails. It calls up once they are
// heard. CometBFT's own websocket client sleeps between attempts whatever its context
// says, and ends without a word when the server closes in good order; so this reads
// the connection itself.
func (h *hub) stream(ctx context.Context, up func()) error {
	conn, node, err := h.dial(ctx)
	if err != nil {
		return err
	}
	// Reads have no context: closing the connection ends them.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()

	conn.SetReadLimit(maxAnswer)
	heard := time.Now() // the last block
	alive := func() {   // its error, of a closed connection, comes with the next read
		end := time.Now().Add(silence)
		if stuck := heard.Add(h.c.cfg.MaxBlockAge); len(h.c.nodes) > 1 && stuck.Before(end) {
			end = stuck // another node may be further
		}
		conn.SetReadDeadline(end)
	}
	ping := conn.PingHandler()
	conn.SetPingHandler(func(data string) error {
		alive()
		return ping(data)
	})
	conn.SetReadDeadline(time.Now().Add(h.c.cfg.Timeout))
	conn.SetWriteDeadline(time.Now().Add(h.c.cfg.Timeout))
	err = conn.WriteJSON(map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "subscribe",
		"params": map[string]string{"query": cmttypes.EventQueryNewBlock.String()},
	})
	if err != nil {
		return &unreachable{node: node, err: err}
	}
	if _, err := read(conn); err != nil {
		return fmt.Errorf("subscribe at %s: %w", node, err)
	}
	// Blocks may have gone by until now.
	s, err := h.c.Status(ctx)
	if err != nil {
		return err
	}
	up()
	heard = time.Now()
	h.seen(Block{Height: s.Height, Time: s.Time, Missed: true})
	for {
		alive()
		raw, err := read(conn)
		if err != nil {
			if time.Since(heard) >= h.c.cfg.MaxBlockAge {
				h.c.leave(node)
			}
			return fmt.Errorf("blocks of %s: %w", node, err)
		}
		var e ctypes.ResultEvent
		if err := cmtjson.Unmarshal(raw, &e); err != nil {
			return fmt.Errorf("blocks of %s: can't be read: %w", node, err)
		}
		b, ok := e.Data.(cmttypes.EventDataNewBlock)
		if !ok || b.Block == nil {
			continue
		}
		heard = time.Now()
		h.heard(b)
	}
}

// dial opens a websocket to the node that answers, and returns its name.
func (h *hub) dial(ctx context.Context) (*websocket.Conn, string, error) {
	s, err := h.c.Status(ctx)
	if err != nil {
		return nil, "", err
	}
	at := slices.IndexFunc(h.c.nodes, func(n *node) bool { return n.name == s.Node })
	d := websocket.Dialer{HandshakeTimeout: h.c.cfg.Timeout, Proxy: http.ProxyFromEnvironment}
	conn, resp, err := d.DialContext(ctx, "ws"+strings.TrimPrefix(h.c.nodes[at].url, "http")+"/websocket", nil)
	if resp != nil {
		resp.Body.Close()
	}
	if err != nil {
		err = &unreachable{node: s.Node, err: err}
	}
	return conn, s.Node, err
}

// read returns the result of the next JSON-RPC answer.
func read(conn *websocket.Conn) (json.RawMessage, error) {
	_, data, err := conn.ReadMessage()
	if err != nil {
		return nil, err
	}
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Message string `json:"message"`
			Data    string `json:"data"`
		} `json:"error"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, err
	}
	if answer.Error != nil {
		return nil, errors.New(answer.Error.Message + ": " + answer.Error.Data)
	}
	return answer.Result, nil
}
