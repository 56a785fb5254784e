// Package emission mints the block reward, divides it, and pays epochs out.
//
// At the end of every block the keeper mints what the time since the last block
// is worth: a security share for the chain's validators and delegators, through
// x/distribution, and the rest for the started subnets, in proportion to their
// moving prices. A subnet's TAO enters its pool, beside new alpha or buying alpha;
// its own alpha waits for the owner, the miners and the validators until the
// epoch. Then the epochs that are due run in x/weights, and what waited is paid.
//
// # Money
//
// Issued counts genesis and all that was minted, less what was recycled; the
// bank's supply is issued less burned. What x/staking and x/gov burn is counted
// through CountBurns, the bank that app hands to the SDK's modules. TAO that
// nobody can be given is not minted: the security share while no validator is
// bonded, the subnets' part while none has started, what division leaves, the
// share of a subnet whose part of the block failed.
//
// Rewards are scaled by elapsed time, at most twice the target block time, and
// the numerator that the division leaves, a part of a unit, is carried, once for
// TAO and once for each subnet's alpha: whoever hurries or slows blocks mints the
// same in the same time.
//
// # An epoch's pot
//
// Miners' and validators' pending alpha is divided by yuma's shares. A miner's
// incentive is staked on its destination, itself unless its coldkey chose another of
// its hotkeys. What falls to miners of the owner's coldkey is burned, wherever it
// would have gone, and the fraction is kept as withheld: it lowers the subnet's share
// of the next blocks. What falls to a miner without the collateral that the subnet
// asks for is burned too, but not withheld: EventEpochPaid.uncovered counts it.
//
// A validator's dividends are split over its contributors, itself and the parents
// that lend it stake weight, in proportion to their parts of it, and each one's part
// into what alpha and what root stake earned. The alpha pot follows the first: of a
// parent's part the child keeps its childkey take, which is staked on the child for
// its coldkey; of the rest the contributor's hotkey keeps its take, for its own
// coldkey; what is left raises the share pool of that hotkey, so nominators of a
// parent are paid where they staked. The root pot follows the second, whole: it goes
// to the delegators of the contributor's own chain validator, whose commission is the
// take there. A validators' pot that no alpha claims is carried to the next epoch, a
// root pot that no root stake claims is recycled.
//
// EventNeuronPaid and the pruning order count for a neuron all that its uid earned;
// EventParentPaid tells what of it went through to which parent. A unit that a
// division leaves goes to the largest remainder: validators by uid, then parents by
// address.
//
// # What it promises
//
//   - pending = paid + burned + recycled + carried, to the unit, in every epoch;
//     the root pot = paid + recycled.
//   - The module's account holds the root pots and nothing else.
//   - Each subnet's part of a block, and each epoch, runs in a cached store: one
//     that fails or panics leaves an event and nothing else.
//   - A removed subnet's root pot is recycled at once; its pending alpha is in the
//     pot of x/alpha.
//   - The same state gives the same block: subnets by netuid, neurons by uid,
//     ties by the order of protocol.md.
package emission
