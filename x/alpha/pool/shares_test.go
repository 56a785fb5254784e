package pool_test

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lodenet/lode/x/alpha/pool"
)

var unit = big.NewInt(1_000_000_000_000_000_000)

func shares(n int64) *big.Int { return big.NewInt(n) }

// keeps tells whether part is at least 99.9999 % of whole.
func keeps(part, whole *big.Rat) bool {
	return part.Cmp(new(big.Rat).Mul(whole, big.NewRat(999_999, 1_000_000))) >= 0
}

// worth is what shares are worth, exactly.
func worth(p pool.SharePool, shares *big.Int) *big.Rat {
	return new(big.Rat).SetFrac(new(big.Int).Mul(shares, bigOf(p.Alpha)), p.Shares)
}

func TestTheFirstDepositMints10To18SharesAUnit(t *testing.T) {
	for _, alpha := range []uint64{1, 7, 1_000_000_000, math.MaxUint64} {
		p, minted, err := pool.SharePool{}.Deposit(alpha)
		if err != nil {
			t.Fatal(err)
		}
		if want := new(big.Int).Mul(bigOf(alpha), unit); minted.Cmp(want) != 0 || p.Shares.Cmp(want) != 0 {
			t.Errorf("%d units mint %s shares of %s, want %s", alpha, minted, p.Shares, want)
		}
		if got := p.Value(minted); got != alpha {
			t.Errorf("%d units are worth %d", alpha, got)
		}
	}
}

func TestADepositIsWorth999999MillionthsOrFails(t *testing.T) {
	refused := 0
	rapid.Check(t, func(t *rapid.T) {
		p := pool.SharePool{
			Alpha:  max(anyUint64().Draw(t, "alpha"), 1),
			Shares: new(big.Int).Mul(bigOf(max(anyUint64().Draw(t, "shares"), 1)), bigOf(max(anyUint64().Draw(t, "factor"), 1))),
		}
		alpha := anyUint64().Draw(t, "deposit")
		after, minted, err := p.Deposit(alpha)
		if err != nil {
			if alpha <= math.MaxUint64-p.Alpha && !errors.Is(err, pool.ErrRounding) {
				t.Fatal(err)
			}
			refused++
			return
		}
		if after.Alpha != p.Alpha+alpha || new(big.Int).Sub(after.Shares, p.Shares).Cmp(minted) != 0 || minted.Sign() <= 0 {
			t.Fatalf("%d into %+v: %s shares, then %+v", alpha, p, minted, after)
		}
		if !keeps(worth(after, minted), new(big.Rat).SetInt(bigOf(alpha))) {
			t.Fatalf("%d units got shares worth %s", alpha, worth(after, minted).FloatString(9))
		}
		if worth(after, minted).Cmp(new(big.Rat).SetInt(bigOf(alpha))) > 0 {
			t.Fatalf("%d units got shares worth more, %s", alpha, worth(after, minted).FloatString(9))
		}
	})
	if refused == 0 {
		t.Error("no deposit was refused: the test draws too kindly")
	}
}

// The owner of a pool of one share lets a dividend make it dear: whoever deposits
// next is refused, not robbed.
func TestShareInflationFails(t *testing.T) {
	for _, c := range []struct {
		name     string
		deposit  uint64
		accepted bool
	}{
		{"less than the share", 999_999_999_999, false},
		{"one and a half shares", 1_500_000_000_001, false},
		{"nearly two shares", 2_000_000_000_000, false},
		{"a share exactly", 1_000_000_000_001, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := pool.SharePool{Alpha: 1, Shares: shares(1)}.Reward(1_000_000_000_000)
			if err != nil {
				t.Fatal(err)
			}
			after, minted, err := p.Deposit(c.deposit)
			if c.accepted {
				if err != nil || after.Value(minted) != c.deposit {
					t.Fatalf("%s shares, %v", minted, err)
				}
				return
			}
			if !errors.Is(err, pool.ErrRounding) || !strings.Contains(err.Error(), "deposit more") {
				t.Fatalf("a deposit of %d got %s shares: %v", c.deposit, minted, err)
			}
			if after.Alpha != p.Alpha || after.Shares.Cmp(p.Shares) != 0 {
				t.Errorf("a refused deposit changed the pool: %+v", after)
			}
		})
	}
}

func TestRedeemingGivesWhatIsAskedOrEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pool.SharePool{Alpha: rapid.Uint64Range(1, 1<<54).Draw(t, "alpha")}
		p.Shares = new(big.Int).Add(bigOf(anyUint64().Draw(t, "shares")), big.NewInt(1))
		if rapid.Bool().Draw(t, "fine") {
			p.Shares.Mul(p.Shares, unit)
		}
		held := new(big.Int).Quo(new(big.Int).Mul(p.Shares, bigOf(rapid.Uint64Range(0, 1_000).Draw(t, "per mille"))), big.NewInt(1_000))
		if held.Sign() == 0 {
			held.SetInt64(1)
		}
		ask := anyUint64().Draw(t, "ask")
		after, redeemed, paid, err := p.Redeem(held, ask)
		if err != nil {
			if !errors.Is(err, pool.ErrRounding) || ask >= p.Value(held) {
				t.Fatal(err)
			}
			return
		}
		if want := min(ask, p.Value(held)); paid != want {
			t.Fatalf("asked for %d of %d, paid %d", ask, p.Value(held), paid)
		}
		if redeemed.Cmp(held) > 0 || (ask >= p.Value(held)) != (redeemed.Cmp(held) == 0) {
			t.Fatalf("%s of %s shares redeemed for %d of %d", redeemed, held, ask, p.Value(held))
		}
		if after.Alpha != p.Alpha-paid || new(big.Int).Add(after.Shares, redeemed).Cmp(p.Shares) != 0 {
			t.Fatalf("%+v, then %+v", p, after)
		}
		if (after.Alpha == 0) != after.Empty() {
			t.Fatalf("alpha without shares, or shares without alpha: %+v", after)
		}
		if ask < p.Value(held) && !keeps(new(big.Rat).SetInt(bigOf(paid)), worth(p, redeemed)) {
			t.Fatalf("%d paid for shares worth %s", paid, worth(p, redeemed).FloatString(9))
		}
		if !after.Empty() && worth(after, shares(1)).Cmp(worth(p, shares(1))) < 0 {
			t.Fatalf("a share got cheaper: %+v, then %+v", p, after)
		}
	})
}

// Several owners deposit and redeem at will. Whatever they do, nobody takes out
// more than came in for them, shares sum to the total, and a share only rises.
func TestASharePoolIsFairToEveryOwner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const owners = 4
		var p pool.SharePool
		var held [owners]*big.Int
		var in, out [owners]uint64
		rewards := uint64(0)
		for i := range held {
			held[i] = new(big.Int)
		}
		withRewards := rapid.Bool().Draw(t, "rewards")
		steps := rapid.IntRange(1, 40).Draw(t, "steps")
		for range steps {
			i := rapid.IntRange(0, owners-1).Draw(t, "owner")
			alpha := anyUint64().Draw(t, "alpha") >> 14
			before := p
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				after, minted, err := p.Deposit(alpha)
				if err != nil {
					continue
				}
				p, in[i] = after, in[i]+alpha
				held[i].Add(held[i], minted)
			case 1:
				if held[i].Sign() == 0 {
					continue
				}
				after, redeemed, paid, err := p.Redeem(held[i], alpha)
				if err != nil {
					continue
				}
				p, out[i] = after, out[i]+paid
				held[i].Sub(held[i], redeemed)
			case 2:
				if !withRewards || p.Empty() {
					continue
				}
				after, err := p.Reward(alpha)
				if err != nil {
					t.Fatal(err)
				}
				p, rewards = after, rewards+alpha
			}
			if !before.Empty() && !p.Empty() && worth(p, shares(1)).Cmp(worth(before, shares(1))) < 0 {
				t.Fatalf("a share got cheaper: %+v, then %+v", before, p)
			}
			sum := new(big.Int)
			for _, h := range held {
				sum.Add(sum, h)
			}
			if p.Empty() != (sum.Sign() == 0) || !p.Empty() && sum.Cmp(p.Shares) != 0 {
				t.Fatalf("the owners hold %s shares of %s", sum, p.Shares)
			}
		}
		total := rewards
		for i := range held {
			// What is left is worth no more than what is left of the deposit.
			if !withRewards && out[i]+p.Value(held[i]) > in[i] {
				t.Fatalf("owner %d put %d in, took %d out and still has %d", i, in[i], out[i], p.Value(held[i]))
			}
			total += in[i] - out[i]
		}
		if total != p.Alpha {
			t.Fatalf("%d should be left, the pool has %d", total, p.Alpha)
		}
	})
}

func TestSharePoolsRefuseWhatTheyCannotHold(t *testing.T) {
	full, _, err := pool.SharePool{}.Deposit(math.MaxUint64)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := full.Deposit(1); !errors.Is(err, pool.ErrOverflow) {
		t.Errorf("a deposit past 64 bits: %v", err)
	}
	if _, err := full.Reward(1); !errors.Is(err, pool.ErrOverflow) {
		t.Errorf("a reward past 64 bits: %v", err)
	}
	if _, err := (pool.SharePool{}).Reward(1); err == nil {
		t.Error("an empty pool took a reward that nobody owns")
	}
	if _, _, err := full.Deposit(0); err == nil {
		t.Error("a deposit of nothing was taken")
	}
	if got := (pool.SharePool{}).Value(shares(5)); got != 0 {
		t.Errorf("shares of an empty pool are worth %d", got)
	}
}
