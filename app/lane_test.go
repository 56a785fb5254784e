package app_test

import (
	"fmt"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	sdkmath "cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/client"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"

	"github.com/lodenet/lode/app"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/seed/vrf"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// permitted is a network whose validators hold permits.
func permitted(t *testing.T) *chain {
	t.Helper()
	c := newChain(t)
	settle(c)
	c.epoch()
	return c
}

func gasOf(t testing.TB, msg sdk.Msg) uint64 {
	t.Helper()
	gas, ok := weightstypes.LaneGas(msg)
	require.True(t, ok)
	return gas
}

func TestAFreeTransactionOfANeuronCostsNothing(t *testing.T) {
	c := permitted(t)
	before := c.balance("miner-1-hot")
	tx := c.free("miner-1-hot", serve(t, "miner-1-hot"))
	res := c.check(tx)
	require.Zero(t, res.Code, res.Log)
	c.runTx(tx)
	require.Equal(t, before, c.balance("miner-1-hot"))
	n, err := c.Subnets.NeuronByHotkey(c.query(), c.subnetID(), addr("miner-1-hot"))
	require.NoError(t, err)
	require.Len(t, n.Endpoints, 1)
}

// What doesn't have the lane's form pays, in the mempool and in a block alike: a
// proposer can't put it in either.
func TestTheLaneTakesNothingElse(t *testing.T) {
	c := permitted(t)
	msg := serve(t, "miner-1-hot")
	gas := gasOf(t, msg)
	hot := []string{"miner-1-hot"}
	exec := authz.NewMsgExec(addr("miner-1-hot"), []sdk.Msg{msg})
	for name, o := range map[string]struct {
		says string
		tx   func() []byte
	}{
		"a stranger's message":        {"not registered", func() []byte { return c.free("user", serve(t, "user")) }},
		"a transfer":                  {"always pays", func() []byte { return c.sign(offer{gas: 100_000}, []string{"user"}, send("user", "owner", 1)) }},
		"two messages":                {"has 2 messages", func() []byte { return c.sign(offer{gas: gas}, hot, msg, msg) }},
		"a message wrapped by authz":  {"always pays", func() []byte { return c.sign(offer{gas: gas}, hot, &exec) }},
		"more gas than the message's": {"must be exactly", func() []byte { return c.sign(offer{gas: gas + 1}, hot, msg) }},
		"less gas than the message's": {"must be exactly", func() []byte { return c.sign(offer{gas: gas - 1}, hot, msg) }},
		"a granter of fees":           {"one signer", func() []byte { return c.sign(offer{gas: gas, granter: "user"}, hot, msg) }},
		"another payer":               {"one signer", func() []byte { return c.sign(offer{gas: gas, payer: "user"}, append(hot, "user"), msg) }},
		"a fee below the least":       {"must be at least", func() []byte { return c.sign(offer{gas: gas, fee: 1}, hot, msg) }},
		"an unordered transaction": {"unordered", func() []byte {
			return c.sign(offer{gas: gas, edit: func(b client.TxBuilder) {
				b.SetUnordered(true)
				b.SetTimeoutTimestamp(c.time.Add(60e9))
			}}, hot, msg)
		}},
		"a signature of somebody else": {"signature verification failed", func() []byte {
			raw := c.free("miner-1-hot", msg)
			raw[len(raw)-1] ^= 1
			return raw
		}},
		"weights without a permit":  {"permit", func() []byte { return c.free("miner-1-hot", commit("miner-1-hot", row("miner-1-hot", 1, 1))) }},
		"a reveal without a commit": {"no open commit", func() []byte { return c.free("validator-1-hot", row("validator-1-hot", 1, 1)) }},
	} {
		t.Run(name, func(t *testing.T) {
			clear(c.sequence)
			raw := o.tx()
			checked := c.check(raw)
			require.NotZero(t, checked.Code)
			require.Contains(t, checked.Log, o.says)

			c.replay = true // past every proposal's check
			res := c.block(raw)[0]
			require.Contains(t, res.Log, o.says)
			n, err := c.Subnets.NeuronByHotkey(c.query(), c.subnetID(), addr("miner-1-hot"))
			require.NoError(t, err)
			require.Zero(t, n.ServedHeight)
		})
	}
}

func TestALaneMessageMayPayInsteadAndBeWrapped(t *testing.T) {
	c := permitted(t)
	c.run([]string{"user"}, send("user", "miner-1-hot", tao))
	before := c.balance("miner-1-hot")
	exec := authz.NewMsgExec(addr("miner-1-hot"), []sdk.Msg{serve(t, "miner-1-hot")})
	c.run([]string{"miner-1-hot"}, &exec)
	require.Equal(t, before-paid.fee, c.balance("miner-1-hot"))
}

func TestOnePendingTransactionPerNeuronAndKind(t *testing.T) {
	c := permitted(t)
	first := c.free("validator-1-hot", serve(t, "validator-1-hot"))
	second := c.free("validator-1-hot", serve(t, "validator-1-hot")) // the next sequence
	other := c.free("validator-1-hot", commit("validator-1-hot", row("validator-1-hot", 1, 2)))

	require.Zero(t, c.check(first).Code)
	res := c.check(second)
	require.NotZero(t, res.Code)
	require.Contains(t, res.Log, "the first block that will be accepted")
	// Another kind has its own limit; this one has the third sequence, so it waits.
	require.Contains(t, c.check(other).Log, "account sequence mismatch")
	kind := c.free("validator-2-hot", serve(t, "validator-2-hot"))
	require.Zero(t, c.check(kind).Code)

	// What was in the block is no longer pending, and what is pending is checked again.
	c.runTx(first)
	recheck, err := c.CheckTx(&abci.RequestCheckTx{Tx: kind, Type: abci.CheckTxType_Recheck})
	require.NoError(t, err)
	require.Zero(t, recheck.Code, recheck.Log)
	recheck, err = c.CheckTx(&abci.RequestCheckTx{Tx: second, Type: abci.CheckTxType_Recheck})
	require.NoError(t, err)
	require.NotZero(t, recheck.Code, "the limit is used until serve_rate_limit blocks have passed")
}

func TestAnInsiderCannotFloodABlock(t *testing.T) {
	c := permitted(t)
	var txs [][]byte
	for range 5 {
		txs = append(txs, c.free("miner-1-hot", serve(t, "miner-1-hot")))
	}
	require.Equal(t, refused.String(), c.propose(append([][]byte{c.frame()}, txs...)...).String())
	require.Equal(t, txs[:1], c.prepare(1<<20, txs...)[1:])
	c.replay = true // more than two thirds have let it pass
	codes := map[bool]int{}
	for _, r := range c.block(txs...) {
		codes[r.Code == 0]++
	}
	require.Equal(t, map[bool]int{true: 1, false: 4}, codes)
}

func TestAMessageThatFailedHasUsedItsLimit(t *testing.T) {
	c := permitted(t)
	const hot = "validator-1-hot"
	first, second := commit(hot, row(hot, 1, 2)), commit(hot, row(hot, 2, 1))
	c.runTx(c.free(hot, first))
	c.blocks(4)
	res := c.block(c.free(hot, first))[0] // a hash that is committed already: the message refuses it
	require.Contains(t, res.Log, "failed to execute message")

	c.replay = true // no proposal takes it
	res = c.block(c.free(hot, second))[0]
	require.NotZero(t, res.Code)
	require.Contains(t, res.Log, "weights_rate_limit")
	c.replay = false
	c.blocks(3)
	c.runTx(c.free(hot, second))
}

func TestSimulationTellsWhatGasAPaidTransactionNeeds(t *testing.T) {
	c := permitted(t)
	// As clients simulate: no gas, no fee.
	gas, _, err := c.Simulate(c.sign(offer{}, []string{"user"}, send("user", "owner", 1)))
	require.NoError(t, err)
	require.Positive(t, gas.GasUsed)
	// A free one can be simulated too, and uses nothing up.
	tx := c.free("miner-1-hot", serve(t, "miner-1-hot"))
	gas, _, err = c.Simulate(tx)
	require.NoError(t, err)
	require.Less(t, gas.GasUsed, gasOf(t, serve(t, "miner-1-hot")))
	require.Zero(t, c.check(tx).Code)
}

func TestEveryoneElsePaysTheLeastGasPriceWhateverTheProposerSays(t *testing.T) {
	c := newChain(t)
	c.replay = true
	for name, o := range map[string]offer{
		"nothing":      {gas: 100_000},
		"too little":   {gas: 100_000, fee: 999},
		"huge gas":     {gas: 99_000_000, fee: 1_000},
		"too much gas": {gas: 100_000_001, fee: 10_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			clear(c.sequence)
			tx := c.sign(o, []string{"user"}, send("user", "owner", 1))
			require.NotZero(t, c.check(tx).Code)
			before := c.balance("owner")
			require.NotZero(t, c.block(tx)[0].Code)
			require.Equal(t, before, c.balance("owner"))
		})
	}
	c.runTx(c.sign(offer{gas: 100_000, fee: 1_000}, []string{"user"}, send("user", "owner", 1)))
}

// crowd are miners, registered by one coldkey.
func crowd(c *chain, n int) []string {
	c.t.Helper()
	var names []string
	var fund, bind, register [][]byte
	for i := range n {
		name := fmt.Sprintf("crowd-%d", i)
		names = append(names, name)
		fund = append(fund, c.sign(offer{gas: 200_000, fee: 2_000}, []string{"user"}, send("user", name, 1)))
	}
	c.runTx(fund...)
	for _, name := range names {
		bind = append(bind, c.sign(offer{gas: 400_000, fee: 4_000}, []string{"user", name}, &alphatypes.MsgBindHotkey{Coldkey: text("user"), Hotkey: text(name)}))
	}
	c.runTx(bind...)
	for _, name := range names {
		register = append(register, c.sign(offer{gas: 1_000_000, fee: 10_000}, []string{"user"},
			&subnetstypes.MsgRegister{Coldkey: text("user"), Hotkey: text(name), Netuid: 1, MaxBurn: 1_000 * tao}))
	}
	c.runTx(register...)
	return names
}

func TestTheLaneGetsAQuarterOfABlocksGas(t *testing.T) {
	c := permitted(t)
	fits := int(25_000_000 / gasOf(t, &subnetstypes.MsgServe{}))
	var free [][]byte
	for _, name := range crowd(c, fits+3) {
		free = append(free, c.free(name, serve(t, name)))
	}
	payer := c.sign(paid, []string{"user"}, send("user", "owner", 1))
	mempool := append(append([][]byte{}, free...), payer)
	proposed := c.prepare(4<<20, mempool...)[1:]
	require.Equal(t, append(append([][]byte{}, free[:fits]...), payer), proposed, "the surplus waits, and the order stays")

	for name, o := range map[string]struct {
		txs  [][]byte
		want abci.ResponseProcessProposal_ProposalStatus
	}{
		"what we propose":              {proposed, accepted},
		"one free one too many":        {free[:fits+1], refused},
		"a free one twice":             {[][]byte{free[0], free[0]}, refused},
		"a free one of a stranger":     {[][]byte{c.free("user", serve(t, "user"))}, refused},
		"a free one of no lane's kind": {[][]byte{c.sign(offer{gas: 100_000}, []string{"user"}, send("user", "owner", 1))}, refused},
		"what can't be read":           {[][]byte{[]byte("hello")}, refused},
		"more gas than a block has": {[][]byte{
			c.sign(offer{gas: 60_000_000, fee: 600_000}, []string{"user"}, send("user", "owner", 1)),
			c.sign(offer{gas: 60_000_000, fee: 600_000}, []string{"owner"}, send("owner", "user", 1)),
		}, refused},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, o.want.String(), c.propose(append([][]byte{c.frame()}, o.txs...)...).String())
		})
	}
}

// CometBFT takes the first transactions of its mempool whose gas makes a block, and
// only then asks what to propose of them.
func TestTransactionsThatWaitKeepNobodyOutWhoPaysMore(t *testing.T) {
	c := permitted(t)
	for _, tx := range [][]byte{
		c.free("miner-1-hot", serve(t, "miner-1-hot")),
		c.sign(offer{gas: 100_000_000, fee: 1_000_000}, []string{"user"}, send("user", "owner", 1)),
	} {
		res := c.check(tx)
		require.Zero(t, res.Code, res.Log)
		require.Zero(t, res.GasWanted, "CometBFT would keep others out by it")
	}
}

func TestAProposalTakesTheLaneFirstThenWhoPaysMost(t *testing.T) {
	c := permitted(t)
	pay := func(from string, gas, fee uint64) []byte {
		return c.sign(offer{gas: gas, fee: fee}, []string{from}, send(from, "owner", 1))
	}
	var (
		whole   = pay("owner", 100_000_000, 1_000_000) // the least price, for all of a block
		cheap   = pay("validator-1", 100_000, 1_000)
		first   = pay("user", 100_000, 1_000)  // of two by one signer
		dearest = pay("user", 100_000, 90_000) // comes when the first has
		dear    = pay("miner-1", 200_000, 3_000)
		free    = c.free("miner-1-hot", serve(t, "miner-1-hot"))
		huge    = c.sign(offer{gas: 100_000, edit: func(b client.TxBuilder) {
			b.SetFeeAmount(sdk.NewCoins(sdk.NewCoin(app.BaseDenom, sdkmath.NewIntFromUint64(1<<63).MulRaw(8))))
		}}, []string{"miner-2"}, send("miner-2", "owner", 1)) // more rao than a u64 holds
	)
	require.Equal(t, [][]byte{free, huge, dear, cheap, first, dearest}, c.prepare(4<<20, whole, cheap, first, dearest, dear, free, huge)[1:])
	require.Equal(t, [][]byte{whole}, c.prepare(4<<20, whole)[1:], "there is nobody else")
}

// Else who fills a mempool with a few thousand transactions that each ask for a block
// shuts everybody else out for as many blocks, for a few TAO.
func TestTheMoreWaitTheMoreItCostsToWait(t *testing.T) {
	c := permitted(t)
	ask := func(gas, fee uint64) *abci.ResponseCheckTx {
		res, err := c.CheckTx(&abci.RequestCheckTx{
			Tx: c.sign(offer{gas: gas, fee: fee}, []string{"user"}, send("user", "owner", 1)), Type: abci.CheckTxType_New,
		})
		require.NoError(t, err)
		if res.Code != 0 {
			c.sequence["user"]-- // it isn't there
		}
		return res
	}
	in, fee := 0, uint64(1_000_000) // the least price for a block's gas
	var spent uint64
	for ; in < 40; in++ {
		for ask(100_000_000, fee).Code != 0 {
			fee *= 2
			require.Less(t, fee, uint64(1)<<50, "nothing is let in any more")
		}
		spent += fee
	}
	require.Equal(t, uint64(1_000_000)<<23, fee, "doubled once for each block's worth after 17")
	require.Greater(t, spent, uint64(16_000)*tao, "40 blocks' worth cost as much as all of a block's gas at thousands of times its least price")
	res := ask(100_000, 1_000)
	require.EqualValues(t, 13, res.Code, "insufficient fee")
	require.Contains(t, res.Log, "many transactions wait")
	require.Contains(t, res.Log, "or try again in a few blocks")
	require.Zero(t, c.check(c.free("miner-1-hot", serve(t, "miner-1-hot"))).Code, "the lane is open")

	// With a block the count begins anew, of what CometBFT checks again.
	c.block()
	again, err := c.CheckTx(&abci.RequestCheckTx{Tx: c.sign(offer{gas: 100_000_000, fee: 1_000_000}, []string{"user"}, send("user", "owner", 1)), Type: abci.CheckTxType_Recheck})
	require.NoError(t, err)
	require.Zero(t, again.Code, again.Log)
	require.Zero(t, ask(100_000, 1_000).Code)
}

func TestAProposalKeepsToItsSizeAndLeavesNoGapInASequence(t *testing.T) {
	c := newChain(t)
	big := c.sign(offer{gas: 99_000_000, fee: 990_000}, []string{"user"}, send("user", "owner", 1))
	bigger := c.sign(offer{gas: 99_000_000, fee: 990_000}, []string{"user"}, send("user", "owner", 1))
	after := c.sign(paid, []string{"user"}, send("user", "owner", 1))
	other := c.sign(offer{gas: 500_000, fee: 5_000}, []string{"owner"}, send("owner", "user", 1))
	ask := func(size int64) [][]byte {
		res, err := c.PrepareProposal(&abci.RequestPrepareProposal{
			Height: c.height + 1, Time: c.time, Txs: [][]byte{[]byte("hello"), big, bigger, after, other}, MaxTxBytes: size,
		})
		require.NoError(t, err)
		require.Equal(t, vrf.Frame(nil), res.Txs[0])
		return res.Txs[1:]
	}
	require.Equal(t, [][]byte{big, other}, ask(1<<20), "the third would have the wrong sequence without the second")
	require.Equal(t, [][]byte{big}, ask(int64(len(big)+20)))
}

// What the lane's fixed gas must cover, at its largest.
func TestTheLanesGasCoversTheLargestMessages(t *testing.T) {
	c := permitted(t)
	most := serve(t, "validator-1-hot")
	_, id, _ := strings.Cut(most.Endpoints[0], "/p2p/")
	most.Protocol, most.ProtocolVersion, most.Endpoints = strings.Repeat("p", subnetstypes.MaxProtocol), strings.Repeat("v", subnetstypes.MaxVersion), nil
	for i := range subnetstypes.MaxEndpoints {
		host := "/dns/" + strings.Repeat(string(rune('a'+i)), 63) + "." + strings.Repeat("b", 63) + ".example/udp/4001/quic-v1/p2p/" + id
		most.Endpoints = append(most.Endpoints, host)
	}
	fits := func(tx []byte) {
		t.Helper()
		r := c.block(tx)[0]
		require.Zero(t, r.Code, r.Log)
		t.Logf("%d of %d gas", r.GasUsed, r.GasWanted)
	}
	tx := c.free("validator-1-hot", most)
	fits(tx)
	c.blocks(5)
	fits(c.free("validator-1-hot", most)) // over the old endpoints

	// As many commits as may be open, then a reveal among them.
	c.epoch()
	c.run([]string{"owner"}, &subnetstypes.MsgSetHyperparameter{Signer: text("owner"), Netuid: 1, Name: "immunity_period", Value: 500})
	c.run([]string{"owner"}, &subnetstypes.MsgSetHyperparameter{Signer: text("owner"), Netuid: 1, Name: "tempo", Value: 60})
	c.epoch()
	for i := range 10 {
		c.blocks(4)
		fits(c.free("validator-1-hot", commit("validator-1-hot", row("validator-1-hot", 1, uint32(i)))))
	}
	c.epoch()
	fits(c.free("validator-1-hot", row("validator-1-hot", 1, 9)))
}

// Until its first block after a start the SDK checks transactions as if the chain were
// at height 0: whoever served long ago would be told to wait for blocks long past.
func TestARestartedNodeChecksForItsNextBlock(t *testing.T) {
	c := permitted(t)
	c.runTx(c.free("miner-1-hot", serve(t, "miner-1-hot")))
	c.blocks(10) // past serve_rate_limit
	again := c.reopen()
	res := again.check(again.free("miner-1-hot", serve(t, "miner-1-hot")))
	require.Zero(t, res.Code, res.Log)
}

// A reveal that fails keeps its commit: in the lane it is tried as seldom as a commit,
// else a validator would fill an eightieth of every block for nothing.
func TestAFreeRevealThatFailsHasUsedALimit(t *testing.T) {
	c := permitted(t)
	const hot = "validator-1-hot"
	c.runTx(c.free(hot, commit(hot, row(hot, 1, 2))))
	c.epoch()
	wrong := row(hot, 7, 7)
	require.Contains(t, c.block(c.free(hot, wrong))[0].Log, "must be those of the commit")
	for range 4 {
		require.Contains(t, c.check(c.free(hot, wrong)).Log, "weights_rate_limit")
		c.block()
	}
	c.runTx(c.free(hot, row(hot, 1, 2)))
}

// The most of a block that one hotkey gets for nothing: its limits times the lane's gas.
func TestWhatAnInsiderGetsOfABlock(t *testing.T) {
	const blockGas = 100_000_000
	longest := make([]uint32, weightstypes.MaxRow)
	defaults, err := subnetstypes.DefaultParams().Defaults()
	require.NoError(t, err)
	for name, o := range map[string]struct {
		serves, weights uint64  // blocks between two
		most            float64 // of blocks' gas
	}{
		"mainnet":                         {uint64(subnetstypes.DefaultParams().ServeRateLimit), uint64(defaults.WeightsRateLimit), 0.000_27},
		"mainnet, as governance may have": {uint64(subnetstypes.DefaultParams().ServeRateLimit), 10, 0.002_5},
	} {
		gas := float64(gasOf(t, &subnetstypes.MsgServe{})) / float64(o.serves)
		gas += float64(gasOf(t, &weightstypes.MsgSetWeights{Uids: longest})) / float64(o.weights)
		gas += float64(gasOf(t, &weightstypes.MsgRevealWeights{Uids: longest})) / float64(o.weights)
		require.Less(t, gas/blockGas, o.most, name)
	}

	// A hotkey that tries everything in each block gets through what its limits say.
	c := permitted(t)
	const hot = "validator-1-hot"
	c.runTx(c.free(hot, commit(hot, row(hot, 1, 2))))
	c.epoch()
	got := map[string]int{}
	from := c.height
	for c.height < from+8 { // the reveal's epoch is not over
		for _, m := range []sdk.Msg{serve(t, hot), commit(hot, row(hot, 3, uint32(c.height))), row(hot, 7, 7)} {
			if tx := c.free(hot, m); c.check(tx).Code == 0 {
				got[sdk.MsgTypeURL(m)] += len(c.prepare(1<<20, tx)) - 1
				c.block(tx)
			}
		}
		c.block()
	}
	blocks := int(c.height - from)
	for kind, n := range got {
		require.LessOrEqual(t, n, 1+blocks/5, kind)
	}
	require.Len(t, got, 3)
}

// A proposer's junk, and who has spent its coins by the time that others of its
// transactions are run: these fail before they pay, and are bounded by a block.
func TestWhatFailsBeforeItPaysIsBoundedByABlock(t *testing.T) {
	c := newChain(t)
	c.runTx(c.sign(paid, []string{"user"}, send("user", "a", tao)))
	all := c.sign(paid, []string{"a"}, send("a", "owner", tao-int64(paid.fee)))
	behind := [][]byte{all}
	for range 60 { // each was covered when it came
		behind = append(behind, c.sign(paid, []string{"a"}, send("a", "owner", 1)))
	}
	for _, tx := range behind {
		require.Zero(t, c.check(tx).Code)
	}
	proposed := c.prepare(4<<20, behind...)[1:]
	require.Len(t, proposed, 50, "a block's gas")
	forged := c.sign(paid, []string{"user"}, send("user", "owner", 1))
	forged[len(forged)-1] ^= 1
	before := c.balance("user")
	results := c.block(append(proposed[:49:49], forged)...)
	require.Zero(t, results[0].Code, results[0].Log)
	require.Contains(t, results[48].Log, "insufficient funds")
	require.Contains(t, results[49].Log, "signature verification failed")
	require.Zero(t, c.balance("a"))
	require.Equal(t, before, c.balance("user"))
	res, err := c.CheckTx(&abci.RequestCheckTx{Tx: behind[60], Type: abci.CheckTxType_Recheck})
	require.NoError(t, err)
	require.NotZero(t, res.Code, "the mempool drops the rest")
}
