package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	"github.com/spf13/cobra"
)

// paymentJSON is an entry of the ledger.
type paymentJSON struct {
	N          uint64 `json:"n"`
	Time       string `json:"time"`  // RFC 3339
	Kind       string `json:"kind"`  // request, deposit
	State      string `json:"state"` // pending, paid, unpaid, unknown: its answer was lost
	Charged    uint64 `json:"charged,string"`
	Ceiling    uint64 `json:"ceiling,string"` // what it might have cost
	Unit       string `json:"unit"`           // what both are in: rao, or units of a plan
	Provider   string `json:"provider"`       // hotkey
	ServiceID  uint64 `json:"service_id,string"`
	PlanID     uint64 `json:"plan_id,string"` // 0: by use
	ChannelID  string `json:"channel_id"`
	Method     string `json:"method"`
	URL        string `json:"url"`
	Identifier string `json:"identifier"` // x402's payment-identifier
	Status     int    `json:"status"`     // of HTTP
	Note       string `json:"note"`
}

func newPaymentJSON(p pay.Payment) paymentJSON {
	v := paymentJSON{
		N: p.N, Time: p.Time.UTC().Format(time.RFC3339), Kind: p.Kind, State: string(p.State), Charged: p.Charged, Ceiling: p.Ceiling, Unit: "rao",
		Provider: p.Provider, ServiceID: p.ServiceID, PlanID: p.PlanID, ChannelID: p.Channel, Method: p.Method, URL: p.URL,
		Identifier: p.Identifier, Status: p.Status, Note: p.Note,
	}
	if p.PlanID != 0 && p.Kind != "deposit" {
		v.Unit = "unit"
	}
	return v
}

// amount is what was charged, for people.
func (v *paymentJSON) amount() string {
	if v.Unit == "unit" {
		return unitCount(v.Charged)
	}
	return client.FormatTAO(v.Charged) + " TAO"
}

func newPayHistoryCommand() *cobra.Command {
	var file, since string
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Show the ledger of all payments and deposits",
		Long: `Every payment and every deposit that was made by these books, oldest first. A payment whose answer was lost is unknown, and
counts with all that it may have cost until a later answer tells more. No node is asked.`,
		Example: `  lode pay history --since day
  lode pay history --csv payments.csv
  lode pay history --json | jq '[.[] | select(.kind == "request") | .charged | tonumber] | add'`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&file, "csv", "", "write comma-separated values into this file; - is standard output")
	cmd.Flags().StringVar(&since, "since", "", "only of the last day, week, 30d, 12h and so on (default: all)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, g := cmd.Context(), globalsOf(cmd)
		asCSV := cmd.Flags().Changed("csv")
		switch {
		case asCSV && g.json:
			return fail(codeUsage, "give one of them", "--csv and --json are two formats")
		case asCSV && file == "":
			return fail(codeUsage, "- is standard output", "--csv names no file")
		}
		var from time.Time
		if since != "" {
			seconds, err := parsePeriod(since, "--since")
			if err != nil {
				return err
			}
			from = time.Now().Add(-time.Duration(seconds) * time.Second)
		}
		b, err := booksOf(cmd)
		if err != nil {
			return err
		}
		if !b.kept() && !asCSV {
			return output(cmd, []paymentJSON{}, func(w io.Writer) { fmt.Fprintln(w, "nothing was paid by these books") })
		}
		return b.read(ctx, func(p purse) error {
			if asCSV {
				if file == "-" {
					return p.WriteCSV(ctx, cmd.OutOrStdout(), from)
				}
				rows := rowCounter{}
				err := writeWhole(file, func(w io.Writer) error { return p.WriteCSV(ctx, io.MultiWriter(w, &rows), from) })
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s in %s\n", counted(rows.n-1, "payment or deposit is", "payments and deposits are"), file) // the first has the names
				return err
			}
			payments, err := p.Ledger(ctx, from)
			if err != nil {
				return err
			}
			list := []paymentJSON{}
			for _, x := range payments {
				list = append(list, newPaymentJSON(x))
			}
			return output(cmd, list, func(w io.Writer) { writePayments(w, list, g.names(ctx)) })
		})
	}
	return cmd
}

// rowCounter counts the rows of comma-separated values that are written to it.
type rowCounter struct {
	n      int
	quoted bool
}

func (c *rowCounter) Write(p []byte) (int, error) {
	for _, b := range p {
		switch {
		case b == '"':
			c.quoted = !c.quoted
		case b == '\n' && !c.quoted:
			c.n++
		}
	}
	return len(p), nil
}

func writePayments(w io.Writer, list []paymentJSON, names map[string]string) {
	if len(list) == 0 {
		fmt.Fprintln(w, "no payments in that time")
		return
	}
	t := newColumns("time", "kind", "state", ">amount", ">service", "provider", "what")
	for _, v := range list {
		what := plain(v.Method + " " + v.URL)
		if v.Kind == "deposit" {
			what = "channel " + v.ChannelID[:min(len(v.ChannelID), 12)]
		}
		t.add(v.Time, v.Kind, v.State, v.amount(), fmt.Sprint(v.ServiceID), displayKey(v.Provider, names), what)
	}
	t.write(w)
}

// writeWhole writes a file of its owner's, whole or not at all.
func writeWhole(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600: URLs, limits and tokens are nobody's business
	if err != nil {
		return fail("bad_value", "name a file in a folder that you can write to", "%w", err)
	}
	if err = errors.Join(write(f), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
