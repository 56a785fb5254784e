// Package seed gives every block randomness that nobody chose (protocol.md §2).
//
//	seed(h) = SHA-256("lode/seed" ‖ seed(h−1) ‖ β(h))
//
// β(h) is the output of the proposer's verifiable random function over
//
//	chain id ‖ h as 8 bytes, big-endian ‖ seed(h−1)
//
// (ECVRF of RFC 9381, suite ECVRF-EDWARDS25519-SHA512-ELL2, 64 bytes; package vrf).
// The seed of the block before the first is SHA-256("lode/genesis" ‖ chain id), or
// what genesis says.
//
// # In a block
//
// A block's first "transaction" is a frame: the 8 bytes "lode/vrf", then the proof
// of 80 bytes. It is no transaction: no decoder takes it, it can't enter a mempool,
// it is never run, and its result has code 2. The proposer is found by the header's
// consensus address, rotations followed, and its key by its operator, both in the
// state of the block before. With a key in force the proof must verify; without one
// the frame must end after its tag, and 32 zero bytes stand for β. ProcessProposal
// refuses a block that begins otherwise; PreBlock judges again, since nodes that
// replay or fetch blocks see no proposal: a decided block without a valid proof
// counts as empty, whatever it begins with.
//
// So a proposer can order, add and drop transactions as it likes, and make other
// proofs of the same output: the seed stays. It can give up its block.
//
// # Keys
//
// MsgRegisterVRFKey registers an operator's key with a proof that the operator has
// the secret, over "lode/vrf-key" ‖ chain id ‖ operator. It takes effect
// activation_delay blocks later (genesis: at once), so that nobody chooses a key by
// the seeds that it would give, and can't be replaced while it waits. A validator
// can be created only by an operator whose key is in force. The keys go when the
// validator is removed, which is after the last block that it may propose.
//
// # What it promises
//
//   - The state is all in the store: state sync, restarts and replays give the same
//     seeds as the blocks did.
//   - A past seed can be verified by anybody who has its block, the seed before it
//     and the proposer's key: types.Seed.Verify.
//   - What must not be predictable is picked by the seed of a block from what was
//     frozen before it: the proposer knows its own seed a moment before the others.
//   - Money never follows from a seed alone.
//
// # What it does not promise
//
// CometBFT checks of a header's proposer only that it is some validator of the set.
// Validators in league can therefore sign a block in another one's name, and so
// choose among as many seeds as they are.
package seed
