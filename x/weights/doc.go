// Package weights keeps what validators think of miners, and runs the epoch.
//
// A validator sets a row of weights: at once where commit–reveal is off,
// otherwise in two steps, a commit and its reveal. At a subnet's tempo the
// keeper hands the rows in force, the stake weights and the bonds to yuma, keeps
// the new bonds and permits, and returns the result to x/emission, which pays it
// out. The free lane's limits live here too (LaneCheck, LaneConsume). A batch sets
// rows, or commits, in several subnets by one message, which pays a fee; each of its
// items stands by itself, and one that fails leaves nothing.
//
// # Stake weight
//
// A hotkey weighs its own alpha and tao_weight times its root stake, less what it
// lends to child hotkeys, plus what its parents lend it (protocol.md §5). Children
// are kept by x/alpha; here they are weighed, at every epoch anew:
//
//   - A fraction is of the parent's own alpha and own root stake, so lending is one
//     level deep and the order of parents does not matter; a parent needs no uid.
//   - Lent to a child without a uid a fraction counts nowhere: the parent has lent
//     it all the same.
//   - Each part is rounded down and the rest stays with the parent: stake weights of
//     parents and children sum to what they own.
//
// Result.Stakes tells x/emission whose stake earned a validator's dividends.
//
// # Time
//
// EpochState.number counts the runs of a subnet's epoch; a run that failed is
// not counted. With number = k the next run is run k+1, and everything that
// happens now happens in epoch k+1. So
//
//   - a commit made now belongs to epoch k+1;
//   - its reveal epoch, k+1+reveal_period with the period in force at the commit,
//     is stored with it: a later change of the hyperparameter moves no promise;
//   - it can be revealed exactly while number+1 is its reveal epoch, that is
//     after run reveal epoch−1 and up to and including the transactions of the
//     block of run reveal epoch, which then uses it;
//   - the run of its reveal epoch, at the end of that block, removes it if it was
//     not revealed.
//
// The first epoch is due tempo + netuid mod tempo blocks after the subnet's
// start, each further one the tempo then in force after the last. A due block
// once set is never moved by a change of the tempo.
//
// # What it promises
//
//   - A hotkey's row, bonds, permit, commits, scores and attempts end with its
//     uid: a new registration finds nothing of its predecessor. A swap of the hotkey
//     leaves them all where they are: the new key opens what the old one committed,
//     by the hash that the old one made.
//   - A removed subnet has no more epochs from the moment of its removal, which costs
//     the same however many neurons it had; the rest is swept a little at a time.
//   - A reveal that fails says why and keeps the commit until it expires.
//   - A limit that was consumed stays consumed, also where the message failed,
//     as long as the free lane let it in; every error about a limit names it,
//     the block of the last attempt and the first block that will be accepted.
//   - A block without a due epoch touches no neuron.
//
// Sealed weights, commits that open by themselves (protocol.md §8), will be one
// more way to call the reveal: hash and row are checked in one place, for any
// revealer.
package weights
