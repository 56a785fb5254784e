// Package fidelity decides whether answers are those of the model that they are sold as:
// statistics on numbers, without a model, a network or a clock.
//
// # Use
//
// A validator scores an answer with its own copy of the model ([engine.Engine.Score]),
// checks what chance has no part in ([Answer.Exact]), puts the tokens into the miner's
// [Window] and asks for a [Verdict]:
//
//	err := answer.Exact(prompt, scores)      // length, text, end, count of the prompt
//	window.Add(Tokens(sampling, scores, answer.LogProbs)...)
//	verdict := window.Verdict(thresholds)
//
// # The gates
//
// The first is the margin ([engine.Sampler.Margin]): by how much a token misses being the
// sampler's pick, in units of logits, so that it means the same at every temperature. An
// honest miner's arithmetic differs from the validator's in the last bits, so that now and
// then a near tie falls the other way, by a hair; another model, prompt, seed or
// temperature picks tokens that miss by far. Two tests look at it: how many tokens miss by
// more than [Thresholds].Flag, and the mean of all margins, each cut off at Flag, so that
// no token alone decides it.
//
// The second is the log-probability that the miner told of each token against the
// validator's. It sees a cheaper model from fewer tokens, but not another seed or
// temperature, and a miner that has both models can forge it; so it can only fail who
// passed the first.
//
// # How sure
//
// [Thresholds] hold, for one model, upper bounds of what honest engines do: the share of
// tokens that are flagged, and two means. They are measured ([Calibrate]), or, without a
// measurement, so wide that only coarse cheats are seen ([Default]). A verdict fails where
// honest tokens would look as bad with a probability of at most [FalseReject], a millionth,
// for each of three tests: the exact tail of the binomial distribution for the count,
// Bernstein's inequality for the means. The bounds hold for every number of tokens, so a
// window may be looked at after every answer: a miner that is looked at once a minute is
// wronged about once in eight months at the very worst, and as measured bounds are raised
// by [Safety], in truth far more rarely. A window slides, so a failure, just or not, ends
// by itself once the tokens that caused it have left it.
//
// Tokens of one answer are taken as independent, which near ties of arithmetic are: their
// cause is rounding, not the text.
package fidelity
