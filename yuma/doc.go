// Package yuma computes an epoch of Yuma Consensus: from stakes, weights and
// bonds to what miners (incentive) and validators (dividends) earn, and to the
// bonds and permits of the next epoch. It is protocol.md §7, steps 1 to 8, as a
// pure function on slices.
//
// Fill an Input and call Run on an Engine; Output.Pay then divides the pot. An
// Engine keeps its scratch memory, and the Output points into it: both are good
// until the next Run, which allocates nothing if it is no larger than one
// before. The zero Engine is ready; it is not for concurrent use. Epoch is Run
// with an engine of its own.
//
// The same input gives the same output, bit for bit, on every machine and with
// every engine, whatever it ran before. An input that breaks a rule is refused
// with an error that wraps ErrInput; nothing panics. The work is linear in the
// weights and bonds, plus n log n for the permits.
//
// # Rounding
//
// Fractions are Q32.32, truncated. Sums of products keep the full product and
// are truncated once. Whose stake is enough for consensus is decided on the
// stakes themselves, not on rounded shares. Bonds are stored as u16 of 65,535,
// rounded down, and loaded as the least Q32.32 that stores to the same u16, so
// storing alone never wears a bond down.
package yuma
