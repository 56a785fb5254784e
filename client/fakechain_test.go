package client_test

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"
	"time"

	sdkmath "cosmossdk.io/math"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	ctypes "github.com/cometbft/cometbft/rpc/core/types"
	cmttypes "github.com/cometbft/cometbft/types"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/gogoproto/proto"
)

// fakeChain is a chain that keeps balances, with the rules of sequences, signatures and
// fees that the SDK's ante handler has. Its nodes speak CometBFT's RPC.
type fakeChain struct {
	id string

	mu       sync.Mutex
	height   int64
	time     time.Time
	accounts map[string]*fakeAccount
	mempool  [][]byte
	cache    map[[32]byte]bool // transactions that the mempool has seen
	found    map[[32]byte]*ctypes.ResultTx
	order    [][]byte // all that was committed
	sent     [][]byte // all that a node was told of, refused or not
	nodes    []*fakeNode
	full     bool // blocks take nothing
	spoil    func(tx []byte) *abci.ExecTxResult
	answer   map[string]func(req []byte) (proto.Message, error) // other queries
}

type fakeAccount struct {
	number, sequence, pending uint64 // pending is the mempool's view of sequence
	rao                       uint64
}

func newFakeChain(id string) *fakeChain {
	return &fakeChain{id: id, height: 1, time: time.Now(), accounts: map[string]*fakeAccount{}, cache: map[[32]byte]bool{},
		found: map[[32]byte]*ctypes.ResultTx{}, answer: map[string]func([]byte) (proto.Message, error){}}
}

func (f *fakeChain) fund(address string, rao uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.accounts[address] = &fakeAccount{number: uint64(len(f.accounts)) + 7, rao: rao}
}

// run makes blocks until the test ends.
func (f *fakeChain) run(t *testing.T, every time.Duration) {
	tick, stop := time.NewTicker(every), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-tick.C:
				f.block()
			case <-stop:
				return
			}
		}
	})
	t.Cleanup(func() {
		tick.Stop()
		close(stop)
		wg.Wait()
	})
}

// block commits what the mempool has.
func (f *fakeChain) block() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.height++
	f.time = time.Now()
	e := cmttypes.EventDataNewBlock{Block: &cmttypes.Block{Header: cmttypes.Header{ChainID: f.id, Height: f.height, Time: f.time}, LastCommit: &cmttypes.Commit{}}}
	e.ResultFinalizeBlock.Events = []abci.Event{{Type: "block", Attributes: []abci.EventAttribute{{Key: "height", Value: fmt.Sprint(f.height)}}}}
	if !f.full {
		for _, tx := range f.mempool {
			res := f.deliver(tx)
			f.order = append(f.order, tx)
			f.found[sha256.Sum256(tx)] = &ctypes.ResultTx{Hash: cmttypes.Tx(tx).Hash(), Height: f.height, TxResult: *res, Tx: tx}
			e.Block.Data.Txs = append(e.Block.Data.Txs, tx)
			e.ResultFinalizeBlock.TxResults = append(e.ResultFinalizeBlock.TxResults, res)
		}
		f.mempool = nil
		for _, a := range f.accounts {
			a.pending = a.sequence
		}
	}
	raw, err := cmtjson.Marshal(ctypes.ResultEvent{Query: cmttypes.EventQueryNewBlock.String(), Data: e})
	if err != nil {
		panic(err)
	}
	for _, n := range f.nodes {
		n.publish(raw)
	}
}

// loseMempool is what a restart does to a node.
func (f *fakeChain) loseMempool() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mempool, f.cache = nil, map[[32]byte]bool{}
	for _, a := range f.accounts {
		a.pending = a.sequence
	}
}

func failure(err error) *abci.ExecTxResult {
	codespace, code, log := errorsABCI(err)
	return &abci.ExecTxResult{Codespace: codespace, Code: code, Log: log}
}

// ante checks a transaction and charges its fee, in the mempool's view or the block's.
func (f *fakeChain) ante(tx []byte, mempool, simulate bool) (*txtypes.TxBody, *fakeAccount, error) {
	var raw txtypes.TxRaw
	var body txtypes.TxBody
	var auth txtypes.AuthInfo
	if raw.Unmarshal(tx) != nil || body.Unmarshal(raw.BodyBytes) != nil || auth.Unmarshal(raw.AuthInfoBytes) != nil {
		return nil, nil, sdkerrors.ErrTxDecode
	}
	if h := int64(body.TimeoutHeight); h > 0 && f.height > h {
		return nil, nil, sdkerrors.ErrTxTimeoutHeight.Wrapf("%d, block height is %d", h, f.height)
	}
	var payer *fakeAccount
	for i, info := range auth.SignerInfos {
		var pub secp256k1.PubKey
		if err := pub.Unmarshal(info.PublicKey.Value); err != nil {
			return nil, nil, err
		}
		address := sdk.AccAddress(pub.Address()).String()
		a := f.accounts[address]
		if a == nil {
			return nil, nil, sdkerrors.ErrUnknownAddress.Wrapf("account %s does not exist", address)
		}
		sequence := &a.sequence
		if mempool {
			sequence = &a.pending
		}
		if info.Sequence != *sequence {
			return nil, nil, sdkerrors.ErrWrongSequence.Wrapf("account sequence mismatch, expected %d, got %d", *sequence, info.Sequence)
		}
		if !simulate {
			doc, _ := (&txtypes.SignDoc{BodyBytes: raw.BodyBytes, AuthInfoBytes: raw.AuthInfoBytes, ChainId: f.id, AccountNumber: a.number}).Marshal()
			if !pub.VerifySignature(doc, raw.Signatures[i]) {
				return nil, nil, sdkerrors.ErrUnauthorized.Wrap("signature verification failed; please verify account number and chain-id")
			}
		}
		if payer == nil && (auth.Fee.Payer == "" || auth.Fee.Payer == address) {
			payer = a
		}
		if !simulate {
			*sequence++
		}
	}
	fee, from := auth.Fee.Amount.AmountOf("rao").Uint64(), payer
	if auth.Fee.Granter != "" {
		if from = f.accounts[auth.Fee.Granter]; from == nil {
			return nil, nil, sdkerrors.ErrNotFound.Wrap("fee-grant not found")
		}
	}
	if from.rao < fee {
		return nil, nil, sdkerrors.ErrInsufficientFunds.Wrapf("spendable balance %drao is smaller than %drao", from.rao, fee)
	}
	if !mempool {
		from.rao -= fee
	}
	left := payer.rao
	if from == payer && mempool {
		left -= fee
	}
	if simulate && left < f.spends(&body) {
		return nil, nil, sdkerrors.ErrInsufficientFunds.Wrapf("failed to execute message; message index: 0: spendable balance %drao is smaller than %drao", left, f.spends(&body))
	}
	return &body, payer, nil
}

func (f *fakeChain) spends(body *txtypes.TxBody) (rao uint64) {
	for _, m := range body.Messages {
		var send banktypes.MsgSend
		if m.TypeUrl == sdk.MsgTypeURL(&send) && send.Unmarshal(m.Value) == nil {
			rao += send.Amount.AmountOf("rao").Uint64()
		}
	}
	return rao
}

func (f *fakeChain) deliver(tx []byte) *abci.ExecTxResult {
	body, payer, err := f.ante(tx, false, false)
	if err != nil {
		return failure(err)
	}
	if f.spoil != nil {
		if r := f.spoil(tx); r != nil {
			return r
		}
	}
	rao := f.spends(body)
	if payer.rao < rao {
		return failure(sdkerrors.ErrInsufficientFunds.Wrapf("failed to execute message; message index: 0: spendable balance %drao is smaller than %drao", payer.rao, rao))
	}
	payer.rao -= rao
	var data sdk.TxMsgData
	for range body.Messages {
		any, _ := codectypes.NewAnyWithValue(&banktypes.MsgSendResponse{})
		data.MsgResponses = append(data.MsgResponses, any)
	}
	raw, _ := proto.Marshal(&data)
	return &abci.ExecTxResult{Data: raw, GasWanted: 2, GasUsed: 1, Events: []abci.Event{{Type: "sent"}}}
}

// check is a mempool's CheckTx.
func (f *fakeChain) check(tx []byte) (*ctypes.ResultBroadcastTx, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, tx)
	if f.cache[sha256.Sum256(tx)] {
		return nil, fmt.Errorf("tx already exists in cache")
	}
	if _, _, err := f.ante(tx, true, false); err != nil {
		codespace, code, log := errorsABCI(err)
		return &ctypes.ResultBroadcastTx{Codespace: codespace, Code: code, Log: log}, nil
	}
	f.cache[sha256.Sum256(tx)] = true
	f.mempool = append(f.mempool, tx)
	return &ctypes.ResultBroadcastTx{Hash: cmttypes.Tx(tx).Hash()}, nil
}

func (f *fakeChain) query(path string, data []byte) (proto.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch path {
	case "/cosmos.auth.v1beta1.Query/Account":
		var req authtypes.QueryAccountRequest
		_ = req.Unmarshal(data)
		a := f.accounts[req.Address]
		if a == nil {
			return nil, sdkerrors.ErrKeyNotFound.Wrapf("rpc error: code = NotFound desc = account %s not found", req.Address)
		}
		any, err := codectypes.NewAnyWithValue(&authtypes.BaseAccount{Address: req.Address, AccountNumber: a.number, Sequence: a.sequence})
		return &authtypes.QueryAccountResponse{Account: any}, err
	case "/cosmos.bank.v1beta1.Query/Balance":
		var req banktypes.QueryBalanceRequest
		_ = req.Unmarshal(data)
		coin := sdk.NewCoin("rao", sdkmath.ZeroInt())
		if a := f.accounts[req.Address]; a != nil {
			coin.Amount = sdkmath.NewIntFromUint64(a.rao)
		}
		return &banktypes.QueryBalanceResponse{Balance: &coin}, nil
	}
	if answer := f.answer[path]; answer != nil {
		return answer(data)
	}
	return nil, sdkerrors.ErrUnknownRequest.Wrapf("no query path %s", path)
}

func (f *fakeChain) simulate(tx []byte) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, _, err := f.ante(tx, true, true); err != nil {
		return nil, err
	}
	return []byte(`{"gas_info":{"gas_wanted":"0","gas_used":"80000"}}`), nil
}
