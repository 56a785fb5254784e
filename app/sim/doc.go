// Package sim proves the chain by living through what may happen to it: blocks of
// random transactions with every message that the chain has, sent by people of whom
// most mean well and some don't, to several nodes that run them in different ways.
//
//	r, err := sim.Run(sim.Options{Seed: 1, Ops: 20_000, Others: []sim.Kind{sim.Plain, sim.Parallel}, Import: true, Dir: dir})
//
// Whatever a run does follows from its seed and its nodes. The error of a run that failed names
// seed and block, and the command that repeats it.
//
// # What it holds the chain to
//
//   - All invariants of all modules hold after every block (app.FlagCheckInvariants).
//   - Nodes agree on app hash, validators, parameters and every transaction's code,
//     data, gas and events, block by block: one that proposes and runs blocks
//     optimistically, one that catches up and is closed and opened on its database
//     again and again, and ones that run transactions side by side. Proposals are
//     dropped on the way, others are decided that no honest node accepts.
//   - An exported state imports as what it was, and the imported chain goes on beside
//     the first to the same state, with the same results.
//   - No transaction panics.
//   - The messages are all that the chain has: a test holds the generators against
//     the registry.
//
// Left out of the comparison with the imported chain is what the SDK's exports leave
// out: the numbers of unbondings, a scheduled upgrade, and what comes of a new app
// hash: the numbers of accounts that appear later, who therefore sign nothing. An
// export is taken while no consensus key is being rotated: the SDK starts such a
// rotation anew.
//
// # Why not the SDK's simulator
//
// simsx hands messages to the application one by one, on one node, with signatures
// and proposals switched off. Here transactions are signed, lie in a mempool in any
// order, and go through PrepareProposal and ProcessProposal with their proposer's
// proof of the seed, which is where the free lane and the seed are decided; and the
// interesting sequences (commit, then reveal in the right epoch; accuse, then confirm
// by those whose stake was frozen) need generators that remember.
//
// The parameters are the local profile's made smaller still, so that subnets are
// removed, neurons pruned, coldkeys swapped, validators jailed and rewards halved
// many times within a run.
package sim
