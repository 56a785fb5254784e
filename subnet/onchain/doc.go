// Package onchain is [subnet.Chain] over a real chain: it gives a miner's or
// validator's process its metagraph, its blocks and its transactions.
//
//	chain := onchain.New(c, hotkey, coldkey) // coldkey may be nil: then it can't register
//
// Registering binds the hotkey to the coldkey first, where it is unbound; that is
// signed by both, and the coldkey pays. All else is the hotkey's and goes through the
// free lane: a hotkey needs no funds.
//
// Errors are the client's, wrapped in the sentinels of package subnet where its
// callers branch on them.
package onchain
