// Package inference is the subnet of language models: any OpenAI client is answered by
// competing miners, whose answers are checked token by token.
//
// A miner is a [Miner] over an engine; a customer's end is a [Gateway], which package api
// serves to clients; a validator is a [Validator], which asks as customers do, by a
// [CanaryGateway]. [Caller] makes the calls of task.go.
//
// # The job
//
// A call ([Generate]) is a prompt, how tokens are to be picked (temperature, top_p, a
// grammar, a seed) and bounds. The answer is a stream of pieces with every token and the
// log-probability that the miner's model gave it. The seed is chosen by who asks, after all
// else is fixed, and the sampler is Lode's (package engine): whoever has the model's file
// can repeat each pick.
//
// # The measure
//
// The subnet's parameters ([Params]) name one model by the digest of its file. A validator
// reads the prompt and the answer with its own copy, in one go, some times cheaper than it
// was to write (bench/README.md), and sees for every token by how much it misses being the
// sampler's pick. Package fidelity decides, over a window of a miner's last 2,048 tokens:
// by margins first, by log-probabilities second, by thresholds that are measured for each
// model (`lode model calibrate`). What chance has no part in is checked of each answer that
// was read to its end: the text, the end, the length, the count of the prompt.
//
// Canaries are requests like customers': kinds of prompts, temperatures, bounds, stop
// strings, turns are drawn with the frequencies of customers' programs ([Canaries]), by a
// secret seed. They go through a gateway of the validator's own, by a mesh identity that is
// made for it, at random moments of the round, and are paid as all others are. Each miner
// gets as many of the same kinds, in a random order, one alone and then some at once, and
// never one that another gets. A validator whose engine or purse fails punishes nobody.
//
// # The score
//
// Nothing without fidelity; else
//
//	availability × min(speed cap, throughput/reference) × min(price cap, reference/price)
//
// Throughput is the tokens a second of whole answers, from the request to the end: sending
// the first token early, or all at once at the end, gains nothing. Canaries' lengths are
// drawn alike for all, so that nobody's are shorter.
// Availability is the share of the last 48 canaries that were answered; it multiplies, so
// that a miner that is there for half of the requests is worth half.
//
// Score is linear in speed and in 1/price up to the caps. A product, because a customer
// pays for both: twice as fast may be twice as dear. Linear, because then a machine that
// shows itself under two hotkeys at half the speed each gains nothing. The caps (4 each)
// keep a price of nothing, or a burst that no customer can count on, from being worth the
// subnet: below a quarter of the reference price nothing is gained, so a price war ends
// there, where the owner moves the reference; a machine that is faster than the cap can
// earn more by serving under more hotkeys, which is more capacity, too. Above 16 times the
// reference price nobody is asked.
//
// A relay that asks another miner pays that one's price and adds its own way: it scores
// below the miner that it copies from, and customers get honest answers meanwhile.
//
// # The money
//
// Prices are rao for a million units: a token of an answer, or four of a prompt ([Units]).
// A miner lists its service on chain, customers reserve a bound and pay by vouchers as the
// answer comes. A gateway refuses to pay more than card and catalogue say; what a miner
// counts is held against the answer. A validator's canaries come out of its own purse,
// within limits; what they have cost is in each round's report.
//
// # Cheats that it withstands
//
// Each is a test, with what it gets (cheats_test.go; the rates are in bench/README.md).
//
//   - A cheaper model, at fewer bits or another one: its tokens miss the claimed model's
//     picks. Also where the log-probabilities are forged, from more tokens.
//   - Another seed, an answer that was kept, another temperature: seen in one answer.
//   - A prompt that is cut, or has something put before it: the same.
//   - An answer that breaks off, goes on after its end, or is padded: its end is checked.
//   - Another text than its tokens': the text is made anew from them.
//   - Counting more tokens in a prompt, or charging more than the answer costs.
//   - Log-probabilities that are made up.
//   - An engine of which nobody can tell (a server by URL), or another model: gets nothing,
//     and serves who asks for it.
//   - Refusing some requests, being slow, hanging: availability and throughput; a miner that
//     hangs holds up no round.
//   - Cards that make rounds fail: a context in which nothing fits, a price of a fortune.
//
// # What it does not withstand
//
//   - A miner can see on chain whose account pays, and over the mesh which key asks. A
//     validator's purse that only ever pays for canaries can be learned: by its steady
//     rhythm, by asking every miner, and if it was funded from the validator's coldkey. A
//     miner that knows it can be honest to it alone. Fund the purse by a way that does not
//     lead to the validator, use several, and let customers pay from it, too; unlinkable
//     payment would mend it. Customers who verify their receipts see such a miner.
//   - The templates of Lode's prompts are public, and a classifier could tell them: give
//     prompts of your own (--prompts). Answers that are read to 256 tokens only (MaxTokens)
//     say nothing of what comes after.
//   - Several hotkeys on one machine that batches many requests show nearly its whole speed
//     each, unless they are measured at the same moment.
//   - A model that is so near to the claimed one that it hardly ever picks another token:
//     a percent of noise in the weights. Nor would a customer tell.
//   - A miner that cheats in less than one of ten answers for Q4 in place of Q8 may stay
//     below what a window shows.
//   - The windows of a validator are in its memory: after a restart it starts to learn anew.
package inference
