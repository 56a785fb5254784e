// Package localnet runs a whole Lode network in one process on loopback: a chain
// of one proof-of-stake validator, subnet 1 (video) with its owner, validators and
// miners, all real: every transaction goes through the chain's mempool, every job
// crosses libp2p. It is what `lode up` starts, and what tests start when they need
// a network.
//
// [New] opens (or makes) the home, [Network.Run] runs it until its context ends:
//
//	n, err := localnet.New(localnet.Config{Home: dir, Progress: show})
//	if err != nil { … }
//	err = n.Run(ctx)
//
// State lives in the home: the keys, the chain, the averages of the validators. A
// second run continues from it. A home belongs to one process at a time. The keys
// are encrypted with a random passphrase that lies beside them: that suits local
// networks only.
package localnet
