package attack

import (
	"math"
	"testing"

	"github.com/lodenet/lode/x/alpha/pool"
)

// A day at a step must give what hours at a step give, to 5 %: the spread between
// seeds is far wider.
func TestADaysStepGivesWhatItsHoursGive(t *testing.T) {
	run := func(steps uint64, sell bool) (m *market, emitted, sold float64) {
		m = &market{pool: pool.Reserves{Tao: 2_000 * tao, Alpha: 300_000 * tao}, issued: 300_000 * tao, others: price(0.995), rootWeight: 500_000 * tao}
		for range 180 * steps {
			got, err := m.step(blocksADay / steps)
			if err != nil {
				t.Fatal(err)
			}
			emitted += float64(got.tao)
			if sell {
				rao, err := m.sell(got.owner + got.miners)
				if err != nil {
					t.Fatal(err)
				}
				sold += float64(rao)
			}
		}
		return m, emitted, sold
	}
	for _, sell := range []bool{false, true} {
		day, dayEmitted, daySold := run(1, sell)
		hour, hourEmitted, hourSold := run(24, sell)
		for what, pair := range map[string][2]float64{
			"emission": {dayEmitted, hourEmitted}, "sales": {daySold, hourSold},
			"price":  {day.pool.Price().Float64(), hour.pool.Price().Float64()},
			"issued": {float64(day.issued), float64(hour.issued)}, "bought": {float64(day.protocol), float64(hour.protocol)},
		} {
			if math.Abs(pair[0]-pair[1]) > 0.05*math.Abs(pair[1]) {
				t.Errorf("selling %t: the %s is %v by days and %v by hours", sell, what, pair[0], pair[1])
			}
		}
	}
}

func TestSection4TheLabsRegistrationPriceFollowsItsFormula(t *testing.T) {
	if got := raised(tao); got != 1_260_000_000 {
		t.Errorf("a registration makes 1 TAO %d rao, want 1.26 TAO", got)
	}
	if got := raised(90 * tao); got != maxBurn {
		t.Errorf("a registration makes 90 TAO %d rao, want the most, 100 TAO", got)
	}
	if got := fallen(tao, burnHalfLife); got < tao/2-1000 || got > tao/2 {
		t.Errorf("after a half life 1 TAO is %d rao, want just under the half", got)
	}
	if got := fallen(tao, 20*burnHalfLife); got != minBurn {
		t.Errorf("after 20 half lives 1 TAO is %d rao, want the least, %d", got, uint64(minBurn))
	}
	if got, want := registrations(tao, 3, 0), 1e9*(1+1.26+1.26*1.26); math.Abs(got-want) > 2 {
		t.Errorf("three at once cost %v rao, want %v", got, want)
	}
	if once, spread := registrations(tao, 10, 0), cheapest(tao, 10); spread >= once/2 {
		t.Errorf("ten at once cost %v rao, in the cheapest rhythm %v: patience must save", once, spread)
	}
}
