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
//
// # What it promises
//
//   - The module's account holds the TAO reserves of all pools to the rao; no
//     message sends it anything else.
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
package alpha
