package attack

import (
	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/emission/curve"
)

// The mainnet profile's emission (protocol.md §2, §6), in base units and blocks.
const (
	blocksADay     = 24 * 3600 / 3
	supplyCap      = 21_000_000 * tao
	initialReward  = tao / 4
	taoADay        = 7_200 * tao / 10 * 9 // without the validators' security share
	ownerCut       = 18                   // per 100
	movingBase     = 750_000              // per 10^12
	movingHalfTime = 806_400
	taoWeight      = 18 // per 100
)

// market is a subnet's pool under emission, a day at a step: the moving price moves
// by a day's weight at once, and what is minted in a day is minted together.
type market struct {
	pool       pool.Reserves
	issued     uint64    // alpha
	protocol   uint64    // alpha that emission has bought
	moving     fixed.Q64 // the subnet's moving price
	others     fixed.Q64 // the sum of all others'
	rootWeight uint64    // tao_weight · bonded TAO
	blocks     uint64    // since the start
	withheld   fixed.Q32 // of the last day's miner emission
}

// minted is what a day of emission gives.
type minted struct {
	owner, miners, validators uint64 // alpha; root's part is not in the validators'
	tao                       uint64 // into the pool
}

func (m *market) day() (minted, error) { return m.step(blocksADay) }

// step is a number of blocks at once.
func (m *market) step(blocks uint64) (minted, error) {
	m.blocks += blocks
	m.moving = curve.Move(m.moving, m.pool.Price(), movingBase*blocks, m.blocks, movingHalfTime)
	got := minted{tao: curve.Shares(taoADay/blocksADay*blocks, []fixed.Q64{m.moving, m.others}, []fixed.Q32{m.withheld, 0})[0]}
	alpha := min(curve.Reward(supplyCap, initialReward, m.issued)*blocks, supplyCap-m.issued)
	root := func(of uint64) uint64 { return curve.MulDiv(of, m.rootWeight, m.rootWeight+m.issued) }

	in := min(curve.MulDiv(got.tao, m.pool.Alpha, m.pool.Tao), root(alpha))
	taoIn := curve.MulDivUp(in, m.pool.Tao, m.pool.Alpha)
	m.pool = pool.Reserves{Tao: m.pool.Tao + taoIn, Alpha: m.pool.Alpha + in}
	excess, err := m.pool.Buy(got.tao-min(taoIn, got.tao), pool.Rules{Floor: rules.Floor})
	if err != nil {
		return got, err
	}
	m.pool, m.protocol = excess.After, m.protocol+excess.Out

	got.owner = alpha * ownerCut / 100
	got.miners = (alpha - got.owner) / 2
	got.validators = alpha - got.owner - got.miners
	sold := root(got.validators)
	got.validators -= sold
	if m.moving.Add(m.others).Cmp(fixed.OneQ64()) > 0 {
		sale, err := m.pool.Sell(sold, pool.Rules{Floor: rules.Floor})
		if err != nil {
			return got, err
		}
		m.pool = sale.After
		m.issued += sold
	}
	m.issued += in + alpha - sold
	return got, nil
}

// sell sells alpha and returns the rao.
func (m *market) sell(alpha uint64) (uint64, error) {
	t, err := m.pool.Sell(alpha, rules)
	if err != nil {
		return 0, err
	}
	m.pool = t.After
	return t.Out, nil
}

// price is a float as Q64, to 2^-53 of it.
func price(f float64) fixed.Q64 { return fixed.Q64Ratio(uint64(f*(1<<53)), 1<<53) }

// part is an amount's fraction.
func part(amount uint64, fraction float64) uint64 { return uint64(float64(amount) * fraction) }
