package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	sdkmath "cosmossdk.io/math"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	distributiontypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/lodenet/lode/client"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/spf13/cobra"
)

// review shows what a command is about to sign, and asks whether it shall.
type review struct {
	g      *globals
	client *client.Client
	clock  *clock
}

// errWritten says that a transaction was written instead of sent, as it was asked for.
var errWritten = errors.New("the transaction was written, not sent")

// unsignedFlag adds --generate-only to a command and those below it.
func unsignedFlag(cmd *cobra.Command, g *globals) {
	cmd.PersistentFlags().BoolVar(&g.unsigned, "generate-only", false, "where it would send: print the transaction unsigned, for lode tx sign, and send nothing")
}

// reviewer is what a connection asks before it signs; nil where nobody is to be asked,
// as in what runs by itself.
func (g *globals) reviewer() client.Review {
	if g.review == nil {
		return nil
	}
	r := g.review
	return r.review
}

func (r *review) review(ctx context.Context, p client.Preview) error {
	goOn := r.clock.hold() // whoever reads it has the time that it takes
	defer goOn()
	seen, err := r.look(ctx, p)
	if err != nil {
		return err
	}
	if r.g.unsigned {
		seen.expires = endless // what is written has no last block: nobody knows when it will be sent
	}
	if !r.g.json || r.asks() {
		var b strings.Builder
		seen.write(&b)
		fmt.Fprint(r.g.terminal.out, b.String())
	}
	switch {
	case r.g.unsigned:
		return r.write(p)
	case len(seen.lookAlikes) > 0:
		return fail("looks_alike", "compare every character; `lode wallet book add NAME ADDRESS --look-alike` says that it is right", "%s; nothing was signed", seen.lookAlikes[0])
	}
	return r.g.agree(ctx, "sign and send it?")
}

// asks is whether somebody is there to be asked.
func (r *review) asks() bool { return r.g.terminal.file != nil && !r.g.yes && !r.g.unsigned }

// agree asks a question at a terminal that only yes answers well. Where there is no
// terminal, or with --yes, nobody is asked.
func (g *globals) agree(ctx context.Context, question string) error {
	if g.terminal.file == nil || g.yes {
		return nil
	}
	answer, err := g.terminal.ask(ctx, question+" [y/N] ", false)
	if errors.Is(err, errNoAnswer) || err == nil && !slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer))) {
		return fail("not_confirmed", "answer with y, or give --yes", "nothing was signed")
	}
	return err
}

// write prints the transaction unsigned.
func (r *review) write(p client.Preview) error {
	t := &txtypes.Tx{
		Body: &txtypes.TxBody{},
		AuthInfo: &txtypes.AuthInfo{Fee: &txtypes.Fee{
			GasLimit: p.Gas, Amount: sdk.NewCoins(sdk.NewCoin(client.Denom, sdkmath.NewIntFromUint64(p.FeeRao))), Granter: p.Granter,
		}},
		Signatures: [][]byte{},
	}
	if p.Payer != p.Signers[0] && p.Granter == "" {
		t.AuthInfo.Fee.Payer = p.Payer
	}
	for _, m := range p.Msgs {
		wrapped, err := codectypes.NewAnyWithValue(m)
		if err != nil {
			return err
		}
		t.Body.Messages = append(t.Body.Messages, wrapped)
	}
	if err := chain().printTo(r.g.out, t); err != nil {
		return err
	}
	return errWritten
}

// moduleAccounts are the chain's own accounts, which hold what pools, channels and
// validators have.
var moduleAccounts = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	for _, m := range []string{
		alphatypes.ModuleName, markettypes.ModuleName, collateraltypes.ModuleName, emissiontypes.ModuleName, subnetstypes.ModuleName,
		stakingtypes.BondedPoolName, stakingtypes.NotBondedPoolName, distributiontypes.ModuleName, govtypes.ModuleName,
	} {
		names[authtypes.NewModuleAddress(m).String()] = "the chain's " + strings.ReplaceAll(m, "_", " ")
	}
	return names
})

// seen is a transaction in words.
type seen struct {
	names      map[string]string
	signers    []string
	messages   []string
	feeRao     uint64
	gas        uint64
	payer      string
	expires    string
	memo       string
	balances   []balanceAfter
	notes      []string // of its recipients
	lookAlikes []string
}

// endless is when a transaction without a last block expires.
const endless = "never: whoever has it once it is signed can send it as long as its account has sent nothing else"

// expiry is when a transaction of a file expires, in words.
func expiry(body *txtypes.TxBody) string {
	var ends []string
	if h := body.TimeoutHeight; h > 0 {
		ends = append(ends, fmt.Sprintf("when no block up to %d has taken it", h))
	}
	if t := body.TimeoutTimestamp; t != nil && t.Unix() != 0 && !t.IsZero() {
		ends = append(ends, "at "+t.UTC().Format(time.RFC3339))
	}
	if len(ends) == 0 {
		return endless
	}
	return strings.Join(ends, ", or ")
}

// balanceAfter is an account before and after a transaction, its fee included; of an
// account that is not ours only what changes.
type balanceAfter struct {
	address string
	change  int64
	before  uint64
	known   bool // before is
}

// addMessages puts messages into words, and where not all signers sign each, also who
// does.
func (s *seen) addMessages(msgs []sdk.Msg) error {
	for _, m := range msgs {
		s.messages = append(s.messages, messageWords(m, s.names)...)
		needed, _, err := chain().Codec.GetMsgV1Signers(m)
		if err != nil {
			return err
		}
		if len(needed) == len(s.signers) {
			continue
		}
		for _, raw := range needed {
			s.messages = append(s.messages, "by "+fullKey(sdk.AccAddress(raw).String(), s.names))
		}
	}
	return nil
}

// look puts a transaction into words, with what it does to balances.
func (r *review) look(ctx context.Context, p client.Preview) (*seen, error) {
	s := &seen{names: r.g.names(ctx), signers: p.Signers, feeRao: p.FeeRao, gas: p.Gas, payer: p.Payer, expires: endless}
	if p.LastBlock > 0 {
		s.expires = fmt.Sprintf("when %d blocks after its signature have not taken it; of one made now, block %d is the last", client.TxLifetime, p.LastBlock)
	}
	if err := s.addMessages(p.Msgs); err != nil {
		return nil, err
	}
	s.addDear()
	changes := map[string]int64{}
	for _, c := range p.Changes {
		changes[c.Address] += c.Rao
	}
	if p.FeeRao > 0 {
		changes[p.Payer] -= int64(p.FeeRao) // a fee is less than the supply
	}
	for _, address := range sortedKeys(changes) {
		b := balanceAfter{address: address, change: changes[address]}
		if slices.Contains(p.Signers, address) || address == p.Payer || s.names[address] != "" {
			rao, err := r.client.Balance(ctx, address)
			if err != nil {
				return nil, err
			}
			b.before, b.known = rao, true
			if b.change < 0 && uint64(-b.change) > rao {
				s.notes = append(s.notes, fmt.Sprintf("%s has %s TAO, less than this takes", cmp.Or(s.names[address], address), client.FormatTAO(rao)))
			}
		}
		s.balances = append(s.balances, b)
	}
	return s, r.recipients(ctx, p, s)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// write shows it. A file that somebody has sent, and a node, are strangers: no text of
// theirs moves the cursor.
func (s *seen) write(w io.Writer) {
	for i, m := range s.messages {
		lead := "  "
		if i == 0 {
			lead = "→ "
		}
		fmt.Fprintln(w, lead+printable(m))
	}
	for _, n := range slices.Concat(s.lookAlikes, s.notes) {
		fmt.Fprintln(w, "! "+printable(n))
	}
	list := []string{}
	for _, a := range s.signers {
		list = append(list, "signed by", fullKey(a, s.names))
	}
	fee := "none"
	if s.feeRao > 0 {
		fee = fmt.Sprintf("%s TAO (%s gas), paid by %s", client.FormatTAO(s.feeRao), grouped(s.gas), cmp.Or(s.names[s.payer], printable(s.payer)))
	}
	list = append(list, "fee", fee)
	if s.memo != "" {
		list = append(list, "memo", fmt.Sprintf("%q", plain(s.memo)))
	}
	list = append(list, "expires", s.expires)
	for _, b := range s.balances {
		who := cmp.Or(s.names[b.address], moduleAccounts()[b.address], b.address)
		change := "+" + client.FormatTAO(uint64(max(b.change, 0)))
		if b.change < 0 {
			change = "-" + client.FormatTAO(uint64(-b.change))
		}
		if !b.known {
			list = append(list, "then", fmt.Sprintf("%s TAO at %s", change, who))
			continue
		}
		list = append(list, "then", fmt.Sprintf("%s TAO at %s: %s → %s", change, who, client.FormatTAO(b.before), client.FormatTAO(uint64(max(int64(b.before)+b.change, 0)))))
	}
	facts(w, list...)
}
