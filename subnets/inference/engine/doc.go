// Package engine runs language models: one interface, [Engine], over everything that
// can answer a prompt, and the sampler that makes an answer checkable.
//
// # Use
//
// Open an engine with engine/llama (llama.cpp, in a child process), engine/remote (any
// OpenAI-compatible server by URL) or engine/memory (a few lines of arithmetic, for
// tests and benchmarks of what lies around an engine). Then:
//
//	result, err := e.Generate(ctx, engine.Request{
//		Prompt:   engine.Prompt{Chat: &engine.Chat{Messages: messages}},
//		Sampling: engine.Sampling{Temperature: 1, Seed: seed},
//	}, func(c engine.Chunk) error { _, err := io.WriteString(w, c.Text); return err })
//
// A validator that holds the same model asks [Engine.Score] how far each token of an
// answer is from what the sampler would have picked.
//
// # The sampler
//
// A token is picked by Gumbel noise: of all tokens, the one with the greatest
// logit/temperature + noise, where noise comes from a seed, the token's position in the
// answer and the token alone. Picks follow the softmax of the logits, as with any
// sampler, but whoever has the seed and the model can repeat them. See [Noise] for the
// bits, [Sampler.Pick] for the order of the filters and [Sampler.Margin] for the
// measure.
//
// # Guarantees
//
// The text of an answer comes in pieces that are whole UTF-8; a stop string never shows,
// not even in part. When ctx ends, generation ends before the next token. A [Result]
// counts what was made, also beside an error. [Retryable] tells which errors another
// engine may be asked to make good. An engine whose process dies ends its requests with
// [ErrGone] and comes back by itself. No engine of Lode's writes prompts or answers to a
// disk or a log.
package engine
