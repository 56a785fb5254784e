package cli

import (
	"fmt"
	"io"

	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
)

func newWalletBookCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "book",
		Short: "Other people's addresses by name: a name does wherever an address does",
		Long: `The address book gives names to addresses of others. Before a transaction is signed, an address that is not in it is looked up
on chain ("never sent there before"), and compared with those that are: one that begins and ends like a known address is refused.`,
		Example: `  lode wallet book add shop lode1…
  lode wallet book list
  lode send shop 2`,
	}
	cmd.AddCommand(newBookAddCommand(), newBookListCommand(), newBookRemoveCommand())
	return cmd
}

func newBookAddCommand() *cobra.Command {
	var c wallet.Contact
	var lookAlike bool
	cmd := &cobra.Command{
		Use:   "add NAME ADDRESS",
		Short: "Give an address a name",
		Example: `  lode wallet book add shop lode1…
  lode wallet book add shop lode1… --note corner`,
		Args: cobra.ExactArgs(2),
	}
	cmd.Flags().StringVar(&c.Note, "note", "", "a line about it")
	cmd.Flags().BoolVar(&lookAlike, "look-alike", false, "it is right, though it looks like an address that is known")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c.Name, c.Address = args[0], args[1]
		w, err := globalsOf(cmd).openWallet(cmd.Context())
		if err != nil {
			return err
		}
		if err := w.AddContact(c, lookAlike); err != nil {
			return err
		}
		return output(cmd, newContactJSON(c), func(w io.Writer) { fmt.Fprintf(w, "%s is %s\n", c.Name, c.Address) })
	}
	return cmd
}

// contactJSON is an entry of the address book.
type contactJSON struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Note    string `json:"note"`
}

func newContactJSON(c wallet.Contact) contactJSON { return contactJSON{c.Name, c.Address, c.Note} }

func newBookListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the address book",
		Example: "  lode wallet book list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := globalsOf(cmd).openWallet(cmd.Context())
			if err != nil {
				return err
			}
			contacts, err := w.Contacts()
			if err != nil {
				return err
			}
			list := make([]contactJSON, 0, len(contacts))
			t := newColumns("name", "address", "note")
			for _, c := range contacts {
				list = append(list, newContactJSON(c))
				t.add(c.Name, c.Address, c.Note)
			}
			return output(cmd, list, func(w io.Writer) {
				if len(list) == 0 {
					fmt.Fprintln(w, "nobody is in it yet: `lode wallet book add NAME ADDRESS`")
					return
				}
				t.write(w)
			})
		},
	}
}

func newBookRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "remove NAME",
		Short:   "Take a name out of the address book",
		Example: "  lode wallet book remove shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := globalsOf(cmd).openWallet(cmd.Context())
			if err != nil {
				return err
			}
			if err := w.RemoveContact(args[0]); err != nil {
				return err
			}
			v := struct {
				Name string `json:"name"`
			}{args[0]}
			return output(cmd, v, func(w io.Writer) { fmt.Fprintf(w, "%s is out of the address book\n", args[0]) })
		},
	}
}
