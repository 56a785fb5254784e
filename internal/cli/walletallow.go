package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/spf13/cobra"
)

// allowFlags are what `wallet allow` is told.
type allowFlags struct {
	spend, per, total, maxDeposit, lasts, fees string
	services                                   []string
	revoke, list                               bool
}

func newWalletAllowCommand() *cobra.Command {
	var o allowFlags
	cmd := &cobra.Command{
		Use:   "allow KEY",
		Short: "Allow a key, say a program's, to pay for services out of your account, within limits",
		Long: `Lets another key pay for services of the market out of the account of --from, and nothing else: the chain checks each deposit
against the limits, whatever the other's program does. Fees of its transactions are paid, too, up to --fees a period.
What comes back of its deposits counts to its limit again. A new allowance for a key replaces the old one. --list shows what
is left, of this period too, and when the next begins.

--services names a subnet (its number as netuid:1, or its name), all services of which may be paid, or services by
their numbers. The key's side is ` + "`lode pay … --payer ADDRESS --from KEY`" + `.`,
		Example: `  lode wallet allow agent --spend 5tao --per day --services video --from alice
  lode wallet allow lode1… --spend 20 --services 3,8 --max-deposit 2 --for 7d --from alice
  lode wallet allow --list --from alice
  lode wallet allow agent --revoke --from alice`,
		Args: cobra.MaximumNArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&o.spend, "spend", "", "TAO that it may put into channels: in all, or with --per in each period")
	f.StringVar(&o.per, "per", "", "the period of --spend: hour, day, week, month (30 days), or like 12h")
	f.StringVar(&o.total, "total", "", "with --per: TAO in all (default: --spend for every period until the end)")
	f.StringSliceVar(&o.services, "services", nil, "what it may pay: subnets, or services; default: everything")
	f.StringVar(&o.maxDeposit, "max-deposit", "", "most TAO in one deposit")
	f.StringVar(&o.lasts, "for", "30d", "how long it lasts")
	f.StringVar(&o.fees, "fees", "0.01", "TAO of transaction fees that are paid for it, a period (without --per: a day)")
	f.BoolVar(&o.revoke, "revoke", false, "take the allowance back; open channels stay, and their vouchers")
	f.BoolVar(&o.list, "list", false, "show the allowances that the key of --from gives and has")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case o.list && (o.revoke || len(args) > 0 || o.spend != ""):
			return fail(codeUsage, "see `lode wallet allow --help`", "--list stands alone")
		case o.list:
			return listAllowances(cmd)
		case len(args) == 0:
			return fail(codeUsage, "see `lode wallet allow --help`", "name the key that may spend, or give --list")
		}
		g := globalsOf(cmd)
		agent, err := g.address(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if o.revoke {
			if o.spend != "" {
				return fail(codeUsage, "see `lode wallet allow --help`", "give --spend or --revoke, not both")
			}
			return revokeAllowance(cmd, args[0], agent)
		}
		limits, lasts, fees, err := o.parse(agent)
		if err != nil {
			return err
		}
		return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
			if err := allowServices(ctx, c, limits, o.services); err != nil {
				return err
			}
			return grantAllowance(ctx, cmd, c, limits, lasts, fees)
		})
	}
	return cmd
}

// parse reads the flags into an authorization, its end in seconds from now, and the
// fees of a period in rao.
func (o *allowFlags) parse(agent string) (a *markettypes.SpendAuthorization, lasts int64, fees uint64, err error) {
	a = &markettypes.SpendAuthorization{Spender: agent}
	if o.spend == "" {
		return nil, 0, 0, fail(codeUsage, "for example --spend 5tao --per day", "give --spend, or --revoke")
	}
	if a.Limit, err = parseTAO(o.spend, "--spend"); err != nil {
		return nil, 0, 0, err
	}
	if lasts, err = parsePeriod(o.lasts, "--for"); err != nil {
		return nil, 0, 0, err
	}
	switch {
	case o.per == "" && o.total != "":
		return nil, 0, 0, fail(codeUsage, "without a period --spend is all that it may spend", "--total goes with --per")
	case o.per != "":
		if a.Period, err = parsePeriod(o.per, "--per"); err != nil {
			return nil, 0, 0, err
		}
		a.PerPeriod = a.Limit
		begun := uint64((lasts + a.Period - 1) / a.Period) // at most 10 years of seconds
		a.Limit = min(a.PerPeriod, maxRao/begun) * begun
	}
	if o.total != "" {
		if a.Limit, err = parseTAO(o.total, "--total"); err != nil {
			return nil, 0, 0, err
		}
	}
	if o.maxDeposit != "" {
		if a.MaxDeposit, err = parseTAO(o.maxDeposit, "--max-deposit"); err != nil {
			return nil, 0, 0, err
		}
	}
	if fees, err = parseTAO(o.fees, "--fees"); err != nil {
		return nil, 0, 0, err
	}
	return a, lasts, fees, nil
}

// allowServices puts what --services names into an authorization. The chain asks both
// lists, so they are either subnets or services.
func allowServices(ctx context.Context, c *client.Client, a *markettypes.SpendAuthorization, words []string) error {
	if len(words) > markettypes.MaxAllowed {
		return fail("bad_value", "name subnets instead of services", "--services names %d, at most %d can be", len(words), markettypes.MaxAllowed)
	}
	var subnets []subnetstypes.Subnet
	for _, word := range words {
		if number, ok := strings.CutPrefix(word, "netuid:"); ok {
			netuid, err := parseNetuid(number)
			if err != nil {
				return err
			}
			if _, err := c.Subnets().Subnet(ctx, &subnetstypes.QuerySubnetRequest{Netuid: netuid}); err != nil {
				return err
			}
			a.Netuids = append(a.Netuids, netuid)
			continue
		}
		if id, err := strconv.ParseUint(word, 10, 64); err == nil {
			if _, err := service(ctx, c, id); err != nil {
				return err
			}
			a.ServiceIds = append(a.ServiceIds, id)
			continue
		}
		if subnets == nil {
			r, err := c.Subnets().Subnets(ctx, &subnetstypes.QuerySubnetsRequest{})
			if err != nil {
				return err
			}
			subnets = r.Subnets
		}
		netuid, err := subnetNamed(subnets, word)
		if err != nil {
			return err
		}
		a.Netuids = append(a.Netuids, netuid)
	}
	slices.Sort(a.Netuids)
	slices.Sort(a.ServiceIds)
	a.Netuids, a.ServiceIds = slices.Compact(a.Netuids), slices.Compact(a.ServiceIds)
	if len(a.Netuids) > 0 && len(a.ServiceIds) > 0 {
		return fail("bad_value", "give the services' numbers alone, or the subnets alone", "--services names subnets and services: an allowance is for one kind")
	}
	return nil
}

// subnetNamed is the one subnet of a name: names are anybody's choice, so what several
// have means none.
func subnetNamed(subnets []subnetstypes.Subnet, name string) (uint32, error) {
	var found []uint32
	for _, s := range subnets {
		if s.Name == name {
			found = append(found, s.Netuid)
		}
	}
	switch len(found) {
	case 0:
		return 0, fail("not_found", "`lode subnet list` and `lode market list` show them; services are named by their numbers", "--services: there is no subnet %q", name)
	case 1:
		return found[0], nil
	}
	return 0, fail("bad_value", "say which, for example netuid:"+fmt.Sprint(found[0]), "--services: the subnets %v are all called %q", found, name)
}

// spending are the messages whose fees an allowance pays: deposits, and what ends a
// channel.
var spending = []string{sdk.MsgTypeURL(&authz.MsgExec{}), sdk.MsgTypeURL(&markettypes.MsgClose{}), sdk.MsgTypeURL(&markettypes.MsgCancelPlan{})}

// grantAllowance sends an authorization, and the allowance for fees.
func grantAllowance(ctx context.Context, cmd *cobra.Command, c *client.Client, a *markettypes.SpendAuthorization, lasts int64, fees uint64) error {
	g := globalsOf(cmd)
	payer, err := g.payer(ctx)
	if err != nil {
		return err
	}
	if payer.Address() == a.Spender {
		return fail("bad_value", "name another key; `lode wallet create agent` makes one", "%s needs no allowance for its own account", a.Spender)
	}
	now, err := c.Status(ctx)
	if err != nil {
		return err
	}
	agent, err := sdk.AccAddressFromBech32(a.Spender)
	if err != nil {
		return err
	}
	ends := now.Time.Add(time.Duration(lasts) * time.Second).UTC().Truncate(time.Second)
	grant, err := authz.NewMsgGrant(payer.AccAddress(), agent, a, &ends)
	if err != nil {
		return err
	}
	period := time.Duration(a.Period) * time.Second
	if period == 0 {
		period = day * time.Second
	}
	coins := sdk.NewCoins(sdk.NewCoin(client.Denom, sdkmath.NewIntFromUint64(fees)))
	periodic := &feegrant.PeriodicAllowance{
		Basic: feegrant.BasicAllowance{Expiration: &ends}, Period: period,
		PeriodSpendLimit: coins, PeriodCanSpend: coins, PeriodReset: now.Time.Add(period),
	}
	only, err := feegrant.NewAllowedMsgAllowance(periodic, spending)
	if err != nil {
		return err
	}
	allowance, err := feegrant.NewMsgGrantAllowance(only, payer.AccAddress(), agent)
	if err != nil {
		return err
	}
	msgs := []sdk.Msg{grant, allowance}
	has, err := feeAllowance(ctx, c, payer.Address(), a.Spender)
	if err != nil {
		return err
	}
	if has != nil {
		revoke := feegrant.NewMsgRevokeAllowance(payer.AccAddress(), agent)
		msgs = []sdk.Msg{&revoke, grant, allowance}
	}
	r, err := c.Send(ctx, []*wallet.Signer{payer}, msgs...)
	if err != nil {
		return err
	}
	v := struct {
		allowanceJSON
		txJSON
	}{newAllowanceJSON(payer.Address(), a, &ends, only, now.Time), newTxJSON(r)}
	return output(cmd, v, func(w io.Writer) {
		v.allowanceJSON.write(w, g.names(ctx))
		v.txJSON.write(w)
	})
}

// feeAllowance is what a granter pays of a key's fees; nil: nothing.
func feeAllowance(ctx context.Context, c *client.Client, granter, grantee string) (feegrant.FeeAllowanceI, error) {
	r, err := c.Feegrant().Allowance(ctx, &feegrant.QueryAllowanceRequest{Granter: granter, Grantee: grantee})
	if err != nil {
		var answer *client.QueryError
		if errors.Is(err, client.ErrNotFound) || errors.As(err, &answer) && strings.Contains(answer.Log, "not found") {
			return nil, nil
		}
		return nil, err
	}
	var a feegrant.FeeAllowanceI
	return a, c.Codec().UnpackAny(r.Allowance.Allowance, &a)
}

// revokeAllowance takes back what a key was allowed.
func revokeAllowance(cmd *cobra.Command, name, agent string) error {
	g := globalsOf(cmd)
	return withNetwork(cmd.Context(), g, sendTimeout, func(ctx context.Context, c *client.Client) error {
		payer, err := g.payer(ctx)
		if err != nil {
			return err
		}
		grantee, err := sdk.AccAddressFromBech32(agent)
		if err != nil {
			return err
		}
		var msgs []sdk.Msg
		all, err := allowances(ctx, c, payer.Address())
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(v allowanceJSON) bool { return v.Payer == payer.Address() && v.Agent == agent }) {
			revoke := authz.NewMsgRevoke(payer.AccAddress(), grantee, sdk.MsgTypeURL(&markettypes.MsgDeposit{}))
			msgs = append(msgs, &revoke)
		}
		fees, err := feeAllowance(ctx, c, payer.Address(), agent)
		if err != nil {
			return err
		}
		if fees != nil {
			revoke := feegrant.NewMsgRevokeAllowance(payer.AccAddress(), grantee)
			msgs = append(msgs, &revoke)
		}
		if len(msgs) == 0 {
			return fail("not_found", "`lode wallet allow --list` shows what there is", "%s is allowed nothing by %s", name, payer.Address())
		}
		r, err := c.Send(ctx, []*wallet.Signer{payer}, msgs...)
		if err != nil {
			return err
		}
		v := struct {
			Payer string `json:"payer"`
			Agent string `json:"agent"`
			txJSON
		}{payer.Address(), agent, newTxJSON(r)}
		return output(cmd, v, func(w io.Writer) {
			fmt.Fprintf(w, "%s may put nothing more into channels; `lode pay list --payer %s` shows those that are open\n", displayKey(agent, g.names(ctx)), v.Payer)
			v.write(w)
		})
	})
}
