package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// TestEveryRaoIsConservedOverAnySequence runs random lives of channels and plans of two
// payers, who swap their coldkeys, an agent and two providers. After every message and every few blocks the
// invariants hold; no provider is paid more than vouchers and plans say; at the end all
// that was put in is with who it belongs to, to the rao.
func TestSection10EveryRaoIsConservedOverAnySequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := newEnv(t, func(p *types.Params) { p.DefaultSplit, p.SplitNotice, p.WorkPerBlock = fair, 3, 2 })
		e.unchecked = true
		e.quickSwaps()
		e.list("rival", "chat")
		e.allow(&types.SpendAuthorization{Limit: 200 * whole, PerPeriod: 50 * whole, Period: 30}, nil)
		services := map[uint64]string{1: "provider", 2: "rival"}
		hotkeys := map[string]string{"provider": hot("provider"), "rival": hot("rival")}
		type channel struct {
			id      []byte
			session string
			payer   string // its first coldkey
			most    uint64 // the highest voucher
		}
		var channels []channel
		var plans []types.Plan
		opened, swaps := 0, 0
		coldkey := map[string]string{"payer": "payer", "other": "other"} // of the payers now
		supply := e.supply()
		start := map[string]uint64{}
		everybody := append([]string{"agent"}, cast...)
		total := func() (sum uint64) {
			for _, name := range everybody {
				sum += e.rao(name)
			}
			return sum
		}
		for _, name := range everybody {
			start[name] = e.rao(name)
		}
		all, fees, swapped, pool := total(), uint64(0), uint64(0), e.pool().TaoReserve // rao: what swaps of hotkeys cost, and of coldkeys

		pick := func(t *rapid.T) *channel {
			if len(channels) == 0 {
				t.Skip("no channel yet")
			}
			return &channels[rapid.IntRange(0, len(channels)-1).Draw(t, "channel")]
		}
		provider := func(id []byte) string {
			c, ok := e.channel(id)
			if !ok {
				return "provider"
			}
			return services[c.ServiceId]
		}
		deposit := func(t *rapid.T, m *types.MsgDeposit, agent bool) (*types.MsgDepositResponse, error) {
			if agent {
				m.Payer, m.Spender = str(coldkey["payer"]), str("agent")
				return exec(e, m)
			}
			return send(e, e.msgs.Deposit, m)
		}
		t.Repeat(map[string]func(*rapid.T){
			"open": func(t *rapid.T) {
				payer := rapid.SampledFrom([]string{"payer", "other"}).Draw(t, "payer")
				agent := rapid.Bool().Draw(t, "agent")
				if agent {
					payer = "payer"
				}
				key := fmt.Sprint("key ", opened)
				opened++
				m := &types.MsgDeposit{
					Payer: str(coldkey[payer]), Amount: rapid.Uint64Range(0, 60*whole).Draw(t, "rao"), ServiceId: rapid.Uint64Range(1, 3).Draw(t, "service"),
					SessionKey: public(session(key)), CloseDelay: int64(rapid.IntRange(5, 40).Draw(t, "delay")),
				}
				if len(plans) > 0 && rapid.Bool().Draw(t, "plan") {
					p := rapid.SampledFrom(plans).Draw(t, "which")
					m.ServiceId, m.PlanId, m.MaxPrice = p.ServiceId, p.Id, p.Price
				}
				if r, err := deposit(t, m, agent); err == nil {
					channels = append(channels, channel{id: r.ChannelId, session: key, payer: payer})
				}
			},
			"top up": func(t *rapid.T) {
				c := pick(t)
				_, _ = deposit(t, &types.MsgDeposit{Payer: str(coldkey[c.payer]), Amount: rapid.Uint64Range(0, 30*whole).Draw(t, "rao"), ChannelId: c.id}, rapid.Bool().Draw(t, "agent"))
			},
			"plan": func(t *rapid.T) {
				of := rapid.Uint64Range(1, 2).Draw(t, "service")
				p := types.Plan{ServiceId: of, Price: rapid.Uint64Range(1, 20*whole).Draw(t, "price"), Period: int64(rapid.IntRange(10, 40).Draw(t, "period")), Quota: rapid.Uint64Range(1, 1_000).Draw(t, "quota")}
				r, err := send(e, e.msgs.OfferPlan, &types.MsgOfferPlan{Signer: str(services[of]), ServiceId: of, Name: "p", Price: p.Price, Period: p.Period, Quota: p.Quota})
				if err == nil {
					p.Id = r.PlanId
					plans = append(plans, p)
				}
			},
			"retire": func(t *rapid.T) {
				if len(plans) == 0 {
					t.Skip("no plan yet")
				}
				p := rapid.SampledFrom(plans).Draw(t, "which")
				_, _ = send(e, e.msgs.RetirePlan, &types.MsgRetirePlan{Signer: str(services[p.ServiceId]), PlanId: p.Id})
			},
			"redeem": func(t *rapid.T) {
				var items []types.RedeemItem
				who := ""
				for range rapid.IntRange(1, 6).Draw(t, "items") {
					c := pick(t)
					if who == "" {
						who = provider(c.id)
					}
					cumulative := rapid.Uint64Range(0, 70*whole).Draw(t, "cumulative")
					if rapid.Bool().Draw(t, "few") {
						cumulative %= 3_000
					}
					item := signedUpTo(c.session, c.id, cumulative, cumulative-min(cumulative, rapid.Uint64Range(0, whole).Draw(t, "less")))
					if rapid.IntRange(0, 5).Draw(t, "spoil") == 0 {
						item.Cumulative++
					} else {
						c.most = max(c.most, cumulative)
					}
					items = append(items, item)
				}
				signer := str(who)
				if rapid.Bool().Draw(t, "hotkey") {
					signer = str(hotkeys[who])
				}
				_, _ = send(e, e.msgs.Redeem, &types.MsgRedeem{Signer: signer, Items: items})
			},
			"close": func(t *rapid.T) {
				c := pick(t)
				who := coldkey[c.payer]
				signer := rapid.SampledFrom([]string{who, who, who, "agent", provider(c.id)}).Draw(t, "signer")
				_, _ = send(e, e.msgs.Close, &types.MsgClose{Signer: str(signer), ChannelId: c.id})
			},
			"cancel": func(t *rapid.T) {
				c := pick(t)
				_, _ = send(e, e.msgs.CancelPlan, &types.MsgCancelPlan{Signer: str(coldkey[c.payer]), ChannelId: c.id, Now: rapid.Bool().Draw(t, "now")})
			},
			"split": func(t *rapid.T) {
				owner := rapid.Uint32Range(0, 100_000).Draw(t, "owner")
				burn := rapid.Uint32Range(0, 400_000).Draw(t, "burn")
				s := types.RevenueSplit{Owner: owner, Burn: burn, Provider: 1_000_000 - owner - burn}
				_, err := send(e, e.msgs.SetRevenueSplit, &types.MsgSetRevenueSplit{Coldkey: str("owner"), Netuid: 1, Split: s})
				require.NoError(t, err)
			},
			"list": func(t *rapid.T) {
				of := rapid.Uint64Range(1, 2).Draw(t, "service")
				m := listMsg(services[of], "chat")
				m.Signer, m.Hotkey = str(services[of]), str(hotkeys[services[of]])
				r, err := send(e, e.msgs.ListService, m)
				if err == nil && r.ServiceId != of {
					services[r.ServiceId] = services[of] // the old one was forgotten
				}
			},
			"unlist": func(t *rapid.T) {
				of := rapid.Uint64Range(1, 2).Draw(t, "service")
				if rapid.IntRange(0, 3).Draw(t, "seldom") == 0 {
					_, _ = send(e, e.msgs.UnlistService, &types.MsgUnlistService{Signer: str(services[of]), ServiceId: of})
				}
			},
			"swap": func(t *rapid.T) {
				who := rapid.SampledFrom([]string{"provider", "rival"}).Draw(t, "who")
				fresh := fmt.Sprint(who, swaps)
				swaps++
				e.bind(who, fresh)
				_, err := send(e, e.subnetsMsgs.SwapHotkey, &subnetstypes.MsgSwapHotkey{Coldkey: str(who), Hotkey: str(hotkeys[who]), NewHotkey: str(fresh)})
				require.NoError(t, err)
				hotkeys[who] = fresh
				fees += whole / 10
			},
			"coldkey swap": func(t *rapid.T) {
				who := rapid.SampledFrom([]string{"payer", "other"}).Draw(t, "who")
				old, fresh := coldkey[who], fmt.Sprint(who, swaps)
				swaps++
				everybody = append(everybody, fresh)
				e.swap(old, fresh)
				coldkey[who] = fresh
				swapped += whole / 10
				require.Empty(t, e.channelsOf(old))
				if who == "payer" && rapid.Bool().Draw(t, "allow anew") {
					e.allowBy(fresh, &types.SpendAuthorization{Limit: 200 * whole}, nil)
				}
			},
			"blocks": func(t *rapid.T) {
				for range rapid.IntRange(1, 30).Draw(t, "n") {
					e.block(time.Duration(rapid.IntRange(200, 3_000).Draw(t, "ms")) * time.Millisecond)
				}
				e.holds()
			},
		})

		for _, c := range channels { // whatever is left is closed
			if _, ok := e.channel(c.id); ok {
				_, _ = send(e, e.msgs.Close, &types.MsgClose{Signer: str(coldkey[c.payer]), ChannelId: c.id})
			}
		}
		for i := 0; i < 5_000 && (len(e.exported().Channels) > 0 || i < 100); i++ {
			e.block(2 * time.Second)
		}
		e.holds()
		require.Empty(t, e.exported().Channels)
		require.Equal(t, supply-fees-swapped, e.supply())
		r := e.revenue()
		require.Equal(t, r.Pending(), e.held(), "only what buys nothing yet")
		require.Equal(t, all-fees-swapped, total()+r.BurnTao+r.MinersTao+r.Pending(), "all is with people, in the pool, or waits for it")
		require.Equal(t, pool+r.BurnTao+r.MinersTao, e.pool().TaoReserve)
		require.Equal(t, start["agent"], e.rao("agent"), "the agent never had a coin of it")
		require.LessOrEqual(t, e.left().Limit, uint64(200*whole))
		require.Equal(t, start["payer"]+start["other"]-swapped, e.rao(coldkey["payer"])+e.rao(coldkey["other"])+r.Total, "who pays has paid what was claimed, and no more")
	})
}
