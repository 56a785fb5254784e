package app_test

import (
	"bytes"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"cosmossdk.io/math"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/lodenet/lode/app"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// game is a life of two nodes that an input tells: what people send, what the first
// node's mempool takes and proposes, what proposers with ill intent propose, and what
// becomes of it, held to the rules written down for it.
type game struct {
	t   testing.TB
	one *replica // whose mempool and proposals are played
	two *replica // who judges them

	sent     map[string]outgoing // by bytes: all that was signed
	order    [][]byte            // of them
	mempool  [][]byte
	pending  map[slot]bool // in the mempool since the last block
	limits   limits
	balances map[string]int64
}

// outgoing is a transaction that somebody signed.
type outgoing struct {
	reading
	payers  string // who pays its fee, by name
	signers []string
	moves   map[string]int64 // coins, if it succeeds
	uses    []slot           // limits, if it succeeds
}

func newGame(t testing.TB) *game {
	t.Helper()
	w := newWorld(t)
	// The first runs blocks while they are voted on, and checks all invariants.
	return &game{one: w.replica(t, options), two: w.replica(t, appOptions{app.FlagOptimistic: false})}
}

func (g *game) play(t testing.TB, input []byte) {
	g.begin(t)
	p := &program{input}
	// Few enough that a busy machine plays them in the ten seconds that Go's fuzzing
	// gives an input before it takes it for one that hangs.
	for left := 24; !p.done() && left > 0; left-- {
		g.act(p)
	}
	g.propose(&program{})
	g.one.calm()
	g.two.calm()
}

// begin puts both nodes back to the world's beginning.
func (g *game) begin(t testing.TB) {
	g.t = t
	g.sent, g.order, g.mempool, g.pending = map[string]outgoing{}, nil, nil, map[slot]bool{}
	g.one.reset(t)
	g.two.reset(t)
	g.balances = map[string]int64{}
	for _, p := range people() {
		g.balances[p.name] = int64(g.one.balance(p.name))
	}
	g.limits = limits{}
	for _, hot := range []string{"validator-1-hot", "validator-2-hot"} {
		g.limits[slot{hot, weights_}] = g.one.height - every // long ago enough: an epoch has passed since
	}
}

func (g *game) act(p *program) {
	switch p.pick(16) {
	case 0, 1:
		g.propose(p)
	case 2:
		g.hostile(p)
	case 3:
		for range 1 + p.pick(every) {
			g.decide(nil)
		}
	case 4:
		if len(g.order) > 0 { // again, as it is or with something done to it
			g.send(g.changed(p, choose(p, g.order...)))
		}
	case 5:
		g.send(p.take(p.pick(256)))
	default:
		g.send(g.transaction(p))
	}
}

// transaction is signed by somebody: half of them as they should be.
func (g *game) transaction(p *program) []byte {
	who := choose(p, people()...)
	d := draft{signers: []person{who}}
	var msgs []sdk.Msg
	lane := true
	kind := p.pick(12)
	switch kind {
	case 0, 1, 2:
		msgs = []sdk.Msg{served(g.t, who.name)}
	case 3, 4:
		msgs = []sdk.Msg{commit(who.name, row(who.name, 1, uint32(p.byte())))}
	case 5, 6:
		r := row(who.name, 1, 2+uint32(p.pick(2)))
		r.Uids = r.Uids[:1+p.pick(2)]
		r.Values = r.Values[:len(r.Uids)]
		msgs = []sdk.Msg{r}
	case 7:
		r := row(who.name, 1, 2)
		msgs = []sdk.Msg{&weightstypes.MsgSetWeights{Hotkey: who.text, Netuid: 1, Uids: r.Uids, Values: r.Values}}
	case 8, 9:
		lane = false
		to := choose(p, people()...)
		msgs = []sdk.Msg{send(who.name, to.name, 1+int64(p.byte()))}
	case 10:
		lane = false
		inner := []sdk.Msg{served(g.t, who.name), send("user", who.name, 1)}[p.pick(2)]
		exec := authz.NewMsgExec(who.addr, []sdk.Msg{inner})
		msgs = []sdk.Msg{&exec}
	default:
		msgs = []sdk.Msg{served(g.t, who.name), served(g.t, who.name)}
	}
	d.body.Messages = packed(g.t, msgs...)
	gas, ok := weightstypes.LaneGas(msgs[0])
	if lane && ok && p.pick(4) > 0 {
		d.fee.GasLimit = gas
	} else {
		d.fee.GasLimit = choose[uint64](p, 400_000, 600_000, fuzzGas)
		d.fee.Amount = rao(least(d.fee.GasLimit))
	}
	if p.pick(2) == 1 {
		g.oddities(p, &d)
	}
	return g.sign(d, msgs)
}

// oddities are what is wrong with a transaction, or unusual.
func (g *game) oddities(p *program, d *draft) {
	for n := 1 + p.pick(2); n > 0 && len(d.signers) > 0; n-- {
		switch p.pick(14) {
		case 0:
			d.fee.Amount = nil
		case 1:
			d.fee.Amount = rao(least(d.fee.GasLimit) - int64(p.pick(3)))
		case 2:
			d.fee.Amount = choose(p, sdk.Coins{coin("rao", 0)}, sdk.Coins{coin("stake", 5)}, sdk.Coins{coin("rao", -30_000)},
				sdk.Coins{coin("a", 0), coin("rao", 0)}, sdk.Coins{coin("rao", 30_000), coin("rao", 30_000)}, sdk.Coins{coin("rao", 30_000), coin("a", 0)},
				sdk.Coins{coin("a", 1), coin("rao", 30_000)}, sdk.Coins{{Denom: "rao"}}, sdk.Coins{coin("", 0)}, sdk.Coins{coin("rao", 1<<62)})
		case 3:
			d.fee.GasLimit = choose[uint64](p, 0, 1, d.fee.GasLimit+1, d.fee.GasLimit-1, 50_000, fuzzGas+1, 1<<62, 1<<63-1, 1<<63, 1<<64-1)
		case 4:
			payer := choose(p, people()...)
			d.fee.Payer = choose(p, payer.text, d.signers[0].text, "x", "cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh")
			if d.fee.Payer == payer.text && payer.name != d.signers[0].name && p.pick(4) > 0 {
				d.signers = append(d.signers, payer)
			}
		case 5:
			d.fee.Granter = choose(p, named("user").text, d.signers[0].text, named(ghost).text, "x")
		case 6:
			d.body.Memo = string(bytes.Repeat([]byte("m"), choose(p, 1, 256, 257, 20_000)))
		case 7:
			d.body.TimeoutHeight = choose[uint64](p, 1, uint64(g.one.height), uint64(g.one.height)+1, uint64(g.one.height)+2)
		case 8:
			d.body.Unordered = true
			at := g.one.time.Add(time.Minute)
			d.body.TimeoutTimestamp = &at
		case 9:
			d.body.ExtensionOptions = []*codectypes.Any{d.body.Messages[0]}
		case 10:
			d.ahead = uint64(1 + p.pick(3))
		case 11:
			d.foreign = true
		case 12:
			d.signers = append(d.signers, choose(p, people()...))
		case 13:
			d.signers = nil
		}
	}
}

func coin(denom string, n int64) sdk.Coin { return sdk.Coin{Denom: denom, Amount: math.NewInt(n)} }

// sign seals a transaction, and remembers what it would do.
func (g *game) sign(d draft, msgs []sdk.Msg) []byte {
	raw := g.one.sealed(d)
	if _, again := g.sent[string(raw)]; again {
		return raw
	}
	o := outgoing{moves: map[string]int64{}}
	o.reading, _ = read(raw)
	if len(d.signers) > 0 {
		o.payers = d.signers[0].name
	}
	for _, s := range d.signers {
		o.signers = append(o.signers, s.name)
	}
	for _, text := range []string{d.fee.Payer, d.fee.Granter} {
		if a, err := sdk.AccAddressFromBech32(text); err == nil {
			if p := whose(a); p != nil {
				o.payers = p.name
			}
		}
	}
	for _, m := range msgs {
		o.move(m)
	}
	g.sent[string(raw)] = o
	g.order = append(g.order, raw)
	return raw
}

// changed are a transaction's bytes with something done to them on the way.
func (g *game) changed(p *program, raw []byte) []byte {
	raw = bytes.Clone(raw)
	switch p.pick(8) {
	case 0:
		return raw
	case 1: // the body twice, the last counts
		junk := bytes.Repeat([]byte{0xfa, 0x7f, 0}, 10*(1+p.pick(20)))
		return append(append([]byte{0x0a}, append(varint(len(junk)), junk...)...), raw...)
	case 2: // what is signed beside it twice
		parts := split(raw)
		if len(parts) < 3 {
			return raw
		}
		return bytes.Join(append([][]byte{parts[0], {0x12, 0}}, parts[1:]...), nil)
	case 3:
		return append(raw, p.take(p.pick(9))...)
	case 4:
		return raw[:len(raw)-min(len(raw), 1+p.pick(80))]
	case 5: // a signature more
		return append(raw, 0x1a, 0)
	}
	for range 1 + p.pick(3) {
		raw[int(p.number()%uint64(len(raw)))] ^= 1 << p.pick(8)
	}
	return raw
}

// send offers a transaction to both mempools, as the network does.
func (g *game) send(raw []byte) {
	res, err := g.one.CheckTx(&abci.RequestCheckTx{Tx: raw, Type: abci.CheckTxType_New})
	require.NoError(g.t, err)
	g.noPanic(res.Codespace, res.Code, res.Log)
	if res.Code != 0 {
		return
	}
	g.mayBeTaken(raw)
	g.mempool = append(g.mempool, raw)
}

// mayBeTaken holds what a mempool has taken to the rules.
func (g *game) mayBeTaken(raw []byte) {
	o, signed := g.sent[string(raw)]
	require.True(g.t, signed, "nobody signed %x", raw)
	if !o.free {
		require.GreaterOrEqual(g.t, o.paidRao(), least(o.gas))
		return
	}
	require.NoError(g.t, g.limits.may(o.reading, g.one.height+1))
	require.False(g.t, g.pending[o.slot], "a second pending transaction of %v", o.slot)
	g.pending[o.slot] = true
}

func (g *game) noPanic(codespace string, code uint32, text string) {
	if codespace == "undefined" && code == 111_222 {
		g.t.Fatal(text)
	}
}

// propose lets the first node propose what is in its mempool, in a block of some size,
// and decides on it.
func (g *game) propose(p *program) {
	frame := g.one.frame()
	most := int64(4 << 20)
	switch p.pick(4) {
	case 1:
		most = int64(p.pick(256))
	case 2:
		most = int64(p.pick(16))*256 + int64(p.byte())
	}
	// A node without the proposer's key: its proof is put in by hand.
	txs := g.one.prepare(most, g.mempool...)
	require.NotEmpty(g.t, txs)
	txs[0] = frame
	size := int64(0)
	last := map[string]int{} // of a signer, its place in the mempool
	for _, raw := range txs[1:] {
		at := index(g.mempool, raw)
		require.NotEqual(g.t, -1, at, "it is from the mempool")
		for _, s := range g.sent[string(raw)].signers {
			before, some := last[s]
			require.False(g.t, some && before >= at, "a signer's order is kept")
			last[s] = at
		}
		size += int64(len(raw)) + 1 + int64(len(varint(len(raw))))
	}
	require.True(g.t, size == 0 || size+82+2 <= most, "%d bytes of %d", size, most)
	require.NoError(g.t, g.limits.allowed(txs, frame, g.one.height+1))
	require.Equal(g.t, accepted.String(), g.two.propose(txs...).String())
	g.decide(txs[1:])
}

// hostile is a proposer that makes a block of anything.
func (g *game) hostile(p *program) {
	txs := [][]byte{g.one.frame()}
	for range p.pick(8) {
		if len(g.order) == 0 {
			break
		}
		raw := choose(p, g.order...)
		if p.pick(4) == 0 {
			raw = g.changed(p, raw)
		}
		txs = append(txs, raw)
	}
	switch p.pick(16) {
	case 0:
		txs = txs[1:]
	case 1:
		txs[0][p.pick(len(txs[0]))] ^= 1 << p.pick(8)
	case 2:
		txs = append(txs, txs[0])
	case 3:
		txs = append(txs, p.take(p.pick(64)))
	}
	judged := g.two.propose(txs...)
	require.Equal(g.t, judged.String(), g.one.propose(txs...).String(), "both nodes judge alike")
	if judged != accepted {
		return
	}
	require.NoError(g.t, g.limits.allowed(txs, g.one.frame(), g.one.height+1), "an accepted block")
	g.decide(txs[1:])
}

// decide runs a block on both nodes and holds its results to the rules.
func (g *game) decide(txs [][]byte) {
	results := g.one.block(txs...)
	other := g.two.block(txs...)
	require.Equal(g.t, g.one.lastHash, g.two.lastHash)
	height := g.one.height
	for i, raw := range txs {
		res := results[i]
		require.Equal(g.t, res.Code, other[i].Code)
		g.noPanic(res.Codespace, res.Code, res.Log)
		o, signed := g.sent[string(raw)]
		ran := len(res.Events) > 0 // ante handlers have let it in
		if !signed {
			require.False(g.t, ran, "nobody signed %x", raw)
			require.NotZero(g.t, res.Code)
			continue
		}
		if !ran {
			require.NotZero(g.t, res.Code)
			continue
		}
		if o.free {
			require.NoError(g.t, g.limits.may(o.reading, height), res.Log)
			g.limits[o.slot] = height
		} else {
			require.GreaterOrEqual(g.t, o.paidRao(), least(o.gas))
			g.balances[o.payers] -= o.paidRao()
		}
		if res.Code != 0 {
			continue
		}
		for name, n := range o.moves {
			g.balances[name] += n
		}
		for _, s := range o.uses {
			g.limits[s] = height
		}
	}
	now := map[string]int64{}
	for _, p := range people() {
		now[p.name] = int64(g.one.balance(p.name))
	}
	require.Equal(g.t, g.balances, now)
	g.recheck(txs)
}

// recheck is what a mempool does after a block.
func (g *game) recheck(decided [][]byte) {
	g.pending = map[slot]bool{}
	var left [][]byte
	for _, raw := range g.mempool {
		if index(decided, raw) >= 0 {
			continue
		}
		res, err := g.one.CheckTx(&abci.RequestCheckTx{Tx: raw, Type: abci.CheckTxType_Recheck})
		require.NoError(g.t, err)
		g.noPanic(res.Codespace, res.Code, res.Log)
		if res.Code == 0 {
			g.mayBeTaken(raw)
			left = append(left, raw)
		}
	}
	g.mempool = left
}

func index(list [][]byte, raw []byte) int {
	for i, r := range list {
		if bytes.Equal(r, raw) {
			return i
		}
	}
	return -1
}

// move adds what a message does to balances.
func (o *outgoing) move(m sdk.Msg) {
	switch m := m.(type) {
	case *banktypes.MsgSend:
		n := m.Amount.AmountOf(app.BaseDenom).Int64()
		o.moves[whose(sdk.MustAccAddressFromBech32(m.FromAddress)).name] -= n
		o.moves[whose(sdk.MustAccAddressFromBech32(m.ToAddress)).name] += n
	case *authz.MsgExec:
		inner, err := m.GetMessages()
		if err != nil {
			panic(err) // the test has put them in
		}
		for _, i := range inner {
			o.move(i)
		}
	case *subnetstypes.MsgServe:
		o.uses = append(o.uses, slot{whose(sdk.MustAccAddressFromBech32(m.Hotkey)).name, serves_})
	case *weightstypes.MsgCommitWeights:
		o.uses = append(o.uses, slot{whose(sdk.MustAccAddressFromBech32(m.Hotkey)).name, weights_})
	case *weightstypes.MsgSetWeights:
		o.uses = append(o.uses, slot{whose(sdk.MustAccAddressFromBech32(m.Hotkey)).name, weights_})
	case *weightstypes.MsgRevealWeights:
		o.uses = append(o.uses, slot{whose(sdk.MustAccAddressFromBech32(m.Hotkey)).name, reveals_})
	}
}

func varint(n int) []byte { return protowire.AppendVarint(nil, uint64(n)) }

// split are a transaction's parts, each with its tag.
func split(raw []byte) [][]byte {
	var out [][]byte
	for len(raw) > 0 {
		_, _, n := protowire.ConsumeField(raw)
		if n < 0 {
			return out
		}
		out = append(out, raw[:n])
		raw = raw[n:]
	}
	return out
}
