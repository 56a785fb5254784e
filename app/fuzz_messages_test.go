package app_test

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	gogoproto "github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	protov2 "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	errorsmod "cosmossdk.io/errors"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/x/tx/signing/aminojson"

	"github.com/lodenet/lode/app"
)

// messages tries messages on one state that nothing changes.
type messages struct {
	*replica
	urls    []string
	served  []string
	encoder aminojson.Encoder
	reached map[string]int // by message: how often its handler succeeded
	begun   sdk.Context    // the next block, in which nothing has happened yet
}

func newMessages(t testing.TB) *messages {
	t.Helper()
	r := newWorld(t).replica(t, appOptions{app.FlagOptimistic: false})
	r.reset(t)
	m := &messages{
		replica: r, urls: messageURLs(r.InterfaceRegistry), reached: map[string]int{},
		encoder: aminojson.NewEncoder(aminojson.EncoderOptions{FileResolver: r.InterfaceRegistry}),
	}
	for _, hot := range []string{"miner-1-hot", "validator-1-hot"} {
		m.served = append(m.served, served(t, hot).Endpoints...)
	}
	m.begin()
	return m
}

// begin makes the state in which a block's first transaction runs.
func (m *messages) begin() {
	header := cmtproto.Header{ChainID: chainID, Height: m.height + 1, Time: m.time.Add(1e9), ProposerAddress: m.proposer}
	base := m.below(header).WithExecMode(sdk.ExecModeFinalize).WithVoteInfos(m.votes().Votes)
	m.begun, _ = base.WithConsensusParams(m.GetConsensusParams(base)).CacheContext()
	require.NoError(m.t, m.Seed.PreBlock(m.begun, m.proposer, m.height+1, [][]byte{m.frame()}))
	require.NoError(m.t, m.BeginModules(m.begun))
}

// made is a message of a program: its bytes as they come, or fields that fit.
func (m *messages) made(url string, data []byte) []byte {
	p := &program{data}
	if p.byte()%4 == 0 {
		return p.left
	}
	d, err := m.InterfaceRegistry.FindDescriptorByName(protoreflect.FullName(strings.TrimPrefix(url, "/")))
	require.NoError(m.t, err)
	b := &builder{program: p, registry: m.InterfaceRegistry, left: 2_000, served: m.served}
	return b.message(d.(protoreflect.MessageDescriptor), 0)
}

// try runs a message through the mempool's check, and as a block would on a state
// that is thrown away.
func (m *messages) try(url string, value []byte) {
	m.t.Helper()
	packed := &codectypes.Any{TypeUrl: url, Value: value}
	d := draft{body: txtypes.TxBody{Messages: []*codectypes.Any{packed}}, fee: txtypes.Fee{GasLimit: fuzzGas, Amount: rao(fuzzGas / 100)}}
	if signers, _, err := m.Codec.GetMsgAnySigners(packed); err == nil {
		for _, s := range signers {
			if p := whose(s); p != nil {
				d.signers = append(d.signers, *p)
			}
		}
	}
	raw := m.sealed(d)

	res, err := m.CheckTx(&abci.RequestCheckTx{Tx: raw, Type: abci.CheckTxType_New})
	require.NoError(m.t, err)
	m.noPanic(res.Codespace, res.Code, res.Log)
	_, _, err = m.Simulate(raw)
	codespace, code, text := errorsmod.ABCIInfo(err, true)
	m.noPanic(codespace, code, text)

	tx, err := m.TxConfig.TxDecoder()(raw)
	if err != nil {
		require.NotZero(m.t, res.Code, "a mempool takes what can't be read")
		return
	}
	d.decided = true
	raw = m.sealed(d)
	again, err := m.TxConfig.TxDecoder()(raw)
	require.NoError(m.t, err)
	m.deliver(again, raw, res.Code == 0)
	m.texts(url, value, tx.GetMsgs()[0])
}

// upstream are handlers of the SDK that panic on what only they can refuse, such as a
// rate that was left empty. The transaction fails, pays, and leaves no trace
// ([TestWhereTheSDKPanicsTheTransactionFailsAndPays]).
var upstream = []string{"x/staking/keeper.msgServer.EditValidator("}

func isUpstream(stack string) bool {
	return slices.ContainsFunc(upstream, func(handler string) bool { return strings.Contains(stack, handler) })
}

func (m *messages) noPanic(codespace string, code uint32, text string) {
	m.t.Helper()
	if _, panicked, _ := errorsmod.ABCIInfo(errorsmod.ErrPanic, false); code == panicked && codespace == errorsmod.UndefinedCodespace && !isUpstream(text) {
		m.t.Fatal(text)
	}
}

// deliver runs ante handlers and messages as a block does. Where nobody can have
// signed, as for governance, messages run all the same.
func (m *messages) deliver(tx sdk.Tx, raw []byte, checked bool) {
	m.t.Helper()
	ctx, _ := m.begun.WithTxBytes(raw).CacheContext()

	ante, _ := ctx.CacheContext()
	after, err := m.guarded(func() (sdk.Context, error) { return m.AnteHandler()(ante, tx, false) })
	if checked {
		require.NoError(m.t, err, "the mempool takes it, a block doesn't")
		require.Positive(m.t, after.GasMeter().GasConsumed())
		ctx = after
	}
	ctx = ctx.WithGasMeter(storetypes.NewGasMeter(fuzzGas)).WithIsCheckTx(false)
	run, write := ctx.CacheContext()
	ok := false
	_, err = m.guarded(func() (sdk.Context, error) {
		for _, msg := range tx.GetMsgs() {
			handler := m.MsgServiceRouter().Handler(msg)
			if handler == nil {
				return run, errors.New("no handler")
			}
			if _, err := handler(run, msg); err != nil {
				return run, err
			}
		}
		return run, nil
	})
	if err == nil {
		ok = true
		write()
		m.reached[sdk.MsgTypeURL(tx.GetMsgs()[0])]++
	}
	if !ok {
		return
	}
	ctx = ctx.WithGasMeter(storetypes.NewInfiniteGasMeter())
	require.NoError(m.t, m.CheckInvariants(ctx))
	require.NoError(m.t, m.EndModules(ctx), "the block's end after %T", tx.GetMsgs()[0])
	require.NoError(m.t, m.CheckInvariants(ctx))
}

// guarded runs something that may run out of gas, and panic for no other reason.
func (m *messages) guarded(run func() (sdk.Context, error)) (ctx sdk.Context, err error) {
	m.t.Helper()
	defer func() {
		switch r := recover().(type) {
		case nil:
		case storetypes.ErrorOutOfGas, storetypes.ErrorGasOverflow:
			err = fmt.Errorf("%v", r)
		default:
			stack := string(debug.Stack())
			if !isUpstream(stack) {
				m.t.Fatalf("panic: %v\n%s", r, stack)
			}
			err = fmt.Errorf("%v", r)
		}
	}()
	return run()
}

// texts takes a message to JSON and back, and to what hardware wallets sign.
func (m *messages) texts(url string, value []byte, msg sdk.Msg) {
	m.t.Helper()
	_, err := m.guarded(func() (ctx sdk.Context, err error) {
		text, err := m.Codec.MarshalJSON(msg)
		if err != nil {
			return ctx, err
		}
		back, err := m.InterfaceRegistry.Resolve(url)
		if err != nil {
			return ctx, err
		}
		if err := m.Codec.UnmarshalJSON(text, back); err != nil {
			return ctx, err
		}
		again, err := m.Codec.MarshalJSON(back)
		if err != nil {
			return ctx, err
		}
		if err := m.Codec.UnmarshalJSON(again, back); err != nil {
			return ctx, err
		}
		third, err := m.Codec.MarshalJSON(back)
		require.NoError(m.t, err)
		require.JSONEq(m.t, string(again), string(third)) // the first may have had numbers that were never set
		return ctx, nil
	})
	_ = err // what JSON can't say, such as text that isn't UTF-8, is refused
	_, err = m.guarded(func() (ctx sdk.Context, err error) {
		d, err := m.InterfaceRegistry.FindDescriptorByName(protoreflect.FullName(strings.TrimPrefix(url, "/")))
		if err != nil {
			return ctx, err
		}
		dynamic := dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))
		if err := protov2.Unmarshal(value, dynamic); err != nil {
			return ctx, err
		}
		_, err = m.encoder.Marshal(dynamic)
		return ctx, err
	})
	_ = err
	again, err := gogoproto.Marshal(msg)
	require.NoError(m.t, err)
	back, err := m.InterfaceRegistry.Resolve(url)
	require.NoError(m.t, err)
	require.NoError(m.t, m.Codec.Unmarshal(again, back), "what was read and written again can be read")
}

// Whatever a message says, it is refused or it runs: nothing panics, all books
// balance afterwards, and the block can end.
func FuzzEveryMessage(f *testing.F) {
	m := newMessages(f)
	for i := range m.urls {
		f.Add(uint8(i), []byte{0})
		f.Add(uint8(i), []byte{1})
		for _, fill := range []byte{9, 17, 33, 66} {
			data := make([]byte, 160)
			for j := range data {
				data[j] = fill + byte(j*int(fill)*7)
			}
			f.Add(uint8(i), data)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		m.t = t
		url := m.urls[int(which)%len(m.urls)]
		m.try(url, m.made(url, data))
		m.calm()
	})
}
