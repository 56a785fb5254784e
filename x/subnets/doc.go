// Package subnets is the registry of subnets and their neurons: who owns a
// subnet, by which rules it runs, who holds which uid in it and where that neuron
// answers.
//
// A creator pays the lock, which seeds the subnet's pool, and becomes uid 0
// (CreateSubnet); after the start delay it starts the subnet (StartSubnet), which
// then trades and emits. Hotkeys buy uids at a price that falls with every block
// and jumps with every registration (Register); where all are taken, the one who
// earned least makes room (PruningOrder). A neuron says where it answers (Serve).
//
// The lock and the burn move through x/alpha, which also knows who owns which
// hotkey. Upper modules hear of subnets and neurons through types.Hooks;
// types.Network is what this module asks of them. app wires both.
//
// # What it promises
//
//   - State is kept under a permanent id, which is never used again. A netuid is
//     a slot.
//   - uids are dense and unique; the owner's hotkey always holds one.
//   - Every price has a limit in its message: nobody pays more than it agreed to.
//   - Every error about time names the limit, the block of the last attempt and
//     the first block that will be accepted.
//   - Hyperparameters are within bounds as of their setting, and always so among
//     each other that a new neuron is immune, and weights are fresh, until they
//     are revealed.
//   - What is served belongs to the hotkey: an endpoint ends in its peer ID.
//   - A block that has no transactions touches no neuron.
package subnets
