package indexer

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"time"

	"github.com/lodenet/lode/x/alpha/pool"
)

// historyColumns are Koinly's.
var historyColumns = []string{
	"Date", "Sent Amount", "Sent Currency", "Received Amount", "Received Currency", "Fee Amount", "Fee Currency",
	"Net Worth Amount", "Net Worth Currency", "Label", "Description", "TxHash",
}

const tao = "TAO"

// alphaOf is a subnet's alpha as a currency: by the permanent id, since netuids are used
// again.
func alphaOf(subnet int64) string { return "ALPHA" + strconv.FormatInt(subnet, 10) }

// decimal is an amount with all its decimals, as trades' programs read them.
func decimal(units uint64) string { return fmt.Sprintf("%d.%09d", units/1e9, units%1e9) }

// History writes all that changed what an address holds, oldest first, as CSV with
// Koinly's columns: its TAO, a row a transaction at least, and its stakes' alpha. What
// epochs paid and what dividends made of a stake is a row a day, and so is alpha that
// came or went without a trade. Of each currency what was received less what was sent
// and paid in fees is what there is. Nothing of the database is held while w is slow.
func (s *Store) History(ctx context.Context, address string, w io.Writer) error {
	h := historian{store: s, csv: csv.NewWriter(w)}
	if err := h.csv.Write(historyColumns); err != nil {
		return err
	}
	days, err := look(ctx, s, func(v *view) (days []stakeDayRow, err error) {
		if h.account, err = v.account(address); err != nil || h.account == 0 {
			return nil, err
		}
		h.view = v
		h.end = v.at.Height
		return h.days()
	})
	if err == nil && h.account != 0 {
		err = h.write(ctx, days)
	}
	if err != nil && !errors.Is(err, ErrEmpty) {
		return err
	}
	h.csv.Flush()
	return h.csv.Error()
}

type historian struct {
	*view   // of the part that is read
	store   *Store
	csv     *csv.Writer
	account int64
	end     int64 // height; what comes later is not told
}

// line is a row of the table.
type line struct {
	time                 time.Time
	sent, received, fee  uint64
	sentOf, receivedOf   string
	worth                uint64
	label, about, txHash string
}

func (h *historian) line(l line) error {
	amount := func(units uint64, of string) (string, string) {
		if units == 0 {
			return "", ""
		}
		return decimal(units), of
	}
	row := []string{l.time.UTC().Format(time.DateTime)}
	for _, a := range []struct {
		units uint64
		of    string
	}{{l.sent, l.sentOf}, {l.received, l.receivedOf}, {l.fee, tao}, {l.worth, tao}} {
		n, of := amount(a.units, a.of)
		row = append(row, n, of)
	}
	return h.csv.Write(append(row, l.label, l.about, l.txHash))
}

// scope is what a transaction, or a part of a block, did.
type scope struct {
	height, idx int64
	time        time.Time
	hash        string
	received    uint64
	spent, fee  uint64
	label       string
	other       string
	trades      []scopeTrade
}

type scopeTrade struct {
	subnet     int64
	purchase   bool
	kind       string
	tao, alpha uint64
	hotkey     string
}

func (h *historian) write(ctx context.Context, days []stakeDayRow) error {
	const part = 500 // scopes that are in memory at once
	at := [2]int64{-1, -2}
	for {
		scopes, err := look(ctx, h.store, func(v *view) ([]scope, error) {
			h.view = v
			return h.scopes(at, part)
		})
		if err != nil {
			return err
		}
		for _, sc := range scopes {
			for len(days) > 0 && days[0].height < sc.height {
				if err := h.day(days[0]); err != nil {
					return err
				}
				days = days[1:]
			}
			if err := h.scope(sc); err != nil {
				return err
			}
			at = [2]int64{sc.height, sc.idx}
		}
		if len(scopes) < part {
			break
		}
	}
	for _, d := range days {
		if err := h.day(d); err != nil {
			return err
		}
	}
	return nil
}

// scopes are the next ones, with their trades.
func (h *historian) scopes(after [2]int64, most int) (out []scope, err error) {
	err = h.rows(`SELECT l.height, l.idx, COALESCE(b.time, (SELECT time FROM blocks ORDER BY height LIMIT 1)), l.received, l.spent, l.fee, l.label, COALESCE(o.address, ''), t.hash FROM ledger l
		LEFT JOIN blocks b ON b.height = l.height LEFT JOIN accounts o ON o.id = l.other LEFT JOIN txs t ON t.height = l.height AND t.idx = l.idx
		WHERE l.account = ? AND (l.height, l.idx) > (?, ?) AND l.height <= ? ORDER BY l.height, l.idx LIMIT ?`, []any{h.account, after[0], after[1], h.end, most},
		func(scan func(...any) error) error {
			var sc scope
			var nanos int64
			var hash []byte
			err := scan(&sc.height, &sc.idx, &nanos, (*stored)(&sc.received), (*stored)(&sc.spent), (*stored)(&sc.fee), &sc.label, &sc.other, &hash)
			sc.time = moment(nanos)
			if hash != nil {
				sc.hash = fmt.Sprintf("%X", hash)
			}
			out = append(out, sc)
			return err
		})
	if err != nil || len(out) == 0 {
		return out, err
	}
	at := map[[2]int64]int{}
	for i, sc := range out {
		at[[2]int64{sc.height, sc.idx}] = i
	}
	err = h.rows(`SELECT t.height, t.idx, t.subnet, t.purchase, t.kind, t.tao, t.alpha, COALESCE(k.address, '') FROM trades t LEFT JOIN accounts k ON k.id = t.hotkey
		WHERE t.account = ? AND t.height >= ? AND t.height <= ? ORDER BY t.height, t.n`, []any{h.account, out[0].height, out[len(out)-1].height},
		func(scan func(...any) error) error {
			var height, idx int64
			var t scopeTrade
			err := scan(&height, &idx, &t.subnet, &t.purchase, &t.kind, (*stored)(&t.tao), (*stored)(&t.alpha), &t.hotkey)
			if i, ok := at[[2]int64{height, idx}]; ok {
				out[i].trades = append(out[i].trades, t)
			}
			return err
		})
	return out, err
}

// scope writes a row a trade, and one of what is left.
func (h *historian) scope(sc scope) error {
	in, out := sc.received, sc.spent-sc.fee
	fee := sc.fee
	write := func(l line) error {
		l.time, l.txHash, l.fee = sc.time, sc.hash, fee
		fee = 0
		return h.line(l)
	}
	for i := 0; i < len(sc.trades); i++ {
		t := sc.trades[i]
		l := line{worth: t.tao, about: t.kind}
		if t.hotkey != "" {
			l.about += " on " + t.hotkey
		}
		switch {
		case t.kind == "registration": // the alpha that it buys is burned
			l.sent, l.sentOf, l.label = t.tao, tao, "cost"
			out -= min(out, t.tao)
		case t.kind == "swap" && !t.purchase && i+1 < len(sc.trades) && sc.trades[i+1].kind == "swap":
			to := sc.trades[i+1]
			l.sent, l.sentOf, l.received, l.receivedOf = t.alpha, alphaOf(t.subnet), to.alpha, alphaOf(to.subnet)
			i++
		case t.purchase:
			l.sent, l.sentOf, l.received, l.receivedOf = t.tao, tao, t.alpha, alphaOf(t.subnet)
			out -= min(out, t.tao)
		default:
			l.sent, l.sentOf, l.received, l.receivedOf = t.alpha, alphaOf(t.subnet), t.tao, tao
			in -= min(in, t.tao)
		}
		if err := write(l); err != nil {
			return err
		}
	}
	l := line{about: sc.label}
	if sc.other != "" {
		l.about += " with " + sc.other
	}
	switch {
	case in > out:
		l.received, l.receivedOf, l.worth = in-out, tao, in-out
		switch sc.label {
		case "sale", "owner":
			l.label = "income"
		case "WithdrawDelegatorReward":
			l.label = "reward"
		}
	case out > in:
		l.sent, l.sentOf, l.worth = out-in, tao, out-in
	case fee == 0:
		return nil
	default:
		l.label = "cost"
	}
	return write(l)
}

// stakeDayRow is a day of all stakes in a subnet.
type stakeDayRow struct {
	height int64
	time   time.Time
	subnet int64
	d      stakeDay
	value  uint64 // of alpha, in rao
	alpha  uint64
	bought uint64 // by trades
	sold   uint64
}

// days are those of the account's stakes, oldest first, with the one that runs.
func (h *historian) days() (out []stakeDayRow, err error) {
	at := map[[2]int64]int{}
	add := func(day int64, r stakeDayRow) {
		key := [2]int64{day, r.subnet}
		i, ok := at[key]
		if !ok {
			at[key] = len(out)
			out = append(out, r)
			return
		}
		o := &out[i]
		o.d.in, o.d.out, o.d.paid, o.d.dividends = o.d.in+r.d.in, o.d.out+r.d.out, o.d.paid+r.d.paid, o.d.dividends+r.d.dividends
		o.value, o.alpha = o.value+r.value, o.alpha+r.alpha
	}
	err = h.rows(`SELECT d.day, d.height, b.time, d.subnet, d.alpha, d.alpha_in, d.alpha_out, d.paid, d.dividends, d.value FROM position_days d
		JOIN blocks b ON b.height = d.height WHERE d.coldkey = ? ORDER BY d.day, d.subnet, d.hotkey`, []any{h.account}, func(scan func(...any) error) error {
		var r stakeDayRow
		var day, nanos int64
		err := scan(&day, &r.height, &nanos, &r.subnet, (*stored)(&r.alpha), (*stored)(&r.d.in), (*stored)(&r.d.out), (*stored)(&r.d.paid), (*stored)(&r.d.dividends), (*stored)(&r.value))
		r.time = moment(nanos)
		add(day, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := h.today(add); err != nil {
		return nil, err
	}
	// What trades bought and sold has rows of its own.
	err = h.rows("SELECT t.subnet, t.purchase, t.alpha, b.time FROM trades t JOIN blocks b ON b.height = t.height WHERE t.account = ? AND t.kind <> 'registration'",
		[]any{h.account}, func(scan func(...any) error) error {
			var subnet, nanos int64
			var purchase bool
			var alpha uint64
			if err := scan(&subnet, &purchase, (*stored)(&alpha), &nanos); err != nil {
				return err
			}
			i, ok := at[[2]int64{moment(nanos).Unix() / 86_400, subnet}]
			switch {
			case !ok: // bought and sold within the day, to the unit
			case purchase:
				out[i].bought += alpha
			default:
				out[i].sold += alpha
			}
			return nil
		})
	return out, err
}

// today is the day that runs.
func (h *historian) today(add func(int64, stakeDayRow)) error {
	return h.rows(`SELECT p.subnet, p.shares, p.day_alpha, p.day_in, p.day_out, p.day_paid, COALESCE(s.alpha, ?), COALESCE(s.shares, '0'), n.tao, n.reserve FROM positions p
		LEFT JOIN stake_pools s ON s.subnet = p.subnet AND s.hotkey = p.hotkey JOIN subnets n ON n.id = p.subnet WHERE p.coldkey = ? ORDER BY p.subnet, p.hotkey`,
		[]any{put(0), h.account}, func(scan func(...any) error) error {
			r := stakeDayRow{height: h.at.Height, time: h.at.Time}
			var held, all string
			var day, in, out, paid, alpha, reserveTAO, reserve uint64
			if err := scan(&r.subnet, &held, (*stored)(&day), (*stored)(&in), (*stored)(&out), (*stored)(&paid), (*stored)(&alpha), &all, (*stored)(&reserveTAO), (*stored)(&reserve)); err != nil {
				return err
			}
			p := pool.SharePool{Alpha: alpha, Shares: new(big.Int)}
			mine := new(big.Int)
			if err := setShares(p.Shares, all); err != nil {
				return err
			}
			if err := setShares(mine, held); err != nil {
				return err
			}
			r.alpha = p.Value(mine)
			if r.alpha == day && in == 0 && out == 0 && paid == 0 {
				return nil
			}
			r.d = dayOf(day, in, out, paid, r.alpha)
			r.value = (&subnet{tao: reserveTAO, reserve: reserve}).worth(r.alpha)
			add(h.at.Time.Unix()/86_400, r)
			return nil
		})
}

// day writes a day's rows: what was paid, and what came or went without a trade.
func (h *historian) day(r stakeDayRow) error {
	of := alphaOf(r.subnet)
	worth := func(alpha uint64) uint64 {
		if r.alpha == 0 {
			return 0
		}
		return mulDiv(alpha, r.value, r.alpha)
	}
	if r.d.paid > 0 {
		if err := h.line(line{time: r.time, received: r.d.paid, receivedOf: of, worth: worth(r.d.paid), label: "reward", about: "epochs paid"}); err != nil {
			return err
		}
	}
	if r.d.dividends > 0 {
		if err := h.line(line{time: r.time, received: r.d.dividends, receivedOf: of, worth: worth(r.d.dividends), label: "reward", about: "dividends"}); err != nil {
			return err
		}
	}
	in, out := r.d.in+r.sold, r.d.out+r.bought
	switch {
	case in > out:
		return h.line(line{time: r.time, received: in - out, receivedOf: of, worth: worth(in - out), about: "stake moved here"})
	case out > in:
		return h.line(line{time: r.time, sent: out - in, sentOf: of, worth: worth(out - in), about: "stake moved away, burned or paid out"})
	}
	return nil
}
