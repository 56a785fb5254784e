package indexer

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Sizes of pages.
const (
	defaultLimit = 50
	maxLimit     = 500
)

func (p Page) limit() int {
	if p.Limit <= 0 {
		return defaultLimit
	}
	return min(p.Limit, maxLimit)
}

// cursor reads After: so many numbers, with points between them. Without one they are
// such that the list begins at its beginning.
func (p Page) cursor(first ...int64) ([]int64, error) {
	if p.After == "" {
		return first, nil
	}
	parts := strings.Split(p.After, ".")
	if len(parts) != len(first) || len(p.After) > 100 {
		return nil, fmt.Errorf("%w: %.40q", ErrCursor, p.After)
	}
	out := make([]int64, len(parts))
	for i, part := range parts {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil || n < -1 || n > last || part[0] == '+' {
			return nil, fmt.Errorf("%w: %.40q", ErrCursor, p.After)
		}
		out[i] = n
	}
	return out, nil
}

func cursorOf(at ...int64) string {
	parts := make([]string, len(at))
	for i, n := range at {
		parts[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(parts, ".")
}

// last is above every height.
const last = int64(1)<<62 - 1

// view is a transaction that reads, and the block that it sees.
type view struct {
	*Store
	ctx context.Context
	tx  *sql.Tx
	at  At
}

// look calls f with the database as of one block.
func look[T any](ctx context.Context, s *Store, f func(v *view) (T, error)) (out T, err error) {
	tx, err := s.snapshot(ctx)
	if err != nil {
		return out, err
	}
	defer tx.Rollback() // nothing was written
	v := &view{Store: s, ctx: ctx, tx: tx}
	var nanos int64
	err = tx.QueryRowContext(ctx, "SELECT height, time FROM chain").Scan(&v.at.Height, &nanos)
	if errors.Is(err, sql.ErrNoRows) {
		return out, ErrEmpty
	}
	if err != nil {
		return out, err
	}
	v.at.Time = moment(nanos)
	return f(v)
}

func moment(nanos int64) time.Time { return time.Unix(0, nanos).UTC() }

// rows calls f with every row of a query.
func (v *view) rows(query string, args []any, f func(scan func(...any) error) error) error {
	return each(v.ctx, v.tx, v.q(query), args, f)
}

// row scans one; what is not there is ErrNotFound.
func (v *view) row(query string, args []any, into ...any) error {
	err := v.tx.QueryRowContext(v.ctx, v.q(query), args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// account is the number of an address, 0 where it is not known.
func (v *view) account(address string) (int64, error) {
	var id int64
	err := v.row("SELECT id FROM accounts WHERE address = ?", []any{address}, &id)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return id, err
}

// paged makes a list of one more item than a page has.
func paged[T any](v *view, items []T, limit int, next func(T) string) List[T] {
	l := List[T]{At: v.at, Items: items}
	if len(items) > limit {
		l.Items = items[:limit]
		l.Next = next(l.Items[limit-1])
	}
	if l.Items == nil {
		l.Items = []T{}
	}
	return l
}

// Status says how far the index is.
func (s *Store) Status(ctx context.Context) (Status, error) {
	return look(ctx, s, func(v *view) (Status, error) {
		st := Status{At: v.at}
		var hash []byte
		err := v.row("SELECT chain_id, hash FROM chain", nil, &st.ChainID, &hash)
		st.Hash = fmt.Sprintf("%X", hash)
		return st, err
	})
}

const blockColumns = "height, time, hash, proposer, txs"

func scanBlock(scan func(...any) error) (Block, error) {
	var b Block
	var nanos int64
	var hash, proposer []byte
	err := scan(&b.Height, &nanos, &hash, &proposer, &b.Transactions)
	b.Time, b.Hash, b.Proposer = moment(nanos), fmt.Sprintf("%X", hash), fmt.Sprintf("%X", proposer)
	return b, err
}

// Blocks are all, the latest first.
func (s *Store) Blocks(ctx context.Context, p Page) (List[Block], error) {
	return look(ctx, s, func(v *view) (l List[Block], err error) {
		after, err := p.cursor(last)
		if err != nil {
			return l, err
		}
		var items []Block
		err = v.rows("SELECT "+blockColumns+" FROM blocks WHERE height < ? ORDER BY height DESC LIMIT ?", []any{after[0], p.limit() + 1}, func(scan func(...any) error) error {
			b, err := scanBlock(scan)
			items = append(items, b)
			return err
		})
		return paged(v, items, p.limit(), func(b Block) string { return cursorOf(b.Height) }), err
	})
}

// Block is one, with its transactions.
func (s *Store) Block(ctx context.Context, height int64) (BlockDetail, error) {
	return look(ctx, s, func(v *view) (d BlockDetail, err error) {
		err = v.rows("SELECT "+blockColumns+" FROM blocks WHERE height = ?", []any{height}, func(scan func(...any) error) error {
			d.Block, err = scanBlock(scan)
			return err
		})
		if err != nil {
			return d, err
		}
		if d.Height == 0 {
			return d, fmt.Errorf("block %d: %w", height, ErrNotFound)
		}
		d.Items = []Transaction{}
		err = v.rows(txQuery+"WHERE t.height = ? ORDER BY t.idx", []any{height}, func(scan func(...any) error) error {
			t, err := scanTx(scan)
			d.Items = append(d.Items, t)
			return err
		})
		return d, err
	})
}

const (
	txColumns = "t.height, t.idx, t.hash, t.code, t.codespace, t.log, t.fee, t.gas_wanted, t.gas_used, t.signers, t.types, b.time"
	txQuery   = "SELECT " + txColumns + " FROM txs t JOIN blocks b ON b.height = t.height "
)

func scanTx(scan func(...any) error, more ...any) (Transaction, error) {
	var t Transaction
	var hash []byte
	var signers, types string
	var nanos int64
	err := scan(append([]any{&t.Height, &t.Index, &hash, &t.Code, &t.Codespace, &t.Error, (*stored)(&t.Fee), &t.GasWanted, &t.GasUsed, &signers, &types, &nanos}, more...)...)
	t.Hash, t.OK, t.Time = fmt.Sprintf("%X", hash), t.Code == 0, moment(nanos)
	t.Signers, t.Types = words(signers), words(types)
	return t, err
}

// words are a list's, never null.
func words(s string) []string { return append([]string{}, strings.Fields(s)...) }

func (v *view) transactions(query string, args []any, p Page) (List[Transaction], error) {
	var items []Transaction
	err := v.rows(query, append(args, p.limit()+1), func(scan func(...any) error) error {
		t, err := scanTx(scan)
		items = append(items, t)
		return err
	})
	return paged(v, items, p.limit(), func(t Transaction) string { return cursorOf(t.Height, int64(t.Index)) }), err
}

// Transactions are all, the latest first.
func (s *Store) Transactions(ctx context.Context, p Page) (List[Transaction], error) {
	return look(ctx, s, func(v *view) (l List[Transaction], err error) {
		after, err := p.cursor(last, 0)
		if err != nil {
			return l, err
		}
		where, args := "WHERE (t.height, t.idx) < (?, ?)", []any{after[0], after[1]}
		if v.postgres { // else it reads all blocks above; SQLite would begin with them
			where, args = where+" AND b.height <= ?", append(args, after[0])
		}
		return v.transactions(txQuery+where+" ORDER BY t.height DESC, t.idx DESC LIMIT ?", args, p)
	})
}

// AccountTransactions are those that an address signed or has to do with, the latest
// first.
func (s *Store) AccountTransactions(ctx context.Context, address string, p Page) (List[Transaction], error) {
	return look(ctx, s, func(v *view) (l List[Transaction], err error) {
		after, err := p.cursor(last, 0)
		if err != nil {
			return l, err
		}
		id, err := v.account(address)
		if err != nil {
			return l, err
		}
		return v.transactions("SELECT "+txColumns+` FROM account_txs a JOIN txs t ON t.height = a.height AND t.idx = a.idx JOIN blocks b ON b.height = a.height
			WHERE a.account = ? AND (a.height, a.idx) < (?, ?) ORDER BY a.height DESC, a.idx DESC LIMIT ?`, []any{id, after[0], after[1]}, p)
	})
}

// Transaction is one by its hash, in hexadecimal. Of a hash that is there twice, since
// the same bytes were tried again, it is the one that took effect, or else the latest.
func (s *Store) Transaction(ctx context.Context, hash string) (TransactionDetail, error) {
	raw, err := hex.DecodeString(hash)
	if err != nil || len(raw) != 32 {
		return TransactionDetail{}, fmt.Errorf("transaction %.80q: %w", hash, ErrNotFound)
	}
	return look(ctx, s, func(v *view) (d TransactionDetail, err error) {
		var body []byte
		err = v.rows("SELECT "+txColumns+", t.raw FROM txs t JOIN blocks b ON b.height = t.height WHERE t.hash = ? ORDER BY CASE WHEN t.code = 0 THEN 0 ELSE 1 END, t.height DESC LIMIT 1",
			[]any{raw}, func(scan func(...any) error) error {
				d.Transaction, err = scanTx(scan, &body)
				return err
			})
		if err != nil {
			return d, err
		}
		if d.Hash == "" {
			return d, fmt.Errorf("transaction %s: %w", strings.ToUpper(hash), ErrNotFound)
		}
		dec := decoder{s.codec}
		t := dec.read(body)
		d.Memo, d.Messages = t.body.Memo, dec.messages(t)
		return d, nil
	})
}

// Supply is TAO in all.
func (s *Store) Supply(ctx context.Context) (Supply, error) {
	return look(ctx, s, func(v *view) (Supply, error) {
		sup := Supply{At: v.at}
		err := v.row("SELECT issued, burned, recycled, supply FROM chain", nil,
			(*stored)(&sup.Issued), (*stored)(&sup.Burned), (*stored)(&sup.Recycled), (*stored)(&sup.Bank))
		return sup, err
	})
}

// Balance is an account's TAO; nobody knows of one that has none.
func (s *Store) Balance(ctx context.Context, address string) (Amount, error) {
	return look(ctx, s, func(v *view) (Amount, error) {
		var rao Amount
		err := v.row("SELECT balance FROM accounts WHERE address = ?", []any{address}, (*stored)(&rao))
		if errors.Is(err, ErrNotFound) {
			return 0, nil
		}
		return rao, err
	})
}

// Pools are those of live subnets, by netuid.
func (s *Store) Pools(ctx context.Context) ([]Pool, error) {
	return look(ctx, s, func(v *view) (out []Pool, err error) {
		err = v.rows("SELECT id, netuid, trading, tao, reserve, issued, staked, protocol, pending, burned FROM subnets WHERE removed_height = 0 ORDER BY netuid", nil,
			func(scan func(...any) error) error {
				var p Pool
				err := scan(&p.SubnetID, &p.Netuid, &p.Trading, (*stored)(&p.TAOReserve), (*stored)(&p.AlphaReserve), (*stored)(&p.AlphaIssued), (*stored)(&p.AlphaStaked),
					(*stored)(&p.AlphaProtocol), (*stored)(&p.AlphaPending), (*stored)(&p.AlphaBurned))
				out = append(out, p)
				return err
			})
		return out, err
	})
}
