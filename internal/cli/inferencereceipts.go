package cli

import (
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnets/inference"
)

func newInferenceReceiptsCommand() *cobra.Command {
	var days int
	cmd := &cobra.Command{
		Use:   "receipts [ID]",
		Short: "List the receipts of answers, or show those of one",
		Long: `Each choice of an answer has a receipt: which miner answered with which model, tokens, price, seed, and hashes of prompt and
answer. No text is in it; the answer's tokens are sealed with a key that only the conversation gives. They are kept for 90
days in inference/receipts in --home. ` + "`lode inference verify`" + ` shows with the conversation whether the answer was the model's.`,
		Example: `  lode inference receipts
  lode inference receipts chatcmpl-abc
  lode inference receipts --days 7 --json | jq 'map(.completion_tokens) | add'`,
		Args: cobra.MaximumNArgs(1),
	}
	cmd.Flags().IntVar(&days, "days", 1, "how many days the list goes back")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		g := globalsOf(cmd)
		store, err := g.receipts()
		if err != nil {
			return err
		}
		names := g.names(cmd.Context())
		if len(args) == 1 {
			list, err := store.Find(args[0])
			if err != nil {
				return err
			}
			return output(cmd, list, func(w io.Writer) {
				for i, r := range list {
					if i > 0 {
						fmt.Fprintln(w)
					}
					writeReceipt(w, r, names)
				}
			})
		}
		if days < 1 || days > 90 {
			return fail(codeUsage, "receipts are kept for 90 days", "--days %d: between 1 and 90", days)
		}
		list := []inference.Receipt{}
		err = store.Each(time.Now().AddDate(0, 0, -days), func(r inference.Receipt) bool {
			list = append(list, r)
			return true
		})
		if err != nil {
			return err
		}
		return output(cmd, list, func(w io.Writer) {
			if len(list) == 0 {
				fmt.Fprintln(w, "no receipts: `lode inference serve` and `lode chat` keep one of each answer")
				return
			}
			t := newColumns("time", "receipt", "model", "miner", ">in", ">out", "end", ">TAO")
			for _, r := range list {
				t.add(r.Time.Local().Format(time.DateTime), receiptName(r), plain(r.Model), displayKey(r.Hotkey, names), fmt.Sprint(r.PromptTokens),
					fmt.Sprint(r.CompletionTokens), plain(string(r.Finish)), paidReceipt(r))
			}
			t.write(w)
		})
	}
	return cmd
}

// receiptName is the answer's id, and which choice it is of several.
func receiptName(r inference.Receipt) string {
	if r.Choice == 0 {
		return plain(r.ID)
	}
	return fmt.Sprintf("%s (choice %d)", plain(r.ID), r.Choice)
}

func paidReceipt(r inference.Receipt) string {
	if !r.Exact {
		return "at most " + client.FormatTAO(r.Paid)
	}
	return client.FormatTAO(r.Paid)
}

func writeReceipt(w io.Writer, r inference.Receipt, names map[string]string) {
	sealed := fmt.Sprintf("sealed, %d bytes", len(r.Tokens))
	if len(r.Tokens) == 0 {
		sealed = "unknown: the miner's engine can't tell them"
	}
	facts(w,
		"receipt", receiptName(r), "time", r.Time.Local().Format(time.DateTime), "miner", fmt.Sprintf("uid %d of subnet %d, %s", r.UID, r.Netuid, fullKey(r.Hotkey, names)),
		"chain", plain(r.ChainID), "model", plain(r.Model), "digest", plain(r.Digest), "tokens", fmt.Sprintf("%d in, %d out, ended by %s", r.PromptTokens, r.CompletionTokens, plain(string(r.Finish))),
		"price", client.FormatTAO(r.Price)+" TAO for a million tokens of answers, a quarter of it for prompts", "paid", paidReceipt(r)+" TAO",
		"sampling", fmt.Sprintf("temperature %g, top_p %g, max_tokens %d, seed %d", r.Temperature, orOne(r.TopP), r.MaxTokens, r.Seed),
		"prompt hash", hex.EncodeToString(r.PromptHash), "answer hash", hex.EncodeToString(r.AnswerHash), "salt", hex.EncodeToString(r.Salt), "answer's tokens", sealed)
}

// orOne is a top_p, of which 0 means all.
func orOne(p float64) float64 {
	if p == 0 {
		return 1
	}
	return p
}
