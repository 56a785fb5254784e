// Package attack says what economic attacks on a subnet gain. Each [Attack] is a
// game that is played twice with the same luck, once honestly and once not, over
// many seeds; the difference is what the attacker gains and what the honest others
// lose.
//
// [All] lists the attacks, [Find] is one by its name, [Run] plays it and gives a
// [Result]: as JSON, by [Result.Table] for people, by [Result.Plot] as an SVG.
// What an epoch pays is computed by yuma, a trade by x/alpha/pool, emission by
// x/emission/curve: the code that the chain runs, with the mainnet profile's
// parameters. What people do around it (how good miners are, how well validators
// measure, how large pools and trades are) is drawn by a generator seeded with the
// attack's name and the seed, so a seed gives the same numbers every time.
//
// What it does not promise: that people behave as the games say. Each attack's
// Setup tells what is assumed.
package attack
