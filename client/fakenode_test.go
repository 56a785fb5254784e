package client_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/p2p"
	ctypes "github.com/cometbft/cometbft/rpc/core/types"
	cmttypes "github.com/cometbft/cometbft/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/gogoproto/proto"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// fakeNode is a node of a fakeChain at a URL that stays the same over restarts.
type fakeNode struct {
	f    *fakeChain
	url  string
	addr string

	mu         sync.Mutex
	srv        *http.Server
	sockets    map[*websocket.Conn]chan []byte
	catchingUp bool
	noSockets  bool
	// executing is how many queries of a height it answers as one that has not executed
	// that block yet.
	executing int
	calls     map[string]int
	// connections ever made to it.
	connections int
	// fault, if set, may answer a call in the node's place; before is false after the
	// call did its work, when only the answer can still be lost.
	fault func(method string, before bool, w http.ResponseWriter, r *http.Request) bool
}

func (f *fakeChain) node(t *testing.T) *fakeNode {
	n := &fakeNode{f: f, addr: "127.0.0.1:0", calls: map[string]int{}}
	n.start(t)
	t.Cleanup(n.stop)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes = append(f.nodes, n)
	return n
}

func (n *fakeNode) start(t *testing.T) {
	l, err := net.Listen("tcp", n.addr)
	require.NoError(t, err)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addr = l.Addr().String()
	n.url = "http://" + n.addr
	n.sockets = map[*websocket.Conn]chan []byte{}
	n.srv = &http.Server{Handler: n, ReadHeaderTimeout: time.Second, ConnState: func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			n.set(func(n *fakeNode) { n.connections++ })
		}
	}}
	go n.srv.Serve(l)
}

// stop ends the node as a crash does.
func (n *fakeNode) stop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.srv.Close()
	for c := range n.sockets {
		c.Close()
	}
	n.sockets = map[*websocket.Conn]chan []byte{}
}

func (n *fakeNode) dropSockets() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.sockets {
		c.Close()
	}
}

func (n *fakeNode) listeners() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.sockets)
}

func (n *fakeNode) set(change func(n *fakeNode)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(n)
}

func (n *fakeNode) publish(event []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c, out := range n.sockets {
		select {
		case out <- rpcAnswer(event):
		default: // too slow: CometBFT drops the client
			c.Close()
		}
	}
}

func rpcAnswer(result []byte) []byte {
	return []byte(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":%s}`, result))
}

func (n *fakeNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/websocket" {
		n.socket(w, r)
		return
	}
	var req struct {
		ID     json.RawMessage
		Method string
		Params map[string]json.RawMessage
	}
	if json.NewDecoder(r.Body).Decode(&req) != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	n.mu.Lock()
	n.calls[req.Method]++
	fault := n.fault
	n.mu.Unlock()
	if fault != nil && fault(req.Method, true, w, r) {
		return
	}
	result, err := n.call(req.Method, req.Params)
	if fault != nil && fault(req.Method, false, w, r) {
		return
	}
	if err != nil {
		raw, _ := json.Marshal(err.Error())
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32603,"message":"Internal error","data":%s}}`, req.ID, raw)
		return
	}
	raw, err := cmtjson.Marshal(result)
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, req.ID, raw)
}

func (n *fakeNode) call(method string, params map[string]json.RawMessage) (any, error) {
	switch method {
	case "status":
		n.mu.Lock()
		catchingUp := n.catchingUp
		n.mu.Unlock()
		n.f.mu.Lock()
		defer n.f.mu.Unlock()
		return &ctypes.ResultStatus{
			NodeInfo: p2p.DefaultNodeInfo{Network: n.f.id},
			SyncInfo: ctypes.SyncInfo{LatestBlockHeight: n.f.height, LatestBlockTime: n.f.time, CatchingUp: catchingUp},
		}, nil
	case "broadcast_tx_sync":
		return n.f.check(param64(params["tx"]))
	case "tx":
		n.f.mu.Lock()
		defer n.f.mu.Unlock()
		if r := n.f.found[[32]byte(param64(params["hash"]))]; r != nil {
			return r, nil
		}
		return nil, fmt.Errorf("tx (%X) not found", param64(params["hash"]))
	case "header":
		var h string
		_ = json.Unmarshal(params["height"], &h)
		if h != "1" {
			return nil, fmt.Errorf("height %s is not available, lowest height is 1", h)
		}
		return &ctypes.ResultHeader{Header: &cmttypes.Header{Height: 1, Time: time.Unix(1_700_000_000, 0).UTC()}}, nil
	case "abci_query":
		var path, data string
		_ = json.Unmarshal(params["path"], &path)
		_ = json.Unmarshal(params["data"], &data)
		raw, _ := hex.DecodeString(data)
		res := abci.ResponseQuery{Height: 5}
		var err error
		n.mu.Lock()
		executing := n.executing > 0
		if executing {
			n.executing--
		}
		n.mu.Unlock()
		if executing {
			err = sdkerrors.ErrInvalidHeight.Wrap("cannot query with height in the future; please provide a valid height")
		} else if path == "/app/simulate" {
			res.Value, err = n.f.simulate(raw)
		} else {
			var m proto.Message
			if m, err = n.f.query(path, raw); err == nil {
				res.Value, err = proto.Marshal(m)
			}
		}
		if err != nil {
			res.Codespace, res.Code, res.Log = errorsABCI(err)
		}
		return &ctypes.ResultABCIQuery{Response: res}, nil
	}
	return nil, fmt.Errorf("no method %s", method)
}

func param64(raw json.RawMessage) []byte {
	var s string
	_ = json.Unmarshal(raw, &s)
	b, _ := base64.StdEncoding.DecodeString(s)
	return b
}

func (n *fakeNode) socket(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	refuse := n.noSockets
	n.mu.Unlock()
	if refuse {
		http.Error(w, "no websockets here", http.StatusForbidden)
		return
	}
	up := websocket.Upgrader{}
	c, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	if _, _, err := c.ReadMessage(); err != nil {
		return
	}
	out := make(chan []byte, 100)
	out <- rpcAnswer([]byte("{}"))
	n.mu.Lock()
	n.sockets[c] = out
	n.mu.Unlock()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		c.ReadMessage() // returns when the client leaves
	}()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.sockets, c)
	}()
	for {
		select {
		case raw := <-out:
			if c.WriteMessage(websocket.TextMessage, raw) != nil {
				return
			}
		case <-gone:
			return
		}
	}
}

// drop loses an answer the hard way.
func drop(w http.ResponseWriter) bool {
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		c.Close()
	}
	return true
}
