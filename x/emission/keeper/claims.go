package keeper

import (
	"bytes"
	"cmp"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/fixed"
	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
)

// claim is what one hotkey's stake earned of a validator's dividends: the
// validator's own, or that of a parent which lends it stake weight.
type claim struct {
	uid    int            // the validator's
	hotkey sdk.AccAddress // whose stake it was
	parent bool

	byAlpha, byRoot uint64 // weights by which it takes part in the alpha pot and in the root pot
	alpha           uint64 // its part of the alpha pot, units of 10^-9
	root            uint64 // its part of the root pot, rao
}

// claimsOf splits each validator's dividends D over its contributors, and each
// one's part by what earned it: r = D·tw·root/(alpha + tw·root) follows its root
// stake, a = D − r its alpha. Validators come first, by uid, then all parents, by
// address: ties of a division fall in this order.
func claimsOf(r weightskeeper.Result) (claims []claim) {
	var parents []claim
	for uid, share := range r.Output.ValidatorShare {
		if share == 0 {
			continue
		}
		contributors := r.Stakes[uid].Contributors
		if len(contributors) == 0 {
			// Old bonds can earn after the last of the stake has gone (version 2).
			claims = append(claims, claim{uid: uid, hotkey: r.Stakes[uid].Hotkey, byAlpha: share << 31})
			continue
		}
		weights := make([]uint64, 0, 2*len(contributors))
		for _, c := range contributors {
			weights = append(weights, c.Alpha, c.Root)
		}
		// D is a Q32.32 of at most 1; 31 bits more keep the parts exact for small stakes.
		parts := fixed.Apportion(share<<31, weights)
		for i, c := range contributors {
			one := claim{uid: uid, hotkey: c.Hotkey, parent: !c.Hotkey.Equals(r.Stakes[uid].Hotkey), byAlpha: parts[2*i], byRoot: parts[2*i+1]}
			if one.parent {
				parents = append(parents, one)
			} else {
				claims = append(claims, one)
			}
		}
	}
	slices.SortStableFunc(parents, func(a, b claim) int {
		return cmp.Or(bytes.Compare(a.hotkey, b.hotkey), cmp.Compare(a.uid, b.uid))
	})
	return append(claims, parents...)
}

// dividePots hands both pots to the claims by largest remainder. A pot without a claim
// stays where it is.
func dividePots(claims []claim, alpha, root uint64) {
	byAlpha, byRoot := make([]uint64, len(claims)), make([]uint64, len(claims))
	for i, c := range claims {
		byAlpha[i], byRoot[i] = c.byAlpha, c.byRoot
	}
	alphas, roots := fixed.Apportion(alpha, byAlpha), fixed.Apportion(root, byRoot)
	for i := range claims {
		claims[i].alpha, claims[i].root = alphas[i], roots[i]
	}
}
