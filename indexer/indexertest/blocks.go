package indexertest

import (
	"encoding/json"
	"fmt"
	"math/big"

	abci "github.com/cometbft/cometbft/abci/types"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/gogoproto/proto"

	"github.com/lodenet/lode/client"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

const (
	txFee    = 5_000 // rao
	firstTAO = 1_000 * whole
	firstA   = 2_000 * whole
)

// Hyper are the hyperparameters of a subnet.
func (c *Chain) Hyper() subnetstypes.Hyperparameters {
	return subnetstypes.Hyperparameters{
		Tempo: uint32(c.cfg.Told), MaxUids: 4_096, MaxValidators: 64, ImmunityPeriod: 5_000, Kappa: 32_767, BondsMovingAverage: 900_000,
		YumaVersion: 3, AlphaLow: 700_000, AlphaHigh: 900_000, AlphaSigmoidSteepness: 1_000, ActivityCutoff: 5_000, MinAllowedWeights: 1,
		MaxWeightLimit: 65_535, WeightsRateLimit: 100, RevealPeriod: 1, RegistrationAllowed: true, MinBurn: 500_000, MaxBurn: 100 * whole,
		BurnHalfLife: 360, BurnIncrease: 126, OwnerCutEnabled: true, CollateralUnbond: 100, MinStakeToValidate: 1 << 63,
	}
}

// createAll opens all subnets with their neurons.
func (c *Chain) createAll() {
	hyper, err := json.Marshal(c.Hyper())
	if err != nil {
		panic(err)
	}
	owner := c.users[0]
	for i := range c.cfg.Subnets {
		n := &Subnet{ID: uint64(i) + 1, Netuid: uint32(i) + 1, Alpha: map[string]uint64{}}
		c.Subnets = append(c.Subnets, n)
		c.send(owner, alphaModule, firstTAO)
		n.TAO = firstTAO
		c.emit("lode.alpha.v1.EventPoolCreated", "subnet_id", n.ID, "netuid", n.Netuid, "tao", uint64(firstTAO), "alpha", uint64(firstA))
		c.move(n, "issuance", "reserve", firstA)
		for uid := range c.cfg.Neurons {
			n.Hotkeys = append(n.Hotkeys, Address(fmt.Sprintf("hotkey %d %d", n.ID, uid)))
			cold := c.users[uid%len(c.users)]
			n.Coldkeys = append(n.Coldkeys, cold)
			n.Pools = append(n.Pools, Stake{Shares: map[string]*big.Int{}})
			c.emit("lode.alpha.v1.EventHotkeyBound", "hotkey", n.Hotkeys[uid], "coldkey", cold)
		}
		c.emit("lode.subnets.v1.EventSubnetCreated", "subnet_id", n.ID, "netuid", n.Netuid, "name", fmt.Sprintf("subnet %d", n.ID), "owner_hotkey", n.Hotkeys[0],
			"owner_coldkey", owner, "lock", uint64(firstTAO), "description", "made <b>of nothing</b>", "url", "", "parameters", "{}", "hyperparameters", json.RawMessage(hyper),
			"burn", uint64(100_000_000))
		for uid := range n.Hotkeys {
			c.emit("lode.subnets.v1.EventNeuronRegistered", "subnet_id", n.ID, "netuid", n.Netuid, "uid", uint32(uid), "hotkey", n.Hotkeys[uid], "coldkey", n.Coldkeys[uid],
				"burn", uint64(0), "alpha_burned", uint64(0), "replaced_hotkey", "")
		}
		c.emit("lode.alpha.v1.EventTradingStarted", "subnet_id", n.ID)
		c.emit("lode.subnets.v1.EventSubnetStarted", "subnet_id", n.ID, "netuid", n.Netuid, "first_epoch", int64(c.cfg.Tempo))
		for uid := range min(8, c.cfg.Neurons) {
			c.stake(n, uid, n.Coldkeys[uid], 10*whole)
		}
	}
}

func (c *Chain) stake(n *Subnet, uid int, coldkey string, tao uint64) {
	c.send(coldkey, alphaModule, tao)
	c.addStake(n, uid, coldkey, c.buy(n, tao, "staked", alphatypes.ReasonStake), alphatypes.ReasonStake)
}

// tx adds a transaction of a user that does something.
func (c *Chain) tx(r *client.Record, memo, from string, do func()) {
	c.txOf(r, memo, from, &banktypes.MsgSend{FromAddress: from, ToAddress: from, Amount: sdk.NewCoins(sdk.NewInt64Coin("rao", 1))}, 0, do)
}

func (c *Chain) txOf(r *client.Record, memo, from string, msg sdk.Msg, code uint32, do func()) {
	packed, err := codectypes.NewAnyWithValue(msg)
	if err != nil {
		panic(err)
	}
	raw := c.bytes(memo, packed)
	res := &abci.ExecTxResult{Code: code, GasWanted: 200_000, GasUsed: 100_000}
	c.events = &res.Events
	c.send(from, feeModule, txFee)
	*c.events = append(*c.events, Plain("tx", "fee", fmt.Sprintf("%drao", txFee), "fee_payer", from))
	if code == 0 {
		do()
	} else {
		res.Codespace, res.Log = "sdk", "insufficient funds"
	}
	r.Txs, r.Results = append(r.Txs, raw), append(r.Results, res)
}

func (c *Chain) bytes(memo string, packed *codectypes.Any) []byte {
	body, err := proto.Marshal(&txtypes.TxBody{Messages: []*codectypes.Any{packed}, Memo: memo, TimeoutHeight: uint64(c.height + 20)})
	if err != nil {
		panic(err)
	}
	auth, err := proto.Marshal(&txtypes.AuthInfo{Fee: &txtypes.Fee{Amount: sdk.NewCoins(sdk.NewInt64Coin("rao", txFee)), GasLimit: 200_000}})
	if err != nil {
		panic(err)
	}
	sig := make([]byte, 64)
	sig[0], sig[1], sig[2], sig[3] = byte(c.height), byte(c.height>>8), byte(c.height>>16), byte(c.rnd.IntN(256))
	raw, err := proto.Marshal(&txtypes.TxRaw{BodyBytes: body, AuthInfoBytes: auth, Signatures: [][]byte{sig}})
	if err != nil {
		panic(err)
	}
	return raw
}

// anyTx adds a transaction of some kind.
func (c *Chain) anyTx(r *client.Record) {
	from := c.users[c.rnd.IntN(len(c.users))]
	n := c.Subnets[c.rnd.IntN(len(c.Subnets))]
	uid := c.rnd.IntN(len(n.Hotkeys))
	amount := whole/10 + c.rnd.Uint64N(whole)
	switch c.rnd.IntN(6) {
	case 0:
		to := c.users[c.rnd.IntN(len(c.users))]
		msg := &banktypes.MsgSend{FromAddress: from, ToAddress: to, Amount: sdk.NewCoins(sdk.NewInt64Coin("rao", int64(amount)))}
		c.txOf(r, "a gift", from, msg, 0, func() { c.send(from, to, amount) })
	case 1:
		msg := &banktypes.MsgSend{FromAddress: from, ToAddress: n.Hotkeys[uid], Amount: sdk.NewCoins(sdk.NewInt64Coin("rao", 1))}
		c.txOf(r, "", from, msg, 5, nil)
	case 2:
		c.unstake(r, n)
	case 3:
		c.weigh(r, n, uid)
	default:
		msg := &alphatypes.MsgStake{Coldkey: from, Hotkey: n.Hotkeys[uid], Netuid: n.Netuid, Tao: amount, LimitPrice: 1 << 60}
		c.txOf(r, "", from, msg, 0, func() { c.stake(n, uid, from, amount) })
	}
}

// unstake sells a part of somebody's stake.
func (c *Chain) unstake(r *client.Record, n *Subnet) {
	uid := c.rnd.IntN(min(8, len(n.Hotkeys)))
	cold := n.Coldkeys[uid]
	held := n.Pools[uid].Shares[cold]
	if held == nil {
		c.tx(r, "nothing to sell", cold, func() {})
		return
	}
	alpha := n.Pools[uid].Pool.Value(held)
	if c.rnd.IntN(3) > 0 {
		alpha = alpha / 3
	}
	msg := &alphatypes.MsgUnstake{Coldkey: cold, Hotkey: n.Hotkeys[uid], Netuid: n.Netuid, Alpha: alpha, LimitPrice: 1}
	c.txOf(r, "", cold, msg, 0, func() {
		sold := c.removeStake(n, uid, cold, alpha, alphatypes.ReasonUnstake)
		c.send(alphaModule, cold, c.sell(n, sold, "staked", alphatypes.ReasonUnstake))
	})
}

func (c *Chain) weigh(r *client.Record, n *Subnet, uid int) {
	var uids, values []uint32
	for i := range n.Hotkeys {
		uids, values = append(uids, uint32(i)), append(values, uint32(c.rnd.IntN(65_536)))
	}
	c.tx(r, "", n.Coldkeys[uid], func() {
		c.emit("lode.weights.v1.EventWeightsSet", "subnet_id", n.ID, "netuid", n.Netuid, "uid", uint32(uid), "hotkey", n.Hotkeys[uid], "uids", uids, "values", values, "revealed", false)
	})
}

// endBlock is emission and epochs.
func (c *Chain) endBlock() {
	var minted uint64
	for _, n := range c.Subnets {
		in, excess := uint64(1_000_000), uint64(2_000_000)
		alpha := in * 2
		n.TAO += in
		c.move(n, "issuance", "reserve", alpha)
		c.emit("lode.alpha.v1.EventLiquidityAdded", "alpha", alpha, "subnet_id", n.ID, "tao", in)
		c.buy(n, excess, "protocol", alphatypes.ReasonEmission)
		c.move(n, "issuance", "pending", 50_000_000)
		minted += in + excess
		c.emit("lode.emission.v1.EventSubnetEmission", "subnet_id", n.ID, "netuid", n.Netuid, "tao", in+excess, "tao_in", in, "alpha_in", alpha, "excess", excess,
			"alpha_out", uint64(50_000_000), "moving_price", "0.25", "root_alpha", uint64(0), "root_tao", uint64(0))
	}
	c.Issued += minted
	if minted > 0 {
		*c.events = append(*c.events, Plain("coinbase", "minter", emissionModule, "amount", fmt.Sprintf("%drao", minted)))
		c.receive(emissionModule, minted)
		c.send(emissionModule, alphaModule, minted)
	}
	c.emit("lode.emission.v1.EventBlockReward", "minted", minted, "security", uint64(0), "issued", c.Issued)
	for _, n := range c.Subnets {
		if (c.height+int64(n.ID))%int64(c.cfg.Tempo) == 0 {
			c.runEpoch(n)
		}
	}
}

// runEpoch pays what is pending: a half to validators, those with stake, a half to all
// others.
func (c *Chain) runEpoch(n *Subnet) {
	n.epoch++
	count := len(n.Hotkeys)
	fractions := make([]uint64, count)
	for i := range fractions {
		fractions[i] = uint64(c.rnd.Uint32())
	}
	c.emit("lode.weights.v1.EventEpoch", "subnet_id", n.ID, "netuid", n.Netuid, "number", n.epoch, "next_due", c.height+int64(c.cfg.Tempo),
		"incentive", fractions, "dividends", fractions, "outcome", "weighted", "stake", fractions, "consensus", fractions, "validator_trust", fractions,
		"active", []uint32{0}, "permits", []uint32{0})
	pending := n.Alpha["pending"]
	validators, miners := min(64, count/4+1), count
	incentive, dividends := make([]uint64, count), make([]uint64, count)
	var paid uint64
	for uid := range validators {
		if n.Pools[uid].Pool.Empty() {
			continue
		}
		d := pending / 2 / uint64(validators)
		dividends[uid] = d
		n.Pools[uid].Pool.Alpha += d
		paid += d
		c.emit("lode.alpha.v1.EventStakeRewarded", "alpha", d, "hotkey", n.Hotkeys[uid], "netuid", n.Netuid, "subnet_id", n.ID)
	}
	for uid := range miners {
		i := pending/2/uint64(miners) - uint64(c.rnd.IntN(1_000))
		incentive[uid] = i
		paid += i
		c.addStake(n, uid, n.Coldkeys[uid], i, alphatypes.ReasonIncentive)
	}
	c.move(n, "pending", "staked", paid)
	for uid := range count {
		c.emit("lode.emission.v1.EventNeuronPaid", "dividends", dividends[uid], "epoch", n.epoch, "hotkey", n.Hotkeys[uid], "incentive", incentive[uid], "netuid", n.Netuid,
			"revenue", uint64(0), "root_tao", uint64(0), "subnet_id", n.ID, "uid", uint32(uid))
	}
	c.emit("lode.emission.v1.EventEpochPaid", "subnet_id", n.ID, "netuid", n.Netuid, "epoch", n.epoch, "pending", pending, "paid", paid, "burned", uint64(0),
		"recycled", uint64(0), "carried", pending-paid, "root_pot", uint64(0), "root_paid", uint64(0), "root_recycled", uint64(0), "owner", uint64(0),
		"withheld", uint64(0), "uncovered", uint64(0), "revenue", uint64(0))
}
