package cli

import (
	"fmt"
	"io"
	"strings"

	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
)

func newWalletMultisigCommand() *cobra.Command {
	var threshold int
	cmd := &cobra.Command{
		Use:   "multisig NAME KEY...",
		Short: "Add an account for which several keys sign together",
		Long: `Adds an account of 2 to 7 keys, of which --threshold sign each of its transactions. Every owner of a key adds it on their own
machine; it has the same address everywhere. A KEY is a name in the wallet, or a file with a public key (@FILE), as
` + "`lode wallet show NAME --json | jq -c .public_key`" + ` writes it.

Its transactions are written with --generate-only, signed by each with ` + "`lode tx sign FILE --multisig NAME --from KEY`" + `, put together
with ` + "`lode tx combine`" + `, and sent with ` + "`lode tx broadcast`" + `.`,
		Example: `  lode wallet multisig safe alice @bob.pub @carol.pub --threshold 2
  lode send shop 2 --from safe --generate-only > tx.json`,
		Args: cobra.RangeArgs(3, 1+wallet.MaxMembers),
	}
	cmd.Flags().IntVar(&threshold, "threshold", 2, "how many of the keys sign")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		w, err := globalsOf(cmd).openWallet(cmd.Context())
		if err != nil {
			return err
		}
		var members []cryptotypes.PubKey
		var addresses []string
		for _, arg := range args[1:] {
			pub, err := memberKey(cmd, w, arg)
			if err != nil {
				return err
			}
			s, err := wallet.NewAbsentSigner(pub)
			if err != nil {
				return err
			}
			members, addresses = append(members, pub), append(addresses, s.Address())
		}
		k, err := w.AddMultisig(args[0], threshold, members)
		if err != nil {
			return err
		}
		v := struct {
			keyJSON
			Threshold int      `json:"threshold"`
			Members   []string `json:"members"` // their addresses
		}{newKeyJSON(k), threshold, addresses}
		return output(cmd, v, func(w io.Writer) {
			v.facts(w)
			names := globalsOf(cmd).names(cmd.Context())
			fmt.Fprintf(w, "\n%d of these %d sign:\n", threshold, len(addresses))
			for _, a := range addresses {
				fmt.Fprintln(w, "  "+fullKey(a, names))
			}
		})
	}
	return cmd
}

// memberKey is the public key of a name in the wallet, or in a file.
func memberKey(cmd *cobra.Command, w *wallet.Wallet, arg string) (cryptotypes.PubKey, error) {
	if strings.HasPrefix(arg, "@") || strings.HasPrefix(arg, "{") {
		raw, err := readArgument(cmd, "KEY", arg)
		if err != nil {
			return nil, err
		}
		return wallet.ParsePubKey(raw)
	}
	pub, err := w.PubKey(arg)
	if err != nil {
		return nil, globalsOf(cmd).noKey(arg, err)
	}
	return pub, nil
}
