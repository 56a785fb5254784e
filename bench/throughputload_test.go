package bench_test

import (
	"fmt"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// sender signs transactions, without asking the chain for its sequence.
type sender struct {
	key     *secp256k1.PrivKey
	address string
	funds   uint64 // rao at genesis

	account, sequence uint64
}

// newSender is the same in every run.
func newSender(name string, funds uint64) *sender {
	key := secp256k1.GenPrivKeyFromSecret([]byte(name))
	return &sender{key: key, address: sdk.AccAddress(key.PubKey().Address()).String(), funds: funds}
}

// sign makes a transaction; the first signer pays the least fee.
func sign(gas uint64, by []*sender, msgs ...sdk.Msg) ([]byte, error) {
	body := &txtypes.TxBody{}
	for _, m := range msgs {
		packed, err := codectypes.NewAnyWithValue(m)
		if err != nil {
			return nil, err
		}
		body.Messages = append(body.Messages, packed)
	}
	auth := &txtypes.AuthInfo{Fee: &txtypes.Fee{Amount: rao(int64(gas/100 + 1)), GasLimit: gas}}
	for _, s := range by {
		key, err := codectypes.NewAnyWithValue(s.key.PubKey())
		if err != nil {
			return nil, err
		}
		auth.SignerInfos = append(auth.SignerInfos, &txtypes.SignerInfo{
			PublicKey: key, Sequence: s.sequence,
			ModeInfo: &txtypes.ModeInfo{Sum: &txtypes.ModeInfo_Single_{Single: &txtypes.ModeInfo_Single{Mode: signing.SignMode_SIGN_MODE_DIRECT}}},
		})
	}
	raw := &txtypes.TxRaw{}
	var err error
	if raw.BodyBytes, err = body.Marshal(); err != nil {
		return nil, err
	}
	if raw.AuthInfoBytes, err = auth.Marshal(); err != nil {
		return nil, err
	}
	for _, s := range by {
		doc := &txtypes.SignDoc{BodyBytes: raw.BodyBytes, AuthInfoBytes: raw.AuthInfoBytes, ChainId: scaleChainID, AccountNumber: s.account}
		bytes, err := doc.Marshal()
		if err != nil {
			return nil, err
		}
		signature, err := s.key.Sign(bytes)
		if err != nil {
			return nil, err
		}
		raw.Signatures = append(raw.Signatures, signature)
		s.sequence++
	}
	return raw.Marshal()
}

const (
	anyPrice = 1 << 62 // rao a whole alpha: a limit that never holds

	// loadSubnets is how many subnets the stake operations that don't contend are
	// spread over.
	loadSubnets = 4
)

// load is a kind of transaction that many people send.
type load struct {
	name string
	gas  uint64
	msg  func(l *crowd, i int) sdk.Msg // of person i
}

// crowd are those who send, and the owners of the subnets that they stake in.
type crowd struct {
	people       []*sender
	owners, hots []*sender // of subnets 1 to loadSubnets
}

func newCrowd(people int) *crowd {
	c := &crowd{}
	for i := range people {
		c.people = append(c.people, newSender(fmt.Sprint("person ", i), 100*tao))
	}
	for i := range loadSubnets {
		c.owners = append(c.owners, newSender(fmt.Sprint("owner ", i), 50_000*tao))
		c.hots = append(c.hots, newSender(fmt.Sprint("hotkey ", i), 1))
	}
	return c
}

// all are everybody who has an account at genesis.
func (c *crowd) all() []*sender {
	return append(append(append([]*sender(nil), c.people...), c.owners...), c.hots...)
}

// found are the transactions that open the subnets, in three blocks one after the
// other, and in a fourth everybody's first stake: in subnet 1, and in the one of their
// own.
func (c *crowd) found() (blocks [][][]byte, err error) {
	blocks = make([][][]byte, 4)
	add := func(block int, gas uint64, by []*sender, msgs ...sdk.Msg) {
		if err == nil {
			var tx []byte
			tx, err = sign(gas, by, msgs...)
			blocks[block] = append(blocks[block], tx)
		}
	}
	for i, owner := range c.owners {
		hot := c.hots[i]
		add(0, 500_000, []*sender{owner, hot}, &alphatypes.MsgBindHotkey{Coldkey: owner.address, Hotkey: hot.address})
		add(1, 2_000_000, []*sender{owner}, &subnetstypes.MsgCreateSubnet{Coldkey: owner.address, Hotkey: hot.address, MaxLock: 40_000 * tao, Name: fmt.Sprint("load-", i)})
		add(2, 500_000, []*sender{owner}, &subnetstypes.MsgStartSubnet{Coldkey: owner.address, Netuid: uint32(i + 1)})
	}
	for i, p := range c.people {
		add(3, 1_000_000, []*sender{p}, c.stake(i, 0, tao), c.stake(i, i%loadSubnets, tao))
	}
	return blocks, err
}

func (c *crowd) stake(person, subnet int, tao uint64) sdk.Msg {
	return &alphatypes.MsgStake{
		Coldkey: c.people[person].address, Hotkey: c.hots[subnet].address, Netuid: uint32(subnet + 1), Tao: tao, LimitPrice: anyPrice,
	}
}

func (c *crowd) unstake(person, subnet int, alpha uint64) sdk.Msg {
	return &alphatypes.MsgUnstake{
		Coldkey: c.people[person].address, Hotkey: c.hots[subnet].address, Netuid: uint32(subnet + 1), Alpha: alpha, LimitPrice: 1,
	}
}

func (c *crowd) send(person int) sdk.Msg {
	to := c.people[(person+1)%len(c.people)]
	return &banktypes.MsgSend{FromAddress: c.people[person].address, ToAddress: to.address, Amount: rao(1)}
}

// loads are what is measured; the plain application knows transfers alone. Each offers
// the gas that package client would: 1.3 times what it uses.
var (
	transfers = load{"transfer", 87_000, func(c *crowd, i int) sdk.Msg { return c.send(i) }}
	stakes    = load{"stake", 113_000, func(c *crowd, i int) sdk.Msg { return c.stake(i, 0, 3_000_000) }}
	unstakes  = load{"unstake", 113_000, func(c *crowd, i int) sdk.Msg { return c.unstake(i, 0, 5_000_000) }}
	spread    = load{"stake in 4 subnets", 113_000, func(c *crowd, i int) sdk.Msg { return c.stake(i, i%loadSubnets, 3_000_000) }}
	mixed     = load{"mixed", 113_000, func(c *crowd, i int) sdk.Msg {
		switch i % 3 {
		case 0:
			return c.send(i)
		case 1:
			return c.stake(i, 0, 3_000_000)
		}
		return c.unstake(i, 0, 5_000_000)
	}}
	ourLoads = []load{transfers, stakes, unstakes, spread, mixed}
)

// transactions are so many of a load, signed: everybody's in turn.
func (c *crowd) transactions(l load, count int) ([][]byte, error) {
	txs := make([][]byte, count)
	for k := range txs {
		i := k % len(c.people)
		var err error
		if txs[k], err = sign(l.gas, []*sender{c.people[i]}, l.msg(c, i)); err != nil {
			return nil, err
		}
	}
	return txs, nil
}
