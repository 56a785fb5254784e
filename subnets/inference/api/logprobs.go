package api

import "math"

// logprob is a token's probability as OpenAI writes it. Chat has it for each token, with
// alternatives; responses have the same in their words.
type logprob struct {
	Token   string    `json:"token"`
	Logprob float64   `json:"logprob"`
	Bytes   []int     `json:"bytes"`
	Top     []logprob `json:"top_logprobs,omitzero"`
}

// chatLogprobs are those of a piece or of a whole answer.
type chatLogprobs struct {
	Content []logprob `json:"content"`
	Refusal []logprob `json:"refusal"`
}

// legacyLogprobs are completions'.
type legacyLogprobs struct {
	Tokens     []string             `json:"tokens"`
	Logprobs   []float64            `json:"token_logprobs"`
	Top        []map[string]float64 `json:"top_logprobs"`
	TextOffset []int                `json:"text_offset"`
}

// finite is a log-probability as JSON can have it.
func finite(p float64) float64 {
	if math.IsNaN(p) || p < -9999 {
		return -9999
	}
	return min(p, 0) + 0 // not −0
}

func oneLogprob(text string, p float64) logprob {
	l := logprob{Token: text, Logprob: finite(p), Bytes: make([]int, len(text))}
	for i := range len(text) {
		l.Bytes[i] = int(text[i])
	}
	return l
}

func logprobs(tokens []Token) []logprob {
	list := make([]logprob, len(tokens))
	for i, t := range tokens {
		list[i] = oneLogprob(t.Text, t.Logprob)
		list[i].Top = make([]logprob, len(t.Top))
		for j, alt := range t.Top {
			list[i].Top[j] = oneLogprob(alt.Text, alt.Logprob)
		}
	}
	return list
}

// legacy writes tokens, the first of which begins at a byte of the text.
func legacy(tokens []Token, at int) *legacyLogprobs {
	l := &legacyLogprobs{Tokens: []string{}, Logprobs: []float64{}, Top: []map[string]float64{}, TextOffset: []int{}}
	for _, t := range tokens {
		top := make(map[string]float64, len(t.Top))
		for _, alt := range t.Top {
			top[alt.Text] = finite(alt.Logprob)
		}
		l.Tokens = append(l.Tokens, t.Text)
		l.Logprobs = append(l.Logprobs, finite(t.Logprob))
		l.Top = append(l.Top, top)
		l.TextOffset = append(l.TextOffset, at)
		at += len(t.Text)
	}
	return l
}
