package app_test

import (
	"bytes"
	"maps"
	"sync"
	"testing"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	"github.com/cosmos/cosmos-sdk/x/authz"
	"github.com/cosmos/cosmos-sdk/x/feegrant"

	"github.com/lodenet/lode/app"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// What the fuzz tests share: a network in the middle of its life, which begins
// anew for each input, and transactions that are put together by hand, so that
// any part of one can be wrong.

// The fuzzed chain's people beside the cast: "user" is rich and no neuron,
// "stranger" has little and is none either, "ghost" has no account.
const (
	stranger = "stranger"
	ghost    = "ghost"
)

// fuzzGas is the gas of the fuzzed chain's blocks: so little that a handful of
// transactions fills one, and two of the lane its quarter.
const fuzzGas = 2_400_000

// world is the state that every input begins with: permits are given, two
// validators have a commit to reveal in the epoch that has just begun, "user"
// lets miner 1's hotkey run its sends and "stranger" pay with its coins.
type world struct {
	db    *dbm.MemDB
	chain chain // without an app
}

func newWorld(t testing.TB) *world {
	t.Helper()
	// Not optimistic: that would drop the change of parameters below.
	c := chainWith(t, genesis(t), appOptions{app.FlagCheckInvariants: 1, app.FlagOptimistic: false})
	c.block()
	settle(c)
	var fund [][]byte
	for _, name := range append(hotkeys(), stranger) {
		fund = append(fund, c.sign(paid, []string{"user"}, send("user", name, 10*tao)))
	}
	c.runTx(fund...)
	grant, err := authz.NewMsgGrant(addr("user"), addr("miner-1-hot"), authz.NewGenericAuthorization(sdk.MsgTypeURL(send("user", "owner", 1))), nil)
	require.NoError(t, err)
	allowance, err := feegrant.NewMsgGrantAllowance(&feegrant.BasicAllowance{}, addr("user"), addr(stranger))
	require.NoError(t, err)
	c.run([]string{"user"}, grant, allowance)
	c.epoch()
	for _, hot := range []string{"validator-1-hot", "validator-2-hot"} {
		c.runTx(c.free(hot, commit(hot, row(hot, 1, 2))))
	}
	c.epoch()

	ctx := c.NewNextBlockContext(cmtproto.Header{ChainID: chainID, Height: c.height + 1, Time: c.time})
	params, err := c.Consensus.ParamsStore.Get(ctx)
	require.NoError(t, err)
	params.Block.MaxGas = fuzzGas
	require.NoError(t, c.Consensus.ParamsStore.Set(ctx, params))
	c.replay = true // a proposal would drop it too
	c.block()
	c.replay = false
	require.EqualValues(t, fuzzGas, c.GetConsensusParams(c.query()).Block.MaxGas)
	w := &world{db: c.db.(*dbm.MemDB), chain: *c}
	w.chain.App, w.chain.t, w.chain.events = nil, nil, nil
	return w
}

// hotkeys are the cast's.
func hotkeys() []string {
	var out []string
	for _, name := range cast {
		out = append(out, name+"-hot")
	}
	return out
}

// replica is a node that can be put back to the world's beginning: an application
// takes longer to make than a block.
type replica struct {
	*chain
	world *world
	disk  *disk
	said  *panicLog
}

// panicLog hears of panics that the SDK has recovered from: it logs them, and goes on.
type panicLog struct {
	sync.Mutex
	panics []string
}

func (l *panicLog) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("panic recovered")) && !isUpstream(string(line)) {
		l.Lock()
		defer l.Unlock()
		l.panics = append(l.panics, string(line))
	}
	return len(line), nil
}

// calm asks that nothing has panicked.
func (r *replica) calm() {
	r.t.Helper()
	r.said.Lock()
	defer r.said.Unlock()
	require.Empty(r.t, r.said.panics)
}

// disk is a database whose content can be changed under an application.
type disk struct{ *dbm.MemDB }

func (w *world) replica(t testing.TB, o appOptions) *replica {
	t.Helper()
	d := &disk{copyOf(t, w.db)}
	c, said := w.chain, &panicLog{}
	c.t, c.db, c.App = t, d, newApp(t, d, o, log.NewLogger(said, log.ColorOption(false)))
	return &replica{chain: &c, world: w, disk: d, said: said}
}

// reset puts a replica back.
func (r *replica) reset(t testing.TB) {
	t.Helper()
	r.disk.MemDB = copyOf(t, r.world.db)
	a := r.App
	*r.chain = r.world.chain
	r.t, r.db, r.App, r.sequence = t, r.disk, a, maps.Clone(r.world.chain.sequence)
	require.NoError(t, r.CommitMultiStore().LoadLatestVersion())
	r.block() // checks see the state of the last commit
}

func copyOf(t testing.TB, db *dbm.MemDB) *dbm.MemDB {
	t.Helper()
	out := dbm.NewMemDB()
	it, err := db.Iterator(nil, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, it.Close()) }()
	for ; it.Valid(); it.Next() {
		require.NoError(t, out.Set(it.Key(), it.Value()))
	}
	return out
}

// person is somebody whom inputs name by a number.
type person struct {
	name string
	key  *secp256k1.PrivKey
	addr sdk.AccAddress
	text string
}

// people are all of them, the same in every run.
var people = sync.OnceValue(func() []person {
	var out []person
	for _, name := range append(append(append([]string{}, cast...), hotkeys()...), "user", stranger, ghost) {
		out = append(out, person{name, key(name), addr(name), text(name)})
	}
	return out
})

// whose is who has an address; nil: nobody.
func whose(address []byte) *person {
	for i, p := range people() {
		if bytes.Equal(p.addr, address) {
			return &people()[i]
		}
	}
	return nil
}

func named(name string) person {
	for _, p := range people() {
		if p.name == name {
			return p
		}
	}
	panic("nobody is called " + name)
}

// draft is a transaction before it is signed.
type draft struct {
	body    txtypes.TxBody
	fee     txtypes.Fee
	signers []person // in the order that the messages ask for, the payer last
	ahead   uint64   // how far the sequences are beyond the accounts'
	decided bool     // for the state of the last block, not for that of checks
	foreign bool     // signed with somebody else's keys
}

// packed is a message in a transaction.
func packed(t testing.TB, msgs ...sdk.Msg) []*codectypes.Any {
	t.Helper()
	out := make([]*codectypes.Any, len(msgs))
	for i, m := range msgs {
		var err error
		out[i], err = codectypes.NewAnyWithValue(m)
		require.NoError(t, err)
	}
	return out
}

// sealed signs a draft for the state of checks.
func (c *chain) sealed(d draft) []byte {
	c.t.Helper()
	body, err := d.body.Marshal()
	require.NoError(c.t, err)
	return c.sealedBody(body, d)
}

// sealedBody is sealed for a body in any bytes.
func (c *chain) sealedBody(body []byte, d draft) []byte {
	c.t.Helper()
	ctx := c.query()
	if d.decided {
		ctx = c.below(cmtproto.Header{})
	}
	var info txtypes.AuthInfo
	info.Fee = &d.fee
	numbers := make([]uint64, len(d.signers))
	for i, p := range d.signers {
		var sequence uint64
		if a := c.Account.GetAccount(ctx, p.addr); a != nil {
			numbers[i], sequence = a.GetAccountNumber(), a.GetSequence()
		}
		pub, err := codectypes.NewAnyWithValue(p.key.PubKey())
		require.NoError(c.t, err)
		info.SignerInfos = append(info.SignerInfos, &txtypes.SignerInfo{
			PublicKey: pub, Sequence: sequence + d.ahead,
			ModeInfo: &txtypes.ModeInfo{Sum: &txtypes.ModeInfo_Single_{Single: &txtypes.ModeInfo_Single{Mode: signing.SignMode_SIGN_MODE_DIRECT}}},
		})
	}
	auth, err := info.Marshal()
	require.NoError(c.t, err)
	raw := txtypes.TxRaw{BodyBytes: body, AuthInfoBytes: auth}
	for i, p := range d.signers {
		doc := txtypes.SignDoc{BodyBytes: body, AuthInfoBytes: auth, ChainId: chainID, AccountNumber: numbers[i]}
		toSign, err := doc.Marshal()
		require.NoError(c.t, err)
		with := p.key
		if d.foreign {
			with = named(ghost).key
		}
		sig, err := with.Sign(toSign)
		require.NoError(c.t, err)
		raw.Signatures = append(raw.Signatures, sig)
	}
	out, err := raw.Marshal()
	require.NoError(c.t, err)
	return out
}

// rao is an amount of coins, as fees have them.
func rao(n int64) sdk.Coins { return sdk.Coins{sdk.NewInt64Coin(app.BaseDenom, n)} }

// program reads an input: a stream of choices that ends in zeros.
type program struct{ left []byte }

func (p *program) done() bool { return len(p.left) == 0 }

func (p *program) byte() byte {
	if len(p.left) == 0 {
		return 0
	}
	b := p.left[0]
	p.left = p.left[1:]
	return b
}

// pick is a number below n, at most 256.
func (p *program) pick(n int) int { return int(p.byte()) % n }

// number is any.
func (p *program) number() uint64 {
	var v uint64
	for range 8 {
		v = v<<8 | uint64(p.byte())
	}
	return v
}

// take is up to n bytes.
func (p *program) take(n int) []byte {
	n = min(n, len(p.left))
	b := p.left[:n]
	p.left = p.left[n:]
	return b
}

func choose[T any](p *program, list ...T) T { return list[p.pick(len(list))] }

// served is what a hotkey publishes.
func served(t testing.TB, hot string) *subnetstypes.MsgServe {
	t.Helper()
	serves.Lock()
	defer serves.Unlock()
	if serves.of[hot] == nil {
		serves.of[hot] = serve(t, hot)
	}
	m := *serves.of[hot]
	return &m
}

var serves = struct {
	sync.Mutex
	of map[string]*subnetstypes.MsgServe
}{of: map[string]*subnetstypes.MsgServe{}}
