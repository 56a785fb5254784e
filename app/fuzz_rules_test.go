package app_test

import (
	"fmt"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"

	"github.com/lodenet/lode/app"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// The free lane as protocol.md §8 has it, written a second time: of what the tests
// know of the chain's people, and of the wire format. None of the chain's code for the
// lane is called here.

// Kinds have a limit each.
const (
	serves_  = "serve"
	weights_ = "weights"
	reveals_ = "reveal"
)

// every is how many blocks lie between two free transactions of a neuron and kind, in
// the local profile.
const every = 5

// slot is what has a limit.
type slot struct{ hotkey, kind string }

// permits are held by the validators and the owner.
var permits = []string{"validator-1-hot", "validator-2-hot", "owner-hot"}

// reading is what a transaction says, as far as the lane's rules ask.
type reading struct {
	free     bool
	gas      uint64
	fee      sdk.Coins
	payer    string
	granter  string
	messages []string // types
	slot     slot     // of its lane message
	form     error    // why it is not the lane's; nil: it is
}

// read is by the wire format alone.
func read(raw []byte) (r reading, err error) {
	var parts txtypes.TxRaw
	var body txtypes.TxBody
	var info txtypes.AuthInfo
	if err = parts.Unmarshal(raw); err != nil {
		return r, err
	}
	if err = body.Unmarshal(parts.BodyBytes); err != nil {
		return r, err
	}
	if err = info.Unmarshal(parts.AuthInfoBytes); err != nil {
		return r, err
	}
	if info.Fee == nil {
		return r, fmt.Errorf("no fee")
	}
	r = reading{free: true, gas: info.Fee.GasLimit, fee: info.Fee.Amount, payer: info.Fee.Payer, granter: info.Fee.Granter}
	for _, coin := range info.Fee.Amount {
		if coin.Amount.IsNil() {
			return r, fmt.Errorf("a fee without an amount")
		}
		r.free = r.free && coin.Amount.IsZero()
	}
	for _, m := range body.Messages {
		r.messages = append(r.messages, m.TypeUrl)
	}
	r.form = r.lane(body)
	return r, nil
}

// lane says why a transaction hasn't the lane's form.
func (r *reading) lane(body txtypes.TxBody) error {
	if len(body.Messages) != 1 {
		return fmt.Errorf("%d messages", len(body.Messages))
	}
	var (
		hotkey string
		gas    uint64
		m      = body.Messages[0]
	)
	switch m.TypeUrl {
	case "/lode.subnets.v1.MsgServe":
		var msg subnetstypes.MsgServe
		if err := msg.Unmarshal(m.Value); err != nil {
			return err
		}
		hotkey, gas, r.slot.kind = msg.Hotkey, 300_000, serves_
	case "/lode.weights.v1.MsgCommitWeights":
		var msg weightstypes.MsgCommitWeights
		if err := msg.Unmarshal(m.Value); err != nil {
			return err
		}
		hotkey, gas, r.slot.kind = msg.Hotkey, 200_000, weights_
	case "/lode.weights.v1.MsgSetWeights":
		var msg weightstypes.MsgSetWeights
		if err := msg.Unmarshal(m.Value); err != nil {
			return err
		}
		hotkey, gas, r.slot.kind = msg.Hotkey, 200_000+250*uint64(len(msg.Uids)), weights_
	case "/lode.weights.v1.MsgRevealWeights":
		var msg weightstypes.MsgRevealWeights
		if err := msg.Unmarshal(m.Value); err != nil {
			return err
		}
		hotkey, gas, r.slot.kind = msg.Hotkey, 200_000+250*uint64(len(msg.Uids)), reveals_
	default:
		return fmt.Errorf("a %s", m.TypeUrl)
	}
	r.slot.hotkey = "nobody"
	if a, err := sdk.AccAddressFromBech32(hotkey); err == nil {
		if p := whose(a); p != nil {
			r.slot.hotkey = p.name
		}
	}
	switch {
	case r.gas != gas:
		return fmt.Errorf("%d gas, not %d", r.gas, gas)
	case r.payer != "" && r.payer != hotkey, r.granter != "":
		return fmt.Errorf("payer %q, granter %q", r.payer, r.granter)
	case body.Unordered:
		return fmt.Errorf("unordered")
	}
	return nil
}

// limits are when each neuron last used its limits up.
type limits map[slot]int64

// may says why a free transaction must not be in the block at a height.
func (l limits) may(r reading, height int64) error {
	switch {
	case r.form != nil:
		return r.form
	case !slices.Contains(hotkeys(), r.slot.hotkey):
		return fmt.Errorf("%s is a stranger", r.slot.hotkey)
	case r.slot.kind != serves_ && !slices.Contains(permits, r.slot.hotkey):
		return fmt.Errorf("%s has no permit", r.slot.hotkey)
	}
	if last, ok := l[r.slot]; ok && height < last+every {
		return fmt.Errorf("%v had its turn in block %d, this is block %d", r.slot, last, height)
	}
	return nil
}

// allowed says what of the rules a block breaks. Its first transaction must be the
// proof, the others readable; gas keeps to the block's, a quarter of it in the lane;
// each free one is allowed, and the only one of its slot.
func (l limits) allowed(txs [][]byte, proof []byte, height int64) error {
	if len(txs) == 0 || string(txs[0]) != string(proof) {
		return fmt.Errorf("no proof")
	}
	var gas, lane uint64
	used := map[slot]bool{}
	for i, raw := range txs[1:] {
		r, err := read(raw)
		if err != nil {
			return fmt.Errorf("transaction %d: %w", i+1, err)
		}
		if r.gas > fuzzGas {
			return fmt.Errorf("transaction %d: %d gas", i+1, r.gas)
		}
		gas += r.gas
		if !r.free {
			continue
		}
		lane += r.gas
		if err := l.may(r, height); err != nil {
			return fmt.Errorf("transaction %d: %w", i+1, err)
		}
		if used[r.slot] {
			return fmt.Errorf("transaction %d is the second of %v", i+1, r.slot)
		}
		used[r.slot] = true
	}
	if gas > fuzzGas || lane > fuzzGas/4 {
		return fmt.Errorf("%d gas, %d of it in the lane", gas, lane)
	}
	return nil
}

// least is the fee that a transaction outside of the lane pays: a hundredth of a rao a
// unit of gas, rounded up.
func least(gas uint64) int64 { return int64(gas/100) + int64(min(gas%100, 1)) }

// paidRao is how much of a fee counts.
func (r reading) paidRao() int64 {
	for _, coin := range r.fee {
		if coin.Denom == app.BaseDenom && coin.Amount.IsInt64() {
			return coin.Amount.Int64()
		}
	}
	return 0
}
