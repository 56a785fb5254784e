// Package app wires Lode's modules and the SDK's into a chain.
//
// [New] makes the application of a node: it serves CometBFT (ABCI), gRPC and
// REST. Package app/node runs it together with CometBFT in one process; the SDK's
// server commands (`lode node …`) run the same application. [LocalGenesis] and
// [MainnetGenesis] say how a chain begins: with balances and validators, and the
// parameters of the profile, nothing else.
//
// # Fees and the free lane
//
// A transaction pays at least [MinGasPrice], which is consensus: a proposer can't
// let anything in for less. The only exception is the free lane (protocol.md §8):
// a transaction with a fee of zero, one message of the lane's kinds, one signer
// and exactly the gas of weightstypes.LaneGas. Its limit is checked and consumed
// before the message runs, so that a message that fails has used it. The lane
// gets at most a quarter of a block's gas; proposals with more are refused.
//
// # What it promises
//
//   - The same blocks give the same app hash: no clock, map order, float or
//     goroutine decides anything.
//   - A genesis that [App.ExportAppStateAndValidators] wrote, imported and exported
//     again, is the same.
//   - With [FlagCheckInvariants] N, a block in N ends in a check of every module's
//     invariants and of those between modules; a broken one stops the node.
package app
