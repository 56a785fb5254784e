package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
	"rsc.io/qr"
)

func newWalletShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show [KEY]",
		Short: "Show a key and its public key, which others need to sign together with it (that of --from unless given)",
		Example: `  lode wallet show alice
  lode wallet show alice --json | jq -c .public_key > alice.pub`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			name := g.from
			if len(args) > 0 {
				name = args[0]
			}
			k, err := g.key(cmd.Context(), name)
			if err != nil {
				return err
			}
			v := struct {
				keyJSON
				PublicKey json.RawMessage `json:"public_key"` // as the SDK writes it; null: not known
			}{keyJSON: newKeyJSON(k)}
			if v.PublicKey, err = g.publicKey(cmd, k); err != nil {
				return err
			}
			return output(cmd, v, func(w io.Writer) {
				v.facts(w)
				if v.PublicKey != nil {
					fmt.Fprintf(w, "\n%s\n", v.PublicKey)
				}
			})
		},
	}
}

// publicKey is a key's public key in JSON; nil where nobody here knows it.
func (g *globals) publicKey(cmd *cobra.Command, k wallet.Key) (json.RawMessage, error) {
	w, err := g.openWallet(cmd.Context())
	if err != nil {
		return nil, err
	}
	if k.Held == wallet.Watch {
		s, err := w.Absent(k.Name)
		if err != nil || s.PubKey() == nil {
			return nil, err
		}
	}
	pub, err := w.PubKey(k.Name)
	if err != nil {
		return nil, err
	}
	return wallet.MarshalPubKey(pub)
}

func newWalletReceiveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "receive [KEY]",
		Short:   "Show an address to be paid at, also as a QR code (that of --from unless given)",
		Example: "  lode wallet receive alice",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			g := globalsOf(cmd)
			addr, err := g.addressOrPayer(cmd.Context(), args)
			if err != nil {
				return err
			}
			code, err := qrText(addr)
			if err != nil {
				return err
			}
			v := struct {
				Address string `json:"address"`
			}{addr}
			return output(cmd, v, func(w io.Writer) { fmt.Fprintf(w, "%s\n%s\n", code, addr) })
		},
	}
}

// qrText draws a QR code for a terminal, two rows of it a line, with the quiet zone that
// cameras look for. It is right where letters are light on dark, and turned round where
// they are dark on light, which cameras read, too.
func qrText(text string) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", err
	}
	const quiet = 2
	light := func(x, y int) bool { return x < 0 || y < 0 || x >= code.Size || y >= code.Size || !code.Black(x, y) }
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		for x := -quiet; x < code.Size+quiet; x++ {
			switch top, bottom := light(x, y), light(x, y+1); {
			case top && bottom:
				b.WriteRune('█')
			case top:
				b.WriteRune('▀')
			case bottom:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}
