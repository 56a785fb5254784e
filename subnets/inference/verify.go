package inference

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/fidelity"
)

// What can be shown of an answer.
const (
	Verified = "verified" // it is what the model says with this prompt, seed and sampling
	Refuted  = "refuted"  // it is not
	Unproven = "unproven" // it can't be told
)

// Proof is what was shown of one choice of an answer.
type Proof struct {
	Choice int    `json:"choice"` // of the whole answer: those of the second prompt follow those of the first
	Result string `json:"result"`
	// Reason says what speaks against the answer, or why it can't be told, or how much it
	// means that it is verified.
	Reason  string            `json:"reason"`
	Receipt *Receipt          `json:"receipt,omitempty"`
	Verdict *fidelity.Verdict `json:"verdict,omitempty"`
}

// VerifyReceipts re-scores a conversation with a copy of the model: a proof for each choice.
// The receipts are those of the answer ([Receipts.Find]).
//
// It shows that the tokens which make up the answer are what the model picks when it is
// asked as the request says, with the seed of the receipt, within the thresholds. It does
// not show who computed it, nor that nobody has read it.
func VerifyReceipts(ctx context.Context, receipts []Receipt, c api.Conversation, e engine.Engine, th fidelity.Thresholds) ([]Proof, error) {
	asked, err := c.Requests()
	if err != nil {
		return nil, fmt.Errorf("the conversation's request: %w", err)
	}
	answers, err := c.Answers()
	if err != nil {
		return nil, fmt.Errorf("the conversation's response: %w", err)
	}
	if err := th.Check(); err != nil {
		return nil, err
	}
	var out []Proof
	used := make([]bool, len(receipts))
	for i, r := range asked {
		for choice := range max(1, r.N) {
			at := i*max(1, r.N) + choice
			if at >= len(answers) {
				return nil, fmt.Errorf("the conversation's response has %d choices, its request asks for %d", len(answers), len(asked)*max(1, r.N))
			}
			p := Proof{Choice: at, Result: Unproven}
			if n, err := belongs(receipts, used, r, choice); err != nil {
				return nil, err
			} else if n < 0 {
				p.Reason = "there is no receipt of this choice to this prompt"
			} else {
				used[n] = true
				p.Receipt = &receipts[n]
				if err := p.show(ctx, r, choice, answers[at], e, th); err != nil {
					return nil, err
				}
			}
			out = append(out, p)
		}
	}
	return out, nil
}

// belongs finds the receipt of a choice to a prompt, -1 if there is none.
func belongs(receipts []Receipt, used []bool, r *api.Request, choice int) (int, error) {
	for i := range receipts {
		if used[i] || receipts[i].Choice != choice {
			continue
		}
		if same, err := receipts[i].ofPrompt(promptOf(r)); err != nil || same {
			return i, err
		}
	}
	return -1, nil
}

// show fills in what can be shown. An error is about this machine, not the answer.
func (p *Proof) show(ctx context.Context, r *api.Request, choice int, said api.Said, e engine.Engine, th fidelity.Thresholds) error {
	asked, err := requestOf(r)
	if err != nil {
		return fmt.Errorf("the conversation's request: %w", err)
	}
	receipt := p.Receipt
	asked.Seed = receipt.Seed
	refute := func(format string, args ...any) error {
		p.Result, p.Reason = Refuted, fmt.Sprintf(format, args...)
		return nil
	}
	if info := e.Info(); receipt.Digest == "" || info.Digest != receipt.Digest {
		p.Reason = fmt.Sprintf("the answer is said to be of the model with digest %.12s…, the local one is %.12s… (%s)", receipt.Digest, info.Digest, info.Model)
		if receipt.Digest == "" {
			p.Reason = "the miner's engine can't tell which model it runs: nothing can be checked"
		}
		return nil
	}
	switch {
	case receipt.Temperature != asked.Temperature || receipt.TopP != asked.TopP || receipt.MaxTokens != asked.MaxTokens:
		return refute("the receipt is of another temperature, top_p or max_tokens than the request asks for")
	case r.Seed != nil && receipt.Seed != choiceSeed(uint64(*r.Seed), choice):
		return refute("the receipt is of another seed than the request names")
	}
	tokens, text, err := p.tokens(asked.Prompt, said)
	switch {
	case errors.Is(err, errOtherAnswer) && len(said.Calls) > 0:
		p.Reason = "the answer calls tools, and how the model wrote that can't be told from the calls: such an answer can't always be verified"
		return nil
	case errors.Is(err, errOtherAnswer):
		return refute("the answer in the conversation is not the one that the receipt is of")
	case errors.Is(err, errNoTokens):
		p.Reason = err.Error()
		return nil
	case err != nil:
		return refute("%v", err)
	}
	prompt, err := e.Tokens(ctx, asked.Prompt)
	if err != nil {
		return err
	}
	scores, err := e.Score(ctx, engine.ScoreRequest{Prompt: asked.Prompt, Answer: tokens.IDs, Sampling: asked.Sampling})
	if errors.Is(err, engine.ErrInvalid) {
		return refute("its tokens are not the model's")
	}
	if err != nil {
		return err
	}
	if receipt.Finish != engine.FinishCancelled {
		if err := exact(receipt, asked, len(prompt), text, tokens, scores); err != nil {
			return refute("%v", err)
		}
	}
	v := fidelity.Judge(th, fidelity.Tokens(asked.Sampling, scores, tokens.LogProbs))
	p.Verdict = &v
	if !v.Pass {
		return refute("%s", v.Reason)
	}
	p.Result, p.Reason = Verified, "its tokens are what this model picks with this prompt, seed and sampling"
	var but []string
	if receipt.Finish == engine.FinishCancelled {
		but = append(but, "it was cut off, and only what came of it was checked")
	}
	if !v.Enough() {
		but = append(but, fmt.Sprintf("of %d tokens only coarse lies are seen: a model that is nearly the same may look so", v.Tokens))
	}
	if th.Measured == nil {
		but = append(but, "the thresholds are not measured for this model: `lode model calibrate` does, and sees a model at fewer bits, too")
	}
	if len(but) > 0 {
		p.Reason += "; but " + strings.Join(but, "; ")
	}
	return nil
}

// exact checks the answer's text and end against its tokens.
func exact(r *Receipt, asked engine.Request, prompt int, text string, tokens sealedTokens, scores []engine.TokenScore) error {
	a := fidelity.Answer{MaxTokens: asked.MaxTokens, Context: r.Context, Stop: asked.Stop, Prompt: r.PromptTokens,
		Tokens: tokens.IDs, LogProbs: tokens.LogProbs, Text: text, Finish: r.Finish}
	if !r.Stopped {
		return a.Exact(prompt, scores)
	}
	err := errors.New("the receipt says that a stop string ended the answer, none was asked for")
	for _, stop := range asked.Stop {
		a.StopString = stop
		if err = a.Exact(prompt, scores); err == nil {
			break
		}
	}
	return err
}

// tokens opens the receipt with the answer's text as the model wrote it.
func (p *Proof) tokens(prompt engine.Prompt, said api.Said) (sealedTokens, string, error) {
	var out sealedTokens
	err := errOtherAnswer
	for _, text := range written(said) {
		if out, err = p.Receipt.open(prompt, text); !errors.Is(err, errOtherAnswer) {
			return out, text, err
		}
	}
	return out, "", err
}

// written is how the model may have written an answer: text as it is, calls of tools in the
// ways that models mostly write them.
func written(said api.Said) []string {
	if len(said.Calls) == 0 {
		return []string{said.Text}
	}
	var out []string
	for _, form := range []string{`{"name": "%s", "arguments": %s}`, `{"name":"%s","arguments":%s}`, `{"name": "%s","arguments": %s}`, `{"name":"%s", "arguments":%s}`} {
		calls := make([]string, len(said.Calls))
		for i, c := range said.Calls {
			calls[i] = fmt.Sprintf(form, c.Name, c.Arguments)
		}
		if len(calls) == 1 && said.Text == "" {
			out = append(out, calls[0], calls[0]+"\n")
		}
		for _, within := range []string{"\n", ""} {
			for _, between := range []string{"\n", ""} {
				var list []string
				for _, c := range calls {
					list = append(list, "<tool_call>"+within+c+within+"</tool_call>")
				}
				all := strings.Join(list, between)
				for _, before := range []string{"", "\n", "\n\n", " "} {
					out = append(out, said.Text+before+all, said.Text+before+all+"\n")
				}
			}
		}
	}
	return out
}
