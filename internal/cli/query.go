package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/cosmos/gogoproto/proto"
	"github.com/lodenet/lode/client"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func newQueryCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "query",
		Aliases: []string{"q"},
		Short:   "Ask the chain: every query of every module",
		Long: `Every query of every module, as the chain has it: lode query MODULE QUERY. The fields of a query are flags; --request
gives them as JSON. Wherever an address is asked for, the name of a key in the wallet will do; a validator's address can be
given as that of its key.

The answer is the chain's, as REST gives it: amounts of TAO are in rao, of alpha in units of 10^-9, and whole numbers of 64
bits are strings. --at asks about a past block, as far back as the node keeps them.`,
		Example: `  lode query alpha pool --netuid 1
  lode query bank balance --address user --denom rao
  lode query staking validators --page-limit 10 --json | jq -r '.validators[].operator_address'
  lode query alpha pool --netuid 1 --at 100`,
	}
}

// addQueries adds what can be asked to `lode query`.
func addQueries(cmd *cobra.Command) {
	addModules(cmd, chain().queries, newQueryMethodCommand)
	addSeedQuery(cmd)
}

func newQueryMethodCommand(m chainMethod) *cobra.Command {
	words := wordsOf(m.desc)
	cmd := &cobra.Command{
		Use:     m.name,
		Short:   firstSentence(words, "Asks "+m.path()[1:]),
		Long:    strings.TrimSpace(wrap(words) + "\n\nAsks " + m.path()[1:] + "."),
		Example: "  " + exampleLine("lode query", "request", m, nil),
		Args:    cobra.NoArgs,
	}
	var height int64
	cmd.Flags().Int64Var(&height, "at", 0, "ask about this block instead of the latest")
	flags := addMessageFlags(cmd, m.desc.Input(), "request")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		g := globalsOf(cmd)
		if height < 0 {
			return fail("bad_value", "give a block, or 0 for the latest", "--at %d: there is no such block", height)
		}
		obj, err := flags.message(cmd)
		if err != nil {
			return err
		}
		req, err := chain().build(cmd.Context(), g, m.desc.Input(), obj)
		if err != nil {
			return err
		}
		reply, err := newMessage(m.desc.Output())
		if err != nil {
			return err
		}
		return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
			if height > 0 {
				ctx = client.AtHeight(ctx, height)
			}
			err := c.Invoke(ctx, m.path(), req, reply)
			switch {
			case err != nil && height > 0:
				return fmt.Errorf("at block %d: %w", height, err)
			case err != nil:
				return err
			}
			return chain().print(cmd, reply)
		})
	}
	return cmd
}

// newMessage makes an empty message of a kind.
func newMessage(desc protoreflect.MessageDescriptor) (proto.Message, error) {
	t := proto.MessageType(string(desc.FullName()))
	if t == nil {
		return nil, fmt.Errorf("this program does not know the message %s", desc.FullName())
	}
	return reflect.New(t.Elem()).Interface().(proto.Message), nil
}

// build makes a message of its JSON, in which keys may go by their names.
func (api *chainAPI) build(ctx context.Context, g *globals, desc protoreflect.MessageDescriptor, obj map[string]any) (proto.Message, error) {
	if err := (resolver{g, api}).message(ctx, desc, obj); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(obj)
	if err != nil {
		return nil, err
	}
	msg, err := newMessage(desc)
	if err != nil {
		return nil, err
	}
	if err := readStranger(raw, msg); err != nil {
		return nil, fail("bad_value", fieldNames(desc), "%s can't be read: %w", desc.Name(), err)
	}
	return msg, nil
}

// print shows a message as the chain's JSON; that is also what a person reads.
func (api *chainAPI) print(cmd *cobra.Command, msg proto.Message) error {
	return api.printTo(cmd.OutOrStdout(), msg)
}

func (api *chainAPI) printTo(w io.Writer, msg proto.Message) error {
	raw, err := api.Codec.MarshalJSON(msg)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err = w.Write(b.Bytes())
	return err
}
