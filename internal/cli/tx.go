package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	weightstypes "github.com/lodenet/lode/x/weights/types"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func newTxCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tx",
		Short: "Send the chain anything: every message of every module",
		Long: `Every message of every module, as the chain has it: lode tx MODULE MESSAGE. The fields of a message are flags; --body
gives them as JSON. Amounts are in base units: rao, and 10^-9 alpha; coins can be written as 1.5TAO. Wherever an address is
asked for, the name of a key in the wallet will do.

The first signer is the key of --from unless a flag names it; other signers are named by their flags. All of them must be in
the wallet; the first pays the fee, or who is named by --from.

What governance alone may do is sent as a proposal: the messages in it need no authority, it is filled in. --dry-run shows
what a transaction would cost, --generate-only prints it unsigned, for ` + "`lode tx sign`" + ` and ` + "`lode tx broadcast`" + `.`,
		Example: `  lode tx bank send --to-address alice --amount 1.5TAO
  lode tx alpha bind-hotkey --coldkey alice --hotkey alice-hot
  lode tx staking delegate --validator-address validator-1-hot --amount 10TAO --dry-run
  lode tx gov submit-proposal --title Fees --summary Lower --messages @messages.json --initial-deposit 10TAO`,
	}
	cmd.AddCommand(newTxSignCommand(), newTxCombineCommand(), newTxBroadcastCommand())
	return cmd
}

// addMessages adds what can be sent to `lode tx`.
func addMessages(cmd *cobra.Command) { addModules(cmd, chain().messages, newTxMessageCommand) }

// txFlags are the flags of a message's command beside its fields.
type txFlags struct {
	generate, dryRun, free bool
	gas                    uint64
}

func newTxMessageCommand(m chainMethod) *cobra.Command {
	words, signers := wordsOf(m.desc), signerFields(m.desc.Input())
	cmd := &cobra.Command{
		Use:     m.name,
		Short:   firstSentence(words, "Sends "+string(m.desc.Input().FullName())),
		Long:    strings.TrimSpace(wrap(words) + "\n\nSends " + string(m.desc.Input().FullName()) + signedBy(signers)),
		Example: "  " + exampleTx(m, signers),
		Args:    cobra.NoArgs,
	}
	var f txFlags
	cmd.Flags().BoolVar(&f.generate, "generate-only", false, "print the transaction unsigned, and send nothing")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what it would cost, and send nothing")
	cmd.Flags().Uint64Var(&f.gas, "gas", defaultGas, "gas of the transaction that --generate-only prints")
	if empty, err := newMessage(m.desc.Input()); err == nil {
		if _, ok := weightstypes.LaneGas(empty); ok {
			cmd.Flags().BoolVar(&f.free, "free", false, "send it through the free lane of registered hotkeys, without a fee")
		}
	}
	fields := addMessageFlags(cmd, m.desc.Input(), "body")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		g := globalsOf(cmd)
		obj, err := fields.message(cmd)
		if err != nil {
			return err
		}
		if err := fillSigners(cmd, m.desc.Input(), signers, obj); err != nil {
			return err
		}
		msg, err := chain().build(cmd.Context(), g, m.desc.Input(), obj)
		if err != nil {
			return err
		}
		if f.generate {
			return g.generate(cmd, msg, f.gas)
		}
		return g.sendMessage(cmd, f, msg)
	}
	return cmd
}

// signedBy says in help who signs a message.
func signedBy(signers []protoreflect.FieldDescriptor) string {
	var names []string
	for i, s := range signers {
		switch {
		case s.Name() == authorityField:
			return ". Governance signs it: send it with `lode tx gov submit-proposal`. --generate-only prints it to put it in there."
		case i == 0:
			names = append(names, "--"+flagName(s)+" (that of --from unless given)")
		default:
			names = append(names, "--"+flagName(s))
		}
	}
	if len(names) == 0 {
		return "."
	}
	return ", signed by " + strings.Join(names, " and ") + "."
}

func exampleTx(m chainMethod, signers []protoreflect.FieldDescriptor) string {
	if len(signers) == 0 {
		return exampleLine("lode tx", "body", m, nil)
	}
	line := exampleLine("lode tx", "body", m, signers[:1])
	if signers[0].Name() == authorityField {
		return line + " --generate-only"
	}
	return line + " --from " + exampleValue(signers[0])
}

// fillSigners names who signs where the command line does not: first the key of --from,
// or governance.
func fillSigners(cmd *cobra.Command, desc protoreflect.MessageDescriptor, signers []protoreflect.FieldDescriptor, obj map[string]any) error {
	for i, s := range signers {
		switch {
		case has(obj, s):
		case s.Name() == authorityField:
			drop(obj, s)
			obj[string(s.Name())] = governance()
		case i == 0:
			drop(obj, s)
			obj[string(s.Name())] = globalsOf(cmd).from
		default:
			return fail(codeUsage, "see `"+cmd.CommandPath()+" --help`", "give --%s: it signs %s, too", flagName(s), desc.Name())
		}
	}
	return nil
}

// signers opens the keys that a message needs. The first pays, or the key of --from
// where that was given.
func (g *globals) signers(cmd *cobra.Command, msg sdk.Msg) ([]*wallet.Signer, error) {
	ctx := cmd.Context()
	needed, _, err := chain().Codec.GetMsgV1Signers(msg)
	if err != nil {
		return nil, fail("bad_value", "see `"+cmd.CommandPath()+" --help`", "%w", err)
	}
	var list []*wallet.Signer
	add := func(s *wallet.Signer, err error) error {
		if err == nil && !slices.ContainsFunc(list, func(o *wallet.Signer) bool { return o.Address() == s.Address() }) {
			list = append(list, s)
		}
		return err
	}
	for _, raw := range needed {
		addr := sdk.AccAddress(raw).String()
		if addr == governance() {
			return nil, fail("governance", "send it with `lode tx gov submit-proposal`; --generate-only prints it to put it in there",
				"%s can only be sent by governance", strings.TrimPrefix(sdk.MsgTypeURL(msg), "/"))
		}
	}
	if cmd.Flags().Changed("from") {
		if err := add(g.payer(ctx)); err != nil {
			return nil, err
		}
	}
	for _, raw := range needed {
		if err := add(g.signer(ctx, sdk.AccAddress(raw).String())); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// answeredJSON is a transaction with the answers of its messages.
type answeredJSON struct {
	txJSON
	GasUsed   int64             `json:"gas_used"`
	Responses []json.RawMessage `json:"responses"`
}

func (g *globals) sendMessage(cmd *cobra.Command, f txFlags, msg sdk.Msg) error {
	signers, err := g.signers(cmd, msg)
	if err != nil {
		return err
	}
	return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
		var r *client.TxResult
		switch {
		case f.dryRun && f.free:
			return fail(codeUsage, "give one of them", "--free costs nothing: --dry-run has nothing to say")
		case f.dryRun:
			return dryRun(ctx, cmd, c, signers, msg)
		case f.free && len(signers) != 1:
			return fail(codeUsage, "leave out --from, or name the hotkey by it", "the free lane takes what one hotkey signs; here %d sign", len(signers))
		case f.free:
			r, err = c.SendFree(ctx, signers[0], msg)
		default:
			r, err = c.Send(ctx, signers, msg)
		}
		if err != nil {
			return err
		}
		return answered(cmd, r)
	})
}

func dryRun(ctx context.Context, cmd *cobra.Command, c *client.Client, signers []*wallet.Signer, msg sdk.Msg) error {
	p, err := c.Try(ctx, signers, msg)
	if err != nil {
		return err
	}
	v := struct {
		Gas        uint64 `json:"gas"`
		FeeRao     uint64 `json:"fee_rao,string"`
		LastHeight int64  `json:"last_height"` // that may take it, were it signed now
	}{p.Gas, p.FeeRao, p.LastBlock}
	return output(cmd, v, func(w io.Writer) {
		fmt.Fprintf(w, "it would take %d gas, a fee of %s TAO, and expire after block %d; nothing was sent\n", v.Gas, client.FormatTAO(v.FeeRao), v.LastHeight)
	})
}

// answered shows a transaction that is in a block.
func answered(cmd *cobra.Command, r *client.TxResult) error {
	v := answeredJSON{txJSON: newTxJSON(r), GasUsed: r.GasUsed, Responses: []json.RawMessage{}}
	for _, m := range r.Responses {
		raw, err := chain().Codec.MarshalJSON(m)
		if err != nil {
			return errors.Join(fmt.Errorf("transaction %s is in block %d, its answer can't be shown", r.Hash, r.Height), err)
		}
		v.Responses = append(v.Responses, raw)
	}
	return output(cmd, v, func(w io.Writer) {
		for _, raw := range v.Responses {
			if string(raw) != "{}" {
				fmt.Fprintln(w, string(raw))
			}
		}
		v.txJSON.write(w)
	})
}
