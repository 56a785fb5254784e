package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
	"github.com/lodenet/lode/subnets/inference/fidelity"
)

// maxConversation bounds a conversation's file, in bytes.
const maxConversation = 64 << 20

func newInferenceVerifyCommand() *cobra.Command {
	var model, logLevel string
	cmd := &cobra.Command{
		Use:   "verify RECEIPT CONVERSATION.json",
		Short: "Show with a local copy of the model whether an answer was that model's",
		Long: `Re-scores an answer: the receipt has the seed and, sealed, the answer's tokens; the conversation opens them, and the local
model says whether it would have picked each of them. RECEIPT is an answer's id, as the header Lode-Receipt and the answer
itself have it. CONVERSATION.json is

  {"endpoint": "/v1/chat/completions", "request": …as it was sent…, "response": …as it came, not streamed…}

as ` + "`lode chat --save`" + ` writes it. An answer that calls tools can only be verified where the calls show how the model wrote
them. It exits with 1 unless all choices are verified.`,
		Example: `  lode chat --save talk.json "What is a lode?"
  lode inference verify chatcmpl-abc talk.json
  lode inference verify chatcmpl-abc talk.json --model ./model.gguf --json`,
		Args: cobra.ExactArgs(2),
	}
	cmd.Flags().StringVar(&model, "model", "", "local model: a file, a name or a digest (default: the one in the library that the receipt names)")
	cmd.Flags().StringVar(&logLevel, "log-level", "warn", "debug, info, warn or error")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		ctx, g := cmd.Context(), globalsOf(cmd)
		conversation, err := readConversation(args[1])
		if err != nil {
			return err
		}
		store, err := g.receipts()
		if err != nil {
			return err
		}
		list, err := store.Find(args[0])
		if err != nil {
			return err
		}
		if model == "" {
			if model = list[0].Digest; model == "" {
				return fail("no_model", "", "nothing can be checked: the miner's engine can't tell which model it runs")
			}
		}
		longest := 0
		for _, r := range list {
			longest = max(longest, r.PromptTokens+r.CompletionTokens)
		}
		checker, err := g.checker(cmd, model, longest+16, logLevel)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, checker.engine.Close()) }()
		proofs, err := inference.VerifyReceipts(ctx, list, conversation, checker.engine, checker.thresholds)
		if err != nil {
			return fail("bad_conversation", "see `lode inference verify --help` for what the file has", "%w", err)
		}
		all := true
		for _, p := range proofs {
			all = all && p.Result == inference.Verified
		}
		v := struct {
			Receipt  string            `json:"receipt"`
			Verified bool              `json:"verified"`
			Choices  []inference.Proof `json:"choices"`
		}{args[0], all, proofs}
		err = output(cmd, v, func(w io.Writer) {
			for _, p := range proofs {
				writeProof(w, p)
			}
		})
		if err == nil && !all {
			err = fail("not_verified", "", "the answer is not verified")
		}
		return err
	}
	return cmd
}

func readConversation(path string) (c api.Conversation, err error) {
	f, err := os.Open(path)
	if err != nil {
		return c, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxConversation+1))
	if err != nil {
		return c, err
	}
	if len(raw) > maxConversation {
		return c, fail("bad_conversation", "", "%s has more than %d bytes", path, maxConversation)
	}
	if err := json.Unmarshal(raw, &c); err != nil || c.Endpoint == "" || len(c.Request) == 0 || len(c.Response) == 0 {
		return c, fail("bad_conversation", "see `lode inference verify --help` for what it has", "%s is no conversation: it needs endpoint, request and response", path)
	}
	return c, nil
}

func writeProof(w io.Writer, p inference.Proof) {
	fmt.Fprintf(w, "choice %d: %s: %s\n", p.Choice, p.Result, plain(p.Reason))
	if v := p.Verdict; v != nil {
		fmt.Fprintf(w, "  %d tokens, %.2f %% the same pick, margin %.5f in the mean and %.4f at most, %d flagged, log-probabilities off by %.5f\n",
			v.Tokens, 100*v.MatchRate, v.MeanMargin, v.MaxMargin, v.Flagged, v.MeanAbsLogProb)
	}
}

// checker is a local copy of a model, with what answers of it are judged by.
type checker struct {
	engine     engine.Engine
	thresholds fidelity.Thresholds
}

// checker opens a local model for answers of so many tokens, the prompt included.
func (g *globals) checker(cmd *cobra.Command, name string, tokens int, logLevel string) (*checker, error) {
	log, err := loggerTo(cmd, logLevel)
	if err != nil {
		return nil, err
	}
	l := g.models()
	m, err := l.Find(cmd.Context(), name)
	if err != nil {
		return nil, err
	}
	th, err := l.Thresholds(m.Digest)
	if err != nil {
		return nil, err
	}
	e, err := startEngine(cmd, m.Path, tokens, log)
	if err != nil {
		return nil, err
	}
	return &checker{e, th}, nil
}

func startEngine(cmd *cobra.Command, path string, tokens int, log *slog.Logger) (engine.Engine, error) {
	return llama.Start(cmd.Context(), llama.Options{Model: path, Context: (max(tokens, 512) + 255) / 256 * 256, Slots: 1}, log)
}
