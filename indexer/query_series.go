package indexer

import (
	"context"
	"encoding/binary"
	"time"
)

// Transfer is TAO that went from one account to another.
type Transfer struct {
	Height    int64     `json:"height"`
	Time      time.Time `json:"time"`
	Index     int       `json:"index"` // of the transaction in its block; -1 and 1,000,000: the block's own beginning and end
	Sender    string    `json:"sender"`
	Recipient string    `json:"recipient"`
	Rao       Amount    `json:"amount_rao"`
}

// Transfers are a block's, in their order, those to and from modules included.
func (s *Store) Transfers(ctx context.Context, height int64) ([]Transfer, error) {
	return look(ctx, s, func(v *view) (out []Transfer, err error) {
		err = v.rows(`SELECT t.height, b.time, t.idx, a.address, c.address, t.rao FROM transfers t JOIN blocks b ON b.height = t.height
			JOIN accounts a ON a.id = t.sender JOIN accounts c ON c.id = t.recipient WHERE t.height = ? ORDER BY t.n`, []any{height}, func(scan func(...any) error) error {
			var t Transfer
			var nanos int64
			err := scan(&t.Height, &nanos, &t.Index, &t.Sender, &t.Recipient, (*stored)(&t.Rao))
			t.Time = moment(nanos)
			out = append(out, t)
			return err
		})
		return out, err
	})
}

// StakeDay is a stake at the end of a day in which it changed:
// what it was + In + Paid + Dividends − Out = Alpha.
type StakeDay struct {
	Day       time.Time `json:"day"` // its beginning, UTC
	SubnetID  uint64    `json:"subnet_id"`
	Hotkey    string    `json:"hotkey"`
	Alpha     Amount    `json:"alpha"`
	In        Amount    `json:"in_alpha"`   // bought, or moved here
	Out       Amount    `json:"out_alpha"`  // sold, or moved away
	Paid      Amount    `json:"paid_alpha"` // by epochs, beside dividends
	Dividends Amount    `json:"dividends_alpha"`
	Value     Amount    `json:"value_rao"` // at that day's last price
}

// Portfolio is a coldkey's stakes by the day, the latest first; a day that runs is not
// among them.
func (s *Store) Portfolio(ctx context.Context, coldkey string, p Page) (List[StakeDay], error) {
	return look(ctx, s, func(v *view) (l List[StakeDay], err error) {
		after, err := p.cursor(last, 0, 0)
		if err != nil {
			return l, err
		}
		id, err := v.account(coldkey)
		if err != nil {
			return l, err
		}
		type one struct {
			StakeDay
			day, hotkey int64
		}
		var items []one
		err = v.rows(`SELECT d.day, d.subnet, d.hotkey, h.address, d.alpha, d.alpha_in, d.alpha_out, d.paid, d.dividends, d.value FROM position_days d
			JOIN accounts h ON h.id = d.hotkey WHERE d.coldkey = ? AND (d.day, d.subnet, d.hotkey) < (?, ?, ?) ORDER BY d.day DESC, d.subnet DESC, d.hotkey DESC LIMIT ?`,
			[]any{id, after[0], after[1], after[2], p.limit() + 1}, func(scan func(...any) error) error {
				var d one
				err := scan(&d.day, &d.SubnetID, &d.hotkey, &d.Hotkey, (*stored)(&d.Alpha), (*stored)(&d.In), (*stored)(&d.Out), (*stored)(&d.Paid), (*stored)(&d.Dividends), (*stored)(&d.Value))
				d.Day = time.Unix(d.day*86_400, 0).UTC()
				items = append(items, d)
				return err
			})
		with := paged(v, items, p.limit(), func(d one) string { return cursorOf(d.day, int64(d.SubnetID), d.hotkey) })
		l = List[StakeDay]{At: with.At, Next: with.Next, Items: make([]StakeDay, len(with.Items))}
		for i, d := range with.Items {
			l.Items[i] = d.StakeDay
		}
		return l, err
	})
}

// SupplyHours are TAO in all at the end of each hour, oldest first.
func (s *Store) SupplyHours(ctx context.Context, p Span) (List[Supply], error) {
	return look(ctx, s, func(v *view) (l List[Supply], err error) {
		after, err := p.cursor(-1)
		if err != nil {
			return l, err
		}
		from, to := p.bounds(time.Second)
		type hour struct {
			Supply
			hour int64
		}
		var items []hour
		err = v.rows(`SELECT s.hour, s.height, b.time, s.issued, s.burned, s.recycled, s.supply FROM supply s JOIN blocks b ON b.height = s.height
			WHERE s.hour > ? AND s.hour >= ? AND s.hour < ? ORDER BY s.hour LIMIT ?`, []any{after[0], from, to, p.limit() + 1}, func(scan func(...any) error) error {
			var h hour
			var nanos int64
			err := scan(&h.hour, &h.Height, &nanos, (*stored)(&h.Issued), (*stored)(&h.Burned), (*stored)(&h.Recycled), (*stored)(&h.Bank))
			h.Time = moment(nanos)
			items = append(items, h)
			return err
		})
		with := paged(v, items, p.limit(), func(h hour) string { return cursorOf(h.hour) })
		l = List[Supply]{At: with.At, Next: with.Next, Items: make([]Supply, len(with.Items))}
		for i, h := range with.Items {
			l.Items[i] = h.Supply
		}
		return l, err
	})
}

// WeightRow is a validator's weights in force, of 65,535.
type WeightRow struct {
	UID       uint32   `json:"uid"`
	UIDs      []uint16 `json:"uids"`
	Values    []uint16 `json:"values"`
	SetHeight int64    `json:"set_height"` // block from which it holds
}

// Weights are a subnet's rows, by uid.
func (s *Store) Weights(ctx context.Context, subnetID uint64) ([]WeightRow, error) {
	return look(ctx, s, func(v *view) (out []WeightRow, err error) {
		err = v.rows("SELECT uid, height, entries FROM weights WHERE subnet = ? ORDER BY uid", []any{int64(subnetID)}, func(scan func(...any) error) error {
			var r WeightRow
			var entries []byte
			err := scan(&r.UID, &r.SetHeight, &entries)
			for ; len(entries) >= 4; entries = entries[4:] {
				r.UIDs = append(r.UIDs, binary.BigEndian.Uint16(entries))
				r.Values = append(r.Values, binary.BigEndian.Uint16(entries[2:]))
			}
			out = append(out, r)
			return err
		})
		return out, err
	})
}
