// Package alpha keeps every subnet's own token: its pool with TAO, and the
// stakes on hotkeys. It also keeps which coldkey a hotkey is bound to.
//
// A hotkey may lend stake weight to others in a subnet (Children), and a part of a
// stake may be locked as collateral (LockStake, for x/collateral).
//
// A pool trades TAO for alpha at the constant product of its reserves. What a
// user buys is staked at once: there is no alpha outside of stakes. Stake on a
// hotkey in a subnet is one share pool (StakePool) of which each coldkey holds
// shares (Position), so that dividends raise everybody's value by one write. The
// modules above create pools (x/subnets), read stakes (x/weights), and bring
// emission in and pay it out (x/emission); the mathematics is x/alpha/pool.
//
// # Hotkeys and accounts
//
// What is on a hotkey — stakes, children, childkey takes, locks — is kept under its
// account: its own address, until ExchangeHotkeys exchanges the accounts of two. So
// a hotkey with a hundred thousand nominators is swapped by two writes. Messages,
// events, queries and the keeper's API speak of hotkeys; stored records, and so
// genesis, have accounts. A module that keeps something of a hotkey's for long
// keeps it under Account.
//
// # Ways out
//
// When a subnet is removed its pool is retired (RetirePool): the pot and all alpha
// are recorded, and each holder is owed a part by what its stake was worth then. A
// holder is paid by anyone's MsgClaim or by EndBlocker, 200 a block; after the last
// the rest is recycled, and Sweep deletes what is left of the subnet. None of this
// costs a block more for there being more holders.
//
// A coldkey can be swapped for another. It announces that, is locked (Unlocked, for
// the ante handler), and after a delay EndBlocker moves its stakes with their locks,
// its hotkeys, what a module above keeps under it (types.Hooks) and its coins, 200 a
// block; delegations stay where they are. Who has
// stolen a coldkey can announce as its owner can. So a recovery key that was in
// force before the announcement decides alone: it cancels, or names another new
// coldkey, at any time. Without one the coldkey itself can dispute, which cancels,
// and bars announcements for a time and a new recovery key until then.
//
// # Where alpha is
//
// Every unit that was issued is in one account of its pool: reserve, staked,
// protocol (bought by the chain), pending (for the next epoch) or burned.
// types.Pool.MoveAlpha is the one way in which it moves.
//
// # Rebuilding the state from events
//
//   - EventAlphaMoved tells every movement between accounts, both sides, the
//     reserve's and issuance's among them: applied in order to pools that begin at
//     zero it gives all alpha amounts.
//   - TAO reserves: EventPoolCreated and EventLiquidityAdded add tao; EventTrade
//     adds (purchase) or takes (sale) tao, and has the reserves after it. The
//     alpha of these three events is in an EventAlphaMoved too: count one of them.
//   - Stakes: EventStakeAdded adds alpha and shares to a stake pool and shares to
//     a position, EventStakeRemoved takes both, EventStakeRewarded adds alpha. A
//     pool or position at zero shares is gone.
//   - Bindings and takes: EventHotkeyBound and EventTakeSet.
//   - Destinations: EventDestinationSet.
//   - Lent stake weight: EventChildrenSet has a parent's new children (none ends
//     it), EventChildrenScheduled announces them and replaces what was announced;
//     EventChildkeyTakeSet.
//   - Locks: EventStakeLocked and EventStakeUnlocked have what is locked afterwards.
//   - EventHotkeysSwapped: whatever the events above told of one of the two hotkeys
//     is the other's from here on, stakes, children, parents, takes, locks and
//     destination; a destination that would be the hotkey itself is none. Then every
//     other destination that is the old hotkey is the new one.
//   - EventPoolRetired ends a pool: its stake pools, children, takes and locks change
//     no more. Each EventStakeRemoved for the reason removal, with its
//     EventHolderPaid, ends a position and its lock and leaves the stake pool as it
//     was. The pot holds pot − recycled − what was paid; EventPoolSettled has both in
//     the end. The records are swept silently after it.
//   - Coldkey swaps: EventColdkeySwapAnnounced, until EventColdkeySwapCancelled or
//     EventColdkeySwapped. In between, once it is due, EventStakeMoved moves the
//     shares and the lock of a stake, and another EventHotkeyBound each hotkey, which
//     keeps all else. Its due_height is the earliest block; it is put off silently
//     where others are before it. A disputed cancellation begins a bar; EventColdkeySwapped ends
//     bar and recovery key.
//   - EventRecoveryKeySet: the key in force once its height and time have come,
//     unless another of these came first; without them at once, and nothing waits.
//
// # What it promises
//
//   - The module's account holds the TAO reserves of all pools, and what is left of
//     removed subnets' pots, to the rao; no message sends it anything else.
//   - Of a removed subnet's pot, what was paid and what was recycled are all. A part
//     does not depend on who is paid first.
//   - Only the coldkey of a stake unstakes, moves, swaps, transfers, burns or
//     recycles it, and only as much as leaves its lock covered.
//   - A trade respects its limit price to the unit, or does nothing. With
//     allow_partial it is the largest trade that does; a swap leaves no TAO
//     between its two trades.
//   - Nobody gains by rounding: not by trades, not by shares; see x/alpha/pool.
//   - Nothing unstakes, moves, swaps, transfers, burns or recycles more than there is.
//     Exactly what a stake is worth takes all of it and leaves no dust; less must be
//     worth min_trade, except all that is not locked, and where UnstakeAll stops at
//     its limit.
//   - Children change when a cooldown has passed, in blocks and in time, and not
//     before: nominators see it coming.
//   - A payment of the epoch never fails for its size.
//   - No coldkey is swapped sooner than its delay, in blocks and in time, after the
//     announcement, except by the word of its recovery key; none of that key's before
//     it was in force.
//   - A locked stake and its hotkey have the same coldkey, also while a swap executes.
package alpha
