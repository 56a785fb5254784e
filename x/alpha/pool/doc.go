// Package pool is the mathematics of x/alpha: trades in a constant product pool
// of TAO and alpha, and share pools that divide staked alpha among its owners.
//
// Reserves.Buy and Reserves.Sell say what a trade gives; BuyWithin, SellWithin
// and SwapWithin hold it to a limit price, whole or in part. SharePool mints
// shares for deposits, redeems them, and tells what they are worth. Everything
// is a value: nothing here changes in place, and nothing knows of the chain.
//
// What it promises:
//
//   - Rounding favours the pool. Tao·alpha never falls, so no sequence of trades
//     that ends with the alpha it began with ends with more TAO.
//   - No trade leaves the reserve that it takes from under Rules.Floor, and no
//     reserve wraps around: amounts of any size up to 2^64−1 are answered
//     exactly or refused.
//   - A trade within a limit is the largest one, to the unit, after which the
//     pool's exact price respects the limit.
//   - Shares never gain by minting or redeeming: what a share is worth rises with
//     rewards and by what rounding leaves, and never falls. A deposit that would
//     lose more than a millionth of itself to rounding is refused, so nobody's
//     deposit can be swallowed by a pool whose shares were made dear.
//
// Amounts of TAO are in rao, of alpha in units of 10^-9 alpha. A limit price is
// in rao per whole alpha (10^9 units).
package pool
