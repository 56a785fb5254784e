package app_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/lodenet/lode/app"
	seedtypes "github.com/lodenet/lode/x/seed/types"
	"github.com/lodenet/lode/x/seed/vrf"
)

const (
	chainID = "lode-test-1"
	tao     = 1_000_000_000 // rao
)

// genesisTime is when the tests' chains begin.
var genesisTime = time.Unix(1_800_000_000, 0).UTC()

// key is a person's or a machine's, the same in every run.
func key(name string) *secp256k1.PrivKey { return secp256k1.GenPrivKeyFromSecret([]byte(name)) }

func addr(name string) sdk.AccAddress { return sdk.AccAddress(key(name).PubKey().Address()) }

func text(name string) string { return addr(name).String() }

// validator is the chain's only one: its operator is the hotkey of video
// validator 1, as in a local network.
const validator = "validator-1-hot"

func consensusKey() *ed25519.PrivKey {
	return ed25519.GenPrivKeyFromSecret([]byte("consensus"))
}

// vrfKey is what an operator proves its part of the seed with.
func vrfKey(operator string) vrf.Key {
	secret := sha256.Sum256([]byte("vrf of " + operator))
	k, err := vrf.FromSecret(secret[:])
	if err != nil {
		panic(err) // the secret has the right size
	}
	return k
}

// genesis holds a million TAO: people's, and the validator's bond.
func genesis(t testing.TB) *genutiltypes.AppGenesis {
	t.Helper()
	g, err := app.LocalGenesis(app.Genesis{
		ChainID: chainID, Time: genesisTime,
		Balances: []app.Balance{{Address: text("user"), Rao: 900_000 * tao}, {Address: text("owner"), Rao: 99_990 * tao}},
		Validators: []app.Validator{{
			Operator: text(validator), ConsensusKey: consensusKey().PubKey(), VRFKey: vrfKey(validator).Public(),
			SelfBond: 10 * tao, Moniker: "one",
		}},
	})
	require.NoError(t, err)
	return g
}

// chain is the application, driven block by block as CometBFT would.
type chain struct {
	t testing.TB
	*app.App
	db dbm.DB

	time     time.Time
	height   int64
	seed     []byte          // of the last block
	proposer sdk.ConsAddress // of the next one
	voter    sdk.ConsAddress // of the last one
	vrf      *vrf.Key        // the proposer's; nil: it has none
	replay   bool            // run blocks as a node that catches up does, without a proposal
	events   []abci.Event
	lastHash []byte
	sequence map[string]uint64 // of who signed in this block already
}

type appOptions = simtestutil.AppOptionsMap

// options check all invariants after every block.
var options = appOptions{app.FlagCheckInvariants: 1}

func newApp(t testing.TB, db dbm.DB, o appOptions, logger log.Logger) *app.App {
	t.Helper()
	// Stores that prune in the background would each wake ten times a second until the tests end.
	a := app.New(logger, db, o, baseapp.SetChainID(chainID), baseapp.SetMinGasPrices(app.MinGasPrices()), baseapp.SetIAVLSyncPruning(true))
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

// newChain has its first block: only then is genesis' state to be seen.
func newChain(t testing.TB) *chain {
	t.Helper()
	c := chainOf(t, genesis(t))
	c.block()
	return c
}

// chainOf begins with a genesis; the first block will have its time.
func chainOf(t testing.TB, g *genutiltypes.AppGenesis) *chain {
	t.Helper()
	return chainWith(t, g, options)
}

// chainWith is chainOf with the options of a node.
func chainWith(t testing.TB, g *genutiltypes.AppGenesis, o appOptions) *chain {
	t.Helper()
	return chainLogged(t, g, o, log.NewNopLogger())
}

func chainLogged(t testing.TB, g *genutiltypes.AppGenesis, o appOptions, logger log.Logger) *chain {
	t.Helper()
	db := dbm.NewMemDB()
	key := vrfKey(validator)
	c := &chain{
		t: t, App: newApp(t, db, o, logger), db: db, time: g.GenesisTime.Add(-time.Second), height: g.InitialHeight - 1, sequence: map[string]uint64{},
		proposer: sdk.ConsAddress(consensusKey().PubKey().Address()), voter: sdk.ConsAddress(consensusKey().PubKey().Address()), vrf: &key, seed: genesisSeed(t, g),
	}
	params := g.Consensus.Params.ToProto()
	var validators []abci.ValidatorUpdate
	for _, v := range g.Consensus.Validators {
		validators = append(validators, cmttypes.TM2PB.NewValidatorUpdate(v.PubKey, v.Power))
	}
	_, err := c.InitChain(&abci.RequestInitChain{
		Time: g.GenesisTime, ChainId: g.ChainID, InitialHeight: g.InitialHeight, ConsensusParams: &params,
		Validators: validators, AppStateBytes: g.AppState,
	})
	require.NoError(t, err)
	return c
}

// genesisSeed is the seed of the block before a genesis' first.
func genesisSeed(t testing.TB, g *genutiltypes.AppGenesis) []byte {
	t.Helper()
	var state map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(g.AppState, &state))
	var seed seedtypes.GenesisState
	require.NoError(t, app.MakeEncodingConfig().Codec.UnmarshalJSON(state[seedtypes.ModuleName], &seed))
	if len(seed.Seed) > 0 {
		return seed.Seed
	}
	return vrf.Genesis(g.ChainID)
}

// frame is what the next block of the proposer must begin with.
func (c *chain) frame() []byte {
	if c.vrf == nil {
		return vrf.Frame(nil)
	}
	return vrf.Frame(c.vrf.Prove(vrf.Alpha(chainID, c.height+1, c.seed)))
}

// block makes a block of transactions, and returns their results. Every block
// ends with all modules' invariants checked.
func (c *chain) block(txs ...[]byte) []*abci.ExecTxResult {
	c.t.Helper()
	return c.decide(append([][]byte{c.frame()}, txs...)...)[1:]
}

// propose says what the other validators think of a block, which begins with its
// proposer's proof.
func (c *chain) propose(txs ...[]byte) abci.ResponseProcessProposal_ProposalStatus {
	c.t.Helper()
	hash := sha256.Sum256(fmt.Append(nil, c.height+1, txs))
	res, err := c.ProcessProposal(&abci.RequestProcessProposal{
		Txs: txs, Hash: hash[:], Height: c.height + 1, Time: c.time.Add(time.Second), ProposerAddress: c.proposer, ProposedLastCommit: c.votes(),
	})
	require.NoError(c.t, err)
	return res.Status
}

func (c *chain) votes() abci.CommitInfo {
	return abci.CommitInfo{Votes: []abci.VoteInfo{{Validator: abci.Validator{Address: c.voter, Power: 10_000}, BlockIdFlag: 2}}}
}

// decide makes a block of all that is in it, and returns all results.
func (c *chain) decide(txs ...[]byte) []*abci.ExecTxResult {
	c.t.Helper()
	if !c.replay {
		require.Equal(c.t, abci.ResponseProcessProposal_ACCEPT, c.propose(txs...))
	}
	c.height++
	c.time = c.time.Add(time.Second)
	hash := sha256.Sum256(fmt.Append(nil, c.height, txs))
	res, err := c.FinalizeBlock(&abci.RequestFinalizeBlock{
		Txs: txs, Hash: hash[:], Height: c.height, Time: c.time, ProposerAddress: c.proposer, DecidedLastCommit: c.votes(),
	})
	require.NoError(c.t, err)
	_, err = c.Commit()
	require.NoError(c.t, err)
	c.lastHash = res.AppHash
	c.events = append(c.events, res.Events...)
	for _, r := range res.TxResults {
		c.events = append(c.events, r.Events...)
	}
	c.seed, err = c.Seed.Seed(c.query())
	require.NoError(c.t, err)
	clear(c.sequence)
	return res.TxResults
}

// blocks makes empty blocks.
func (c *chain) blocks(n int) {
	c.t.Helper()
	for range n {
		c.block()
	}
}

// query is a context on the last block's state.
func (c *chain) query() sdk.Context {
	return c.NewContext(true).WithChainID(chainID).WithBlockHeight(c.height).WithBlockTime(c.time)
}

// below is the store under the states of blocks and checks: what is written to it,
// nobody has committed.
func (c *chain) below(header cmtproto.Header) sdk.Context {
	return sdk.NewContext(c.CommitMultiStore(), header, false, log.NewNopLogger())
}

func (c *chain) balance(name string) uint64 {
	return c.Bank.GetBalance(c.query(), addr(name), app.BaseDenom).Amount.Uint64()
}

// offer is what a transaction pays, and what is odd about it.
type offer struct {
	gas     uint64
	fee     uint64
	granter string
	payer   string
	memo    string
	edit    func(client.TxBuilder)
}

// paid is an ordinary offer: gas for anything, and the least fee for it.
var paid = offer{gas: 2_000_000, fee: 20_000}

// sign makes a transaction of messages, signed by names.
func (c *chain) sign(o offer, names []string, msgs ...sdk.Msg) []byte {
	c.t.Helper()
	b := c.TxConfig.NewTxBuilder()
	require.NoError(c.t, b.SetMsgs(msgs...))
	b.SetGasLimit(o.gas)
	if o.fee > 0 {
		b.SetFeeAmount(sdk.NewCoins(sdk.NewInt64Coin(app.BaseDenom, int64(o.fee))))
	}
	if o.granter != "" {
		b.SetFeeGranter(addr(o.granter))
	}
	if o.payer != "" {
		b.SetFeePayer(addr(o.payer))
	}
	b.SetMemo(o.memo)
	if o.edit != nil {
		o.edit(b)
	}
	signatures := make([]signing.SignatureV2, len(names))
	data := make([]authsigning.SignerData, len(names))
	for i, name := range names {
		a := c.Account.GetAccount(c.query(), addr(name))
		require.NotNil(c.t, a, "%s has no account", name)
		seq, ok := c.sequence[name]
		if !ok {
			seq = a.GetSequence()
		}
		c.sequence[name] = seq + 1
		data[i] = authsigning.SignerData{Address: text(name), ChainID: chainID, AccountNumber: a.GetAccountNumber(), Sequence: seq, PubKey: key(name).PubKey()}
		signatures[i] = signing.SignatureV2{
			PubKey: key(name).PubKey(), Sequence: seq, Data: &signing.SingleSignatureData{SignMode: signing.SignMode_SIGN_MODE_DIRECT},
		}
	}
	require.NoError(c.t, b.SetSignatures(signatures...)) // the bytes to sign hold the signers
	for i, name := range names {
		bytes, err := authsigning.GetSignBytesAdapter(context.Background(), c.TxConfig.SignModeHandler(), signing.SignMode_SIGN_MODE_DIRECT, data[i], b.GetTx())
		require.NoError(c.t, err)
		sig, err := key(name).Sign(bytes)
		require.NoError(c.t, err)
		signatures[i].Data = &signing.SingleSignatureData{SignMode: signing.SignMode_SIGN_MODE_DIRECT, Signature: sig}
	}
	require.NoError(c.t, b.SetSignatures(signatures...))
	raw, err := c.TxConfig.TxEncoder()(b.GetTx())
	require.NoError(c.t, err)
	return raw
}

// run makes a block of one transaction that must succeed.
func (c *chain) run(names []string, msgs ...sdk.Msg) {
	c.t.Helper()
	c.runTx(c.sign(paid, names, msgs...))
}

func (c *chain) runTx(txs ...[]byte) {
	c.t.Helper()
	for _, r := range c.block(txs...) {
		require.Zero(c.t, r.Code, r.Log)
	}
}

// check is what a mempool says of a transaction.
func (c *chain) check(tx []byte) *abci.ResponseCheckTx {
	c.t.Helper()
	clear(c.sequence)
	res, err := c.CheckTx(&abci.RequestCheckTx{Tx: tx, Type: abci.CheckTxType_New})
	require.NoError(c.t, err)
	return res
}
