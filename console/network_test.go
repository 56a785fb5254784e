package console_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdkmath "cosmossdk.io/math"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	signingtypes "github.com/cosmos/cosmos-sdk/types/tx/signing"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/console"
	"github.com/lodenet/lode/indexer"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/records"
	"github.com/lodenet/lode/wallet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// world is a local network with a subnet, a stake and a service, and a console.
type world struct {
	*testing.T
	ctx     context.Context
	c       *client.Client
	url     string
	http    *http.Client
	user    *wallet.Signer
	hotkey  string // of the subnet's owner
	owner   *wallet.Signer
	service *httptest.Server
}

func newWorld(t *testing.T) *world {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	n := localnettest.Start(t, localnet.Config{ChainOnly: true, BlockTime: 500 * time.Millisecond})
	w := &world{T: t, ctx: ctx, c: n.Client(), http: &http.Client{Timeout: time.Minute}}
	netuid, err := n.CreateSubnet(ctx, "owner", "words", `{"language":"<script>alert(1)</script>"}`)
	require.NoError(t, err)
	require.EqualValues(t, 1, netuid)
	w.user, err = n.Wallet().Signer(localnet.UserKey)
	require.NoError(t, err)
	w.owner, err = n.Wallet().Signer("owner")
	require.NoError(t, err)
	hot, err := n.Wallet().Get("owner-hot")
	require.NoError(t, err)
	w.hotkey = hot.Address
	w.service = httptest.NewServer(http.HandlerFunc(provide))
	t.Cleanup(w.service.Close)
	key, err := n.Wallet().Signer("owner-hot")
	require.NoError(t, err)
	peer, err := mesh.New(ctx, mesh.Config{PrivKey: key.PrivKey()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, peer.Close()) })
	require.NoError(t, peer.Handle("/subnet/1/", http.StripPrefix("/subnet/1", http.HandlerFunc(provide)), mesh.HandlerOptions{Open: true}))
	relay, err := mesh.New(ctx, mesh.Config{PrivKey: secp256k1.GenPrivKey().Bytes(), Relay: &mesh.Relay{}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, relay.Close()) })
	behind, err := mesh.New(ctx, mesh.Config{PrivKey: key.PrivKey(), NAT: true, Relays: relay.Endpoints()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, behind.Close()) })
	require.NoError(t, behind.Handle("/subnet/1/", http.StripPrefix("/subnet/1", http.HandlerFunc(provideBehind)), mesh.HandlerOptions{Open: true}))
	through := ""
	require.Eventually(t, func() bool {
		i := slices.IndexFunc(behind.Endpoints(), func(e string) bool { return strings.Contains(e, "/p2p-circuit/") })
		if i >= 0 {
			through = behind.Endpoints()[i]
		}
		return i >= 0
	}, time.Minute, 50*time.Millisecond, "the relay takes it in")
	_, err = w.c.Send(ctx, []*wallet.Signer{w.owner}, &markettypes.MsgListService{
		Signer: w.owner.Address(), Hotkey: w.hotkey, Netuid: 1, Name: "words", Description: "words", Endpoint: w.service.URL + "/v1",
		Unit: markettypes.UNIT_REQUEST, Price: 100_000, Per: 1,
	}, &markettypes.MsgListService{
		Signer: w.owner.Address(), Hotkey: w.hotkey, Netuid: 1, Name: "away", Description: "a private network's", Endpoint: "http://10.0.0.1/",
		Unit: markettypes.UNIT_TOKEN, Price: 5, Per: 1000,
	}, &markettypes.MsgListService{
		Signer: w.owner.Address(), Hotkey: w.hotkey, Netuid: 1, Name: "mesh", Description: "by the mesh", Endpoint: peer.Endpoints()[0],
		Unit: markettypes.UNIT_TASK, Price: 5, Per: 1,
	}, &markettypes.MsgListService{
		Signer: w.owner.Address(), Hotkey: w.hotkey, Netuid: 1, Name: "relayed", Description: "behind a relay", Endpoint: through,
		Unit: markettypes.UNIT_TASK, Price: 5, Per: 1,
	})
	require.NoError(t, err)
	_, err = w.c.Send(ctx, []*wallet.Signer{w.user}, &alphatypes.MsgStake{
		Coldkey: w.user.Address(), Hotkey: w.hotkey, Netuid: 1, Tao: localnet.TAO, LimitPrice: 1 << 62, AllowPartial: true,
	})
	require.NoError(t, err)

	ix, err := indexer.Open(ctx, filepath.Join(t.TempDir(), "index.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ix.Close()) })
	s, err := console.New(console.Config{Client: w.c, Pages: page(), Version: "test", Index: ix,
		Indexing: func(ctx context.Context) error { return ix.Run(ctx, indexer.Node(w.c)) }})
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w.url = "http://" + ln.Addr().String()
	serving, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.Serve(serving, ln, nil) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
	})
	return w
}

// provideBehind is provide, of a host that only a relay reaches.
func provideBehind(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Lode-Behind", "a relay")
	provide(w, r)
}

// provide is a service's own server.
func provide(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/v1/words":
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("PAYMENT-REQUIRED", "terms")
		w.Header().Set("PAYMENT-RESPONSE", "receipt of "+r.Header.Get("PAYMENT-SIGNATURE"))
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Content-Security-Policy", "script-src *")
		w.Header().Set("Service-Worker-Allowed", "/")
		w.WriteHeader(http.StatusPaymentRequired)
		fmt.Fprintf(w, `{"method":%q,"query":%q,"body":%q,"cookie":%q,"authorization":%q,"origin":%q}`,
			r.Method, r.URL.RawQuery, body, r.Header.Get("Cookie"), r.Header.Get("Authorization"), r.Header.Get("Origin"))
	case "/v1/page":
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<script>alert(1)</script>")
	case "/v1/upgrade", "/v1/no-status":
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, map[string]string{
			"/v1/upgrade":   "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: evil\r\n\r\n",
			"/v1/no-status": "HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n",
		}[r.URL.Path])
	case "/v1/elsewhere":
		w.Header().Set("Content-Encoding", "br")
		w.Header().Set("Etag", `"of the page that is not there"`)
		http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
	case "/v1/events":
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: 1\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	default:
		http.NotFound(w, r)
	}
}

// get asks the API, checks the answer against the document, and reads it into v.
func (w *world) get(route, path string, v any) int {
	w.Helper()
	resp, err := w.http.Get(w.url + path)
	require.NoError(w, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(w, err)
	fits(w, "GET", route, resp.StatusCode, body)
	if v != nil {
		require.NoError(w, json.Unmarshal(body, v), "%s", body)
	}
	return resp.StatusCode
}

func (w *world) post(path string, body, v any) int {
	w.Helper()
	raw, err := json.Marshal(body)
	require.NoError(w, err)
	req, err := http.NewRequest(http.MethodPost, w.url+path, bytes.NewReader(raw))
	require.NoError(w, err)
	req.Header.Set("Origin", w.url)
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.http.Do(req)
	require.NoError(w, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(w, err)
	fits(w, "POST", path, resp.StatusCode, answer)
	if v != nil {
		require.NoError(w, json.Unmarshal(answer, v), "%s", answer)
	}
	return resp.StatusCode
}

// sign is what a wallet in the page does: a transaction of the user's, with what the API
// says of the account.
func (w *world) sign(sequence uint64, number uint64, feeRao, gas uint64, signed bool, msgs ...sdk.Msg) []byte {
	w.Helper()
	var any []*codectypes.Any
	for _, m := range msgs {
		a, err := codectypes.NewAnyWithValue(m)
		require.NoError(w, err)
		any = append(any, a)
	}
	body, err := (&txtypes.TxBody{Messages: any}).Marshal()
	require.NoError(w, err)
	pub, err := codectypes.NewAnyWithValue(w.user.PubKey())
	require.NoError(w, err)
	info, err := (&txtypes.AuthInfo{
		SignerInfos: []*txtypes.SignerInfo{{PublicKey: pub, Sequence: sequence,
			ModeInfo: &txtypes.ModeInfo{Sum: &txtypes.ModeInfo_Single_{Single: &txtypes.ModeInfo_Single{Mode: signingtypes.SignMode_SIGN_MODE_DIRECT}}}}},
		Fee: &txtypes.Fee{GasLimit: gas, Amount: sdk.NewCoins(sdk.NewCoin(client.Denom, sdkmath.NewIntFromUint64(feeRao)))},
	}).Marshal()
	require.NoError(w, err)
	raw := txtypes.TxRaw{BodyBytes: body, AuthInfoBytes: info, Signatures: [][]byte{{}}}
	if signed {
		doc, err := (&txtypes.SignDoc{BodyBytes: body, AuthInfoBytes: info, ChainId: localnet.ChainID, AccountNumber: number}).Marshal()
		require.NoError(w, err)
		raw.Signatures[0], err = w.user.Sign(doc)
		require.NoError(w, err)
	}
	out, err := raw.Marshal()
	require.NoError(w, err)
	return out
}

type txBytes struct {
	TxBytes []byte `json:"tx_bytes"`
}

type apiError struct {
	Error struct{ Code, Message, Hash string } `json:"error"`
}

func TestAConsoleOnARealNetwork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	user := w.user.Address()

	t.Run("every answer fits the document", func(t *testing.T) {
		w := *w
		w.T = t
		for route, path := range map[string]string{
			"/v1/status": "", "/v1/home": "", "/v1/subnets": "", "/v1/subnets/{netuid}": "/v1/subnets/1",
			"/v1/subnets/{netuid}/metagraph": "/v1/subnets/1/metagraph", "/v1/subnets/{netuid}/weights": "/v1/subnets/1/weights",
			"/v1/subnets/{netuid}/bonds": "/v1/subnets/1/bonds", "/v1/validators": "", "/v1/accounts/{address}": "/v1/accounts/" + user,
			"/v1/accounts/{address}/stakes": "/v1/accounts/" + user + "/stakes", "/v1/accounts/{address}/channels": "/v1/accounts/" + user + "/channels",
			"/v1/accounts/{address}/allowances": "/v1/accounts/" + user + "/allowances",
			"/v1/accounts/{address}/portfolio":  "/v1/accounts/" + user + "/portfolio", "/v1/market/services": "", "/v1/market/services/{id}": "/v1/market/services/1",
			"/v1/chain/params": "", "/v1/chain/account/{address}": "/v1/chain/account/" + user,
			"/v1/chain/quote": "/v1/chain/quote?kind=stake&netuid=1&amount=1000000000",
			"/v1/search":      "/v1/search?q=wor",
		} {
			if path == "" {
				path = route
			}
			require.Equal(t, 200, w.get(route, path, nil), path)
		}
		for route, path := range map[string]string{
			"/v1/subnets/{netuid}": "/v1/subnets/9", "/v1/subnets/{netuid}/metagraph": "/v1/subnets/9/metagraph",
			"/v1/subnets/{netuid}/weights": "/v1/subnets/9/weights", "/v1/market/services/{id}": "/v1/market/services/99",
		} {
			var e apiError
			require.Equal(t, 404, w.get(route, path, &e), path)
			require.Equal(t, "not_found", e.Error.Code, path)
		}
	})

	t.Run("the history is told, and fits the document", func(t *testing.T) {
		w := *w
		w.T = t
		// What the stream tells is in the index.
		events, end := subscribe(t, http.DefaultClient, w.url, "")
		nextEvent(t, events)
		told := nextEvent(t, events)
		end()
		var status struct {
			Indexed int64   `json:"indexed_height"`
			Problem *string `json:"index_error"`
		}
		w.get("/v1/status", "/v1/status", &status)
		require.Nil(t, status.Problem)
		require.GreaterOrEqual(t, status.Indexed, told.Height)

		var txs struct {
			Items []struct {
				Hash   string
				Height int64
			}
			Next string
		}
		w.get("/v1/transactions", "/v1/transactions", &txs)
		require.GreaterOrEqual(t, len(txs.Items), 3)
		for route, path := range map[string]string{
			"/v1/transactions/{hash}": "/v1/transactions/" + txs.Items[0].Hash, "/v1/blocks": "", "/v1/blocks/{height}": fmt.Sprintf("/v1/blocks/%d", txs.Items[0].Height),
			"/v1/subnets/{netuid}/candles": "/v1/subnets/1/candles?interval=5m", "/v1/subnets/{netuid}/emission": "/v1/subnets/1/emission",
			"/v1/subnets/{netuid}/registrations": "/v1/subnets/1/registrations", "/v1/accounts/{address}/income": "/v1/accounts/" + w.owner.Address() + "/income",
			"/v1/accounts/{address}/registrations": "/v1/accounts/" + w.owner.Address() + "/registrations",
			"/v1/accounts/{address}/transactions":  "/v1/accounts/" + user + "/transactions", "/v1/accounts/{address}/portfolio": "/v1/accounts/" + user + "/portfolio",
			"/v1/subnets": "", "/v1/subnets/{netuid}": "/v1/subnets/1", "/v1/search": "/v1/search?q=" + txs.Items[0].Hash,
		} {
			if path == "" {
				path = route
			}
			require.Equal(t, 200, w.get(route, path, nil), path)
		}
		var candles struct {
			Items []struct {
				Close  string
				Volume string `json:"volume_rao"`
			}
		}
		w.get("/v1/subnets/{netuid}/candles", "/v1/subnets/1/candles?interval=1d", &candles)
		require.NotEmpty(t, candles.Items)
		require.NotEqual(t, "0", candles.Items[len(candles.Items)-1].Volume)
		var figures struct {
			Items []struct {
				Volume *string `json:"volume_24h_rao"`
			}
		}
		w.get("/v1/subnets", "/v1/subnets", &figures)
		require.NotNil(t, figures.Items[0].Volume)

		// Pages hold together: each transaction comes once.
		seen, after := map[string]bool{}, ""
		for {
			w.get("/v1/transactions", "/v1/transactions?limit=1&after="+after, &txs)
			require.LessOrEqual(t, len(txs.Items), 1)
			for _, x := range txs.Items {
				require.False(t, seen[x.Hash])
				seen[x.Hash] = true
			}
			if after = txs.Next; after == "" {
				break
			}
		}
		require.GreaterOrEqual(t, len(seen), 3)
		for route, path := range map[string]string{
			"/v1/blocks/{height}": "/v1/blocks/99999999", "/v1/transactions/{hash}": "/v1/transactions/" + strings.Repeat("A", 64),
		} {
			require.Equal(t, 404, w.get(route, path, nil), path)
		}
		for route, path := range map[string]string{
			"/v1/blocks/{height}": "/v1/blocks/0", "/v1/transactions/{hash}": "/v1/transactions/xyz", "/v1/transactions": "/v1/transactions?after=%21",
			"/v1/subnets/{netuid}/candles": "/v1/subnets/1/candles?interval=2h", "/v1/subnets/{netuid}/emission": "/v1/subnets/1/emission?from=yesterday",
			"/v1/blocks": "/v1/blocks?after=nonsense",
		} {
			require.Equal(t, 400, w.get(route, path, nil), path)
		}

		resp, err := w.http.Get(w.url + "/v1/accounts/" + user + "/history.csv")
		require.NoError(t, err)
		defer resp.Body.Close()
		rows, err := csv.NewReader(resp.Body).ReadAll()
		require.NoError(t, err)
		require.Equal(t, "Date", rows[0][0])
		require.Greater(t, len(rows), 1)
	})

	t.Run("figures are the chain's", func(t *testing.T) {
		w := *w
		w.T = t
		var home struct {
			Height  int64
			Issued  string `json:"issued_rao"`
			Subnets []struct {
				Share float64 `json:"emission_share"`
			}
		}
		w.get("/v1/home", "/v1/home", &home)
		require.Positive(t, home.Height)
		require.Len(t, home.Subnets, 1)
		require.InDelta(t, 1, home.Subnets[0].Share, 1e-9)

		var account struct {
			Height    int64
			Exists    bool
			KeyType   string `json:"key_type"`
			Balance   string `json:"balance_rao"`
			Stakes    string `json:"stakes_value_rao"`
			Total     string `json:"total_rao"`
			Delegated string `json:"delegated_rao"`
		}
		w.get("/v1/accounts/{address}", "/v1/accounts/"+user, &account)
		at := client.AtHeight(w.ctx, account.Height)
		balance, err := w.c.Balance(at, user)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(balance), account.Balance)
		stakes, err := w.c.Alpha().Stakes(at, &alphatypes.QueryStakesRequest{Coldkey: user})
		require.NoError(t, err)
		require.Len(t, stakes.Stakes, 1)
		require.Equal(t, fmt.Sprint(stakes.Stakes[0].ValueTao), account.Stakes)
		require.Equal(t, fmt.Sprint(balance+stakes.Stakes[0].ValueTao), account.Total)
		require.Equal(t, "secp256k1", account.KeyType)
		require.True(t, account.Exists)

		var portfolio struct {
			Total   string `json:"total_rao"`
			Subnets []struct {
				Name   string
				Value  string `json:"value_rao"`
				Stakes []struct{ Registered bool }
			}
		}
		w.get("/v1/accounts/{address}/portfolio", "/v1/accounts/"+user+"/portfolio", &portfolio)
		require.Equal(t, "words", portfolio.Subnets[0].Name)
		require.True(t, portfolio.Subnets[0].Stakes[0].Registered)

		var none struct {
			Exists bool
			Total  string `json:"total_rao"`
		}
		stranger, err := wallet.NewSigner(bytes.Repeat([]byte{7}, 32))
		require.NoError(t, err)
		require.Equal(t, 200, w.get("/v1/accounts/{address}", "/v1/accounts/"+stranger.Address(), &none))
		require.False(t, none.Exists)
		require.Equal(t, "0", none.Total)

		var search struct {
			Items []struct{ Kind, ID, Path string }
		}
		for q, want := range map[string]string{"WORDS": "/subnets/1", "1": "/subnets/1", user: "/accounts/" + user, w.hotkey[:20]: "/accounts/" + w.hotkey, "away": "/market/services/2"} {
			w.get("/v1/search", "/v1/search?q="+url.QueryEscape(q), &search)
			require.NotEmpty(t, search.Items, q)
			require.Equal(t, want, search.Items[0].Path, q)
		}
	})

	t.Run("a metagraph can be had as a table", func(t *testing.T) {
		for _, how := range []struct{ query, accept string }{{"?format=csv", ""}, {"", "text/csv"}} {
			req, err := http.NewRequest(http.MethodGet, w.url+"/v1/subnets/1/metagraph"+how.query, nil)
			require.NoError(t, err)
			req.Header.Set("Accept", how.accept)
			resp, err := w.http.Do(req)
			require.NoError(t, err)
			require.Equal(t, "text/csv; charset=utf-8", resp.Header.Get("Content-Type"))
			rows, err := csv.NewReader(resp.Body).ReadAll()
			resp.Body.Close()
			require.NoError(t, err)
			require.Len(t, rows, 2)
			require.Equal(t, "uid", rows[0][0])
			require.Equal(t, w.hotkey, rows[1][1])
		}
	})

	t.Run("lists come in pages", func(t *testing.T) {
		w := *w
		w.T = t
		var list struct {
			Items []struct{ Name string }
			Next  string
		}
		names, after := []string{}, ""
		for {
			w.get("/v1/market/services", "/v1/market/services?limit=1&after="+after, &list)
			require.Len(t, list.Items, 1)
			names = append(names, list.Items[0].Name)
			if after = list.Next; after == "" {
				break
			}
		}
		require.ElementsMatch(t, []string{"words", "away", "mesh", "relayed"}, names)
	})

	t.Run("a wallet simulates, signs and sends", func(t *testing.T) {
		w := *w
		w.T = t
		var account struct {
			Number   uint64 `json:"account_number,string"`
			Sequence uint64 `json:"sequence,string"`
			Balance  uint64 `json:"balance_rao,string"`
		}
		w.get("/v1/chain/account/{address}", "/v1/chain/account/"+user, &account)
		gift := &banktypes.MsgSend{FromAddress: user, ToAddress: w.owner.Address(), Amount: sdk.NewCoins(sdk.NewInt64Coin(client.Denom, 5))}
		var sim struct {
			Limit uint64 `json:"gas_limit,string"`
			Fee   uint64 `json:"fee_rao,string"`
		}
		require.Equal(t, 200, w.post("/v1/chain/simulate", txBytes{w.sign(account.Sequence, account.Number, 1, 100_000, false, gift)}, &sim))
		tx := w.sign(account.Sequence, account.Number, sim.Fee, sim.Limit, true, gift)
		var sent struct {
			Hash   string
			Height int64
		}
		require.Equal(t, 200, w.post("/v1/chain/broadcast", txBytes{tx}, &sent))
		again := sent
		require.Equal(t, 200, w.post("/v1/chain/broadcast", txBytes{tx}, &again))
		require.Equal(t, sent, again, "the same bytes are the same transaction")
		before := account
		w.get("/v1/chain/account/{address}", "/v1/chain/account/"+user, &account)
		require.Equal(t, before.Balance-5-sim.Fee, account.Balance, "who asks next sees what it has done")
		require.Equal(t, before.Sequence+1, account.Sequence)

		var e apiError
		require.Equal(t, 422, w.post("/v1/chain/broadcast", txBytes{w.sign(before.Sequence, account.Number, sim.Fee, sim.Limit, true, gift, gift)}, &e))
		require.Equal(t, "tx_failed", e.Error.Code, "the sequence is used")
		much := &banktypes.MsgSend{FromAddress: user, ToAddress: w.owner.Address(), Amount: sdk.NewCoins(sdk.NewInt64Coin(client.Denom, 1<<62))}
		require.Equal(t, 422, w.post("/v1/chain/simulate", txBytes{w.sign(account.Sequence, account.Number, 1, 100_000, false, much)}, &e))
		require.Equal(t, "insufficient_funds", e.Error.Code)
		require.Equal(t, 422, w.post("/v1/chain/broadcast", txBytes{w.sign(account.Sequence, account.Number, 0, sim.Limit, true, gift)}, &e))
		require.Equal(t, "fee_too_low", e.Error.Code)
		require.Equal(t, 422, w.post("/v1/chain/broadcast", txBytes{[]byte("nonsense")}, &e))
		require.Equal(t, "tx_failed", e.Error.Code)
	})

	t.Run("what an account allows other keys is listed, with the fees that it pays", func(t *testing.T) {
		w := *w
		w.T = t
		agent, other := w.hotkey, w.owner.Address()
		at := func(address string) sdk.AccAddress { return sdk.MustAccAddressFromBech32(address) }
		ends := time.Now().Add(240 * time.Hour).UTC().Truncate(time.Second)
		grant := func(to string, a authz.Authorization) sdk.Msg {
			m, err := authz.NewMsgGrant(w.user.AccAddress(), at(to), a, &ends)
			require.NoError(t, err)
			return m
		}
		coins := sdk.NewCoins(sdk.NewCoin(client.Denom, sdkmath.NewInt(77)))
		fees, err := feegrant.NewAllowedMsgAllowance(&feegrant.PeriodicAllowance{Period: time.Hour, PeriodSpendLimit: coins, PeriodCanSpend: coins, PeriodReset: ends}, []string{"/lode.market.v1.MsgClose"})
		require.NoError(t, err)
		paid, err := feegrant.NewMsgGrantAllowance(fees, w.user.AccAddress(), at(agent))
		require.NoError(t, err)
		_, err = w.c.Send(w.ctx, []*wallet.Signer{w.user},
			grant(agent, &markettypes.SpendAuthorization{Spender: agent, Limit: 900, PerPeriod: 30, Period: 3600, MaxDeposit: 7, ServiceIds: []uint64{1}}), paid,
			grant(other, &markettypes.SpendAuthorization{Spender: other, Limit: 5, Netuids: []uint32{1}}))
		require.NoError(t, err)

		type allowance struct {
			Agent    string
			Left     string   `json:"left_rao"`
			Per      *string  `json:"per_period_rao"`
			OfIt     *string  `json:"period_left_rao"`
			Most     *string  `json:"max_deposit_rao"`
			Netuids  []uint32 `json:"netuids"`
			Services []string `json:"service_ids"`
			Ends     string   `json:"ends"`
			Pays     bool     `json:"pays_fees"`
			Fees     *string  `json:"fees_rao"`
		}
		var list struct {
			Items []allowance
			Next  string
		}
		text := func(s string) *string { return &s }
		all := map[string]allowance{}
		for after := ""; ; after = "&after=" + list.Next { // a page each
			require.Equal(t, 200, w.get("/v1/accounts/{address}/allowances", "/v1/accounts/"+w.user.Address()+"/allowances?limit=1"+after, &list))
			for _, a := range list.Items {
				all[a.Agent] = a
			}
			if list.Next == "" {
				break
			}
		}
		until := ends.Format(time.RFC3339)
		require.Equal(t, map[string]allowance{
			agent: {agent, "900", text("30"), text("30"), text("7"), []uint32{}, []string{"1"}, until, true, text("77")},
			other: {other, "5", nil, nil, nil, []uint32{1}, []string{}, until, false, nil},
		}, all)
		var none struct{ Items []allowance }
		w.get("/v1/accounts/{address}/allowances", "/v1/accounts/"+agent+"/allowances", &none)
		require.Empty(t, none.Items, "what is allowed to it is not told")
		require.Equal(t, 400, w.get("/v1/accounts/{address}/allowances", "/v1/accounts/lode1x/allowances", nil))
		require.Equal(t, 400, w.get("/v1/accounts/{address}/allowances", "/v1/accounts/"+agent+"/allowances?after=!", nil))
	})

	t.Run("a quote says the best and the worst", func(t *testing.T) {
		w := *w
		w.T = t
		var q struct {
			Trades []struct {
				Fee, Given, Expected, Least uint64 `json:",string"`
				Within                      bool   `json:"within_limit"`
				Impact                      float64
			}
		}
		require.Equal(t, 200, w.get("/v1/chain/quote", "/v1/chain/quote?kind=stake&netuid=1&amount=1000000000&slippage=500", &q))
		require.Len(t, q.Trades, 1)
		tr := q.Trades[0]
		require.Less(t, tr.Least, tr.Expected)
		require.Positive(t, tr.Fee)
		require.Positive(t, tr.Impact)
		require.True(t, tr.Within)
		require.Equal(t, 200, w.get("/v1/chain/quote", "/v1/chain/quote?kind=unstake&netuid=1&amount=100000000", &q))
		require.Negative(t, q.Trades[0].Impact)
		var e apiError
		require.Equal(t, 404, w.get("/v1/chain/quote", "/v1/chain/quote?kind=stake&netuid=7&amount=1000000000", &e))
	})

	t.Run("blocks stream as they come", func(t *testing.T) {
		events, end := subscribe(t, http.DefaultClient, w.url, "")
		defer end()
		first := nextEvent(t, events)
		second := nextEvent(t, events)
		require.Equal(t, first.Height+1, second.Height)
		require.False(t, second.Missed)
	})

	t.Run("a service is bought through the console", func(t *testing.T) {
		buy := func(method, path, body string, headers ...string) (*http.Response, string) {
			req, err := http.NewRequest(method, w.url+path, strings.NewReader(body))
			require.NoError(t, err)
			req.Header.Set("Origin", w.url)
			req.Header.Set("Cookie", "secret=1")
			req.Header.Set("Authorization", "Bearer secret")
			for i := 0; i < len(headers); i += 2 {
				req.Header.Set(headers[i], headers[i+1])
			}
			c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			resp, err := c.Do(req)
			require.NoError(t, err)
			answer, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			return resp, string(answer)
		}
		resp, body := buy("POST", "/buy/1/words?a=1", "hello", "PAYMENT-SIGNATURE", "voucher", "Content-Type", "text/plain")
		require.Equal(t, http.StatusPaymentRequired, resp.StatusCode)
		require.JSONEq(t, `{"method":"POST","query":"a=1","body":"hello","cookie":"","authorization":"","origin":""}`, body)
		require.Equal(t, "terms", resp.Header.Get("PAYMENT-REQUIRED"))
		require.Equal(t, "receipt of voucher", resp.Header.Get("PAYMENT-RESPONSE"))
		for _, h := range []string{"Set-Cookie", "Access-Control-Allow-Origin", "Service-Worker-Allowed"} {
			require.Empty(t, resp.Header.Get(h), h)
		}
		require.Contains(t, resp.Header.Get("Content-Security-Policy"), "sandbox")
		require.NotContains(t, resp.Header.Get("Content-Security-Policy"), "*")

		resp, _ = buy("GET", "/buy/1/page", "")
		require.Equal(t, "application/octet-stream", resp.Header.Get("Content-Type"), "it is no page here")
		require.Equal(t, "attachment", resp.Header.Get("Content-Disposition"))
		resp, body = buy("GET", "/buy/1/elsewhere", "")
		require.Equal(t, http.StatusBadGateway, resp.StatusCode, body)
		require.Empty(t, resp.Header.Get("Location"))
		require.Contains(t, body, "unreachable")
		for _, h := range []string{"Content-Encoding", "Etag", "Content-Disposition"} {
			require.Empty(t, resp.Header.Get(h), "%s of a provider is on the console's own error", h)
		}
		for _, path := range []string{"/buy/1/upgrade", "/buy/1/no-status"} {
			resp, body = buy("GET", path, "")
			require.Equal(t, http.StatusBadGateway, resp.StatusCode, "%s: %s", path, body)
			require.Contains(t, body, "unreachable", path)
		}
		resp, _ = buy("GET", "/buy/1/..%2f..%2fadmin", "")
		require.NotEqual(t, http.StatusOK, resp.StatusCode)
		resp, body = buy("GET", "/buy/2/x", "")
		require.Equal(t, http.StatusForbidden, resp.StatusCode, body)
		require.Contains(t, body, "not_allowed")
		resp, body = buy("PUT", "/buy/3/v1/words?b=2", "by the mesh", "PAYMENT-SIGNATURE", "voucher")
		require.Equal(t, http.StatusPaymentRequired, resp.StatusCode, body)
		require.Contains(t, body, `"method":"PUT","query":"b=2","body":"by the mesh"`)
		require.Equal(t, "receipt of voucher", resp.Header.Get("PAYMENT-RESPONSE"))
		require.Empty(t, resp.Header.Get("Lode-Behind"))
		resp, body = buy("POST", "/buy/4/v1/words?c=3", "through a relay", "PAYMENT-SIGNATURE", "voucher")
		require.Equal(t, http.StatusPaymentRequired, resp.StatusCode, body)
		require.Contains(t, body, `"method":"POST","query":"c=3","body":"through a relay"`)
		require.Equal(t, "a relay", resp.Header.Get("Lode-Behind"), "not the host of the same hotkey that was called before")
		resp, _ = buy("GET", "/buy/77/x", "")
		require.Equal(t, http.StatusNotFound, resp.StatusCode)

		// What streams comes as it is written.
		ctx, cancel := context.WithCancel(w.ctx)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/buy/1/events", nil)
		require.NoError(t, err)
		stream, err := w.http.Do(req)
		require.NoError(t, err)
		defer stream.Body.Close()
		part := make([]byte, 9)
		_, err = io.ReadFull(stream.Body, part)
		require.NoError(t, err)
		require.Equal(t, "data: 1\n\n", string(part))
	})

	t.Run("what asks the chain needs no index", func(t *testing.T) {
		w := *w
		w.T = t
		for name, ix := range map[string]console.Index{"broken": deadIndex{}, "silent": deadIndex{silent: true}} {
			_, h := listen(t, func(c *console.Config) { c.Client, c.Index = w.c, ix })
			w.url = h.URL
			for _, path := range []string{"/v1/subnets", "/v1/subnets/{netuid}", "/v1/accounts/{address}/portfolio", "/v1/search", "/v1/status"} {
				at := strings.NewReplacer("{netuid}", "1", "{address}", w.user.Address(), "search", "search?q=words").Replace(path)
				began := time.Now()
				require.Equal(t, http.StatusOK, w.get(path, at, nil), "%s, %s", path, name)
				require.Less(t, time.Since(began), 20*time.Second, "%s, %s", path, name)
			}
		}
		ran := make(chan struct{})
		s, h := listen(t, func(c *console.Config) {
			c.Client, c.Index = w.c, otherIndex{}
			c.Indexing = func(context.Context) error {
				defer close(ran)
				return indexer.ErrForeign
			}
		})
		w.url = h.URL
		ctx, cancel := context.WithCancel(w.ctx)
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		<-ran
		require.Eventually(t, func() bool {
			var list struct {
				Items []struct {
					Volume *string `json:"volume_24h_rao"`
				}
			}
			require.Equal(t, http.StatusOK, w.get("/v1/subnets", "/v1/subnets", &list))
			return list.Items[0].Volume == nil
		}, 10*time.Second, 10*time.Millisecond, "an index of another chain adds nothing to this one's figures")
		cancel()
		require.NoError(t, <-done)
		var problem apiError
		_, h = listen(t, func(c *console.Config) { c.Client, c.Index = w.c, deadIndex{} })
		w.url = h.URL
		require.Equal(t, http.StatusServiceUnavailable, w.get("/v1/blocks", "/v1/blocks", &problem))
		require.Equal(t, "unavailable", problem.Error.Code)
		require.NotContains(t, problem.Error.Message, "user=lode", "what a database says of itself is for the log")
		require.Equal(t, http.StatusNotFound, w.get("/v1/subnets/{netuid}/candles", "/v1/subnets/9/candles", nil), "what the chain says stays")
	})

	t.Run("delegations are told as the chain has them", func(t *testing.T) {
		w := *w
		w.T = t
		w.delegates()
	})

	t.Run("proposals are told as the chain has them", func(t *testing.T) {
		w := *w
		w.T = t
		w.governs()
	})
}

// deadIndex is an index whose database can't be read, or never answers.
type deadIndex struct {
	console.Index
	silent bool
}

func (d deadIndex) fail(ctx context.Context) error {
	if d.silent {
		<-ctx.Done()
		return ctx.Err()
	}
	return errors.New("failed to connect to `user=lode database=lode`")
}

func (d deadIndex) Status(ctx context.Context) (indexer.Status, error) {
	return indexer.Status{}, d.fail(ctx)
}

func (deadIndex) Trouble() error { return nil }

func (d deadIndex) Figures(ctx context.Context) ([]indexer.Figures, error) { return nil, d.fail(ctx) }

func (d deadIndex) Search(ctx context.Context, _ string) ([]indexer.Found, error) {
	return nil, d.fail(ctx)
}

func (d deadIndex) Yields(ctx context.Context, _ string) ([]indexer.StakeYields, indexer.At, error) {
	return nil, indexer.At{}, d.fail(ctx)
}

func (d deadIndex) Blocks(ctx context.Context, _ indexer.Page) (indexer.List[indexer.Block], error) {
	return indexer.List[indexer.Block]{}, d.fail(ctx)
}

// otherIndex is an index of another chain, which had a subnet of the same number.
type otherIndex struct{ console.Index }

func (otherIndex) Trouble() error { return nil }

func (otherIndex) Blocks(context.Context, indexer.Page) (indexer.List[indexer.Block], error) {
	return indexer.List[indexer.Block]{}, indexer.ErrEmpty
}

func (otherIndex) Figures(context.Context) ([]indexer.Figures, error) {
	return []indexer.Figures{{SubnetID: 1, Netuid: 1, Volume24h: 77}}, nil
}

// oneTransaction is an index that has one.
type oneTransaction struct{ console.Index }

func (oneTransaction) Transaction(_ context.Context, hash string) (indexer.TransactionDetail, error) {
	d := indexer.TransactionDetail{}
	d.Hash, d.Height, d.Time, d.Signers, d.Types = hash, 4, time.Unix(9, 0).UTC(), []string{}, []string{}
	return d, nil
}

// A node that keeps no results of old blocks, or says what is none, takes nothing from what
// the index knows.
func TestATransactionIsShownWithoutItsEventsWhereTheNodeHasNone(t *testing.T) {
	t.Parallel()
	for _, answer := range []struct {
		status int
		body   string
	}{{http.StatusGone, "it kept no results of it"}, {http.StatusOK, "\x02\x08\x01"}} {
		node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == records.Path {
				w.Header().Set("Content-Type", records.ContentType)
				w.WriteHeader(answer.status)
				io.WriteString(w, answer.body)
				return
			}
			var ask struct{ ID json.RawMessage }
			if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"node_info":{"network":"lode-9"},"sync_info":{"latest_block_height":"9","latest_block_time":%q}}}`,
				ask.ID, time.Now().UTC().Format(time.RFC3339Nano))
		}))
		t.Cleanup(node.Close)
		c, err := client.New(client.Config{Nodes: []string{node.URL}})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, c.Close()) })
		_, h := listen(t, func(cfg *console.Config) { cfg.Client, cfg.Index = c, oneTransaction{} })
		hash := strings.Repeat("AB", 32)
		resp, err := h.Client().Get(h.URL + "/v1/transactions/" + hash)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode, "%s", body)
		fits(t, "GET", "/v1/transactions/{hash}", resp.StatusCode, body)
		require.Contains(t, string(body), `"events":[]`)
	}
}

// movingIndex is an index that another process writes.
type movingIndex struct {
	console.Index
	height atomic.Int64
}

func (m *movingIndex) Status(context.Context) (indexer.Status, error) {
	return indexer.Status{At: indexer.At{Height: m.height.Load()}}, nil
}

func (m *movingIndex) Trouble() error { return nil }

// A second console reads all that an index has before it can tell whether it may write: it
// does so once, and again where the first one writes no more.
func TestAnIndexThatAnotherProcessWritesIsLeftToIt(t *testing.T) {
	t.Parallel()
	ix, tries := &movingIndex{}, 0
	s := newServer(t, func(c *console.Config) {
		c.Index = ix
		c.Indexing = func(ctx context.Context) error {
			if tries++; tries < 3 {
				return indexer.ErrBusy
			}
			<-ctx.Done()
			return nil
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.KeepIndex(ctx) }()
		for range 600 {
			ix.height.Add(1)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		require.Equal(t, 1, tries, "the other one writes a block a second")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 3, tries, "it has ended")
		cancel()
		require.NoError(t, <-done)
	})
}

// emptyIndex is an index that has no block.
type emptyIndex struct{ console.Index }

func (emptyIndex) Trouble() error { return nil }

func (emptyIndex) Status(context.Context) (indexer.Status, error) {
	return indexer.Status{}, indexer.ErrEmpty
}

func TestAnIndexThatStandsStillIsSaidToStandStill(t *testing.T) {
	t.Parallel()
	runs := make(chan error)
	s, h := listen(t, func(c *console.Config) {
		c.Index = emptyIndex{}
		c.Indexing = func(ctx context.Context) error {
			select {
			case err := <-runs:
				return err
			case <-ctx.Done():
				return nil
			}
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	problem := func() *string {
		resp, err := h.Client().Get(h.URL + "/v1/status")
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		fits(t, "GET", "/v1/status", resp.StatusCode, body)
		var v struct {
			Indexed *int64  `json:"indexed_height"`
			Problem *string `json:"index_error"`
		}
		require.NoError(t, json.Unmarshal(body, &v))
		require.Zero(t, *v.Indexed)
		return v.Problem
	}
	require.Nil(t, problem())
	runs <- fmt.Errorf("%w: process 7", indexer.ErrBusy)
	runs <- fmt.Errorf("%w: of lode-9", indexer.ErrForeign) // taken up, so that the first is over
	require.Eventually(t, func() bool { p := problem(); return p != nil && strings.Contains(*p, "lode-9") }, 10*time.Second, 10*time.Millisecond)
	select {
	case runs <- nil:
		t.Fatal("an index of another chain was begun again")
	case <-time.After(3 * time.Second): // more than the pause before another try
	}
	resp, err := h.Client().Get(h.URL + "/v1/blocks")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode, "another chain's blocks are not shown as this one's")
	require.Equal(t, "unavailable", code(t, resp))
	cancel()
	require.NoError(t, <-done)
}
