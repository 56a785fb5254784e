package app_test

import (
	"fmt"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/client"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"

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

	res = c.block(c.free(hot, second))[0]
	require.NotZero(t, res.Code)
	require.Contains(t, res.Log, "weights_rate_limit")
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

// laneBlock is as many free transactions as fill the lane, and more.
func laneBlock(t *testing.T, c *chain, n int) [][]byte {
	t.Helper()
	var txs [][]byte
	for i := range n {
		who := fmt.Sprintf("crowd-%d", i)
		msg := serve(t, who)
		b := c.TxConfig.NewTxBuilder()
		require.NoError(t, b.SetMsgs(msg))
		b.SetGasLimit(gasOf(t, msg))
		raw, err := c.TxConfig.TxEncoder()(b.GetTx())
		require.NoError(t, err)
		txs = append(txs, raw)
	}
	return txs
}

func TestTheLaneGetsAQuarterOfABlocksGas(t *testing.T) {
	c := newChain(t)
	fits := int(25_000_000 / gasOf(t, &subnetstypes.MsgServe{}))
	free := laneBlock(t, c, fits+10)
	payer := c.sign(paid, []string{"user"}, send("user", "owner", 1))
	mempool := append(append([][]byte{}, free...), payer)

	res, err := c.PrepareProposal(&abci.RequestPrepareProposal{Height: c.height + 1, Time: c.time, Txs: mempool, MaxTxBytes: 4 << 20})
	require.NoError(t, err)
	require.Equal(t, append(append([][]byte{vrf.Frame(nil)}, free[:fits]...), payer), res.Txs, "the surplus waits, and the order stays")

	for name, o := range map[string]struct {
		txs  [][]byte
		want abci.ResponseProcessProposal_ProposalStatus
	}{
		"what we propose":              {res.Txs[1:], abci.ResponseProcessProposal_ACCEPT},
		"one free one too many":        {free[:fits+1], abci.ResponseProcessProposal_REJECT},
		"a free one of no lane's kind": {[][]byte{c.sign(offer{gas: 100_000}, []string{"user"}, send("user", "owner", 1))}, abci.ResponseProcessProposal_REJECT},
		"what can't be read":           {[][]byte{[]byte("hello")}, abci.ResponseProcessProposal_REJECT},
		"more gas than a block has": {[][]byte{
			c.sign(offer{gas: 60_000_000, fee: 600_000}, []string{"user"}, send("user", "owner", 1)),
			c.sign(offer{gas: 60_000_000, fee: 600_000}, []string{"owner"}, send("owner", "user", 1)),
		}, abci.ResponseProcessProposal_REJECT},
	} {
		t.Run(name, func(t *testing.T) {
			txs := append([][]byte{vrf.Frame(nil)}, o.txs...)
			got, err := c.ProcessProposal(&abci.RequestProcessProposal{Height: c.height + 1, Time: c.time, Txs: txs, Hash: []byte(name)})
			require.NoError(t, err)
			require.Equal(t, o.want.String(), got.Status.String())
		})
	}
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
