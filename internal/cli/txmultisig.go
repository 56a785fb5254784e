package cli

import (
	"context"
	"fmt"
	"slices"

	multisigkeys "github.com/cosmos/cosmos-sdk/crypto/keys/multisig"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	"github.com/cosmos/cosmos-sdk/crypto/types/multisig"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"
	"github.com/lodenet/lode/client"
	"github.com/spf13/cobra"
)

// several finds an account of several keys, which a transaction must need.
func (g *globals) several(ctx context.Context, s *signatures, name string) (address string, pub *multisigkeys.LegacyAminoPubKey, err error) {
	w, err := g.openWallet(ctx)
	if err != nil {
		return "", nil, err
	}
	a, err := w.Absent(name)
	if err != nil {
		return "", nil, g.noKey(name, err)
	}
	pub, ok := a.PubKey().(*multisigkeys.LegacyAminoPubKey)
	if !ok {
		return "", nil, fail("bad_multisig", "`lode wallet multisig` adds one", "%q is no account of several keys", name)
	}
	for _, needed := range s.needed {
		if needed == a.Address() {
			return needed, pub, nil
		}
	}
	return "", nil, fail("bad_tx", "name the account that it is of", "the transaction does not need %q: it needs %v", name, s.needed)
}

// signAsMember prints a key's signature for an account of several.
func (g *globals) signAsMember(cmd *cobra.Command, s *signatures, name string, isOffline bool, account client.AccountData) error {
	address, pub, err := g.several(cmd.Context(), s, name)
	if err != nil {
		return err
	}
	member, err := g.payer(cmd.Context())
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(pub.GetPubKeys(), func(k cryptotypes.PubKey) bool { return k.Equals(member.PubKey()) }) {
		return fail("bad_multisig", "name one of its keys with --from", "%s is none of the keys of %q", member.Address(), name)
	}
	finish := func(a client.AccountData) error {
		doc, err := s.aminoBytes(address, a)
		if err != nil {
			return err
		}
		sig, err := member.Sign(doc)
		if err != nil {
			return err
		}
		raw, err := chain().TxConfig.MarshalSignatureJSON([]signing.SignatureV2{{
			PubKey: member.PubKey(), Sequence: a.Sequence, Data: &signing.SingleSignatureData{SignMode: aminoMode, Signature: sig},
		}})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), string(raw))
		return err
	}
	if isOffline {
		if err := g.showFile(cmd.Context(), s.t); err != nil {
			return err
		}
		return finish(account)
	}
	return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
		accounts, err := lookUpAccounts(ctx, c, []string{address})
		if err != nil {
			return err
		}
		if err := g.tryFile(ctx, c, s); err != nil {
			return err
		}
		return finish(accounts[0])
	})
}

// memberOf is the key among several that a signature says it is by; nil: it is by none.
func memberOf(pub *multisigkeys.LegacyAminoPubKey, sig *signing.SignatureDescriptor) cryptotypes.PubKey {
	if sig.PublicKey == nil {
		return nil
	}
	key, _ := sig.PublicKey.GetCachedValue().(cryptotypes.PubKey)
	for _, k := range pub.GetPubKeys() {
		if key != nil && k.Equals(key) {
			return k
		}
	}
	return nil
}

func newTxCombineCommand() *cobra.Command {
	var offline offlineFlags
	cmd := &cobra.Command{
		Use:   "combine FILE ACCOUNT SIGNATURE...",
		Short: "Put the signatures of several keys on a transaction of their account, and print it",
		Long: `Puts signatures that ` + "`lode tx sign --multisig`" + ` printed onto the transaction of FILE, after checking each. It needs none of the
keys, but the account (` + "`lode wallet multisig`" + `).`,
		Example: `  lode tx combine tx.json safe alice.json bob.json > signed.json
  lode tx broadcast signed.json`,
		Args: cobra.MinimumNArgs(3),
	}
	offline.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		g := globalsOf(cmd)
		s, isOffline, err := offline.read(cmd, args[0])
		if err != nil {
			return err
		}
		address, pub, err := g.several(cmd.Context(), s, args[1])
		if err != nil {
			return err
		}
		finish := func(a client.AccountData) error {
			if err := s.combine(address, pub, a, args[2:]); err != nil {
				return err
			}
			return chain().print(cmd, s.t)
		}
		if isOffline {
			return finish(offline.account)
		}
		return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
			accounts, err := lookUpAccounts(ctx, c, []string{address})
			if err != nil {
				return err
			}
			return finish(accounts[0])
		})
	}
	return cmd
}

// combine puts the signatures of files together.
func (s *signatures) combine(address string, pub *multisigkeys.LegacyAminoPubKey, a client.AccountData, files []string) error {
	if s.fixed() {
		return fail("bad_tx", "combine onto the unsigned file", "it was signed in a way that no other signature can join")
	}
	doc, err := s.aminoBytes(address, a)
	if err != nil {
		return err
	}
	data := multisig.NewMultisig(len(pub.PubKeys))
	for _, file := range files {
		raw, err := txFile.read(nil, file, "SIGNATURE")
		if err != nil {
			return err
		}
		var list signing.SignatureDescriptors
		if err := readStranger(raw, &list); err != nil {
			return fail("bad_tx", "`lode tx sign --multisig` prints one", "%s holds no signature: %w", file, err)
		}
		for _, sig := range list.Signatures {
			one, key := sig.Data.GetSingle(), memberOf(pub, sig)
			switch {
			case one == nil || one.Mode != aminoMode:
				return fail("bad_tx", "`lode tx sign --multisig` prints one", "%s holds no signature of one key for several", file)
			case key == nil:
				return fail("bad_multisig", "leave it out", "%s is signed by none of the keys of %s", file, address)
			case sig.Sequence != a.Sequence:
				return fail("bad_tx", "have it signed anew", "%s is signed for sequence %d, the account is at %d: it has sent something since", file, sig.Sequence, a.Sequence)
			case !key.VerifySignature(doc, one.Signature):
				return fail("bad_tx", "have it signed anew", "the signature in %s is not of this transaction", file)
			}
			if err := multisig.AddSignatureFromPubKey(data, &signing.SingleSignatureData{SignMode: one.Mode, Signature: one.Signature}, key, pub.GetPubKeys()); err != nil {
				return err
			}
		}
	}
	if n := len(data.Signatures); n < int(pub.Threshold) {
		return fail("bad_multisig", "have more of its keys sign", "%d have signed, %d must", n, pub.Threshold)
	}
	mode, sig := authtx.SignatureDataToModeInfoAndSig(data)
	return s.put(address, pub, mode, a.Sequence, sig)
}
