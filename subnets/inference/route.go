package inference

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// Which miner is asked. Of those that serve the model, are within the limits and have not
// failed lately:
//
//  1. Those that the validators pay go before all others: an incentive is the only word on
//     a miner that is not its own. Less than a hundredth of the greatest is none. While
//     nobody has one (a subnet that has just begun), all are equal.
//  2. Then the least price × expected time counts: who is twice as fast may be twice as
//     dear. A tenth of the dearest price is added to all, so that of free miners the
//     faster one counts, too.
//
// The expected time is the mean time to the first piece and that of 256 tokens at the rate
// of whole answers, as this gateway has measured them; with more calls under way than the miner has slots,
// that much longer. Calls of ours count at once, so that load is spread before a miner is
// full. What was measured long ago fades towards the best that is known, and who is not
// known is taken for as good: each gets its chance, and a miner that was slow once gets
// another.
//
// A miner has no more than 240 calls of ours at once: a connection of the mesh carries 256
// streams, and a call beyond them would wait instead of going elsewhere.
//
// Who fails gets nothing for 2 seconds, and twice as long each time in a row, up to 5
// minutes; who is busy, for half a second; who lies, for an hour.

const (
	typicalTokens = 256
	mostOpen      = 240
	fades         = 5 * time.Minute
	pauseBusy     = 500 * time.Millisecond
	pauseFirst    = 2 * time.Second
	pauseMost     = 5 * time.Minute
	pauseLiar     = time.Hour
)

// average is a moving one, of times or rates.
type average struct {
	value float64 // 0: unknown
	at    time.Time
}

// note takes a new value, for a fifth.
func (a *average) note(v float64, now time.Time) {
	if !(v > 0) || math.IsInf(v, 0) {
		return
	}
	if a.value == 0 {
		a.value = v
	} else {
		a.value += (v - a.value) / 5
	}
	a.at = now
}

// faded is the value, the nearer to the best the older it is.
func (a *average) faded(best float64, now time.Time) float64 {
	if a.value == 0 {
		return best
	}
	weight := math.Exp2(-float64(now.Sub(a.at)) / float64(fades))
	return weight*a.value + (1-weight)*best
}

// want is whom a call may go to.
type want struct {
	model    string // digest, or a name; see modelKey
	hotkey   string // this miner alone, whatever else holds
	chat     bool
	grammar  bool
	embeds   bool
	maxPrice uint64 // 0: any
	tried    map[string]bool
}

// modelKey is what a model is known by: its digest, or where the miner can't tell that,
// its name.
func modelKey(i engine.Info) string {
	if i.Digest != "" {
		return i.Digest
	}
	return "name:" + i.Model
}

// serves says whether a miner may get such a call at all, if its price is right.
func (d *directory) serves(m *member, w want) bool {
	switch {
	case m.out != nil:
		return false
	case w.hotkey != "":
		return m.Hotkey == w.hotkey
	case !m.Card.Engine.Verifiable && !d.cfg.Unverified:
		return false
	case tierRank(m.Card.Tier) < tierRank(d.cfg.Tier):
		return false
	case m.lied != nil && m.until.After(d.cfg.Now()):
		return false
	case w.embeds && m.Card.Engine.Dimensions == 0, w.chat && !m.Card.Engine.Chat, w.grammar && !m.Card.Engine.Grammar:
		return false
	}
	return w.model == "" || modelKey(m.Card.Engine) == w.model
}

func tierRank(tier string) int {
	return slices.Index([]string{TierAny, TierAttested, TierFacility}, tier)
}

// take finds the best miner and counts a call to it as under way, until done. It returns
// false where there is none.
func (d *directory) take(w want) (Remote, func(outcome), bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.cfg.Now()
	var list []*member
	for _, m := range d.members {
		if d.serves(m, w) && !w.tried[m.Hotkey] && m.open < mostOpen && (w.maxPrice == 0 || m.Card.Price <= w.maxPrice) {
			list = append(list, m)
		}
	}
	m := best(list, now)
	if m == nil {
		return Remote{}, nil, false
	}
	m.open++
	return m.Remote, func(o outcome) { d.done(m, o) }, true
}

// best picks a miner; those that pause come last, the one first whose pause ends first.
func best(list []*member, now time.Time) *member {
	ready := slices.DeleteFunc(slices.Clone(list), func(m *member) bool { return m.until.After(now) })
	if len(ready) == 0 && len(list) > 0 {
		return slices.MinFunc(list, func(a, b *member) int { return cmp.Or(a.until.Compare(b.until), strings.Compare(a.Hotkey, b.Hotkey)) })
	}
	if list = ready; len(list) == 0 {
		return nil
	}
	most := 0.0
	for _, m := range list {
		most = max(most, m.Incentive)
	}
	list = slices.DeleteFunc(list, func(m *member) bool { return m.Incentive < most/100 })
	quick, fast, dear := math.Inf(1), 0.0, uint64(0)
	for _, m := range list {
		if m.first.value > 0 {
			quick = min(quick, m.first.value)
		}
		fast = max(fast, m.rate.value)
		dear = max(dear, m.Card.Price)
	}
	if math.IsInf(quick, 1) {
		quick = 1
	}
	if fast == 0 {
		fast = typicalTokens
	}
	return slices.MinFunc(list, func(a, b *member) int {
		return cmp.Or(cmp.Compare(a.worth(quick, fast, dear, now), b.worth(quick, fast, dear, now)),
			cmp.Compare(a.open, b.open), cmp.Compare(a.answers, b.answers), strings.Compare(a.Hotkey, b.Hotkey))
	})
}

// worth is price × expected time: the less the better.
func (m *member) worth(quick, fast float64, dear uint64, now time.Time) float64 {
	seconds := m.first.faded(quick, now) + typicalTokens/m.rate.faded(fast, now)
	// Others' calls are those of when the card was read.
	load := float64(max(m.open, m.Card.Open) + 1)
	slots := float64(max(1, m.Card.Engine.Slots))
	seconds *= max(1, load/slots) + 0.1*load/slots
	return (float64(m.Card.Price) + float64(dear)/10 + 1) * seconds
}

// outcome is how a call went.
type outcome struct {
	err   error // nil: well
	busy  bool
	ours  bool // it was not the miner's fault
	lie   bool
	first time.Duration
	rate  float64 // tokens a second, of the whole answer
}

// done notes how a call went.
func (d *directory) done(m *member, o outcome) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.cfg.Now()
	m.open--
	m.first.note(o.first.Seconds(), now)
	m.rate.note(o.rate, now)
	pause := func(t time.Duration) {
		if end := now.Add(t); end.After(m.until) {
			m.until = end
		}
	}
	switch {
	case o.err == nil:
		m.answers++
		m.strikes = 0
	case o.lie:
		m.failed++
		m.lied = o.err
		pause(pauseLiar)
	case o.ours:
	case o.busy:
		pause(pauseBusy)
	default:
		m.failed++
		m.strikes = min(m.strikes+1, 16)
		pause(min(pauseFirst<<(m.strikes-1), pauseMost))
	}
}

// blame notes that a miner has refused what another one serves.
func (d *directory) blame(hotkey string, err error) {
	d.mu.Lock()
	m := d.members[hotkey]
	if m == nil {
		d.mu.Unlock()
		return
	}
	m.open++
	d.mu.Unlock()
	d.done(m, outcome{err: err})
}

// cheapest is the least price of those that would serve, whatever the limits.
func (d *directory) cheapest(w want) (price uint64, any bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.members {
		if d.serves(m, w) && (!any || m.Card.Price < price) {
			price, any = m.Card.Price, true
		}
	}
	return price, any
}

// model is one that miners serve.
type model struct {
	id        string             // as customers name it
	name      string             // as most miners call it, by incentive
	names     map[string]float64 // what speaks for each
	key       string
	price     uint64 // the least
	of        Card   // of the miner with that price
	incentive float64
	miners    int
	embeds    bool
}

// models are those that are served to this gateway, the one that validators pay most for
// first. Of two of one name the first has it, the others have their digest behind it.
func (d *directory) models() []model {
	d.mu.Lock()
	defer d.mu.Unlock()
	by := map[string]*model{}
	hotkeys := make([]string, 0, len(d.members))
	for hotkey := range d.members {
		hotkeys = append(hotkeys, hotkey)
	}
	slices.Sort(hotkeys)
	for _, hotkey := range hotkeys {
		m := d.members[hotkey]
		if !d.serves(m, want{}) {
			continue
		}
		key := modelKey(m.Card.Engine)
		x := by[key]
		if x == nil {
			x = &model{key: key, price: m.Card.Price, of: m.Card, names: map[string]float64{}}
			by[key] = x
		}
		if m.Card.Price < x.price {
			x.price, x.of = m.Card.Price, m.Card
		}
		x.incentive += m.Incentive
		x.miners++
		name := m.Card.Engine.Model
		if x.names[name] += m.Incentive + 1e-9; x.name == "" || x.names[name] > x.names[x.name] {
			x.name = name
		}
		x.embeds = x.embeds || m.Card.Engine.Dimensions > 0
	}
	out := make([]model, 0, len(by))
	for _, x := range by {
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b model) int {
		return cmp.Or(cmp.Compare(b.incentive, a.incentive), cmp.Compare(b.miners, a.miners), strings.Compare(a.key, b.key))
	})
	taken := map[string]bool{}
	for i := range out {
		x := &out[i]
		if x.id = x.name; taken[x.id] || x.id == "" {
			x.id = strings.TrimPrefix(x.name+"@"+x.key[:min(12, len(x.key))], "@")
		}
		taken[x.id] = true
	}
	return out
}

// anyModel are names that ask for whatever there is.
var anyModel = []string{"", "auto", "lode"}

// find finds a model by its id, its name, its digest, or the digest's first 12 digits or
// more. A name that asks for any is the preferred model, or the first.
func find(all []model, name, preferred string) (model, bool) {
	if slices.Contains(anyModel, name) {
		if slices.Contains(anyModel, preferred) {
			if len(all) == 0 {
				return model{}, false
			}
			return all[0], true
		}
		name = preferred
	}
	for _, is := range []func(model) bool{
		func(m model) bool { return m.id == name },
		func(m model) bool { return m.name == name },
		func(m model) bool { return m.key == strings.TrimPrefix(name, "sha256:") },
		func(m model) bool { return len(name) >= 12 && strings.HasPrefix(m.key, name) },
	} {
		if i := slices.IndexFunc(all, is); i >= 0 {
			return all[i], true
		}
	}
	return model{}, false
}
