package indexer

// spans are the lengths of candles, in seconds.
var spans = [...]int64{300, 3_600, 86_400}

// candle is a pool's price over an interval, so far.
type candle struct {
	start                  int64 // Unix seconds; 0: there is none yet
	open, high, low, close float64
	volume                 uint64
	trades                 int64
	revenue                uint64
	tao, reserve           uint64
	dirty                  bool
}

// priceMoved notes a pool's price after a trade.
func (s *state) priceMoved(n *subnet) {
	price := n.price()
	for i := range n.candles {
		c := s.candle(n, i, price)
		c.high, c.low, c.close = max(c.high, price), min(c.low, price), price
		c.tao, c.reserve = n.tao, n.reserve
	}
}

// candle is a subnet's of this moment; it opens with the price that held.
func (s *state) candle(n *subnet, i int, price float64) *candle {
	c := &n.candles[i]
	at := s.block.time.Unix()
	at -= at % spans[i]
	if c.start != at {
		if c.dirty {
			s.batch.add(tCandles, c.row(n, i)...)
		}
		open := price
		if c.start != 0 {
			open = c.close
		}
		*c = candle{start: at, open: open, high: open, low: open, close: open, tao: n.tao, reserve: n.reserve}
	}
	c.dirty = true
	return c
}

func (c *candle) row(n *subnet, i int) []any {
	return []any{int64(n.id), spans[i], c.start, c.open, c.high, c.low, c.close, put(c.volume), c.trades, put(c.revenue), put(c.tao), put(c.reserve)}
}

// volume adds a trade of a transaction.
func (s *state) volume(n *subnet, tao uint64) {
	for i := range n.candles {
		c := s.candle(n, i, n.price())
		c.volume += tao // of TAO that there is: 64 bits hold what an interval can trade
		c.trades++
	}
}

// brought adds what a customer paid.
func (s *state) brought(n *subnet, rao uint64) {
	for i := range n.candles {
		s.candle(n, i, n.price()).revenue += rao
	}
}

// growthSpan is how long a bucket of yields is, in seconds.
const growthSpan = 6 * 3_600

// grow adds the growth of a hotkey's shares.
func (s *state) grow(n *subnet, hotkey uint64, r float64) {
	g := n.growth[hotkey]
	if g == nil {
		g = &growth{}
		n.growth[hotkey] = g
	}
	if bucket := s.block.time.Unix() / growthSpan; g.bucket != bucket {
		if g.dirty {
			s.batch.add(tYields, g.row(n, hotkey)...)
		}
		*g = growth{bucket: bucket}
	}
	g.sum += r
	g.epochs++
	if !g.dirty {
		g.dirty = true
		n.dirtyGrowth[hotkey] = true
	}
}

func (g *growth) row(n *subnet, hotkey uint64) []any {
	return []any{int64(n.id), int64(hotkey), g.bucket, g.epochs, g.sum}
}

// supplyHour is the supply at the last block of an hour.
type supplyHour struct {
	hour, height                   int64
	issued, burned, recycled, bank uint64
}

func (h supplyHour) row() []any {
	return []any{h.hour, h.height, put(h.issued), put(h.burned), put(h.recycled), put(h.bank)}
}

func (s *state) noteSupply() {
	at := s.block.time.Unix()
	at -= at % 3_600
	if s.supply.hour != at && s.supply.height > 0 {
		s.batch.add(tSupply, s.supply.row()...)
	}
	s.supply = supplyHour{at, s.height, s.issued, s.burned, s.recycled, s.bank}
}

// rollDay writes what stakes were worth at the end of the last block's day, where a day
// has begun since.
func (s *state) rollDay() {
	day := s.block.time.Unix() / 86_400
	if s.height == 0 || day <= s.rolled {
		return
	}
	for _, n := range s.subnets {
		for _, p := range n.pools {
			for _, at := range p.positions {
				s.rollPosition(n, p, at)
			}
		}
	}
	s.rolled = day
}

func (s *state) rollPosition(n *subnet, p *stakePool, at *position) {
	value := p.value(at)
	if value == at.day && at.in == 0 && at.out == 0 && at.paid == 0 {
		return
	}
	d := p.dayOf(at, value)
	s.batch.add(tPositionDays, int64(at.coldkey), s.rolled, int64(n.id), int64(p.hotkey), s.height,
		put(value), put(d.in), put(d.out), put(d.paid), put(d.dividends), put(n.worth(value)))
	at.day, at.in, at.out, at.paid = value, 0, 0, 0
	s.touchPosition(at)
}

// stakeDay is what became of a stake since the day's beginning.
type stakeDay struct{ in, out, paid, dividends uint64 }

// dayOf tells it so that it adds up: day + in + paid + dividends − out = value. What
// rounding took from the holder counts as gone out.
func (p *stakePool) dayOf(at *position, value uint64) stakeDay {
	return dayOf(at.day, at.in, at.out, at.paid, value)
}

func dayOf(day, in, out, paid, value uint64) stakeDay {
	d := stakeDay{in: in, out: out, paid: paid}
	if have, had := value+d.out, day+d.in+d.paid; have >= had {
		d.dividends = have - had
	} else {
		d.out += had - have
	}
	return d
}
