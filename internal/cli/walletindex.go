package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/indexer"
	"github.com/spf13/cobra"
)

// indexTimeout bounds a question to an index.
const indexTimeout = queryTimeout

// dbFlag adds --db.
func dbFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("db", "", "the index: a file, or postgres://… (default: that of the network in --home)")
}

// indexFile is the index that `lode up` keeps in its home.
func (g *globals) indexFile() string { return filepath.Join(g.home, "state", "index.db") }

// withIndex opens an index that somebody keeps, and runs f.
func (g *globals) withIndex(ctx context.Context, db string, f func(ctx context.Context, ix *indexer.Store, now indexer.Status) error) (err error) {
	if db == "" {
		db = g.indexFile()
	}
	if !strings.Contains(db, "://") {
		if _, err := os.Stat(db); err != nil {
			return fail("no_index", "`lode up` keeps one; name another with --db FILE, or --db postgres://…", "there is no index: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, indexTimeout)
	defer cancel()
	ix, err := indexer.Open(ctx, db)
	if err != nil {
		return fail("no_index", "name one that `lode up` or `lode console` keeps", "the index can't be opened: %w", err)
	}
	defer func() { err = errors.Join(err, ix.Close()) }()
	now, err := ix.Status(ctx)
	if errors.Is(err, indexer.ErrEmpty) {
		return fail("no_index", "wait until it has", "the index %s has no block yet", db)
	}
	if err != nil {
		return err
	}
	return f(ctx, ix, now)
}

func newWalletHistoryCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "history [KEY]",
		Short: "Write all that changed what an account holds, as CSV for tax programs (of --from unless given)",
		Long: `Writes all that ever changed what an account holds, the oldest first, as CSV with Koinly's columns, in UTC and with all decimals:
a row a transaction; a row a day for what epochs paid and what a stake earned. What was received less what was sent and paid in fees is what
there is, to the rao. A subnet's alpha is called ALPHA and the subnet's permanent id.

It reads an index, as ` + "`lode up` and `lode console`" + ` keep one; KEY is a key, an address, or a name of the address book.`,
		Example: `  lode wallet history alice --out alice.csv
  lode wallet history lode1… --db postgres://lode@db/lode`,
		Args: cobra.MaximumNArgs(1),
	}
	db := dbFlag(cmd)
	cmd.Flags().StringVar(&out, "out", "", "file to write, which must not exist yet (default: standard output)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		g := globalsOf(cmd)
		addr, err := g.addressOrPayer(cmd.Context(), args)
		if err != nil {
			return err
		}
		return g.withIndex(cmd.Context(), *db, func(ctx context.Context, ix *indexer.Store, now indexer.Status) error {
			var table bytes.Buffer
			if err := ix.History(ctx, addr, &table); err != nil {
				return err
			}
			if out != "" {
				if err := writeNew(out, table.Bytes()); err != nil {
					return err
				}
			}
			rows, err := csv.NewReader(bytes.NewReader(table.Bytes())).ReadAll()
			if err != nil {
				return err
			}
			v := struct {
				Address string              `json:"address"`
				Height  int64               `json:"height"` // that the index has come to
				Rows    []map[string]string `json:"rows"`
			}{addr, now.Height, []map[string]string{}}
			for _, row := range rows[1:] {
				one := map[string]string{}
				for i, cell := range row {
					one[strings.ReplaceAll(strings.ToLower(rows[0][i]), " ", "_")] = cell
				}
				v.Rows = append(v.Rows, one)
			}
			if out == "" && !g.json {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s, as of block %d\n", counted(len(v.Rows), "row", "rows"), now.Height)
				_, err := cmd.OutOrStdout().Write(table.Bytes())
				return err
			}
			return output(cmd, v, func(w io.Writer) {
				fmt.Fprintf(w, "%s in %s, as of block %d\n", counted(len(v.Rows), "row", "rows"), out, now.Height)
			})
		})
	}
	return cmd
}

func newWalletIncomeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "income [KEY]",
		Short: "List what an account was paid: by epochs, customers, removed subnets (of --from unless given)",
		Long: `Lists what an account was paid, the latest first: incentive, dividends (by the day, when it is over in UTC), what the owner of a
subnet gets, sales of services. It reads an index, as ` + "`lode up` and `lode console`" + ` keep one.`,
		Example: `  lode wallet income alice
  lode wallet income alice --limit 500 --json`,
		Args: cobra.MaximumNArgs(1),
	}
	db := dbFlag(cmd)
	limit := cmd.Flags().Int("limit", 50, "the most to list, 1 to 500")
	after := cmd.Flags().String("after", "", "list what follows: `next` of the list before")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		g := globalsOf(cmd)
		if *limit < 1 || *limit > 500 {
			return fail("bad_value", "give 1 to 500", "--limit %d can't be", *limit)
		}
		addr, err := g.addressOrPayer(cmd.Context(), args)
		if err != nil {
			return err
		}
		return g.withIndex(cmd.Context(), *db, func(ctx context.Context, ix *indexer.Store, now indexer.Status) error {
			list, err := ix.Income(ctx, addr, indexer.Page{Limit: *limit, After: *after})
			if errors.Is(err, indexer.ErrCursor) {
				return fail("bad_value", "give `next` of the list before", "--after: %w", err)
			}
			if err != nil {
				return err
			}
			return output(cmd, list, func(w io.Writer) {
				names := g.names(ctx)
				if len(list.Items) == 0 {
					fmt.Fprintf(w, "%s has no income until block %d; dividends of today come with the day's end (UTC), `lode wallet history` has them now\n", displayKey(addr, names), now.Height)
					return
				}
				t := newColumns("time", ">block", "what", ">netuid", "hotkey", ">alpha", ">TAO", ">worth TAO")
				for _, i := range list.Items {
					worth := "–"
					if i.Value != nil {
						worth = formatUnits(uint64(*i.Value), 6)
					}
					t.add(i.Time.UTC().Format("2006-01-02 15:04:05"), fmt.Sprint(i.Height), i.Kind, fmt.Sprint(i.Netuid), displayKey(i.Hotkey, names),
						client.FormatAlpha(uint64(i.Alpha)), client.FormatTAO(uint64(i.TAO)), worth)
				}
				t.write(w)
				if list.Next != "" {
					fmt.Fprintf(w, "\nmore follows: --after %s\n", list.Next)
				}
			})
		})
	}
	return cmd
}
