// Package subnets is the registry of subnets and their neurons: who owns a
// subnet, by which rules it runs, who holds which uid in it, where that neuron
// answers and what it keeps on chain.
//
// A creator pays the lock, which seeds the subnet's pool, and becomes uid 0
// (CreateSubnet); after the start delay it starts the subnet (StartSubnet), which
// then trades and emits. Where all slots are taken, the subnet with the lowest
// moving price among those past network immunity makes room (RemovalOrder): its
// slot is free at once, its holders are paid by x/alpha, and its records are
// deleted a few a block (EndBlocker). Ownership passes to another registered
// hotkey (TransferOwnership).
//
// Hotkeys buy uids at a price that falls with every block and jumps with every
// registration (Register); where all are taken, the one who earned least makes
// room (PruningOrder). A neuron says where it answers (Serve) and keeps up to 512
// bytes on chain, plain (Publish) or as a hash first and the bytes later
// (PublishSealed, RevealPublished), so that who had them first can be proven. Its
// hotkey may be swapped for another of the same coldkey (SwapHotkey).
//
// The lock and the burn move through x/alpha, which also knows who owns which
// hotkey. Upper modules hear of subnets and neurons through types.Hooks;
// types.Network is what this module asks of them. app wires both.
//
// # What it promises
//
//   - State is kept under a permanent id, which is never used again. A netuid is
//     a slot: a successor in it inherits nothing.
//   - Removal costs the same however many neurons and holders a subnet has. From
//     that block on nothing finds it, neither by netuid nor by id.
//   - uids are dense and unique; the owner's hotkey always holds one.
//   - Every price has a limit in its message: nobody pays more than it agreed to.
//   - Every error about time names the limit, the block of the last attempt and
//     the first block that will be accepted.
//   - Hyperparameters are within bounds as of their setting, and always so among
//     each other that a new neuron is immune, and weights are fresh, until they
//     are revealed. What would let an owner be the whole consensus is governance's
//     alone. What is asked of collateral rises only after everybody could have
//     taken theirs out, whoever raises it.
//   - What is served belongs to the hotkey: an endpoint ends in its peer ID. What
//     is sealed opens for the hotkey that sealed it alone.
//   - A block that has no transactions touches no neuron of a subnet that is there.
//
// # Following it by events
//
// Everything but the price of a registration, which falls by itself every block
// (QueryBurnCost), can be followed by events alone. Keep subnets by subnet_id;
// netuid says which slot it holds at that time.
//
//   - EventSubnetCreated, EventSubnetStarted, EventSubnetUpdated: a subnet, from
//     its creation in a slot to its removal, with its hyperparameters at the creation
//     and the first price of a registration; EventHyperparameterSet changes one.
//   - EventHyperparameterScheduled: one will change. It takes the place of what
//     waited under that name; EventHyperparameterSet makes the change, or, coming
//     first, tells that it waits no more.
//   - EventOwnershipTransferred and EventHotkeySwapped: the owner's hotkey changes.
//   - EventNeuronRegistered: a uid has this hotkey from here on. replaced_hotkey
//     has lost it, with endpoints and published data.
//   - EventNeuronServed: a neuron's endpoints.
//   - EventSealed, EventPublished: what a neuron keeps, in the place of what it
//     kept before; with sealed_height it is what EventSealed of that block
//     promised. hotkey is who sealed it.
//   - EventHotkeySwapped: in each of netuids the uid of hotkey is new_hotkey's and
//     has no endpoints; so is the subnet where hotkey owned it. Stakes follow by
//     x/alpha's EventHotkeysSwapped of the same transaction, the fee by x/emission's
//     EventRecycled.
//   - EventSubnetRemoved: forget the subnet, its neurons, settings and published
//     data. Its netuid is free from here on, and in the same transaction goes to
//     the subnet of the EventSubnetCreated that follows. EventSubnetSwept tells that
//     the chain has deleted them too; it changes nothing that a query shows.
package subnets
