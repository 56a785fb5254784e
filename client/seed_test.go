package client_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/app/node"
	"github.com/lodenet/lode/client"
	seedtypes "github.com/lodenet/lode/x/seed/types"
)

func TestSection2APastSeedIsVerifiedByItself(t *testing.T) {
	home, _ := realHome(t, tao)
	n := realNode(t, home, "127.0.0.1:0")
	c := realClient(t, n, nil)
	ctx := within(t, time.Minute)
	require.NoError(t, n.WaitHeight(ctx, 4))

	first, err := c.VerifySeed(ctx, 1)
	require.NoError(t, err)
	require.Equal(t, client.AnchorGenesis, first.Anchor)
	require.Equal(t, seedtypes.GenesisSeed("lode-local-1"), first.Seed.Previous)
	third, err := c.VerifySeed(ctx, 3)
	require.NoError(t, err)
	require.Equal(t, client.AnchorBlock, third.Anchor)
	require.True(t, third.Seed.Proved())
	require.Empty(t, third.Unproved)
	require.Len(t, third.BlockHash, 32)
	require.Len(t, third.Beta, 64)
	require.NoError(t, third.Seed.Verify("lode-local-1"))

	for _, h := range []int64{-1, 0, 1 << 40} {
		_, err = c.VerifySeed(ctx, h)
		require.ErrorContains(t, err, "the chain keeps those of blocks 1 to")
	}
}

// lying answers as a node does, but for what lie makes of a seed of block 3.
func lying(t *testing.T, n *node.Node, lie func(*seedtypes.QuerySeedResponse)) *client.Client {
	t.Helper()
	return forging(t, n, func(raw []byte) []byte { return falsified(raw, lie) })
}

// forging answers as a node does, but for what forge makes of an answer.
func forging(t *testing.T, n *node.Node, forge func(raw []byte) []byte) *client.Client {
	t.Helper()
	target := "http://" + n.Endpoints().RPC
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := http.Post(target, "application/json", r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		_, _ = w.Write(forge(raw))
	}))
	t.Cleanup(srv.Close)
	c, err := client.New(client.Config{Nodes: []string{srv.URL}, ChainID: "lode-local-1"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func falsified(raw []byte, lie func(*seedtypes.QuerySeedResponse)) []byte {
	var answer map[string]any
	if json.Unmarshal(raw, &answer) != nil {
		return raw
	}
	result, _ := answer["result"].(map[string]any)
	response, _ := result["response"].(map[string]any)
	text, _ := response["value"].(string)
	value, err := base64.StdEncoding.DecodeString(text)
	var seed seedtypes.QuerySeedResponse
	if err != nil || seed.Unmarshal(value) != nil || seed.Seed.Height != 3 {
		return raw
	}
	lie(&seed)
	if value, err = seed.Marshal(); err != nil {
		return raw
	}
	response["value"] = base64.StdEncoding.EncodeToString(value)
	if raw, err = json.Marshal(answer); err != nil {
		return nil
	}
	return raw
}

func TestSection2ANodeThatLiesAboutASeedIsFoundOut(t *testing.T) {
	home, _ := realHome(t, tao)
	n := realNode(t, home, "127.0.0.1:0")
	ctx := within(t, time.Minute)
	require.NoError(t, n.WaitHeight(ctx, 4))
	other := bytes.Repeat([]byte{7}, 32)
	for name, c := range map[string]struct {
		lie  func(*seedtypes.QuerySeedResponse)
		says string
	}{
		"another seed":      {func(s *seedtypes.QuerySeedResponse) { s.Seed.Seed = other }, "by its proof the seed is"},
		"another before":    {func(s *seedtypes.QuerySeedResponse) { s.Seed.Previous = other }, "by its first transaction the proof is"},
		"no proof":          {func(s *seedtypes.QuerySeedResponse) { s.Seed.Proof = nil }, "by its first transaction the proof is"},
		"another key":       {func(s *seedtypes.QuerySeedResponse) { s.Seed.Key = other }, "by its first transaction the proof is"},
		"no key":            {func(s *seedtypes.QuerySeedResponse) { s.Seed.Key = nil }, "by its first transaction the proof is"},
		"another proposer":  {func(s *seedtypes.QuerySeedResponse) { s.Seed.Proposer = other[:20] }, "its proposer is"},
		"another output":    {func(s *seedtypes.QuerySeedResponse) { s.Beta = other }, "by its proof β is"},
		"nothing of a seed": {func(s *seedtypes.QuerySeedResponse) { s.Seed = seedtypes.Seed{} }, "the node answers with the seed of block 0"},
	} {
		_, err := lying(t, n, c.lie).VerifySeed(ctx, 3)
		require.ErrorIs(t, err, client.ErrBadSeed, name)
		require.ErrorContains(t, err, c.says, name)
	}
	// One that tells another seed before block 4 contradicts itself.
	_, err := lying(t, n, func(s *seedtypes.QuerySeedResponse) { s.Seed.Seed = other }).VerifySeed(ctx, 4)
	require.ErrorIs(t, err, client.ErrBadSeed)
	require.ErrorContains(t, err, "block 4 follows the seed")
	_, err = lying(t, n, func(*seedtypes.QuerySeedResponse) {}).VerifySeed(ctx, 3)
	require.NoError(t, err)
}

// Headers without a validator set have no hash, so that such a block would be
// whatever the node says, under the name of nothing.
func TestSection2ABlockWithoutAHashVerifiesNoSeed(t *testing.T) {
	home, _ := realHome(t, tao)
	n := realNode(t, home, "127.0.0.1:0")
	ctx := within(t, time.Minute)
	require.NoError(t, n.WaitHeight(ctx, 4))
	c := forging(t, n, func(raw []byte) []byte {
		var answer map[string]any
		if json.Unmarshal(raw, &answer) != nil {
			return raw
		}
		result, _ := answer["result"].(map[string]any)
		block, ok := result["block"].(map[string]any)
		if !ok {
			return raw
		}
		block["header"].(map[string]any)["validators_hash"] = ""
		result["block_id"].(map[string]any)["hash"] = ""
		if forged, err := json.Marshal(answer); err == nil {
			raw = forged
		}
		return raw
	})
	_, err := c.VerifySeed(ctx, 3)
	require.ErrorIs(t, err, client.ErrBadSeed)
	require.ErrorContains(t, err, "block 3 has no hash")
}
