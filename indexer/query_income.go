package indexer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/lodenet/lode/x/alpha/pool"
)

// stint is a hotkey's time on a uid, under one coldkey: the epochs after one, until
// another.
type stint struct {
	subnet, uid  int64
	hotkey       string
	after, until uint64
}

// stints are those of registrations, in their order.
func (v *view) stints(where string, args ...any) (out []stint, err error) {
	err = v.rows(`SELECT r.subnet, r.uid, h.address, r.epoch, COALESCE((SELECT MIN(o.epoch) FROM registrations o
		WHERE o.subnet = r.subnet AND o.uid = r.uid AND (o.height, o.n) > (r.height, r.n)), s.epoch)
		FROM registrations r JOIN accounts h ON h.id = r.hotkey JOIN subnets s ON s.id = r.subnet WHERE `+where+" ORDER BY r.height, r.n", args,
		func(scan func(...any) error) error {
			var st stint
			err := scan(&st.subnet, &st.uid, &st.hotkey, &st.after, &st.until)
			out = append(out, st)
			return err
		})
	return out, err
}

// blobs reads what epochs gave to uids.
type blobs struct {
	*view
	recent map[int64]uint64        // by subnet: the first epoch that has a row; 0: none has
	rows   map[[2]int64][]byte     // by subnet and epoch
	read   map[[2]int64]bool       // by subnet and run of epochs: its rows are here
	chunks map[[3]int64][]uidEpoch // by subnet, uid and chunk
}

func (v *view) blobs() *blobs {
	return &blobs{v, map[int64]uint64{}, map[[2]int64][]byte{}, map[[2]int64]bool{}, map[[3]int64][]uidEpoch{}}
}

// first is the first epoch of a subnet that has a row: at most chunkEpochs have.
func (b *blobs) first(subnet int64) (first uint64, err error) {
	first, known := b.recent[subnet]
	if !known {
		err = b.view.row("SELECT COALESCE(MIN(number), 0) FROM epoch_blobs WHERE subnet = ?", []any{subnet}, &first)
		b.recent[subnet] = first
	}
	return first, err
}

// run is how many epochs are read at once: each is 3 kB for 256 uids, of which one is
// asked for.
const run = 32

// row is an epoch's.
func (b *blobs) row(subnet int64, number uint64) ([]byte, error) {
	at := int64(number / run)
	if key := [2]int64{subnet, at}; !b.read[key] {
		b.read[key] = true
		err := b.view.rows("SELECT number, data FROM epoch_blobs WHERE subnet = ? AND number >= ? AND number < ?", []any{subnet, at * run, (at + 1) * run}, func(scan func(...any) error) error {
			var number int64
			var data []byte
			err := scan(&number, &data)
			b.rows[[2]int64{subnet, number}] = data
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return b.rows[[2]int64{subnet, int64(number)}], nil
}

// at is what an epoch gave a uid, if that is known.
func (b *blobs) at(subnet, uid int64, number uint64) (u uidEpoch, ok bool, err error) {
	first, err := b.first(subnet)
	if err != nil {
		return u, false, err
	}
	if first > 0 && number >= first {
		rest, err := b.row(subnet, number)
		for ; err == nil && len(rest) > 0; uid-- {
			if u, rest, err = readUID(rest); err != nil || uid == 0 {
				return u, err == nil, err
			}
		}
		return uidEpoch{}, false, err
	}
	chunk, i := int64((number-1)/chunkEpochs), int((number-1)%chunkEpochs)
	key := [3]int64{subnet, uid, chunk}
	list, ok := b.chunks[key]
	if !ok {
		if list, err = b.chunk("SELECT data FROM epoch_chunks WHERE subnet = ? AND uid = ? AND chunk = ?", subnet, uid, chunk); err != nil {
			return u, false, err
		}
		b.chunks[key] = list
	}
	if i >= len(list) {
		return u, false, nil
	}
	return list[i], true, nil
}

func (b *blobs) chunk(query string, args ...any) ([]uidEpoch, error) {
	var data []byte
	if err := b.view.row(query, args, &data); err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	return decode(data)
}

// mostTold is more than one block pays an account: it has a hotkey for each of 128 subnets'
// 4,096 uids at most, which are paid in two ways.
const mostTold = 2_000_000

// Income is what an address was paid, the latest first; within a block in an order that
// stays.
func (s *Store) Income(ctx context.Context, address string, p Page) (List[Income], error) {
	return look(ctx, s, func(v *view) (l List[Income], err error) {
		after, err := p.cursor(last, 0)
		if err != nil {
			return l, err
		}
		if after[1] < 0 || after[1] > mostTold {
			return l, fmt.Errorf("%w: %.40q", ErrCursor, p.After)
		}
		id, err := v.account(address)
		if err != nil {
			return l, err
		}
		// Of the block where the page before ended, so many are known.
		in := incomes{view: v, account: id, until: after[0], most: p.limit() + int(after[1]) + 1}
		for _, part := range []func() error{in.payments, in.days, in.epochs} {
			if err := part(); err != nil {
				return l, err
			}
		}
		slices.SortStableFunc(in.items, func(a, b Income) int {
			return cmp.Or(cmp.Compare(b.Height, a.Height), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.SubnetID, b.SubnetID), cmp.Compare(a.Hotkey, b.Hotkey))
		})
		skip := 0
		for skip < len(in.items) && skip < int(after[1]) && in.items[skip].Height == after[0] {
			skip++
		}
		l = List[Income]{At: v.at, Items: in.items[skip:]}
		if len(l.Items) > p.limit() {
			l.Items = l.Items[:p.limit()]
			end := l.Items[len(l.Items)-1].Height
			told := int64(0)
			if end == after[0] {
				told = int64(skip)
			}
			for _, i := range l.Items {
				if i.Height == end {
					told++
				}
			}
			l.Next = cursorOf(end, told)
		}
		if l.Items == nil {
			l.Items = []Income{}
		}
		return l, nil
	})
}

type incomes struct {
	*view
	account int64
	until   int64 // height, inclusive
	most    int
	items   []Income
}

func (in *incomes) payments() error {
	return in.rows(`SELECT p.height, b.time, p.kind, p.subnet, s.netuid, COALESCE(h.address, ''), p.rao, p.alpha, p.epoch, p.value FROM payments p
		JOIN blocks b ON b.height = p.height JOIN subnets s ON s.id = p.subnet LEFT JOIN accounts h ON h.id = p.hotkey
		WHERE p.account = ? AND p.height <= ? ORDER BY p.height DESC, p.n DESC LIMIT ?`, []any{in.account, in.until, in.most}, func(scan func(...any) error) error {
		var i Income
		var nanos, epoch int64
		var value uint64
		if err := scan(&i.Height, &nanos, &i.Kind, &i.SubnetID, &i.Netuid, &i.Hotkey, (*stored)(&i.TAO), (*stored)(&i.Alpha), &epoch, (*stored)(&value)); err != nil {
			return err
		}
		i.Time = moment(nanos)
		if epoch >= 0 {
			number := uint64(epoch)
			i.Epoch = &number
		}
		all := i.TAO + Amount(value)
		i.Value = &all
		in.items = append(in.items, i)
		return nil
	})
}

// days are what stakes grew by, a day at a time.
func (in *incomes) days() error {
	return in.rows(`SELECT d.height, b.time, d.subnet, s.netuid, h.address, d.dividends, d.alpha, d.value FROM position_days d
		JOIN blocks b ON b.height = d.height JOIN subnets s ON s.id = d.subnet JOIN accounts h ON h.id = d.hotkey
		WHERE d.coldkey = ? AND d.height <= ? AND d.dividends > ? ORDER BY d.day DESC, d.subnet, d.hotkey LIMIT ?`, []any{in.account, in.until, put(0), in.most}, func(scan func(...any) error) error {
		i := Income{Kind: "dividends"}
		var nanos int64
		var alpha, value uint64
		if err := scan(&i.Height, &nanos, &i.SubnetID, &i.Netuid, &i.Hotkey, (*stored)(&i.Alpha), (*stored)(&alpha), (*stored)(&value)); err != nil {
			return err
		}
		i.Time = moment(nanos)
		if alpha > 0 {
			v := Amount(mulDiv(uint64(i.Alpha), value, alpha))
			i.Value = &v
		}
		in.items = append(in.items, i)
		return nil
	})
}

// epochs are what epochs paid to neurons that were the account's then, or to the account
// as a hotkey.
func (in *incomes) epochs() error {
	stints, err := in.stints("(r.coldkey = ? OR r.hotkey = ?)", in.account, in.account)
	if err != nil {
		return err
	}
	walks := make([]*walk, 0, len(stints))
	for _, st := range stints {
		walks = append(walks, &walk{stint: st, top: st.until, down: math.MaxInt64})
	}
	blobs, most := in.blobs(), max(in.most/max(len(walks), 1), 64)
	// What is above the place that the slowest has come to is all known.
	for len(walks) > 0 {
		at := 0
		for i, w := range walks {
			if w.down > walks[at].down {
				at = i
			}
		}
		if in.above(walks[at].down) >= in.most {
			return nil
		}
		more, err := in.step(blobs, walks[at], most)
		if err != nil {
			return err
		}
		if !more {
			walks = slices.Delete(walks, at, at+1)
		}
	}
	return nil
}

// walk goes back over a stint's epochs.
type walk struct {
	stint
	top  uint64 // the next epoch
	down int64  // height of the last one
}

// above is how many items are of a height on.
func (in *incomes) above(height int64) (n int) {
	for i := range in.items {
		if in.items[i].Height >= height {
			n++
		}
	}
	return n
}

// paidEpoch is an epoch of a subnet.
type paidEpoch struct {
	number uint64
	height int64
	time   time.Time
	price  float64
	netuid uint32
}

// step reads the next epochs of a stint, and says whether there were any.
func (in *incomes) step(blobs *blobs, w *walk, most int) (bool, error) {
	epochs, err := in.epochsOf(w.stint, w.top, most)
	if err != nil || len(epochs) == 0 {
		return false, err
	}
	for _, e := range epochs {
		u, ok, err := blobs.at(w.subnet, w.uid, e.number)
		if err != nil {
			return false, err
		}
		if !ok || u.later {
			continue
		}
		in.paid(w.stint, e, "incentive", u.incentive)
		in.paid(w.stint, e, "revenue", u.revenue)
	}
	last := epochs[len(epochs)-1]
	w.top, w.down = last.number-1, last.height
	return w.top > w.after, nil
}

// epochsOf are some of a stint's, the latest first.
func (in *incomes) epochsOf(st stint, top uint64, most int) (out []paidEpoch, err error) {
	err = in.rows(`SELECT e.number, e.height, e.time, e.price, s.netuid FROM epochs e JOIN subnets s ON s.id = e.subnet
		WHERE e.subnet = ? AND e.number > ? AND e.number <= ? AND e.height <= ? ORDER BY e.number DESC LIMIT ?`,
		[]any{st.subnet, int64(st.after), int64(top), in.until, most}, func(scan func(...any) error) error {
			var e paidEpoch
			var nanos int64
			err := scan(&e.number, &e.height, &nanos, &e.price, &e.netuid)
			e.time = moment(nanos)
			out = append(out, e)
			return err
		})
	return out, err
}

// paid adds what an epoch paid, if that is something.
func (in *incomes) paid(st stint, e paidEpoch, kind string, alpha uint64) {
	if alpha == 0 {
		return
	}
	value := Amount(float64(alpha) * e.price)
	in.items = append(in.items, Income{
		Height: e.height, Time: e.time, Netuid: e.netuid, SubnetID: uint64(st.subnet), Epoch: &e.number, Hotkey: st.hotkey, Kind: kind, Alpha: Amount(alpha), Value: &value,
	})
}

// Stakes are a coldkey's, also in subnets that are gone, by subnet and hotkey.
func (s *Store) Stakes(ctx context.Context, coldkey string) ([]Stake, error) {
	return look(ctx, s, func(v *view) (out []Stake, err error) {
		id, err := v.account(coldkey)
		if err != nil {
			return nil, err
		}
		err = v.rows(`SELECT p.subnet, n.netuid, h.address, p.shares, p.locked, s.alpha, s.shares, n.tao, n.reserve FROM positions p
			JOIN stake_pools s ON s.subnet = p.subnet AND s.hotkey = p.hotkey JOIN subnets n ON n.id = p.subnet JOIN accounts h ON h.id = p.hotkey
			WHERE p.coldkey = ? AND p.shares <> '0' ORDER BY p.subnet, p.hotkey`, []any{id}, func(scan func(...any) error) error {
			st := Stake{Coldkey: coldkey}
			var all string
			var alpha, tao, reserve uint64
			if err := scan(&st.SubnetID, &st.Netuid, &st.Hotkey, &st.Shares, (*stored)(&st.Locked), (*stored)(&alpha), &all, (*stored)(&tao), (*stored)(&reserve)); err != nil {
				return err
			}
			shares, held := new(big.Int), new(big.Int)
			if err := setShares(shares, all); err != nil {
				return err
			}
			if err := setShares(held, st.Shares); err != nil {
				return err
			}
			st.Alpha = Amount(pool.SharePool{Alpha: alpha, Shares: shares}.Value(held))
			st.Value = Amount((&subnet{tao: tao, reserve: reserve}).worth(uint64(st.Alpha)))
			out = append(out, st)
			return nil
		})
		return out, err
	})
}

// yieldDays are the windows of yields.
var yieldDays = [...]int{1, 7, 30}

const year = 365.25 * 86_400 // seconds

// Yields are those of a coldkey's stakes. A window begins with the bucket of 6 hours in
// which its first moment is.
func (s *Store) Yields(ctx context.Context, coldkey string) ([]StakeYields, At, error) {
	var at At
	out, err := look(ctx, s, func(v *view) (out []StakeYields, err error) {
		at = v.at
		id, err := v.account(coldkey)
		if err != nil {
			return nil, err
		}
		var keys [][2]int64
		err = v.rows("SELECT p.subnet, h.address, p.hotkey FROM positions p JOIN accounts h ON h.id = p.hotkey WHERE p.coldkey = ? AND p.shares <> '0' ORDER BY p.subnet, p.hotkey", []any{id},
			func(scan func(...any) error) error {
				var st StakeYields
				var hotkey int64
				err := scan(&st.SubnetID, &st.Hotkey, &hotkey)
				out, keys = append(out, st), append(keys, [2]int64{int64(st.SubnetID), hotkey})
				return err
			})
		if err != nil {
			return nil, err
		}
		for i, k := range keys {
			if out[i].Yields, err = v.yieldsOf(k[0], k[1]); err != nil {
				return nil, err
			}
		}
		return out, nil
	})
	return out, at, err
}

func (v *view) yieldsOf(subnet, hotkey int64) ([]Yield, error) {
	now := v.at.Time.Unix()
	out := make([]Yield, len(yieldDays))
	var price float64
	var tao, reserve uint64
	if err := v.row("SELECT tao, reserve FROM subnets WHERE id = ?", []any{subnet}, (*stored)(&tao), (*stored)(&reserve)); err != nil {
		return nil, err
	}
	price = priceOf(tao, reserve)
	// A hotkey earns nothing before it is there: those epochs are no samples.
	var before int64
	if err := v.row("SELECT COALESCE(MIN(epoch), 0) FROM registrations WHERE hotkey = ? AND subnet + 0 = ?", []any{hotkey, subnet}, &before); err != nil { // by the hotkey's index
		return nil, err
	}
	for i, days := range yieldDays {
		y := &out[i]
		y.Days = days
		var bucket *int64
		var sum float64
		from := (now - int64(days)*86_400) / growthSpan
		err := v.row("SELECT MIN(bucket), COALESCE(SUM(growth), 0) FROM yields WHERE subnet = ? AND hotkey = ? AND bucket >= ?", []any{subnet, hotkey, from}, &bucket, &sum)
		if err != nil {
			return nil, err
		}
		if bucket == nil {
			continue
		}
		start := *bucket * growthSpan
		var first, latest int64
		err = v.row("SELECT COUNT(*), COALESCE(MIN(time), 0), COALESCE(MAX(time), 0) FROM epochs WHERE subnet = ? AND time >= ? AND number > ?", []any{subnet, start * 1e9, before}, &y.Samples, &first, &latest)
		if err != nil {
			return nil, err
		}
		if y.Samples == 0 {
			continue
		}
		mean := sum / float64(y.Samples)
		y.Epoch = &mean
		if y.Samples > 1 && latest > first {
			perYear := float64(y.Samples-1) / (float64(latest-first) / 1e9) * year
			apr, apy := mean*perYear, math.Expm1(perYear*math.Log1p(mean))
			if !math.IsInf(apy, 0) && !math.IsNaN(apy) {
				y.APR, y.APY = &apr, &apy
			}
		}
		var old float64
		err = v.row("SELECT price FROM epochs WHERE subnet = ? AND number = ? AND time >= ?", []any{subnet, before, start * 1e9}, &old)
		if errors.Is(err, ErrNotFound) { // it was there before
			err = v.row("SELECT open FROM candles WHERE subnet = ? AND span = 3600 AND start >= ? ORDER BY start LIMIT 1", []any{subnet, start}, &old)
		}
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return nil, err
		case old > 0:
			if r := math.Exp(float64(y.Samples)*math.Log1p(mean))*price/old - 1; !math.IsInf(r, 0) && !math.IsNaN(r) {
				y.TAOReturn = &r
			}
		}
	}
	return out, nil
}
