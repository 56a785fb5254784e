// Package fixed holds the numbers that the chain computes with: fractions as
// Q32.32 (Q32, and S32 with a sign) and prices as Q64.64 (Q64).
//
// A Q32 is for shares, weights and trust: values from 0 to a few, 2^32 is 1. A
// Q64 is for prices and what is averaged from them, which may be far below
// 2^-32; it can be the custom type of a protobuf bytes field. Apportion divides
// a whole number of units by weights without losing one, Exp and Pow2Neg are the
// only transcendental functions that the protocol needs.
//
// What it promises: integer arithmetic alone, so every machine gets the same
// bits. Products and quotients go through 128-bit intermediates (192 where Q64
// divides) and are truncated toward zero. What does not fit saturates: at the
// largest value above, at zero below (S32: at both ends); dividing by zero gives
// the largest value, except 0/0, which is 0. No function panics. Float64 and
// String are for people; chain code never calls Float64.
package fixed
