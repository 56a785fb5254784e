package indexer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const subnetNameQuery = "SELECT id, netuid, name, created_height, removed_height FROM subnets "

func scanSubnetName(scan func(...any) error) (SubnetName, error) {
	var n SubnetName
	err := scan(&n.SubnetID, &n.Netuid, &n.Name, &n.CreatedHeight, &n.RemovedHeight)
	return n, err
}

// Subnets are all that there ever were, by id.
func (s *Store) Subnets(ctx context.Context) ([]SubnetName, error) {
	return look(ctx, s, func(v *view) (out []SubnetName, err error) {
		err = v.rows(subnetNameQuery+"ORDER BY id", nil, func(scan func(...any) error) error {
			n, err := scanSubnetName(scan)
			out = append(out, n)
			return err
		})
		return out, err
	})
}

// SubnetName is one by its permanent id.
func (s *Store) SubnetName(ctx context.Context, id uint64) (SubnetName, error) {
	return look(ctx, s, func(v *view) (n SubnetName, err error) {
		if id > uint64(last) {
			return n, fmt.Errorf("subnet id %d: %w", id, ErrNotFound)
		}
		err = v.row(subnetNameQuery+"WHERE id = ?", []any{int64(id)}, &n.SubnetID, &n.Netuid, &n.Name, &n.CreatedHeight, &n.RemovedHeight)
		if err != nil {
			return n, fmt.Errorf("subnet id %d: %w", id, err)
		}
		return n, nil
	})
}

// Figures are of live subnets, by netuid.
func (s *Store) Figures(ctx context.Context) ([]Figures, error) {
	return look(ctx, s, func(v *view) (out []Figures, err error) {
		closeAt := "(SELECT close FROM candles c WHERE c.subnet = s.id AND c.span = 300 AND c.start <= ? ORDER BY c.start DESC LIMIT 1)"
		now := v.at.Time.Unix()
		at := map[int64]int{}
		// The close of the interval before the one that holds the moment: at most 5 minutes
		// older than it.
		before := func(d time.Duration) int64 { return now - int64(d/time.Second) - 300 }
		err = v.rows("SELECT s.id, s.netuid, s.tao, s.reserve, "+closeAt+", "+closeAt+", "+closeAt+" FROM subnets s WHERE s.removed_height = 0 ORDER BY s.netuid",
			[]any{before(time.Hour), before(24 * time.Hour), before(7 * 24 * time.Hour)}, func(scan func(...any) error) error {
				var f Figures
				var tao, reserve uint64
				var old [3]*float64
				if err := scan(&f.SubnetID, &f.Netuid, (*stored)(&tao), (*stored)(&reserve), &old[0], &old[1], &old[2]); err != nil {
					return err
				}
				n := subnet{tao: tao, reserve: reserve}
				for i, to := range []**float64{&f.Change1h, &f.Change24h, &f.Change7d} {
					if old[i] != nil && *old[i] > 0 {
						change := n.price() / *old[i] - 1
						*to = &change
					}
				}
				at[int64(f.SubnetID)] = len(out)
				out = append(out, f)
				return nil
			})
		if err != nil {
			return nil, err
		}
		// Whole hours, and of the one in which they began intervals of 5 minutes.
		day := now - 24*3_600
		day -= day % 300
		hour := day + (3_600-day%3_600)%3_600
		sums := "SELECT c.subnet, c.volume, c.revenue FROM subnets s JOIN candles c ON c.subnet = s.id AND "
		err = v.rows("SELECT c.subnet, "+sumOf("c.volume")+", "+sumOf("c.revenue")+" FROM ("+sums+"c.span = 3600 AND c.start >= ? UNION ALL "+
			sums+"c.span = 300 AND c.start >= ? AND c.start < ?) c GROUP BY c.subnet", []any{hour, day, hour},
			func(scan func(...any) error) error {
				var id int64
				var a, b [3]int64
				if err := scan(&id, &a[0], &a[1], &a[2], &b[0], &b[1], &b[2]); err != nil {
					return err
				}
				if i, ok := at[id]; ok {
					out[i].Volume24h, out[i].Revenue24h = totalAmount(a[0], a[1], a[2]), totalAmount(b[0], b[1], b[2])
				}
				return nil
			})
		return out, err
	})
}

// bounds are a span's, in a column's unit.
func (p Span) bounds(unit time.Duration) (from, to int64) {
	from, to = 0, last
	if !p.From.IsZero() {
		from = unitsOf(p.From, unit)
	}
	if !p.To.IsZero() {
		to = unitsOf(p.To, unit)
	}
	return from, to
}

// unitsOf is a time since 1970, at most as much as a column may have.
func unitsOf(t time.Time, unit time.Duration) int64 {
	if t.Unix() >= last/int64(time.Second) {
		return last // nanoseconds of later times do not fit
	}
	return t.UnixNano() / int64(unit)
}

// Candles are a pool's, oldest first, with those of intervals in which nothing moved.
func (s *Store) Candles(ctx context.Context, subnetID uint64, length time.Duration, p Span) (List[Candle], error) {
	span := int64(length / time.Second)
	if !slices.Contains(spans[:], span) {
		return List[Candle]{}, fmt.Errorf("candles of %s: there are those of 5 minutes, an hour and a day", length)
	}
	return look(ctx, s, func(v *view) (l List[Candle], err error) {
		after, err := p.cursor(-1)
		if err != nil {
			return l, err
		}
		var first int64
		err = v.row("SELECT start FROM candles WHERE subnet = ? AND span = ? ORDER BY start LIMIT 1", []any{int64(subnetID), span}, &first)
		if errors.Is(err, ErrNotFound) {
			return paged(v, []Candle(nil), p.limit(), nil), nil
		}
		if err != nil {
			return l, err
		}
		from, to := p.bounds(time.Second)
		end := v.at.Time.Unix()
		var removed int64
		if err := v.row("SELECT COALESCE((SELECT b.time FROM blocks b WHERE b.height = s.removed_height), 0) FROM subnets s WHERE s.id = ?", []any{int64(subnetID)}, &removed); err != nil {
			return l, err
		}
		if removed > 0 {
			end = min(end, removed/1e9)
		}
		end = min(end-end%span+span, to) // exclusive
		from = max(first, from+(span-from%span)%span)
		if after[0] >= 0 {
			from = max(from, after[0]-after[0]%span+span)
		} else if p.From.IsZero() {
			from = max(from, (end-1)-(end-1)%span-int64(p.limit()-1)*span)
		}
		items, err := v.candles(int64(subnetID), span, from, end, p.limit()+1)
		return paged(v, items, p.limit(), func(c Candle) string { return cursorOf(c.Time.Unix()) }), err
	})
}

// candles fills the gaps.
func (v *view) candles(subnet, span, from, end int64, most int) (out []Candle, err error) {
	var before float64
	err = v.row("SELECT close FROM candles WHERE subnet = ? AND span = ? AND start < ? ORDER BY start DESC LIMIT 1", []any{subnet, span, from}, &before)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	at := from
	fill := func(until int64) {
		for ; at < until && len(out) < most; at += span {
			out = append(out, Candle{Time: time.Unix(at, 0).UTC(), Open: Price(before), High: Price(before), Low: Price(before), Close: Price(before)})
		}
	}
	err = v.rows("SELECT start, open, high, low, close, volume, trades FROM candles WHERE subnet = ? AND span = ? AND start >= ? AND start < ? ORDER BY start LIMIT ?",
		[]any{subnet, span, from, end, most}, func(scan func(...any) error) error {
			var c Candle
			var start int64
			if err := scan(&start, (*float64)(&c.Open), (*float64)(&c.High), (*float64)(&c.Low), (*float64)(&c.Close), (*stored)(&c.Volume), &c.Trades); err != nil {
				return err
			}
			fill(start)
			if len(out) < most {
				c.Time = time.Unix(start, 0).UTC()
				out = append(out, c)
			}
			before, at = float64(c.Close), start+span
			return nil
		})
	if err == nil {
		fill(end)
	}
	return out, err
}

// Epochs are what a subnet's epochs paid, oldest first.
func (s *Store) Epochs(ctx context.Context, subnetID uint64, p Span) (List[Epoch], error) {
	return look(ctx, s, func(v *view) (l List[Epoch], err error) {
		after, err := p.cursor(-1)
		if err != nil {
			return l, err
		}
		from, to := p.bounds(time.Nanosecond)
		limit := p.limit()
		tail := after[0] < 0 && p.From.IsZero()
		order := "ASC"
		if tail {
			order = "DESC"
		} else {
			limit++
		}
		var items []Epoch
		err = v.rows(`SELECT number, height, time, pending, paid, owner, revenue, burned, recycled, carried, root_paid FROM epochs
			WHERE subnet = ? AND number > ? AND time >= ? AND time < ? ORDER BY number `+order+` LIMIT ?`, []any{int64(subnetID), after[0], from, to, limit},
			func(scan func(...any) error) error {
				var e Epoch
				var nanos int64
				err := scan(&e.Epoch, &e.Height, &nanos, (*stored)(&e.Pending), (*stored)(&e.Paid), (*stored)(&e.Owner), (*stored)(&e.Revenue),
					(*stored)(&e.Burned), (*stored)(&e.Recycled), (*stored)(&e.Carried), (*stored)(&e.RootPaid))
				e.Time = moment(nanos)
				items = append(items, e)
				return err
			})
		if tail {
			slices.Reverse(items)
		}
		return paged(v, items, p.limit(), func(e Epoch) string { return cursorOf(int64(e.Epoch)) }), err
	})
}

// Neuron is what epochs gave a uid, the latest first.
func (s *Store) Neuron(ctx context.Context, subnetID uint64, uid uint32, p Page) (List[NeuronEpoch], error) {
	return look(ctx, s, func(v *view) (l List[NeuronEpoch], err error) {
		after, err := p.cursor(last)
		if err != nil {
			return l, err
		}
		stints, err := v.stints("r.subnet = ? AND r.uid = ?", int64(subnetID), int64(uid))
		if err != nil {
			return l, err
		}
		var items []NeuronEpoch
		blobs := v.blobs()
		for _, st := range slices.Backward(stints) {
			for number := min(st.until, uint64(max(after[0]-1, 0))); number > st.after && len(items) <= p.limit(); number-- {
				u, ok, err := blobs.at(st.subnet, st.uid, number)
				if err != nil {
					return l, err
				}
				if ok && u.later { // of the item before
					if at := len(items) - 1; at >= 0 {
						items[at].Epochs++
					}
					continue
				}
				if !ok {
					continue
				}
				items = append(items, NeuronEpoch{
					Epoch: number, Epochs: 1, Hotkey: st.hotkey, Incentive: Amount(u.incentive), Revenue: Amount(u.revenue), Dividends: Amount(u.dividends), Root: Amount(u.root),
					Consensus: uint32(u.consensus), Trust: uint32(u.trust),
				})
			}
		}
		return paged(v, items, p.limit(), func(e NeuronEpoch) string { return cursorOf(int64(e.Epoch)) }), nil
	})
}

// Hyperparameters are the values that one had, the latest first; of all where no name is
// given.
func (s *Store) Hyperparameters(ctx context.Context, subnetID uint64, name string, p Page) (List[HyperparameterChange], error) {
	return look(ctx, s, func(v *view) (l List[HyperparameterChange], err error) {
		after, err := p.cursor(last, 0)
		if err != nil {
			return l, err
		}
		type change struct {
			HyperparameterChange
			n int64
		}
		var items []change
		query, args := "SELECT name, height, n, value FROM hyperparameters WHERE subnet = ? AND (height, n) < (?, ?)", []any{int64(subnetID), after[0], after[1]}
		if name != "" {
			query, args = query+" AND name = ?", append(args, name)
		}
		err = v.rows(query+" ORDER BY height DESC, n DESC LIMIT ?", append(args, p.limit()+1), func(scan func(...any) error) error {
			var c change
			err := scan(&c.Name, &c.Height, &c.n, (*stored)(&c.Value))
			items = append(items, c)
			return err
		})
		with := paged(v, items, p.limit(), func(c change) string { return cursorOf(c.Height, c.n) })
		l = List[HyperparameterChange]{At: with.At, Next: with.Next, Items: make([]HyperparameterChange, len(with.Items))}
		for i, c := range with.Items {
			l.Items[i] = c.HyperparameterChange
		}
		return l, err
	})
}

// Registrations are a subnet's, the latest first.
func (s *Store) Registrations(ctx context.Context, subnetID uint64, p Page) (List[Registration], error) {
	return look(ctx, s, func(v *view) (List[Registration], error) {
		return v.registrations("r.subnet = ?", []any{int64(subnetID)}, p)
	})
}

// AccountRegistrations are those of an address and of its hotkeys, the latest first.
func (s *Store) AccountRegistrations(ctx context.Context, address string, p Page) (List[Registration], error) {
	return look(ctx, s, func(v *view) (l List[Registration], err error) {
		id, err := v.account(address)
		if err != nil {
			return l, err
		}
		return v.registrations("(r.hotkey = ? OR r.coldkey = ?)", []any{id, id}, p)
	})
}

func (v *view) registrations(where string, args []any, p Page) (l List[Registration], err error) {
	after, err := p.cursor(last, 0)
	if err != nil {
		return l, err
	}
	type one struct {
		Registration
		n int64
	}
	var items []one
	err = v.rows(`SELECT r.height, r.n, COALESCE(b.time, (SELECT time FROM blocks ORDER BY height LIMIT 1)), s.netuid, r.subnet, r.uid, h.address, COALESCE(c.address, ''), r.burn, o.address FROM registrations r
		JOIN subnets s ON s.id = r.subnet JOIN accounts h ON h.id = r.hotkey LEFT JOIN accounts c ON c.id = r.coldkey LEFT JOIN accounts o ON o.id = r.replaced
		LEFT JOIN blocks b ON b.height = r.height WHERE `+where+" AND (r.height, r.n) < (?, ?) ORDER BY r.height DESC, r.n DESC LIMIT ?",
		append(args, after[0], after[1], p.limit()+1), func(scan func(...any) error) error {
			var r one
			var nanos int64
			err := scan(&r.Height, &r.n, &nanos, &r.Netuid, &r.SubnetID, &r.UID, &r.Hotkey, &r.Coldkey, (*stored)(&r.Burn), &r.Replaced)
			r.Time = moment(nanos)
			items = append(items, r)
			return err
		})
	with := paged(v, items, p.limit(), func(r one) string { return cursorOf(r.Height, r.n) })
	l = List[Registration]{At: with.At, Next: with.Next, Items: make([]Registration, len(with.Items))}
	for i, r := range with.Items {
		l.Items[i] = r.Registration
	}
	return l, err
}

// Trades are a subnet's, of transactions alone, the latest first.
func (s *Store) Trades(ctx context.Context, subnetID uint64, p Page) (List[Trade], error) {
	return look(ctx, s, func(v *view) (List[Trade], error) { return v.trades("t.subnet = ?", int64(subnetID), p) })
}

// AccountTrades are an address's, the latest first.
func (s *Store) AccountTrades(ctx context.Context, address string, p Page) (List[Trade], error) {
	return look(ctx, s, func(v *view) (l List[Trade], err error) {
		id, err := v.account(address)
		if err != nil {
			return l, err
		}
		return v.trades("t.account = ?", id, p)
	})
}

func (v *view) trades(where string, arg int64, p Page) (l List[Trade], err error) {
	after, err := p.cursor(last, 0)
	if err != nil {
		return l, err
	}
	type one struct {
		Trade
		n int64
	}
	var items []one
	err = v.rows(`SELECT t.height, t.n, b.time, t.idx, t.subnet, COALESCE(a.address, ''), COALESCE(h.address, ''), t.purchase, t.kind, t.tao, t.alpha, t.fee FROM trades t
		JOIN blocks b ON b.height = t.height LEFT JOIN accounts a ON a.id = t.account LEFT JOIN accounts h ON h.id = t.hotkey
		WHERE `+where+" AND (t.height, t.n) < (?, ?) ORDER BY t.height DESC, t.n DESC LIMIT ?", []any{arg, after[0], after[1], p.limit() + 1},
		func(scan func(...any) error) error {
			var t one
			var nanos int64
			err := scan(&t.Height, &t.n, &nanos, &t.Index, &t.SubnetID, &t.Account, &t.Hotkey, &t.Purchase, &t.Kind, (*stored)(&t.TAO), (*stored)(&t.Alpha), (*stored)(&t.Fee))
			t.Time = moment(nanos)
			if t.Alpha > 0 {
				t.Price = Price(float64(t.TAO) / float64(t.Alpha))
			}
			items = append(items, t)
			return err
		})
	with := paged(v, items, p.limit(), func(t one) string { return cursorOf(t.Height, t.n) })
	l = List[Trade]{At: with.At, Next: with.Next, Items: make([]Trade, len(with.Items))}
	for i, t := range with.Items {
		l.Items[i] = t.Trade
	}
	return l, err
}
