package indexer

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strings"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/gogoproto/jsonpb"
	"github.com/cosmos/gogoproto/proto"

	"github.com/lodenet/lode/client"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// Bounds of what is kept of a transaction.
const (
	maxTouched = 256   // accounts that it is listed under
	maxLog     = 1_024 // bytes of the chain's words
	maxTypes   = 64    // messages whose types are listed
)

// decoder reads transactions.
type decoder struct{ codec codec.Codec }

// readTx is a transaction as far as it can be read: what can't be has no messages.
type readTx struct {
	raw     []byte
	body    txtypes.TxBody
	auth    txtypes.AuthInfo
	signers []string
	types   []string
}

// seedTag is what begins the proof of a block's randomness, which travels as its first
// transaction and is none (protocol.md §2).
const seedTag = "lode/vrf"

func isSeed(raw []byte) bool {
	return strings.HasPrefix(string(raw[:min(len(raw), len(seedTag))]), seedTag)
}

// read decodes a transaction. Messages stay packed: an unknown one keeps its name.
func (d *decoder) read(raw []byte) readTx {
	t := readTx{raw: raw}
	var outer txtypes.TxRaw
	if proto.Unmarshal(raw, &outer) != nil {
		return t
	}
	if proto.Unmarshal(outer.BodyBytes, &t.body) != nil || proto.Unmarshal(outer.AuthInfoBytes, &t.auth) != nil {
		t.body, t.auth = txtypes.TxBody{}, txtypes.AuthInfo{}
		return t
	}
	seen := map[string]bool{}
	for _, m := range t.body.Messages {
		if m == nil {
			continue
		}
		if len(t.types) < maxTypes {
			t.types = append(t.types, word(m.TypeUrl))
		}
		signers, _, err := d.codec.GetMsgAnySigners(m)
		if err != nil {
			continue // unknown, or not readable: a failed transaction may be anything
		}
		for _, s := range signers {
			if a := sdk.AccAddress(s).String(); !seen[a] {
				seen[a] = true
				t.signers = append(t.signers, a)
			}
		}
	}
	if fee := t.auth.Fee; fee != nil && fee.Payer != "" && !seen[fee.Payer] && isAddress(fee.Payer) {
		t.signers = append(t.signers, fee.Payer)
	}
	return t
}

// word keeps a name from looking like two.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '?'
		}
		return r
	}, s[:min(len(s), 200)])
}

// label is what a transaction is called in an account's history: its first message.
func (t readTx) label() string {
	if len(t.types) == 0 {
		return "unknown"
	}
	name := t.types[0][strings.LastIndexByte(t.types[0], '.')+1:]
	return strings.TrimPrefix(name, "Msg")
}

func isAddress(s string) bool {
	a, err := sdk.AccAddressFromBech32(s)
	return err == nil && a.String() == s
}

// addressPrefix begins every address of the chain.
const addressPrefix = alphatypes.Bech32Prefix + "1"

// addresses are those that a transaction's bytes name, in messages that this version
// knows or not: they are text there.
func addresses(raw []byte, found func(string) bool) {
	for s := string(raw); ; {
		at := strings.Index(s, addressPrefix)
		if at < 0 {
			return
		}
		s = s[at:]
		n := len(addressPrefix)
		for n < len(s) && n < 90 && (s[n] >= 'a' && s[n] <= 'z' || s[n] >= '0' && s[n] <= '9') {
			n++
		}
		// 20 or 32 bytes; what follows in the message may look like more of it.
		for _, length := range []int{43, 63} {
			if n >= length && isAddress(s[:length]) {
				if !found(s[:length]) {
					return
				}
				break
			}
		}
		s = s[len(addressPrefix):]
	}
}

// addTx writes a transaction, and notes whom it touches.
func (s *state) addTx(t readTx, r *abci.ExecTxResult) {
	b := &s.block
	hash := sha256.Sum256(t.raw)
	var fee uint64
	if t.auth.Fee != nil {
		if coin := t.auth.Fee.Amount.AmountOf(alphatypes.Denom); !coin.IsNil() && coin.IsUint64() {
			fee = coin.Uint64()
		}
	}
	log := ""
	if r.Code != 0 {
		log = strings.ToValidUTF8(strings.ReplaceAll(r.Log[:min(len(r.Log), maxLog)], "\x00", "?"), "?")
	}
	s.batch.add(tTxs, b.height, b.idx, hash[:], int64(r.Code), clone(word(r.Codespace)), clone(log), put(fee), r.GasWanted, r.GasUsed,
		strings.Join(t.signers, " "), strings.Join(t.types, " "), bytes.Clone(t.raw))
	for _, a := range t.signers {
		b.touched[s.account(a).id] = true
	}
	addresses(t.raw, func(a string) bool {
		b.touched[s.account(a).id] = true
		return len(b.touched) < maxTouched
	})
}

// messages are a transaction's, in JSON as REST gives it.
func (d *decoder) messages(t readTx) []json.RawMessage {
	out := make([]json.RawMessage, 0, len(t.body.Messages))
	for _, m := range t.body.Messages {
		out = append(out, client.MessageJSON(d.codec, m))
	}
	return out
}

// unmarshalJSON reads protobuf's JSON; fields that this version does not know are left
// out.
func unmarshalJSON(text string, into proto.Message) error {
	u := jsonpb.Unmarshaler{AllowUnknownFields: true}
	return u.Unmarshal(strings.NewReader(text), into)
}
