package cli

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
)

func newWalletProveCommand() *cobra.Command {
	var c wallet.Claim
	var lasts time.Duration
	cmd := &cobra.Command{
		Use:   "prove KEY",
		Short: "Prove to somebody that an address is yours, as a login does",
		Long: `Signs a claim and prints the proof, as JSON: that KEY is here, for who asks (--origin), on what they said (--nonce), for a while. It is a
document of ADR-036 of the Cosmos SDK, without a chain id: no chain takes it for a transaction, and it costs nothing. Sign only what you asked
for yourself: who has the proof is you at that origin until it ends.`,
		Example: `  lode wallet prove alice --origin https://shop.example --nonce 8f14e45f --chain-id lode-local-1
  lode wallet prove alice --origin https://shop.example --nonce 8f14e45f --chain-id lode-local-1 --for 1m > proof.json`,
		Args: cobra.ExactArgs(1),
	}
	claimFlags(cmd, &c)
	cmd.Flags().DurationVar(&lasts, "for", 5*time.Minute, "how long it is good, at most 1h")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := globalsOf(cmd).signer(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		c.Expires = time.Now().Add(lasts)
		p, err := s.Prove(c)
		if err != nil {
			return err
		}
		return printJSON(cmd, p)
	}
	return cmd
}

// claimFlags are what a claim says, and is held against.
func claimFlags(cmd *cobra.Command, c *wallet.Claim) {
	cmd.Flags().StringVar(&c.Origin, "origin", "", "who asks: the origin of a page, https://shop.example")
	cmd.Flags().StringVar(&c.Nonce, "nonce", "", "what they said, once")
	cmd.Flags().StringVar(&c.Chain, "chain-id", "", "the chain that the address is of")
	for _, name := range []string{"origin", "nonce", "chain-id"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // it was just made
		}
	}
}

func newWalletVerifyCommand() *cobra.Command {
	var c wallet.Claim
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Read whose address a proof is of, if it is good",
		Long: `Reads what lode wallet prove printed from a file (-: standard input) and prints the address, if its key signed this origin, nonce and chain
and the proof has not ended. It needs neither a wallet nor a node. Who asks for proofs makes each nonce, and takes it once.`,
		Example: `  lode wallet verify proof.json --origin https://shop.example --nonce 8f14e45f --chain-id lode-local-1`,
		Args:    cobra.ExactArgs(1),
	}
	claimFlags(cmd, &c)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		raw, err := proofFile.read(cmd.InOrStdin(), args[0], "FILE")
		if err != nil {
			return err
		}
		p, err := wallet.ReadProof(bytes.NewReader(raw))
		if err != nil {
			return err
		}
		address, err := p.Verify(c.Origin, c.Chain, c.Nonce, time.Now())
		if err != nil {
			return err
		}
		return output(cmd, struct {
			Address string `json:"address"`
		}{address}, func(w io.Writer) { fmt.Fprintf(w, "good: %s\n", address) })
	}
	return cmd
}
