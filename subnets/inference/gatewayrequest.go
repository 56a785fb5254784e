package inference

import (
	"slices"

	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
)

// requestOf is a request as engines take it, but for the seed.
func requestOf(r *api.Request) (engine.Request, error) {
	out := engine.Request{Prompt: promptOf(r), MaxTokens: r.MaxTokens, Stop: slices.Clone(r.Stop)}
	out.Temperature, out.TopP = r.Temperature, r.TopP
	if out.Temperature < engine.MinTemperature {
		out.Temperature = 0
	}
	if r.TopP <= 0 {
		out.TopP = 1e-9 // the likeliest token alone; an engine takes 0 for all
	}
	if r.TopP >= 1 {
		out.TopP = 0
	}
	if r.Schema != nil {
		out.Grammar.Schema = r.Schema
	}
	if r.Logprobs {
		out.TopLogProbs = r.TopLogprobs
	}
	return out, out.Check()
}

// promptOf is a request's prompt as engines take it. The same request always gives the
// same, which receipts rest on.
func promptOf(r *api.Request) engine.Prompt {
	if r.Messages == nil {
		return engine.Prompt{Text: r.Prompt}
	}
	chat := &engine.Chat{}
	for _, m := range r.Messages {
		chat.Messages = append(chat.Messages, engine.Message{Role: string(m.Role), Content: m.Content})
	}
	return engine.Prompt{Chat: chat}
}

// eventOf is a piece as customers get it. Package api expects the stop string that ended an
// answer in its text, and cuts it off.
func eventOf(ev Event, choice int, logprobs bool) api.Event {
	out := api.Event{Choice: choice, Text: ev.Text + ev.StopString, Prompt: ev.Prompt}
	switch ev.Finish {
	case engine.FinishStop:
		out.Finish = api.Stop
	case engine.FinishLength:
		out.Finish = api.Length
	}
	if !logprobs {
		return out
	}
	for _, t := range ev.Tokens {
		token := api.Token{Text: string(t.Bytes), Logprob: t.LogProb}
		for _, alt := range t.Top {
			token.Top = append(token.Top, api.Alternative{Text: string(alt.Bytes), Logprob: alt.LogProb})
		}
		out.Tokens = append(out.Tokens, token)
	}
	return out
}
