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
// Miners' and validators' pending alpha is divided by yuma's shares. What falls
// to hotkeys of the owner's coldkey as miners is burned, and the fraction is kept
// as withheld: it lowers the subnet's share of the next blocks. What validators
// get follows the part of their dividends that alpha earned, the root pot the part
// that root stake earned; a validators' pot that no alpha claims is carried to
// the next epoch, a root pot that no root stake claims is recycled.
//
// # What it promises
//
//   - pending = paid + burned + recycled + carried, to the unit, in every epoch;
//     the root pot = paid + recycled.
//   - The module's account holds the root pots and nothing else.
//   - Each subnet's part of a block, and each epoch, runs in a cached store: one
//     that fails or panics leaves an event and nothing else.
//   - The same state gives the same block: subnets by netuid, neurons by uid,
//     ties by the order of protocol.md.
package emission
