package client_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/gogoproto/proto"

	"github.com/lodenet/lode/client"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

func TestANodeThatIsDownIsUnavailable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	c, err := client.New(client.Config{Nodes: []string{"http://" + l.Addr().String()}})
	require.NoError(t, err)
	defer c.Close()
	start := time.Now()
	_, err = c.Status(context.Background())
	require.ErrorIs(t, err, client.ErrUnavailable)
	require.ErrorContains(t, err, l.Addr().String())
	require.ErrorContains(t, err, "connection refused")
	require.Less(t, time.Since(start), time.Second)
	code, hint := client.Describe(err)
	require.Equal(t, "unavailable", code)
	require.Contains(t, hint, "lode up")
	_, err = c.Balance(context.Background(), key(t, "alice").Address())
	require.ErrorIs(t, err, client.ErrUnavailable)
	_, err = c.Transfer(context.Background(), key(t, "alice"), key(t, "alice").Address(), 1)
	require.ErrorIs(t, err, client.ErrUnavailable)
}

func TestASlowNodeIsLeftForTheNext(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	slow, good := f.node(t), f.node(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	slow.set(func(n *fakeNode) {
		n.fault = func(_ string, before bool, _ http.ResponseWriter, r *http.Request) bool {
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return true
		}
	})
	log := &logged{}
	c := connect(t, func(cfg *client.Config) {
		logTo(log)(cfg)
		cfg.Timeout = 200 * time.Millisecond
	}, slow, good)
	for range 3 {
		s, err := c.Status(context.Background())
		require.NoError(t, err)
		require.Equal(t, good.url, s.Node)
	}
	require.Equal(t, 1, log.count("using another node"))
	require.Equal(t, 1, slow.calls["status"], "it is not asked again while the other works")

	alone := connect(t, func(cfg *client.Config) { cfg.Timeout = 200 * time.Millisecond }, slow)
	start := time.Now()
	_, err := alone.Balance(context.Background(), key(t, "alice").Address())
	require.ErrorIs(t, err, client.ErrUnavailable)
	require.ErrorContains(t, err, "does not answer in time")
	require.Less(t, time.Since(start), 2*time.Second)
}

func TestAnotherNetworkIsNeverTalkedTo(t *testing.T) {
	t.Parallel()
	other, wrong := newFakeChain("lode-9"), newFakeChain("lode-test-1")
	theirs, ours := other.node(t), wrong.node(t)
	other.fund(key(t, "alice").Address(), 5)
	want := func(cfg *client.Config) { cfg.ChainID = "lode-test-1" }

	c := connect(t, want, theirs)
	_, err := c.Balance(context.Background(), key(t, "alice").Address())
	require.ErrorIs(t, err, client.ErrWrongNetwork)
	require.ErrorContains(t, err, `belongs to "lode-9", this client to "lode-test-1"`)
	_, err = c.Status(context.Background())
	require.ErrorIs(t, err, client.ErrWrongNetwork)
	require.Zero(t, theirs.calls["abci_query"])

	c = connect(t, want, theirs, ours)
	rao, err := c.Balance(context.Background(), key(t, "alice").Address())
	require.NoError(t, err)
	require.Zero(t, rao, "ours has no such account")

	// Without a wish it is the chain that answers first, and stays it.
	c = connect(t, nil, ours, theirs)
	id, err := c.ChainID(context.Background())
	require.NoError(t, err)
	require.Equal(t, "lode-test-1", id)
	ours.stop()
	_, err = c.Status(context.Background())
	require.ErrorIs(t, err, client.ErrWrongNetwork)
	require.ErrorIs(t, err, client.ErrUnavailable)
}

func TestANodeThatIsBehindIsNotBelieved(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	n, other := f.node(t), f.node(t)
	alice := key(t, "alice")
	f.fund(alice.Address(), tao)
	n.set(func(n *fakeNode) { n.catchingUp = true })
	c := connect(t, nil, n)
	_, err := c.Balance(context.Background(), alice.Address())
	require.ErrorIs(t, err, client.ErrBehind)
	require.ErrorContains(t, err, "still catching up, at block 1 of")
	s, err := c.Status(context.Background())
	require.NoError(t, err, "where it is can be asked")
	require.True(t, s.CatchingUp)
	n.set(func(n *fakeNode) { n.catchingUp = false })
	_, err = c.Balance(context.Background(), alice.Address())
	require.NoError(t, err, "the next call sees that it caught up")

	n.set(func(n *fakeNode) { n.catchingUp = true })
	c = connect(t, nil, n, other)
	_, err = c.Balance(context.Background(), alice.Address())
	require.NoError(t, err, "another node is not behind")
}

func TestNothingIsSentToAChainThatStandsStill(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	n := f.node(t)
	alice := key(t, "alice")
	f.fund(alice.Address(), tao)
	f.time = time.Now().Add(-time.Hour)
	c := connect(t, func(cfg *client.Config) { cfg.Timeout = 300 * time.Millisecond }, n)
	_, err := c.Transfer(context.Background(), alice, alice.Address(), 1)
	require.ErrorIs(t, err, client.ErrBehind)
	require.ErrorContains(t, err, "is 1h0m")
	require.Zero(t, len(f.sent))
	_, err = c.Balance(context.Background(), alice.Address())
	require.NoError(t, err, "it can be read")
}

func TestAChainThatStartsAgainIsWaitedFor(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	n := f.node(t)
	alice := key(t, "alice")
	f.fund(alice.Address(), tao)
	f.time = time.Now().Add(-time.Hour)
	c := connect(t, nil, n)
	done := make(chan error, 1)
	go func() {
		_, err := c.Transfer(within(t, 20*time.Second), alice, alice.Address(), 1)
		done <- err
	}()
	require.Eventually(t, func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.calls["abci_query"] >= 2
	}, 10*time.Second, time.Millisecond)
	f.run(t, 50*time.Millisecond)
	require.NoError(t, <-done)
}

func TestANodeThatRestartsIsFoundAgain(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	n := f.node(t)
	log := &logged{}
	c := connect(t, logTo(log), n)
	alice := key(t, "alice").Address()
	_, err := c.Balance(context.Background(), alice)
	require.NoError(t, err)
	n.stop()
	for range 5 {
		_, err = c.Balance(context.Background(), alice)
		require.ErrorIs(t, err, client.ErrUnavailable)
	}
	n.start(t)
	for range 5 {
		_, err = c.Balance(context.Background(), alice)
		require.NoError(t, err)
	}
	require.Equal(t, 1, log.count("the chain can't be reached"), "said once")
	require.Equal(t, 1, log.count("the chain can be reached again"), "said once")

	// A node that comes back as another network's is noticed.
	n.stop()
	_, err = c.Balance(context.Background(), alice)
	require.ErrorIs(t, err, client.ErrUnavailable)
	n.set(func(n *fakeNode) { n.f = newFakeChain("lode-9") })
	n.start(t)
	_, err = c.Balance(context.Background(), alice)
	require.ErrorIs(t, err, client.ErrWrongNetwork)
}

func TestWhatIsNoCometBFTServerIsToldApart(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"a web page": "<html>welcome</html>",
		"other JSON": `{"hello": "world"}`,
		"nothing":    "",
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(answer)) }))
			defer srv.Close()
			c, err := client.New(client.Config{Nodes: []string{srv.URL}, Timeout: time.Second})
			require.NoError(t, err)
			defer c.Close()
			_, err = c.Status(context.Background())
			require.ErrorIs(t, err, client.ErrUnavailable)
			require.ErrorContains(t, err, "is no CometBFT RPC server")
		})
	}
}

func TestAnAnswerWithoutEndIsCutOff(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := make([]byte, 1<<20)
		for {
			n, err := w.Write(chunk)
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	}))
	defer srv.Close()
	c, err := client.New(client.Config{Nodes: []string{srv.URL}})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Status(within(t, time.Minute))
	require.ErrorIs(t, err, client.ErrUnavailable)
	require.ErrorContains(t, err, "larger than 128 MiB")
	require.Less(t, sent.Load(), int64(200<<20))
}

func TestQueriesCarryTheChainsWords(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	n := f.node(t)
	f.answer["/lode.subnets.v1.Query/Subnet"] = func([]byte) (proto.Message, error) {
		return nil, sdkerrors.ErrKeyNotFound.Wrap("rpc error: code = NotFound desc = subnet 9 does not exist: the netuids are 1, 2: no such subnet")
	}
	c := connect(t, nil, n)
	_, err := c.Subnets().Subnet(context.Background(), &subnetstypes.QuerySubnetRequest{Netuid: 9})
	require.ErrorIs(t, err, client.ErrNotFound)
	require.EqualError(t, err, "subnet 9 does not exist: the netuids are 1, 2: no such subnet")
	require.Equal(t, codes.NotFound, grpcstatus.Code(err))
	_, err = c.Alpha().Params(context.Background(), &alphatypes.QueryParamsRequest{})
	var q *client.QueryError
	require.ErrorAs(t, err, &q)
	require.Equal(t, "/lode.alpha.v1.Query/Params", q.Path)
	require.False(t, errors.Is(err, client.ErrUnavailable), "the node did answer")
}

func TestBlockTimeSaysWhenANodeHasDroppedABlock(t *testing.T) {
	t.Parallel()
	f := newFakeChain("lode-test-1")
	c := connect(t, nil, f.node(t))
	at, err := c.BlockTime(context.Background(), 1)
	require.NoError(t, err)
	require.EqualValues(t, 1_700_000_000, at.Unix())
	_, err = c.BlockTime(context.Background(), 99)
	require.ErrorIs(t, err, client.ErrNotFound)
}

func TestAConfigThatCantWorkIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		cfg client.Config
		why string
	}{
		"no node":               {client.Config{}, "no node given"},
		"a host without http":   {client.Config{Nodes: []string{"127.0.0.1:26657"}}, "http://HOST:PORT"},
		"a tcp address":         {client.Config{Nodes: []string{"tcp://127.0.0.1:26657"}}, "http://HOST:PORT"},
		"no host":               {client.Config{Nodes: []string{"http://"}}, "http://HOST:PORT"},
		"a price in TAO":        {client.Config{Nodes: []string{"http://a:1"}, GasPrice: "1tao"}, "gas price"},
		"a price below zero":    {client.Config{Nodes: []string{"http://a:1"}, GasPrice: "-1rao"}, "gas price"},
		"an adjustment below 1": {client.Config{Nodes: []string{"http://a:1"}, GasAdjustment: 0.5}, "adjustment"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.New(c.cfg)
			require.ErrorContains(t, err, c.why)
		})
	}
}

// A node stores a block, and tells of it, before it has executed it.
func TestABlockThatANodeStillExecutesIsWaitedFor(t *testing.T) {
	t.Parallel()
	_, n, alice := running(t, 5*tao)
	c := connect(t, nil, n)
	_, err := c.Balance(within(t, 10*time.Second), alice.Address())
	require.NoError(t, err)
	now, err := c.Status(within(t, 10*time.Second))
	require.NoError(t, err)
	asked := func() int {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.calls["abci_query"]
	}
	before := asked()
	n.set(func(n *fakeNode) { n.executing = 3 })
	rao, err := c.Balance(client.AtHeight(within(t, 10*time.Second), now.Height), alice.Address())
	require.NoError(t, err)
	require.EqualValues(t, 5*tao, rao)
	require.Equal(t, 4, asked()-before)

	// One that it does not have is not waited for.
	before = asked()
	n.set(func(n *fakeNode) { n.executing = 1000 })
	_, err = c.Balance(client.AtHeight(within(t, 10*time.Second), now.Height+1000), alice.Address())
	require.ErrorContains(t, err, "height in the future")
	require.Equal(t, 1, asked()-before)
}
