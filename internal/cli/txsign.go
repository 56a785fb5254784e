package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	"github.com/cosmos/gogoproto/proto"
	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
)

// offlineFlags say what a signature covers beside the transaction, where no node is
// asked.
type offlineFlags struct{ account client.AccountData }

func (f *offlineFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.account.ChainID, "chain-id", "", "the chain, where no node is asked")
	cmd.Flags().Uint64Var(&f.account.Number, "account-number", 0, "number of the signer's account, where no node is asked")
	cmd.Flags().Uint64Var(&f.account.Sequence, "sequence", 0, "sequence of the signer's account, where no node is asked")
}

// offline is whether they were given: all or none.
func (f *offlineFlags) offline(cmd *cobra.Command) (bool, error) {
	given := 0
	for _, name := range []string{"chain-id", "account-number", "sequence"} {
		if cmd.Flags().Changed(name) {
			given++
		}
	}
	if given != 0 && given != 3 {
		return false, fail(codeUsage, "or none of them, and a node is asked", "give --chain-id, --account-number and --sequence")
	}
	return given == 3, nil
}

// read begins a command that signs: a transaction's file with the signatures that it has,
// and whether no node is to be asked.
func (f *offlineFlags) read(cmd *cobra.Command, file string) (s *signatures, isOffline bool, err error) {
	t, err := readTx(cmd, file)
	if err != nil {
		return nil, false, err
	}
	if s, err = readSignatures(t); err != nil {
		return nil, false, err
	}
	isOffline, err = f.offline(cmd)
	return s, isOffline, err
}

// aminoMode is how somebody signs who does not know of the others' signatures.
const aminoMode = signing.SignMode_SIGN_MODE_LEGACY_AMINO_JSON

// signatures are those of a transaction's file, by address.
type signatures struct {
	t      *txtypes.Tx
	needed []string // in the order of the chain
	infos  map[string]*txtypes.SignerInfo
	sigs   map[string][]byte
}

// readSignatures finds whose signatures a transaction has.
func readSignatures(t *txtypes.Tx) (*signatures, error) {
	needed, _, err := t.GetSigners(chain().Codec)
	if err != nil {
		return nil, fail("bad_tx", "`lode tx … --generate-only` prints one", "%w", err)
	}
	if len(needed) == 0 {
		return nil, fail("bad_tx", "`lode tx … --generate-only` prints one", "its messages need nobody's signature")
	}
	s := &signatures{t: t, infos: map[string]*txtypes.SignerInfo{}, sigs: map[string][]byte{}}
	for _, raw := range needed {
		s.needed = append(s.needed, sdk.AccAddress(raw).String())
	}
	if len(t.Signatures) != len(t.AuthInfo.SignerInfos) {
		return nil, fail("bad_tx", "sign the unsigned file again", "it has %d signatures of %d signers", len(t.Signatures), len(t.AuthInfo.SignerInfos))
	}
	for i, info := range t.AuthInfo.SignerInfos {
		pub, err := pubKeyOf(info)
		if err != nil {
			return nil, err
		}
		signer, err := wallet.NewAbsentSigner(pub) // what a file says is checked
		if err != nil {
			return nil, fail("bad_tx", "sign the unsigned file again", "a public key in it is none: %w", err)
		}
		address := signer.Address()
		if !slices.Contains(s.needed, address) {
			return nil, fail("bad_tx", "sign the unsigned file again", "it is signed by %s, whom its messages don't need", address)
		}
		s.infos[address], s.sigs[address] = info, t.Signatures[i]
	}
	return s, nil
}

func pubKeyOf(info *txtypes.SignerInfo) (cryptotypes.PubKey, error) {
	var pub cryptotypes.PubKey
	if info == nil || info.PublicKey == nil {
		return nil, fail("bad_tx", "sign the unsigned file again", "it has a signature without a public key")
	}
	if err := chain().InterfaceRegistry.UnpackAny(info.PublicKey, &pub); err != nil {
		return nil, fail("bad_tx", "sign the unsigned file again", "a public key in it can't be read: %w", err)
	}
	return pub, nil
}

// put sets a signature; the transaction then has those that there are, in their order.
func (s *signatures) put(address string, pub cryptotypes.PubKey, mode *txtypes.ModeInfo, sequence uint64, sig []byte) error {
	wrapped, err := codectypes.NewAnyWithValue(pub)
	if err != nil {
		return err
	}
	s.infos[address] = &txtypes.SignerInfo{PublicKey: wrapped, ModeInfo: mode, Sequence: sequence}
	s.sigs[address] = sig
	s.t.AuthInfo.SignerInfos, s.t.Signatures = nil, nil
	for _, a := range s.needed {
		if info := s.infos[a]; info != nil {
			s.t.AuthInfo.SignerInfos = append(s.t.AuthInfo.SignerInfos, info)
			s.t.Signatures = append(s.t.Signatures, s.sigs[a])
		}
	}
	return nil
}

// missing are those who have not signed.
func (s *signatures) missing() []string {
	return slices.DeleteFunc(slices.Clone(s.needed), func(a string) bool { return s.infos[a] != nil })
}

// fixed is whether somebody has signed all of the signers, so that none can join.
func (s *signatures) fixed() bool {
	return slices.ContainsFunc(s.t.AuthInfo.SignerInfos, func(i *txtypes.SignerInfo) bool {
		return i.GetModeInfo().GetSingle().GetMode() == signing.SignMode_SIGN_MODE_DIRECT
	})
}

// aminoBytes are what an address signs of it.
func (s *signatures) aminoBytes(address string, a client.AccountData) ([]byte, error) {
	body, err := proto.Marshal(s.t.Body)
	if err != nil {
		return nil, err
	}
	info, err := proto.Marshal(s.t.AuthInfo)
	if err != nil {
		return nil, err
	}
	return client.AminoSignBytes(chain().InterfaceRegistry, address, a, body, info)
}

func single(mode signing.SignMode) *txtypes.ModeInfo {
	return &txtypes.ModeInfo{Sum: &txtypes.ModeInfo_Single_{Single: &txtypes.ModeInfo_Single{Mode: mode}}}
}

func newTxSignCommand() *cobra.Command {
	var offline offlineFlags
	var multisig string
	cmd := &cobra.Command{
		Use:   "sign FILE",
		Short: "Sign a transaction of a file with the wallet's keys, and print it",
		Long: `Signs a transaction that --generate-only printed (- reads standard input) with the keys of the wallet that its messages
need, after showing it. Where some of the keys are elsewhere, those that are here sign, and the file goes on to the others: each signs
by itself, in any order. With --multisig a key (--from) signs for an account of several; what is printed then is its signature, for
` + "`lode tx combine`" + `.

With --chain-id, --account-number and --sequence it asks no node, so that the key may be on a machine without a network: there is
one signer then. ` + "`lode wallet numbers`" + ` prints them, of the account of several keys for --multisig.`,
		Example: `  lode tx bank send --to-address alice --amount 1.5TAO --generate-only > tx.json
  lode tx sign tx.json > signed.json
  lode tx sign tx.json --chain-id lode-1 --account-number 7 --sequence 3 > signed.json
  lode tx sign tx.json --multisig safe --from alice > alice.json`,
		Args: cobra.ExactArgs(1),
	}
	offline.add(cmd)
	cmd.Flags().StringVar(&multisig, "multisig", "", "the account of several keys that --from signs for")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		g := globalsOf(cmd)
		s, isOffline, err := offline.read(cmd, args[0])
		if err != nil {
			return err
		}
		if multisig != "" {
			return g.signAsMember(cmd, s, multisig, isOffline, offline.account)
		}
		signers, err := g.txSigners(cmd.Context(), s)
		if err != nil {
			return err
		}
		if isOffline {
			if len(signers) != 1 {
				return fail(codeUsage, "leave out --chain-id, --account-number and --sequence", "%d keys sign this: their accounts must be looked up", len(signers))
			}
			if err := g.showFile(cmd.Context(), s.t); err != nil {
				return err
			}
			if err := s.sign(signers, []client.AccountData{offline.account}); err != nil {
				return err
			}
			return chain().print(cmd, s.t)
		}
		return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
			accounts, err := lookUpAccounts(ctx, c, addressesOf(signers))
			if err != nil {
				return err
			}
			if err := g.tryFile(ctx, c, s); err != nil {
				return err
			}
			if err := s.sign(signers, accounts); err != nil {
				return err
			}
			return chain().print(cmd, s.t)
		})
	}
	return cmd
}

func addressesOf(signers []*wallet.Signer) []string {
	list := make([]string, len(signers))
	for i, s := range signers {
		list[i] = s.Address()
	}
	return list
}

// txSigners opens the keys that a transaction needs and the wallet has.
func (g *globals) txSigners(ctx context.Context, s *signatures) ([]*wallet.Signer, error) {
	var signers []*wallet.Signer
	var elsewhere error
	for _, address := range s.needed {
		k, err := g.signer(ctx, address)
		var f *failure
		switch {
		case errors.Is(err, wallet.ErrAbsent), errors.As(err, &f) && f.code == "no_key":
			elsewhere = err
			continue
		case err != nil:
			return nil, err
		}
		signers = append(signers, k)
	}
	if len(signers) == 0 {
		return nil, elsewhere
	}
	return signers, nil
}

// sign signs with keys that its messages need. Where all are there it signs all at once;
// else, or for a Ledger, each by itself.
func (s *signatures) sign(signers []*wallet.Signer, accounts []client.AccountData) error {
	all := len(signers) == len(s.needed) && !slices.ContainsFunc(signers, (*wallet.Signer).SignsAmino)
	if all {
		return signTx(s.t, signers, accounts)
	}
	if s.fixed() {
		return fail("bad_tx", "sign the unsigned file: who signs before others does so by `lode tx sign`, too", "it was signed in a way that no other signature can join")
	}
	for i, k := range signers {
		doc, err := s.aminoBytes(k.Address(), accounts[i])
		if err != nil {
			return err
		}
		sig, err := k.Sign(doc)
		if err != nil {
			return err
		}
		if err := s.put(k.Address(), k.PubKey(), single(aminoMode), accounts[i].Sequence, sig); err != nil {
			return err
		}
	}
	return nil
}

// showFile shows a transaction of a file and asks whether it shall be signed, without a
// node: what it does to balances is not known.
func (g *globals) showFile(ctx context.Context, t *txtypes.Tx) error {
	p, err := previewOf(t)
	if err != nil {
		return err
	}
	v := &seen{names: g.names(ctx), signers: p.Signers, feeRao: p.FeeRao, gas: p.Gas, payer: p.Payer, notes: []string{"no node was asked: whether it can be done, and what it leaves, is not known here"}}
	v.addFile(t)
	v.addDear()
	if err := v.addMessages(p.Msgs); err != nil {
		return err
	}
	for _, to := range recipientsOf(p.Msgs) {
		for _, known := range sortedKeys(v.names) {
			if v.names[to] == "" && wallet.Resembles(known, to) {
				v.lookAlikes = append(v.lookAlikes, fmt.Sprintf("%s is not %s, %q, though it looks like it", to, known, v.names[known]))
			}
		}
	}
	return g.show(ctx, v, "sign it?")
}

// tryFile is showFile with a node, which tries it first.
func (g *globals) tryFile(ctx context.Context, c *client.Client, s *signatures) error {
	p, err := previewOf(s.t)
	if err != nil {
		return err
	}
	w, err := g.openWallet(ctx)
	if err != nil {
		return err
	}
	var signers []*wallet.Signer
	for _, address := range p.Signers {
		k, err := w.Absent(address)
		if errors.Is(err, wallet.ErrNotFound) {
			if info := s.infos[address]; info != nil {
				pub, err := pubKeyOf(info)
				if err != nil {
					return err
				}
				k, err = wallet.NewAbsentSigner(pub)
				if err != nil {
					return err
				}
			} else if k, err = wallet.AbsentAddress(address); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
		signers = append(signers, k)
	}
	if i := slices.IndexFunc(signers, func(k *wallet.Signer) bool { return k.Address() == p.Payer }); i > 0 {
		signers[0], signers[i] = signers[i], signers[0] // the first pays
	}
	tried, refusal := c.Try(ctx, signers, p.Msgs...)
	if refusal != nil && !errors.Is(refusal, client.ErrTxFailed) && !errors.Is(refusal, client.ErrInsufficientFunds) && !errors.Is(refusal, client.ErrNoAccount) {
		return refusal
	}
	p.Changes = tried.Changes
	goOn := g.review.clock.hold()
	defer goOn()
	v, err := g.review.look(ctx, p)
	if err != nil {
		return err
	}
	v.addFile(s.t)
	if refusal != nil { // it may be meant for later
		v.notes = append(v.notes, "the chain would refuse it now: "+refusal.Error())
	}
	if tried.Gas > p.Gas {
		v.notes = append(v.notes, fmt.Sprintf("it asks for %s gas and may need %s: write it again, or with --gas %d", grouped(p.Gas), grouped(tried.Gas), tried.Gas))
	}
	return g.show(ctx, v, "sign it?")
}

// dear is how many times the usual fee is said to be a mistake, or somebody's trick.
const dear = 100

// addFile adds what only a file can have: its end, its memo.
func (v *seen) addFile(t *txtypes.Tx) { v.expires, v.memo = expiry(t.Body), t.Body.Memo }

// addDear says that a fee, of a file or of --gas-price, is out of all proportion.
func (v *seen) addDear() {
	if usual, err := feeFor(v.gas, app.MinGasPrices()); err == nil && usual.IsUint64() && v.feeRao/dear > usual.Uint64() {
		v.notes = append(v.notes, fmt.Sprintf("the fee is %s times what so much gas costs: it is paid whole", grouped(v.feeRao/max(usual.Uint64(), 1))))
	}
}

// show shows a transaction of a file and asks about it.
func (g *globals) show(ctx context.Context, v *seen, question string) error {
	if !g.json || g.terminal.file != nil && !g.yes {
		var b strings.Builder
		v.write(&b)
		fmt.Fprint(g.terminal.out, b.String())
	}
	if len(v.lookAlikes) > 0 {
		return fail("looks_alike", "compare every character; `lode wallet book add NAME ADDRESS --look-alike` says that it is right", "%s; nothing was signed", v.lookAlikes[0])
	}
	return g.agree(ctx, question)
}

// previewOf is a transaction of a file, which nobody has tried.
func previewOf(t *txtypes.Tx) (client.Preview, error) {
	fee := t.AuthInfo.Fee.Amount
	if fee.IsAnyNil() {
		return client.Preview{}, fail("bad_tx", "write it again", "its fee has no amount")
	}
	if len(fee) > 1 || len(fee) == 1 && fee[0].Denom != client.Denom {
		return client.Preview{}, fail("bad_tx", "write it again", "its fee is %s: fees are paid in %s", plain(fee.String()), client.Denom)
	}
	if len(t.Body.ExtensionOptions)+len(t.Body.NonCriticalExtensionOptions) > 0 || t.AuthInfo.Tip != nil {
		return client.Preview{}, fail("bad_tx", "this program signs only what it can read", "it has extension options, or a tip")
	}
	if t.Body.Unordered {
		return client.Preview{}, fail("unordered", "write it again without that", "the transaction is unordered: the chain takes none, and Ledgers don't know it")
	}
	p := client.Preview{Gas: t.AuthInfo.Fee.GasLimit, Payer: t.AuthInfo.Fee.Payer, Granter: t.AuthInfo.Fee.Granter}
	amount := fee.AmountOf(client.Denom)
	if !amount.IsUint64() || amount.Uint64() > maxRao {
		return p, fail("bad_tx", "write it again", "its fee is %s, more than there is", t.AuthInfo.Fee.Amount)
	}
	p.FeeRao = amount.Uint64()
	for _, raw := range t.Body.Messages {
		m, ok := raw.GetCachedValue().(sdk.Msg)
		if !ok {
			return p, fail("bad_tx", "this program signs only what it can read", "it has a message of an unknown kind, %s", raw.TypeUrl)
		}
		p.Msgs = append(p.Msgs, m)
	}
	needed, _, err := t.GetSigners(chain().Codec)
	if err != nil {
		return p, fail("bad_tx", "`lode tx … --generate-only` prints one", "who signs it can't be read: %w", err)
	}
	for _, raw := range needed {
		p.Signers = append(p.Signers, sdk.AccAddress(raw).String())
	}
	if p.Granter != "" {
		p.Payer = p.Granter
	} else if p.Payer == "" {
		p.Payer = p.Signers[0]
	}
	return p, nil
}
