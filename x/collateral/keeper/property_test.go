package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/collateral/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// TestSection9AlphaAndDepositsAreConservedOverAnySequence runs random lives of
// three neurons and three validators. After every message and
// every few blocks the invariants hold; at the end every unit of alpha and every rao that is gone was
// slashed, or burned as a deposit, by a claim that an event tells of.
func TestSection9AlphaAndDepositsAreConservedOverAnySequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := newEnv(t)
		e.unchecked = true
		e.judge("v1", 3, "v2", 1, "v3", 1)
		accused := []string{"miner", "other", "v3"}
		for _, who := range accused {
			e.lock(who, 20*whole)
		}
		uids := map[string]uint32{"miner": minerUID, "other": 5, "v3": 3}
		judges := []string{"v1", "v2", "v3"}
		hotkeys := map[string]string{} // that a name has now
		for _, name := range cast {
			hotkeys[name] = hot(name)
		}
		swaps := 0
		pool, supply := e.pool(), e.supply()
		name := func(of []string, label string) string { return rapid.SampledFrom(of).Draw(t, label) }

		t.Repeat(map[string]func(*rapid.T){
			"lock": func(t *rapid.T) {
				m := lockMsg(name(accused, "who"), rapid.Uint64Range(0, 30*whole).Draw(t, "alpha"))
				m.Hotkey = str(hotkeys[nameOf(m.Coldkey)])
				_, _ = send(e, e.msgs.LockCollateral, m)
			},
			"unbond": func(t *rapid.T) {
				m := unbondMsg(name(accused, "who"), rapid.Uint64Range(0, 30*whole).Draw(t, "alpha"))
				m.Hotkey = str(hotkeys[nameOf(m.Coldkey)])
				_, _ = send(e, e.msgs.UnbondCollateral, m)
			},
			"leave": func(t *rapid.T) {
				who := name(accused, "who")
				_, _ = send(e, e.alphaMsgs.MoveStake, &alphatypes.MsgMoveStake{
					Coldkey: str(who), Netuid: 1, FromHotkey: str(hotkeys[who]), ToHotkey: str(hotkeys["owner"]),
					Alpha: rapid.Uint64Range(1, 50*whole).Draw(t, "alpha"),
				})
			},
			"claim": func(t *rapid.T) {
				author := name(judges, "author")
				m := claimMsg(author, uids[name(accused, "accused")])
				m.Hotkey, m.Share = str(hotkeys[author]), rapid.Uint32Range(0, 250_000).Draw(t, "share")
				_, _ = send(e, e.msgs.OpenClaim, m)
			},
			"confirm": func(t *rapid.T) {
				ids := []uint64{e.exported().NextClaimId}
				for _, c := range e.exported().Claims {
					ids = append(ids, c.Id, c.Id, c.Id)
				}
				_, _ = e.tryConfirm(hotkeys[name(judges, "who")], rapid.SampledFrom(ids).Draw(t, "claim"))
			},
			"judge": func(t *rapid.T) {
				claims := e.exported().Claims
				if len(claims) == 0 {
					return // no claim is open
				}
				c := rapid.SampledFrom(claims).Draw(t, "claim")
				for _, who := range judges {
					_, _ = e.tryConfirm(hotkeys[who], c.Id)
				}
			},
			"swap": func(t *rapid.T) {
				who := name(accused, "who")
				fresh := hot(string(rune('a'+swaps%26)) + string(rune('a'+swaps/26)) + who)
				swaps++
				e.bind(who, fresh)
				_, err := send(e, e.subnetsMsgs.SwapHotkey, &subnetstypes.MsgSwapHotkey{Coldkey: str(who), Hotkey: str(hotkeys[who]), NewHotkey: str(fresh)})
				require.NoError(t, err)
				supply -= whole / 10 // the fee is recycled
				hotkeys[who] = fresh
			},
			"blocks": func(t *rapid.T) {
				for range rapid.IntRange(1, tempo+2).Draw(t, "n") {
					e.block(time.Duration(rapid.IntRange(500, 1_500).Draw(t, "ms")) * time.Millisecond)
				}
				e.holds()
			},
		})

		e.blocks(2 * unbond) // all claims end, and what unbonds is released
		e.holds()
		var slashed, burned uint64
		for _, ev := range e.passed {
			for _, a := range ev.Attributes {
				switch {
				case ev.Type == "lode.collateral.v1.EventClaimPassed" && a.Key == "slashed":
					slashed += number(e, a.Value)
				case ev.Type == "lode.collateral.v1.EventClaimFailed" && a.Key == "burned":
					burned += number(e, a.Value)
				}
			}
		}
		require.Equal(t, supply-burned, e.supply())
		after := e.pool()
		require.Equal(t, pool.AlphaIssued, after.AlphaIssued)
		require.LessOrEqual(t, after.AlphaBurned, pool.AlphaBurned+slashed)
		require.GreaterOrEqual(t, after.AlphaBurned+uint64(len(e.events(&types.EventClaimPassed{}))), pool.AlphaBurned+slashed, "rounding keeps at most a unit a slash")
		require.Equal(t, pool.AlphaStaked-(after.AlphaBurned-pool.AlphaBurned), after.AlphaStaked)
		require.Empty(t, e.exported().Claims)
		for _, c := range e.exported().Collaterals {
			require.Empty(t, c.Unbondings)
		}
	})
}

// nameOf is the cast's name of a coldkey.
func nameOf(coldkey string) string {
	for _, name := range cast {
		if str(name) == coldkey {
			return name
		}
	}
	return ""
}
