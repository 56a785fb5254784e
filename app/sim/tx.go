package sim

import (
	"context"
	"fmt"
	"slices"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"
	"github.com/cosmos/cosmos-sdk/x/feegrant"

	"github.com/lodenet/lode/app"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// pending is a transaction that waits in the mempool.
type pending struct {
	raw     []byte
	msgs    []sdk.Msg
	signers []*person
}

// transaction makes one of messages that are already chosen, signed by all whom they
// concern; nil if one of them can't sign.
func (s *sim) transaction(msgs []sdk.Msg) *pending {
	t := &pending{msgs: msgs}
	for _, m := range msgs {
		signers, _, err := s.enc.Codec.GetMsgV1Signers(m)
		if err != nil {
			return nil
		}
		for _, raw := range signers {
			p := s.byText[sdk.AccAddress(raw).String()]
			if p == nil || !s.canSign(p) {
				return nil
			}
			if s.nodes[0].Alpha.Unlocked(s.view.ctx, p.addr) != nil && !disputes(msgs) && s.n(30) > 0 {
				return nil // its swap is announced
			}
			if !slices.Contains(t.signers, p) {
				t.signers = append(t.signers, p)
			}
		}
	}
	if len(t.signers) == 0 {
		return nil // spoilt so that nobody is asked to sign: the decoder refuses it
	}
	b := s.enc.TxConfig.NewTxBuilder()
	if err := b.SetMsgs(msgs...); err != nil {
		return nil
	}
	gas, free, doomed := uint64(0), false, false
	if len(msgs) == 1 && len(t.signers) == 1 && s.n(10) > 0 {
		gas, free = weightstypes.LaneGas(msgs[0])
	}
	if free {
		key := laneKey(msgs[0])
		if s.n(30) > 0 && (s.lane[key] || s.nodes[0].Weights.LaneCheck(s.view.ctx, msgs[0]) != nil) {
			return nil // the lane would not take it now
		}
		s.lane[key] = true
	}
	if !free {
		gas = uint64(len(msgs)) * uint64(500_000+s.n(300_000))
		fee := int64(gas/100) + 1
		switch s.n(60) {
		case 0:
			if s.import_ == nil { // afterwards gas is a little different
				gas = uint64(60_000 + s.n(200_000)) // likely too little
			}
		case 1:
			fee = int64(s.n(int(fee))) // too little, or none: no free ride
			doomed = true
		case 2, 3:
			fee *= 10
		}
		if fee > 0 {
			b.SetFeeAmount(coins(fee))
		}
		if g := s.granter(t.signers[0], fee); g != nil {
			b.SetFeeGranter(g.addr)
		}
	}
	if !free && s.balance(t.signers[0]) < 2_000_000 && s.n(20) > 0 {
		return nil // can't pay
	}
	b.SetGasLimit(gas)
	if s.n(40) == 0 {
		b.SetMemo("memo")
	}
	if s.n(60) == 0 {
		wait := int64(s.n(4))
		doomed = doomed || wait == 0
		b.SetTimeoutHeight(uint64(s.comet.height + wait))
	}
	sequences := make([]uint64, len(t.signers))
	for i, p := range t.signers {
		sequences[i] = s.nextSequence(p)
	}
	early := s.n(150) == 0
	for i, p := range t.signers {
		if doomed || early { // no ante handler lets it through: the next one takes its place
			s.sequence[p.text] = sequences[i]
		}
		if early {
			sequences[i]++
		}
	}
	t.raw = s.sign(b, t.signers, sequences)
	return t
}

// canSign tells whether somebody has an account, on the imported chain the same. An
// account's number comes from the app hash of the block in which it appears, so that
// signatures of accounts that came later are good on one of the chains alone.
func (s *sim) canSign(p *person) bool {
	a := s.nodes[0].Account.GetAccount(s.view.ctx, p.addr)
	if a == nil || s.import_ == nil || a.GetAccountNumber()>>63 == 0 {
		return a != nil
	}
	b := s.import_.Account.GetAccount(s.context(s.import_), p.addr)
	return b != nil && a.GetAccountNumber() == b.GetAccountNumber()
}

func disputes(msgs []sdk.Msg) bool {
	_, ok := msgs[0].(*alphatypes.MsgDisputeColdkeySwap)
	return ok && len(msgs) == 1
}

// laneKey names what the free lane limits.
func laneKey(m sdk.Msg) string {
	switch m := m.(type) {
	case *weightstypes.MsgSetWeights:
		return fmt.Sprint("weights", m.Hotkey, m.Netuid)
	case *weightstypes.MsgCommitWeights:
		return fmt.Sprint("weights", m.Hotkey, m.Netuid)
	case *weightstypes.MsgRevealWeights:
		return fmt.Sprint("reveal", m.Hotkey, m.Netuid)
	case *subnetstypes.MsgServe:
		return fmt.Sprint("serve", m.Hotkey, m.Netuid)
	}
	panic(stop{fmt.Errorf("the free lane takes %T: say here what it limits", m)})
}

// granter is who pays a signer's fees, now and then.
func (s *sim) granter(p *person, fee int64) *person {
	for _, a := range s.view.allowances {
		if a.Grantee != p.text {
			continue
		}
		basic, ok := must1(a.GetGrant()).(*feegrant.BasicAllowance)
		if ok && basic.SpendLimit.AmountOf(app.BaseDenom).GTE(sdkmath.NewInt(fee)) && s.n(2) == 0 || s.n(20) == 0 {
			return s.byText[a.Granter]
		}
	}
	return nil
}

// nextSequence counts what a signer has pending.
func (s *sim) nextSequence(p *person) uint64 {
	seq, ok := s.sequence[p.text]
	if !ok {
		seq = s.nodes[0].Account.GetAccount(s.view.ctx, p.addr).GetSequence()
	}
	s.sequence[p.text] = seq + 1
	return seq
}

type builder interface {
	SetSignatures(...signing.SignatureV2) error
	GetTx() authsigning.Tx
}

func (s *sim) sign(b builder, signers []*person, sequences []uint64) []byte {
	const mode = signing.SignMode_SIGN_MODE_DIRECT
	signatures := make([]signing.SignatureV2, len(signers))
	for i, p := range signers {
		signatures[i] = signing.SignatureV2{PubKey: p.key.PubKey(), Sequence: sequences[i], Data: &signing.SingleSignatureData{SignMode: mode}}
	}
	must(b.SetSignatures(signatures...)) // the bytes to sign hold the signers
	for i, p := range signers {
		account := s.nodes[0].Account.GetAccount(s.view.ctx, p.addr)
		data := authsigning.SignerData{Address: p.text, ChainID: chainID, AccountNumber: account.GetAccountNumber(), Sequence: sequences[i], PubKey: p.key.PubKey()}
		bytes := must1(authsigning.GetSignBytesAdapter(context.Background(), s.enc.TxConfig.SignModeHandler(), mode, data, b.GetTx()))
		signatures[i].Data = &signing.SingleSignatureData{SignMode: mode, Signature: must1(p.key.Sign(bytes))}
	}
	must(b.SetSignatures(signatures...))
	return must1(s.enc.TxConfig.TxEncoder()(b.GetTx()))
}

// shuffle puts the mempool into another order. Mostly a signer's transactions keep
// theirs, as in a real mempool.
func (s *sim) shuffle(txs []*pending) []*pending {
	at := make(map[*pending]int, len(txs))
	keep := s.n(40) > 0
	last := map[*person]int{}
	for _, t := range txs {
		place := s.n(1 << 20)
		for _, p := range t.signers {
			if keep {
				place = max(place, last[p]+1)
			}
		}
		for _, p := range t.signers {
			last[p] = place
		}
		at[t] = place
	}
	out := slices.Clone(txs)
	slices.SortStableFunc(out, func(a, b *pending) int { return at[a] - at[b] })
	return out
}
