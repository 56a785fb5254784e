package cli

import (
	"github.com/spf13/cobra"
)

func newPayCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pay",
		Short: "Pay for services: channels, plans, limits, the ledger, a proxy for any program",
		Long: `Pays for services of ` + "`lode market`" + `. A channel is a deposit on chain, for one service; each request is paid out of it by a
signed voucher that costs no transaction, and what is left comes back when it is closed. A plan's channel pays a fixed price
a period. The key of --from signs and pays; with --payer it pays out of another's account that allows it to, see
` + "`lode wallet allow`" + `.

` + "`lode pay proxy`" + ` lets any program pay, and ` + "`lode pay mcp`" + ` any agent for tools, within limits. Session keys and the ledger of all payments are kept in HOME/pay;
whoever can read that can spend the deposits that are open, and nothing more. One process has them open: while it runs, the
other commands here ask it.`,
		Example: `  lode pay limits --max-request 0.01 --per-day 2
  lode pay open 3 --deposit 1
  lode pay proxy --to https://example.org/v1
  lode pay history --csv payments.csv`,
	}
	cmd.PersistentFlags().String("payer", "", "whose account pays, where it isn't that of --from: an address, or a name in the wallet")
	cmd.AddCommand(newPayOpenCommand(), newPayTopUpCommand(), newPayListCommand(), newPayCloseCommand(),
		newPaySubscribeCommand(), newPayCancelCommand(), newPayHistoryCommand(), newPayLimitsCommand(), newPayProxyCommand(), newPayMCPCommand())
	return cmd
}
