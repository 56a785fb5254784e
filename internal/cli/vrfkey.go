package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/spf13/cobra"

	"github.com/lodenet/lode/app/vrfkey"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	seedtypes "github.com/lodenet/lode/x/seed/types"
	"github.com/lodenet/lode/x/seed/vrf"
)

func newVRFKeyCommand() *cobra.Command {
	return group("vrf-key", "The key with which a validator proves its part of the seed", `  lode node vrf-key show --operator validator-1-hot
  lode node vrf-key register --operator validator-1-hot
  lode node vrf-key rotate --operator validator-1-hot`,
		newVRFKeyShowCommand(), newVRFKeyRegisterCommand(), newVRFKeyRotateCommand())
}

// vrfKeyWords is what the transactions' help says of keys and of where they are.
const vrfKeyWords = `

The operator is the account that operates the validator, a name in the wallet of LODE_HOME; it signs, and the coldkey of
--from pays. The key is in HOME/config/vrf_key.json, readable by its owner alone: keep a copy as safe as that of
priv_validator_key.json.`

func newVRFKeyShowCommand() *cobra.Command {
	var operator string
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show the node's VRF keys, and with --operator which of them is in force",
		Long:  "Shows the public keys in HOME/config/vrf_key.json. With --operator it asks the chain which of them is in force, and which waits.",
		Example: `  lode node vrf-key show
  lode node vrf-key show --operator validator-1-hot`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			g := globalsOf(cmd)
			file, path, err := readVRFKeys(cmd)
			if err != nil {
				return err
			}
			if operator == "" {
				return printVRFKeys(cmd, path, file, nil)
			}
			addr, err := g.address(cmd.Context(), operator)
			if err != nil {
				return err
			}
			return withNetwork(cmd.Context(), g, queryTimeout, func(ctx context.Context, c *client.Client) error {
				key, err := vrfKeyOf(ctx, c, addr)
				if err != nil {
					return err
				}
				return printVRFKeys(cmd, path, file, &key)
			})
		},
	}
	cmd.Flags().StringVar(&operator, "operator", "", "the validator's operator: a name in the wallet, or an address")
	return cmd
}

func newVRFKeyRegisterCommand() *cobra.Command {
	var operator string
	cmd := &cobra.Command{
		Use:   "register",
		Short: "Register the node's VRF key, before a validator is created",
		Long: `Registers the newest key in the node's folder for an operator. It takes effect some blocks later (1,000 on mainnet);
then the operator can create its validator.` + vrfKeyWords,
		Example: "  lode node vrf-key register --operator validator-2-hot --from validator-2",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, path, err := readVRFKeys(cmd)
			if err != nil {
				return err
			}
			newest := file.Keys[len(file.Keys)-1]
			return registerVRFKey(cmd, operator, path, newest, func() error { return nil }, func() error { return nil })
		},
	}
	operatorFlag(cmd, &operator)
	return cmd
}

func newVRFKeyRotateCommand() *cobra.Command {
	var operator string
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Make a new VRF key and register it in the place of the present one",
		Long: `Makes a key, adds it to the node's folder and registers it. It takes effect some blocks later (1,000 on mainnet); until
then the node proves with the present one. A running node finds the new key by itself. If the chain refuses the
registration, the folder is left as it was.` + vrfKeyWords,
		Example: "  lode node vrf-key rotate --operator validator-1-hot --from validator-1",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, path, err := readVRFKeys(cmd)
			if err != nil {
				return err
			}
			next, err := vrf.Generate(nil)
			if err != nil {
				return err
			}
			// Before it is sent: a key on chain whose secret is lost costs a validator its
			// blocks.
			return registerVRFKey(cmd, operator, path, next,
				func() error { return file.With(next).Write(path) }, func() error { return file.Write(path) })
		},
	}
	operatorFlag(cmd, &operator)
	return cmd
}

func operatorFlag(cmd *cobra.Command, operator *string) {
	cmd.Flags().StringVar(operator, "operator", "", "the validator's operator: its name in the wallet")
}

// readVRFKeys reads the keys of a node's folder.
func readVRFKeys(cmd *cobra.Command) (vrfkey.File, string, error) {
	path := filepath.Join(nodeHome(cmd), vrfkey.Name)
	file, err := vrfkey.Read(path)
	if errors.Is(err, os.ErrNotExist) {
		return file, path, fail("no_node", "make one with `lode node init`, or name its folder with --home", "there is no VRF key in %s", path)
	}
	if err == nil && len(file.Keys) == 0 {
		err = fmt.Errorf("%s has no key", path)
	}
	return file, path, err
}

// vrfKeyOf is what the chain has for an operator; empty where it has nothing.
func vrfKeyOf(ctx context.Context, c *client.Client, operator string) (seedtypes.VRFKey, error) {
	r, err := c.Seed().VRFKey(ctx, &seedtypes.QueryVRFKeyRequest{Operator: operator})
	if errors.Is(err, client.ErrNotFound) {
		return seedtypes.VRFKey{Operator: operator}, nil
	}
	if err != nil {
		return seedtypes.VRFKey{}, err
	}
	return r.Key, nil
}

// registerVRFKey registers a key: keep is done before it is sent, undo once it is
// certain that the chain does not have it.
func registerVRFKey(cmd *cobra.Command, name, path string, key vrf.Key, keep, undo func() error) error {
	g := globalsOf(cmd)
	if name == "" {
		return fail(codeUsage, "`lode wallet list` shows the keys", "give the validator's operator: --operator NAME")
	}
	return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
		operator, err := g.signer(ctx, name)
		if err != nil {
			return err
		}
		payer, err := g.payer(ctx)
		if err != nil {
			return err
		}
		signers := []*wallet.Signer{payer, operator}
		if payer.Address() == operator.Address() {
			signers = signers[:1]
		}
		chainID, err := c.ChainID(ctx)
		if err != nil {
			return err
		}
		addr, err := sdk.AccAddressFromBech32(operator.Address())
		if err != nil {
			return err
		}
		if err := keep(); err != nil {
			return err
		}
		r, err := c.Send(ctx, signers, seedtypes.NewMsgRegisterVRFKey(chainID, addr, key))
		if errors.Is(err, client.ErrTxUnknown) {
			return fmt.Errorf("the key stays in %s, since it may yet be registered: %w", path, err)
		}
		if err != nil {
			return errors.Join(err, undo())
		}
		on, err := vrfKeyOf(ctx, c, operator.Address())
		if err != nil {
			return err
		}
		v := struct {
			Operator     string `json:"operator"`
			Key          string `json:"key"`
			ActiveHeight int64  `json:"active_height"`
			txJSON
		}{operator.Address(), hexText(key.Public()), on.PendingHeight, newTxJSON(r)}
		if v.ActiveHeight == 0 { // it is in force already
			v.ActiveHeight = on.ActiveHeight
		}
		return output(cmd, v, func(w io.Writer) {
			fmt.Fprintf(w, "the VRF key of %s takes effect at block %d\n", displayKey(v.Operator, g.names(ctx)), v.ActiveHeight)
			v.write(w)
		})
	})
}

type vrfKeyJSON struct {
	Key          string `json:"key"`
	State        string `json:"state"`         // in_force, waits, unused; unknown without --operator
	ActiveHeight *int64 `json:"active_height"` // of one in force or one that waits
}

// printVRFKeys shows a node's keys, the newest last, and what the chain says of them.
func printVRFKeys(cmd *cobra.Command, path string, file vrfkey.File, on *seedtypes.VRFKey) error {
	v := struct {
		File string       `json:"file"`
		Keys []vrfKeyJSON `json:"keys"`
		// What the chain has and this file lacks: the node can't prove with it.
		Missing []string `json:"missing"`
	}{path, []vrfKeyJSON{}, []string{}}
	for _, k := range file.Keys {
		one := vrfKeyJSON{Key: hexText(k.Public()), State: "unknown"}
		switch {
		case on == nil:
		case slices.Equal(k.Public(), on.Key):
			one.State, one.ActiveHeight = "in_force", &on.ActiveHeight
		case slices.Equal(k.Public(), on.Pending):
			one.State, one.ActiveHeight = "waits", &on.PendingHeight
		default:
			one.State = "unused"
		}
		v.Keys = append(v.Keys, one)
	}
	if on != nil {
		for _, public := range [][]byte{on.Key, on.Pending} {
			if _, ok := file.Find(public); len(public) > 0 && !ok {
				v.Missing = append(v.Missing, hexText(public))
			}
		}
	}
	return output(cmd, v, func(w io.Writer) {
		t := newColumns("key", "state")
		for _, k := range v.Keys {
			state := map[string]string{"unknown": "ask with --operator", "unused": "not registered, or no longer in force"}[k.State]
			switch {
			case k.State == "in_force" && *k.ActiveHeight == 0:
				state = "in force since genesis"
			case k.State == "in_force":
				state = fmt.Sprintf("in force since block %d", *k.ActiveHeight)
			case k.State == "waits":
				state = fmt.Sprintf("takes effect at block %d", *k.ActiveHeight)
			}
			t.add(k.Key, state)
		}
		t.write(w)
		for _, m := range v.Missing {
			fmt.Fprintf(w, "\n%s is registered, but its secret is not in %s: put it there, or the validator loses its blocks\n", m, path)
		}
	})
}
