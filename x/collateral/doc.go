// Package collateral keeps what neurons put at stake for their promises, and judges
// claims that a promise was broken (protocol.md §4).
//
// A neuron locks own alpha: stake of its hotkey's coldkey on that hotkey. It goes
// on earning dividends, but can't leave. x/emission pays no incentive to a miner
// whose bonded collateral is under the subnet's min_collateral (Covered). To get
// it back the coldkey unbonds it; the subnet's collateral_unbond later, in blocks
// and in time, it is released at a block's end.
//
// # A claim's life
//
//   - The coldkey of a validator with a permit opens it: a uid, a share of at most
//     max_slash, hash and address of the evidence, and a deposit. At that moment
//     are frozen: the amount (the share of the whole collateral, unbonding
//     included), the tempo, and who has how much of the active stake A, by the
//     subnet's last epoch.
//   - Until tempo blocks later, that block included, those validators confirm it,
//     and the accused may answer. Opening confirms nothing by itself: the
//     author's hotkey confirms like any other.
//   - It passes in the transaction that brings more than 2/3 of A together: the
//     frozen amount is burned, unbonding collateral first, oldest first, and the
//     deposit goes back to the coldkey that the author's hotkey has now.
//   - Otherwise it fails at the end of its last block: the deposit is burned, and
//     its author opens no claim in this subnet for 10 tempos.
//   - It lapses with its subnet: the deposit goes back, collateral is simply stake.
//
// # Who is who
//
// The coldkey signs OpenClaim because it pays; hotkeys hold no money. Hotkeys sign
// ConfirmClaim, which is work like setting weights, but pays a fee.
//
// The accused is left out of A with all hotkeys of its coldkey, and neither can
// they open claims against it. Only the neuron itself would be too little: a miner
// is hardly ever a validator, and whoever runs both would judge itself, or block
// all other claims by one of its own. It makes collusion against a large validator
// cheaper: the others' 2/3 is less of the whole. Nobody but the accused can bring
// that about. A second coldkey dodges it; we say so.
//
// Records name hotkeys by their account of x/alpha, which goes along when a hotkey
// is swapped. So a swap changes nothing here: the accused's collateral, a
// validator's part of A, and an author's wait stay theirs. Ownership, uids and
// permits don't matter either once a claim is open. A coldkey swap moves collateral
// together with its hotkey; x/alpha sees to that.
//
// # What it promises
//
//   - In live subnets every unit of collateral is locked stake, and nothing else is
//     locked; what an open claim froze is there until it ends. Unbonding that
//     comes due waits only as far as the rest of the collateral does not reach.
//   - No claim slashes more than its share of what was at stake when it opened; the
//     next begins with what is left.
//   - The module account holds the deposits of open claims to the rao.
//   - A block's end does bounded work; a release or an end that fails is put off,
//     told by an event, and stops nothing else.
//
// # What it can't
//
// A permitted validator that is the accused's friend can occupy the one claim for
// a tempo, with a share of next to nothing, for the deposit and 10 tempos of its
// own. The shortest unbonding is many tempos, so nobody gets away by it; evidence
// against a neuron that has been replaced comes too late: claims are by uid.
//
// # Rebuilding the state from events
//
// Every change is an event with its amounts. bonded is in each of
// EventCollateralLocked, EventCollateralUnbonding and EventClaimPassed;
// EventCollateralReleased takes from unbondings that are due, EventClaimPassed
// from all, oldest first. x/subnets' EventSubnetRemoved ends all of a subnet's.
package collateral
