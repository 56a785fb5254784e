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

	word   string           // what the model calls the arguments of tools
	tokens []fidelity.Token // that were judged
}

// sureTokens are those by which a model at half the bits is seen nearly always.
const sureTokens = 160

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
	return together(out, th), nil
}

// together judges all choices at once: a model that is nearly the same may pass in each.
func together(all []Proof, th fidelity.Thresholds) []Proof {
	var tokens []fidelity.Token
	for _, p := range all {
		tokens = append(tokens, p.tokens...)
	}
	v := fidelity.Judge(th, tokens)
	for i := range all {
		if !v.Pass && all[i].Result == Verified {
			all[i].Result, all[i].Reason = Refuted, "all choices together: "+v.Reason
		}
	}
	return all
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
	tokens, err := p.unseal(asked.Prompt, said)
	switch {
	case errors.Is(err, errOtherAnswer) && len(said.Calls) > 0:
		p.Reason = "the answer calls tools, and the model wrote something beside or between them that clients do not get: such an answer can't be verified"
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
	whole := fidelity.Answer{LogProbs: tokens.LogProbs, Finish: receipt.Finish}
	if receipt.Finish != engine.FinishCancelled {
		if whole.StopString, err = exact(receipt, asked, len(prompt), said, tokens, scores); err != nil {
			return refute("%v", err)
		}
	}
	if text := textOf(asked.Stop, tokens.IDs, scores); canonical(text) != canonical(written(said, p.word)) {
		return refute("what its tokens say is not what the conversation has")
	}
	p.tokens = fidelity.Tokens(asked.Sampling, scores, whole.Told(scores))
	v := fidelity.Judge(th, p.tokens)
	p.Verdict = &v
	if !v.Pass {
		return refute("%s", v.Reason)
	}
	p.Result, p.Reason = Verified, "its tokens are what this model picks with this prompt, seed and sampling"
	var but []string
	if receipt.Finish == engine.FinishCancelled {
		but = append(but, "it was cut off, and only what came of it was checked")
	}
	if v.Tokens < sureTokens {
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

// exact checks the answer's text and end against its tokens, and returns the stop string that
// ended it.
func exact(r *Receipt, asked engine.Request, prompt int, said api.Said, tokens sealedTokens, scores []engine.TokenScore) (stop string, err error) {
	a := fidelity.Answer{MaxTokens: asked.MaxTokens, Context: r.Context, Stop: asked.Stop, Prompt: r.PromptTokens,
		Tokens: tokens.IDs, LogProbs: tokens.LogProbs, Text: said.Text, Finish: r.Finish}
	if len(said.Calls) > 0 {
		a.Text = textOf(asked.Stop, tokens.IDs, scores) // the calls say what is in it, not how it was written
	}
	if !r.Stopped {
		return "", a.Exact(prompt, scores)
	}
	err = errors.New("the receipt says that a stop string ended the answer, none was asked for")
	for _, a.StopString = range asked.Stop {
		if err = a.Exact(prompt, scores); err == nil {
			break
		}
	}
	return a.StopString, err
}

// textOf is the text that tokens stand for.
func textOf(stops []string, ids []int32, scores []engine.TokenScore) string {
	var text strings.Builder
	pieces := engine.NewText(stops)
	for i, s := range scores {
		if s.End {
			break
		}
		c, stop := pieces.Add(engine.Token{ID: ids[i], Bytes: s.Bytes})
		if text.WriteString(c.Text); stop != "" {
			return text.String()
		}
	}
	text.WriteString(pieces.Flush().Text)
	return text.String()
}

// unseal opens the receipt with the answer as the model may have written it.
func (p *Proof) unseal(prompt engine.Prompt, said api.Said) (out sealedTokens, err error) {
	for _, p.word = range []string{"arguments", "parameters"} {
		if out, err = p.Receipt.open(prompt, written(said, p.word)); !errors.Is(err, errOtherAnswer) {
			return out, err
		}
	}
	return out, err
}

// written is an answer as the model wrote it, but for white space and tags; word is what it
// calls the arguments of a tool.
func written(said api.Said, word string) string {
	var out strings.Builder
	out.WriteString(said.Text)
	for _, c := range said.Calls {
		fmt.Fprintf(&out, `{"name":"%s","%s":%s}`, c.Name, word, c.Arguments)
	}
	return out.String()
}
