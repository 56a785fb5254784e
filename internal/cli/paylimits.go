package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	"github.com/spf13/cobra"
)

// limitsJSON are the limits that the user has set, in rao; null: none.
type limitsJSON struct {
	MaxRequest  *uint64 `json:"max_request_rao,string"`
	PerDay      *uint64 `json:"per_day_rao,string"`
	PerProvider *uint64 `json:"per_provider_rao,string"` // in a day
	Deposit     *uint64 `json:"deposit_rao,string"`      // put into a channel without asking; null: never
	MaxDeposit  *uint64 `json:"max_deposit_rao,string"`  // unspent in the channels to one service; null: ten deposits
}

func (l *limitsJSON) limits() pay.Limits {
	or0 := func(n *uint64) uint64 {
		if n == nil {
			return 0
		}
		return *n
	}
	return pay.Limits{PerRequest: or0(l.MaxRequest), PerDay: or0(l.PerDay), PerProvider: or0(l.PerProvider), Deposit: or0(l.Deposit), MaxDeposit: or0(l.MaxDeposit)}
}

// limitFlags are the flags that set limits, each an amount of TAO or none.
var limitFlags = []struct {
	name, what string
	of         func(*limitsJSON) **uint64
}{
	{"max-request", "most TAO that one request may cost", func(l *limitsJSON) **uint64 { return &l.MaxRequest }},
	{"per-day", "most TAO spent in a day (UTC)", func(l *limitsJSON) **uint64 { return &l.PerDay }},
	{"per-provider", "most TAO spent at one provider in a day", func(l *limitsJSON) **uint64 { return &l.PerProvider }},
	{"deposit", "TAO put into a channel without asking, when one is opened or runs dry", func(l *limitsJSON) **uint64 { return &l.Deposit }},
	{"max-deposit", "most TAO that lies unspent in the channels to a service, as far as it is put there without asking (default: ten deposits)", func(l *limitsJSON) **uint64 { return &l.MaxDeposit }},
}

// addLimitFlags adds them; read changes limits by those that are given.
func addLimitFlags(cmd *cobra.Command) (read func(l *limitsJSON) (changed bool, err error)) {
	values := map[string]*string{}
	for _, f := range limitFlags {
		values[f.name] = cmd.Flags().String(f.name, "", f.what+"; none: no limit")
		if f.name == "deposit" {
			cmd.Flags().Lookup(f.name).Usage = f.what + "; none: never"
		}
	}
	return func(l *limitsJSON) (changed bool, err error) {
		for _, f := range limitFlags {
			if !cmd.Flags().Changed(f.name) {
				continue
			}
			changed = true
			if *values[f.name] == "none" {
				*f.of(l) = nil
				continue
			}
			rao, err := parseTAO(*values[f.name], "--"+f.name)
			if err != nil {
				return false, err
			}
			*f.of(l) = &rao
		}
		if l.MaxDeposit != nil && l.Deposit != nil && *l.MaxDeposit < *l.Deposit {
			return false, fail("bad_value", "raise --max-deposit, or lower --deposit", "a deposit of %s TAO is over --max-deposit %s", client.FormatTAO(*l.Deposit), client.FormatTAO(*l.MaxDeposit))
		}
		return changed, nil
	}
}

func (b *books) limitsFile() string { return filepath.Join(b.dir, "limits.json") }

// limits are those that were set; none where there is no file. One that can't be read
// is an error: no payment goes without the limits that its owner has set.
func (b *books) limits() (limitsJSON, error) {
	var l limitsJSON
	raw, err := os.ReadFile(b.limitsFile())
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return l, fail("bad_data", "remove it, and set the limits anew with `lode pay limits`", "%s can't be read: %w", b.limitsFile(), err)
	}
	return l, nil
}

// payLimits are the limits as package pay takes them.
func (b *books) payLimits() (pay.Limits, error) {
	l, err := b.limits()
	return l.limits(), err
}

func (b *books) setLimits(l limitsJSON) error {
	raw, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	return replaceFile(b.limitsFile(), append(raw, '\n'))
}

// replaceFile writes a file of its owner's that is whole or as it was.
func replaceFile(path string, raw []byte) error {
	return writeWhole(path, func(w io.Writer) error {
		_, err := w.Write(raw)
		return err
	})
}

func newPayLimitsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "limits",
		Short: "Show or set what may be spent without asking",
		Long: `Sets what is given, and shows all limits with what was spent of them today. They bind whatever pays by these books, over
restarts: the proxy, and lode's own products. One that runs keeps to them from its next payment on. Deposits that you make
yourself are not bound. With --deposit channels are opened and topped up as needed; without, only what you have put into
channels can be spent. A plan is bound by its quota.

Each key that pays has books of its own: a payer's limits do not bind a key that it allows to pay out of its account. What
binds that key is ` + "`lode wallet allow`" + `, which the chain keeps, and the limits of its own books (--payer with its --from).`,
		Example: `  lode pay limits
  lode pay limits --max-request 0.01 --per-day 2 --per-provider 1 --deposit 0.5
  lode pay limits --per-provider none
  lode pay limits --per-day 1 --payer lode1… --from agent`,
		Args: cobra.NoArgs,
	}
	read := addLimitFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		b, err := booksOf(cmd)
		if err != nil {
			return err
		}
		l, err := b.limits()
		if err != nil {
			return err
		}
		changed, err := read(&l)
		if err != nil {
			return err
		}
		if changed {
			if err := b.setLimits(l); err != nil {
				return err
			}
		}
		var spent spentToday
		if b.kept() {
			err := b.read(cmd.Context(), func(p purse) (err error) { spent, err = p.Spent(cmd.Context()); return err })
			if err != nil {
				return err
			}
		}
		v := struct {
			Payer string `json:"payer"`
			limitsJSON
			Spent     uint64              `json:"spent_today_rao,string"`
			Providers []providerSpentJSON `json:"providers"`
		}{b.payer, l, spent.All, []providerSpentJSON{}}
		for hotkey, rao := range spent.ByProvider {
			v.Providers = append(v.Providers, providerSpentJSON{hotkey, rao})
		}
		slices.SortFunc(v.Providers, func(a, b providerSpentJSON) int { return strings.Compare(a.Hotkey, b.Hotkey) })
		return output(cmd, v, func(w io.Writer) {
			names := b.g.names(cmd.Context())
			of := func(n *uint64, none string) string {
				if n == nil {
					return none
				}
				return client.FormatTAO(*n) + " TAO"
			}
			most := "ten deposits"
			if l.Deposit == nil {
				most = "–"
			}
			facts(w, "payer", fullKey(b.payer, names), "a request", of(l.MaxRequest, "no limit"), "a day", of(l.PerDay, "no limit"),
				"a provider, a day", of(l.PerProvider, "no limit"), "a deposit", of(l.Deposit, "never without asking"), "unspent for a service", of(l.MaxDeposit, most),
				"spent today", client.FormatTAO(spent.All)+" TAO")
			for _, p := range v.Providers {
				fmt.Fprintf(w, "  %s at %s\n", client.FormatTAO(p.Spent), displayKey(p.Hotkey, names))
			}
		})
	}
	return cmd
}

// providerSpentJSON is what was spent at a provider today.
type providerSpentJSON struct {
	Hotkey string `json:"hotkey"`
	Spent  uint64 `json:"spent_today_rao,string"`
}
