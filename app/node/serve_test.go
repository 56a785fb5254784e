//lint:file-ignore SA1019 v1alpha is the only reflection that the SDK serves

package node_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/node"
)

func TestGRPCServesQueriesAndSaysWhichThereAre(t *testing.T) {
	home, operator := initHome(t, 100*time.Millisecond)
	n := start(t, home)
	wait(t, n, 1)
	conn, err := grpc.NewClient(n.Endpoints().GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	balance, err := banktypes.NewQueryClient(conn).Balance(t.Context(), &banktypes.QueryBalanceRequest{Address: operator, Denom: app.BaseDenom})
	require.NoError(t, err)
	require.EqualValues(t, 5*tao, balance.Balance.Amount.Int64())

	stream, err := reflection.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(&reflection.ServerReflectionRequest{MessageRequest: &reflection.ServerReflectionRequest_ListServices{}}))
	res, err := stream.Recv()
	require.NoError(t, err)
	var services []string
	for _, s := range res.GetListServicesResponse().GetService() {
		services = append(services, s.GetName())
	}
	for _, name := range []string{"lode.alpha.v1.Query", "lode.emission.v1.Query", "cosmos.tx.v1beta1.Service", "cosmos.staking.v1beta1.Query"} {
		require.Contains(t, services, name)
	}
}

func TestATransactionIsFoundByItsEventsAlsoAfterARestart(t *testing.T) {
	home, operator := initHome(t, 100*time.Millisecond)
	n := start(t, home)
	wait(t, n, 1)
	raw := transfer(t, operatorKey(operator), operator)
	body, _ := get(t, "http://"+n.Endpoints().RPC+"/broadcast_tx_commit?tx=0x"+fmt.Sprintf("%X", raw))
	require.Contains(t, body, `"tx_result":{"code":0,`)

	find := "/tx_search?query=" + url.QueryEscape(`"transfer.sender='`+operator+`'"`)
	// It is indexed a moment after its block: by the next one for certain.
	wait(t, n, n.Height()+1)
	body, _ = get(t, "http://"+n.Endpoints().RPC+find)
	require.Contains(t, body, `"total_count":"1"`)
	require.Contains(t, body, base64.StdEncoding.EncodeToString(raw))
	require.NoError(t, n.Stop())

	n = start(t, home)
	body, _ = get(t, "http://"+n.Endpoints().RPC+find)
	require.Contains(t, body, `"total_count":"1"`)
}

func TestStopClosesEveryConnection(t *testing.T) {
	home, _ := initHome(t, 100*time.Millisecond)
	n := start(t, home)
	conn, err := net.Dial("tcp", n.Endpoints().RPC)
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET /websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	require.NoError(t, err)
	buf := make([]byte, 1024)
	read, err := conn.Read(buf)
	require.NoError(t, err)
	require.Contains(t, string(buf[:read]), "101 Switching Protocols")

	require.NoError(t, n.Stop())
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	for err == nil { // what was on its way
		_, err = conn.Read(buf)
	}
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection is still open")
}

func TestAWebPageMayCallWhereCORSIsOpenAndNowhereElse(t *testing.T) {
	home, _ := initHome(t, 100*time.Millisecond)
	n := start(t, home)
	preflight := func(addr string) string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, "http://"+addr+"/status", nil)
		require.NoError(t, err)
		req.Header.Set("Origin", "http://example.org")
		req.Header.Set("Access-Control-Request-Method", http.MethodPost)
		req.Header.Set("Access-Control-Request-Headers", "content-type")
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		return res.Header.Get("Access-Control-Allow-Origin")
	}
	require.Equal(t, "*", preflight(n.Endpoints().RPC))
	require.Equal(t, "*", preflight(n.Endpoints().REST))
	require.NoError(t, n.Stop())

	c := config(home)
	c.CORS = false
	n, err := node.Start(t.Context(), c)
	require.NoError(t, err)
	defer func() { require.NoError(t, n.Stop()) }()
	require.Empty(t, preflight(n.Endpoints().RPC))
	require.Empty(t, preflight(n.Endpoints().REST))
}

func TestAnExportedHomeImportedExportsTheSame(t *testing.T) {
	home, operator := initHome(t, 100*time.Millisecond)
	n := start(t, home)
	wait(t, n, 1)
	_, _ = get(t, "http://"+n.Endpoints().RPC+"/broadcast_tx_commit?tx=0x"+fmt.Sprintf("%X", transfer(t, operatorKey(operator), operator)))
	_, err := node.Export(home, 0)
	require.ErrorContains(t, err, "is the node running?")
	require.NoError(t, n.Stop())
	first := export(t, home)

	other := t.TempDir()
	require.NoError(t, node.Import(other, "two", writeFile(t, first)))
	require.Equal(t, string(first), string(export(t, other)))
	require.ErrorIs(t, node.Import(other, "two", writeFile(t, first)), node.ErrExists)
}

func TestAFileThatIsNoGenesisMakesNoNode(t *testing.T) {
	home := t.TempDir()
	for says, content := range map[string]string{
		"it is not JSON":   "hello",
		"is no genesis":    `{"chain_id":"lode-1"}`,
		"app_state has no": `{"chain_id":"lode-1","consensus":{},"app_state":{}}`,
		"chain_id":         `{"consensus":{},"app_state":{}}`,
	} {
		require.ErrorContains(t, node.Import(home, "x", writeFile(t, []byte(content))), says)
	}
	require.ErrorIs(t, node.Check(home), node.ErrNoNode)
	require.Error(t, node.Import(home, "x", home+"/missing.json"))
}

// transfer is a transaction by which the operator sends itself a rao.
func transfer(t *testing.T, key *secp256k1.PrivKey, operator string) []byte {
	t.Helper()
	enc := app.MakeEncodingConfig()
	addr, err := sdk.AccAddressFromBech32(operator)
	require.NoError(t, err)
	b := enc.TxConfig.NewTxBuilder()
	require.NoError(t, b.SetMsgs(banktypes.NewMsgSend(addr, addr, sdk.NewCoins(sdk.NewInt64Coin(app.BaseDenom, 1)))))
	b.SetGasLimit(200_000)
	b.SetFeeAmount(sdk.NewCoins(sdk.NewInt64Coin(app.BaseDenom, 2_000)))
	sig := signing.SignatureV2{PubKey: key.PubKey(), Data: &signing.SingleSignatureData{SignMode: signing.SignMode_SIGN_MODE_DIRECT}}
	require.NoError(t, b.SetSignatures(sig))
	bytes, err := authsigning.GetSignBytesAdapter(t.Context(), enc.TxConfig.SignModeHandler(), signing.SignMode_SIGN_MODE_DIRECT,
		authsigning.SignerData{Address: operator, ChainID: "lode-local-1", PubKey: key.PubKey()}, b.GetTx())
	require.NoError(t, err)
	signature, err := key.Sign(bytes)
	require.NoError(t, err)
	sig.Data = &signing.SingleSignatureData{SignMode: signing.SignMode_SIGN_MODE_DIRECT, Signature: signature}
	require.NoError(t, b.SetSignatures(sig))
	raw, err := enc.TxConfig.TxEncoder()(b.GetTx())
	require.NoError(t, err)
	return raw
}

func export(t *testing.T, home string) []byte {
	t.Helper()
	g, err := node.Export(home, 0)
	require.NoError(t, err)
	raw, err := node.MarshalGenesis(g)
	require.NoError(t, err)
	require.True(t, json.Valid(raw))
	require.True(t, strings.HasSuffix(string(raw), "}\n"))
	return raw
}

// Explorers list a block's transactions: the proof that it begins with is one
// without content, and no error.
func TestABlocksTransactionsAreListedDespiteItsProof(t *testing.T) {
	home, _ := initHome(t, 100*time.Millisecond)
	n := start(t, home)
	wait(t, n, 3)
	body, _ := get(t, "http://"+n.Endpoints().REST+"/cosmos/tx/v1beta1/txs?query=tx.height%3D2")
	var list struct {
		Total string `json:"total"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	require.Equal(t, "1", list.Total, body)
	body, _ = get(t, "http://"+n.Endpoints().REST+"/cosmos/tx/v1beta1/txs/block/2")
	require.Contains(t, body, `"block_id"`)
	body, _ = get(t, "http://"+n.Endpoints().REST+"/lode/seed/v1/seeds/2")
	require.Contains(t, body, `"proved":true`)
}
