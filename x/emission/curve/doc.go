// Package curve computes how much is minted and who shares it: protocol.md §2
// and §6 as pure functions of integers.
//
// Reward is the halving curve, for TAO and for each subnet's alpha; Elapsed and
// Scale turn it into a block's amount by the time that has passed; Move follows a
// subnet's price, and Shares divides a block's TAO among subnets by it.
//
// What it promises: integer arithmetic alone, results rounded down, never more
// in sum than what was given. What does not fit saturates; nothing panics.
package curve
