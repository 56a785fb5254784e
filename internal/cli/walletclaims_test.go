package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/node"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/console"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/stretchr/testify/require"
)

// oneSlot is the genesis of a local network that has room for one subnet: the next one
// takes its place at once.
func oneSlot(g app.Genesis) (*genutiltypes.AppGenesis, error) {
	genesis, err := app.LocalGenesis(g)
	if err != nil {
		return nil, err
	}
	var state map[string]json.RawMessage
	if err := json.Unmarshal(genesis.AppState, &state); err != nil {
		return nil, err
	}
	codec := chain().Codec
	var subnets subnetstypes.GenesisState
	if err := codec.UnmarshalJSON(state[subnetstypes.ModuleName], &subnets); err != nil {
		return nil, err
	}
	subnets.Params.MaxSubnets, subnets.Params.NetworkImmunity = 1, 0
	if state[subnetstypes.ModuleName], err = codec.MarshalJSON(&subnets); err != nil {
		return nil, err
	}
	genesis.AppState, err = json.Marshal(state)
	return genesis, err
}

// lastHolder is a key whose address comes after those of [manyHolders].
func lastHolder(t *testing.T) *wallet.Signer {
	t.Helper()
	for i := range 64 {
		s, err := wallet.NewSigner(bytes.Repeat([]byte{byte(i + 1)}, 32))
		require.NoError(t, err)
		if raw, err := sdk.AccAddressFromBech32(s.Address()); err == nil && raw[0] >= 0x80 {
			return s
		}
	}
	t.Fatal("no key has a late address")
	return nil
}

// manyHolders are more than three blocks pay (protocol.md §3): 200 each, by address.
const manyHolders = 620

func TestAPortfolioHasWhatARemovedSubnetWillPay(t *testing.T) {
	t.Parallel() // it waits for blocks
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	signer := func(seed byte) *wallet.Signer {
		s, err := wallet.NewSigner(bytes.Repeat([]byte{seed}, 32))
		require.NoError(t, err)
		return s
	}
	// Blocks are slow: what is owed stays so for three of them, in which it is asked about.
	home, blockTime := t.TempDir(), 2*time.Second
	holder, hot, heir, heirHot := lastHolder(t), signer(101), signer(102), signer(103)
	g := app.Genesis{ChainID: localnet.ChainID, Time: time.Now(), BlockTime: blockTime}
	for _, s := range []*wallet.Signer{holder, heir} {
		g.Balances = append(g.Balances, app.Balance{Address: s.Address(), Rao: 50_000 * localnet.TAO})
	}
	for _, s := range []*wallet.Signer{hot, heirHot} {
		g.Balances = append(g.Balances, app.Balance{Address: s.Address(), Rao: 1})
	}
	require.NoError(t, node.Begin(home, node.Settings{Moniker: "one", BlockTime: blockTime, Alone: true}, oneSlot, g,
		app.Validator{Operator: signer(104).Address(), SelfBond: 10 * localnet.TAO}))
	n, err := node.Start(ctx, node.Config{Home: home, RPC: "127.0.0.1:0", GRPC: "127.0.0.1:0", REST: "127.0.0.1:0", P2P: "127.0.0.1:0", CheckInvariants: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Stop()) })
	require.NoError(t, n.WaitHeight(ctx, 1))
	rpc := "http://" + n.Endpoints().RPC
	c, err := client.New(client.Config{Nodes: []string{rpc}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	page := servePage(t, c)

	create := func(by, hot *wallet.Signer, name string, more ...sdk.Msg) *client.TxResult {
		r, err := c.Send(ctx, []*wallet.Signer{by, hot}, append([]sdk.Msg{
			&alphatypes.MsgBindHotkey{Coldkey: by.Address(), Hotkey: hot.Address()},
			&subnetstypes.MsgCreateSubnet{Coldkey: by.Address(), Hotkey: hot.Address(), MaxLock: 10_000 * localnet.TAO, Name: name},
		}, more...)...)
		require.NoError(t, err)
		return r
	}
	create(holder, hot, "short-lived",
		&subnetstypes.MsgStartSubnet{Coldkey: holder.Address(), Netuid: 1},
		&alphatypes.MsgStake{Coldkey: holder.Address(), Hotkey: hot.Address(), Netuid: 1, Tao: 1_000 * localnet.TAO, LimitPrice: 1 << 62})
	var gifts []sdk.Msg
	for i := range manyHolders {
		to := make([]byte, 20)
		to[18], to[19] = byte(i>>8), byte(i)
		gifts = append(gifts, &alphatypes.MsgTransferStake{Coldkey: holder.Address(), ToColdkey: sdk.AccAddress(to).String(), Hotkey: hot.Address(), Netuid: 1, Alpha: localnet.TAO / 10})
	}
	for _, part := range [][]sdk.Msg{gifts[:manyHolders/2], gifts[manyHolders/2:]} { // a block has not gas enough for all
		_, err = c.Send(ctx, []*wallet.Signer{holder}, part...)
		require.NoError(t, err)
	}

	removed := create(heir, heirHot, "heir")
	p := portfolioBy(ctx, t, rpc, holder.Address())
	require.Less(t, p.Height, removed.Height+3, "the machine was too slow to look while it was owed")
	require.GreaterOrEqual(t, p.Height, removed.Height)
	require.Empty(t, p.Subnets, "the stake is in no subnet any more")
	require.Len(t, p.Claims, 1)
	claim := p.Claims[0]
	require.EqualValues(t, 1, claim.Netuid)
	require.Equal(t, hot.Address(), claim.Hotkey)
	require.Positive(t, claim.TaoRao)
	require.Equal(t, claim.TaoRao, p.ClaimsRao)
	require.Equal(t, p.FreeRao+p.ClaimsRao, p.TotalRao)
	onChain, err := c.Alpha().Claims(client.AtHeight(ctx, p.Height), &alphatypes.QueryClaimsRequest{Coldkey: holder.Address()})
	require.NoError(t, err)
	require.Len(t, onChain.Claims, 1)
	require.Equal(t, onChain.Claims[0].Tao, claim.TaoRao)
	require.Equal(t, onChain.Claims[0].SubnetId, claim.SubnetID)
	var table bytes.Buffer
	require.NoError(t, writePortfolioCSV(&table, []portfolioJSON{p}))
	require.Contains(t, table.String(), fmt.Sprintf(",claim,1,%d,,%s,,%s,%s,", claim.SubnetID, claim.Hotkey, client.FormatAlpha(claim.Alpha), client.FormatTAO(claim.TaoRao)))

	// The page says the same, of whatever block it is asked in.
	var onPage struct {
		Height  int64  `json:"height"`
		Claims  uint64 `json:"claims_rao,string"`
		Balance uint64 `json:"balance_rao,string"`
		Total   uint64 `json:"total_rao,string"`
		Subnets []struct {
			SubnetID uint64 `json:"subnet_id"`
			Removed  bool   `json:"removed"`
			ValueRao uint64 `json:"value_rao,string"`
		} `json:"subnets"`
	}
	page("/v1/accounts/"+holder.Address()+"/portfolio", &onPage)
	require.Less(t, onPage.Height, removed.Height+3, "the machine was too slow to look while it was owed")
	require.Equal(t, claim.TaoRao, onPage.Claims)
	require.Equal(t, p.TotalRao, onPage.Total, "nothing was paid, and nothing lost, in between")
	require.Len(t, onPage.Subnets, 1)
	require.True(t, onPage.Subnets[0].Removed)
	require.Equal(t, claim.SubnetID, onPage.Subnets[0].SubnetID)
	require.Equal(t, claim.TaoRao, onPage.Subnets[0].ValueRao)

	// It is paid by itself: what was owed is free, to the rao.
	require.NoError(t, n.WaitHeight(ctx, removed.Height+4))
	after := portfolioBy(ctx, t, rpc, holder.Address())
	require.Empty(t, after.Claims)
	require.Zero(t, after.ClaimsRao)
	require.Equal(t, p.FreeRao+claim.TaoRao, after.FreeRao)
	require.Equal(t, p.TotalRao, after.TotalRao)
	page("/v1/accounts/"+holder.Address()+"/portfolio", &onPage)
	require.Equal(t, after.TotalRao, onPage.Total)
	require.Zero(t, onPage.Claims)
}

// portfolioBy is what the command says of an address.
func portfolioBy(ctx context.Context, t *testing.T, node, address string) portfolioJSON {
	t.Helper()
	var out, errOut bytes.Buffer
	require.Equal(t, exitOK, Run(ctx, []string{"wallet", "portfolio", address, "--json", "--node", node, "--home", t.TempDir()}, bytes.NewReader(nil), &out, &errOut), errOut.String())
	var v struct {
		Accounts []portfolioJSON `json:"accounts"`
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &v))
	require.Len(t, v.Accounts, 1)
	return v.Accounts[0]
}

// servePage serves a console that keeps no index, and returns how to ask it.
func servePage(t *testing.T, c *client.Client) func(path string, v any) {
	t.Helper()
	server, err := console.New(console.Config{Client: c, Version: "test"})
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, ln, nil) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
	})
	return func(path string, v any) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://%s%s", ln.Addr(), path), nil)
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode, "%s", body)
		require.NoError(t, json.Unmarshal(body, v))
	}
}
