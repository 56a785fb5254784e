package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
)

// globals are the flags that every command has, and the terminal.
type globals struct {
	home           string
	node           string
	from           string
	passphraseFile string
	gasPrice       string
	json           bool
	yes            bool
	unsigned       bool // write transactions instead of sending them

	out      io.Writer // standard output
	terminal *terminal
	review   *review        // of the command that is sending; nil: of none
	wallet   *wallet.Wallet // once it was opened
}

type globalsKey struct{}

// globalsOf returns what [Run] gave to a command.
func globalsOf(cmd *cobra.Command) *globals {
	return cmd.Context().Value(globalsKey{}).(*globals)
}

// Main runs the program with the process's arguments and returns its exit code. The
// first interrupt ends a command in good order, a second one ends the process.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

// Run runs the program until it is done or ctx ends, and returns its exit code.
func Run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	g := &globals{terminal: newTerminal(in, errOut)}
	root := newRootFor(g, args)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	g.out = out
	err := root.ExecuteContext(context.WithValue(ctx, globalsKey{}, g))
	if err == nil || errors.Is(err, errWritten) {
		return exitOK
	}
	// A command line that can't be parsed leaves g.json unset: look for it.
	return report(errOut, err, g.json || slices.Contains(args, "--json"))
}

// newRoot has every command.
func newRoot(g *globals) *cobra.Command { return newRootFor(g, nil) }

// newRootFor has the commands that a command line can mean. Those of the chain's messages
// and queries take a sixth of the time in which the program starts: they are left
// out where its first word is another command.
func newRootFor(g *globals, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "lode",
		Short: "A network that pays for real work",
		Long: `Lode is a proof-of-stake network of subnets: markets in which miners do real work, validators
measure it, and the chain pays for what was measured.

  lode up        runs a whole network on this machine
  lode status    shows what it has done

Commands find the network that ` + "`lode up`" + ` runs in --home, or the node that --node names. A local network's
home has a funded coldkey "user", which pays unless --from names another.`,
		Example: `  lode up
  lode wallet balance
  lode stake add 10 --netuid 1 --hotkey miner-1-hot
  lode metagraph 1`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := root.PersistentFlags()
	f.StringVar(&g.home, "home", defaultHome(), "folder of the local network and of the wallet (LODE_HOME)")
	f.StringVar(&g.node, "node", "", "CometBFT RPC URL of a node, instead of the local network's; several separated by commas")
	f.StringVar(&g.from, "from", "user", "coldkey that signs and pays: its name in the wallet")
	f.StringVar(&g.passphraseFile, "passphrase-file", "", "file with the wallet's passphrase (else LODE_PASSPHRASE, else the home's own, else a prompt)")
	f.StringVar(&g.gasPrice, "gas-price", "", "what a unit of gas is paid with (default 0.01rao)")
	f.BoolVar(&g.json, "json", false, "print one JSON value, for programs")
	f.BoolVarP(&g.yes, "yes", "y", false, "sign what is shown without asking; where no terminal is there to ask, nobody is asked")

	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, err) })
	root.AddGroup(
		&cobra.Group{ID: "network", Title: "A network on this machine:"},
		&cobra.Group{ID: "use", Title: "Use a network:"},
		&cobra.Group{ID: "work", Title: "Work for pay:"},
		&cobra.Group{ID: "more", Title: "More:"},
	)
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("network", newUpCommand(), newStatusCommand(), newFaucetCommand(), newNodeCommand(), newLabCommand())
	add("use", newWalletCommand(), newColdkeyCommand(), newSendCommand(), newStakeCommand(), newSubnetCommand(), newMetagraphCommand(), newSeedCommand(), newMarketCommand(), newPayCommand(), newVideoCommand(), newInferenceCommand(), newChatCommand(), newConsoleCommand())
	add("work", newHotkeyCommand(), newNeuronCommand(), newCollateralCommand(), newMineCommand(), newValidateCommand(), newModelCommand(), newRelayCommand())
	query, tx := newQueryCommand(), newTxCommand()
	add("more", query, tx, newVersionCommand(), newEngineChildCommand())
	if needsChain(query, tx, args) {
		addQueries(query)
		addMessages(tx)
	}
	for _, c := range root.Commands() {
		if slices.Contains([]string{"send", "stake", "subnet", "hotkey", "coldkey", "neuron", "collateral", "market", "wallet"}, c.Name()) {
			unsignedFlag(c, g)
		}
	}
	root.SetHelpCommandGroupID("more")
	root.SetCompletionCommandGroupID("more")
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	prepare(root)
	return root
}

// needsChain says whether a command line may be about one of two commands: unless it begins
// with another one's name. What begins with a flag, and cobra's own commands, may.
func needsChain(query, tx *cobra.Command, args []string) bool {
	if len(args) == 0 {
		return true
	}
	for _, c := range query.Root().Commands() {
		if c.Name() == args[0] || c.HasAlias(args[0]) {
			return c == query || c == tx
		}
	}
	return true
}

// prepare walks over all commands: what is only a group of commands shows its help and
// refuses words that it does not know, wrong arguments become usage errors, and cobra's
// own commands get their examples.
func prepare(cmd *cobra.Command) {
	if cmd.HasSubCommands() && cmd.RunE == nil && cmd.Run == nil {
		cmd.Args = cobra.NoArgs
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if err == nil {
				return nil
			}
			if cmd.HasSubCommands() && len(args) > 0 {
				return usageUnknown(cmd, args[0])
			}
			return usage(cmd, err)
		}
	}
	if cmd.Example == "" {
		switch path := cmd.CommandPath(); {
		case path == "lode help":
			cmd.Example = "  lode help stake add"
		case path == "lode completion":
			cmd.Example = "  source <(lode completion bash)"
		case strings.HasPrefix(path, "lode completion "):
			cmd.Example = "  " + path + " > lode." + cmd.Name()
		}
	}
	for _, c := range cmd.Commands() {
		prepare(c)
	}
}

// defaultHome is LODE_HOME, or where `lode up` keeps a local network.
func defaultHome() string {
	if h := os.Getenv("LODE_HOME"); h != "" {
		return h
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(".lode", "local") // no HOME: beside where one works
	}
	return filepath.Join(dir, ".lode", "local")
}
