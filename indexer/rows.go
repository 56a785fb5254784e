package indexer

import (
	"context"
	"database/sql"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// table is what is written to a table: rows by their columns, the first of which are the
// key.
type table struct {
	name    string
	columns []string
	key     int  // columns of it
	grows   bool // rows are added, none is changed
}

func tableOf(name string, key int, grows bool, columns string) *table {
	return &table{name, strings.Fields(columns), key, grows}
}

var (
	tAccounts      = tableOf("accounts", 1, false, "id address balance module")
	tBlocks        = tableOf("blocks", 1, true, "height time hash proposer txs")
	tTxs           = tableOf("txs", 2, true, "height idx hash code codespace log fee gas_wanted gas_used signers types raw")
	tAccountTxs    = tableOf("account_txs", 3, true, "account height idx")
	tTransfers     = tableOf("transfers", 2, true, "height n idx sender recipient rao")
	tLedger        = tableOf("ledger", 3, true, "account height idx received spent fee label other")
	tTrades        = tableOf("trades", 2, true, "height n idx subnet account hotkey purchase kind tao alpha fee")
	tSubnets       = tableOf("subnets", 1, false, "id netuid name description url parameters owner_hotkey owner_coldkey lock_rao created_height created_time started_height removed_height hyper burn moving_price epoch epoch_height epoch_due neurons trading tao reserve issued staked protocol pending burned emission_tao revenue pot pot_total pot_paid pot_recycled")
	tHyper         = tableOf("hyperparameters", 4, true, "subnet name height n value")
	tNeurons       = tableOf("neurons", 2, false, "subnet uid hotkey registered_height registered_time endpoints protocol protocol_version served_height")
	tWeights       = tableOf("weights", 2, false, "subnet uid height entries")
	tRegistrations = tableOf("registrations", 2, true, "height n subnet uid hotkey coldkey burn alpha replaced epoch")
	tHotkeys       = tableOf("hotkeys", 1, false, "hotkey coldkey take destination bound_height")
	tStakePools    = tableOf("stake_pools", 2, false, "subnet hotkey alpha shares")
	tPositions     = tableOf("positions", 3, false, "subnet hotkey coldkey shares locked day_alpha day_in day_out day_paid")
	tPositionDays  = tableOf("position_days", 4, false, "coldkey day subnet hotkey height alpha alpha_in alpha_out paid dividends value")
	tYields        = tableOf("yields", 3, false, "subnet hotkey bucket epochs growth")
	tCandles       = tableOf("candles", 3, false, "subnet span start open high low close volume trades revenue tao reserve")
	tEpochs        = tableOf("epochs", 2, true, "subnet number height time outcome pending paid owner revenue burned recycled carried root_paid price")
	tBlobs         = tableOf("epoch_blobs", 2, false, "subnet number data")
	tChunks        = tableOf("epoch_chunks", 3, true, "subnet uid chunk data")
	tSupply        = tableOf("supply", 1, false, "hour height issued burned recycled supply")
	tServices      = tableOf("services", 1, false, "id subnet hotkey uid name endpoint unit price per description terms listed height revenue")
	tPlans         = tableOf("plans", 1, false, "id service name price period quota offered")
	tChannels      = tableOf("channels", 1, false, "id payer hotkey service plan deposit claimed opened_height closed_height")
	tPayments      = tableOf("payments", 3, true, "account height n kind subnet hotkey rao alpha epoch value")
	tChain         = tableOf("chain", 1, false, "one chain_id first_height first_hash height hash time issued burned recycled supply")
)

// tables are all, in the order in which they are written.
var tables = []*table{
	tAccounts, tBlocks, tTxs, tAccountTxs, tTransfers, tLedger, tTrades, tSubnets, tHyper, tNeurons, tWeights, tRegistrations, tHotkeys,
	tStakePools, tPositions, tPositionDays, tYields, tCandles, tEpochs, tBlobs, tChunks, tSupply, tServices, tPlans, tChannels, tPayments, tChain,
}

// batch is what some blocks change: rows to write, then keys of rows to delete. A row
// that is deleted and comes again is only written.
type batch struct {
	first, last int64 // heights
	before      int64 // the cursor that it follows; -1: none
	rows        map[*table][][]any
	gone        map[*table][][]any
	size        int
}

func newBatch() *batch {
	return &batch{rows: map[*table][][]any{}, gone: map[*table][][]any{}}
}

func (b *batch) add(t *table, row ...any) {
	b.rows[t] = append(b.rows[t], row)
	b.size++
}

func (b *batch) remove(t *table, key ...any) {
	b.gone[t] = append(b.gone[t], key)
	b.size++
}

// commit writes a batch in one transaction.
func (s *Store) commit(ctx context.Context, b *batch) error {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // of one that is committed: nothing
	if err := s.claim(ctx, tx, b); err != nil {
		return err
	}
	for _, t := range tables {
		if err := s.remove(ctx, tx, t, b.gone[t]); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		if len(b.rows[t]) == 0 {
			continue
		}
		switch {
		case !s.postgres:
			err = s.insertRows(ctx, tx, t, b.rows[t])
		case len(b.rows[t]) < leastCopied:
			err = s.insertFew(ctx, tx, t, b.rows[t])
		default:
			err = s.copyRows(ctx, conn, tx, t, b.rows[t])
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	return tx.Commit()
}

// claim makes sure that the cursor is where this batch goes on: another writer would have
// moved it.
func (s *Store) claim(ctx context.Context, tx *sql.Tx, b *batch) error {
	if s.postgres {
		// A server that loses its power may lose the last transactions, whole: they come
		// again from the node. On SQLite it is the same.
		if _, err := tx.ExecContext(ctx, "SET LOCAL synchronous_commit TO OFF"); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "LOCK TABLE chain IN EXCLUSIVE MODE"); err != nil {
			return err
		}
	}
	at := int64(-1)
	if err := tx.QueryRowContext(ctx, "SELECT height FROM chain").Scan(&at); err != nil && err != sql.ErrNoRows {
		return err
	}
	if at != b.before {
		return fmt.Errorf("%w: it is at block %d, this one left it at %d", ErrBusy, at, b.before)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, tx *sql.Tx, t *table, keys [][]any) error {
	if len(keys) == 0 {
		return nil
	}
	at := len(keys[0]) // by a whole key, or by its first columns
	stmt, err := tx.PrepareContext(ctx, s.q("DELETE FROM "+t.name+" WHERE "+strings.Join(t.columns[:at], " = ? AND ")+" = ?"))
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, key := range keys {
		if _, err := stmt.ExecContext(ctx, key...); err != nil {
			return err
		}
	}
	return nil
}

// conflict is what an insertion does where there is such a row.
func (t *table) conflict() string {
	if t.grows {
		return ""
	}
	set := make([]string, 0, len(t.columns))
	for _, c := range t.columns[t.key:] {
		set = append(set, c+" = excluded."+c)
	}
	return " ON CONFLICT (" + strings.Join(t.columns[:t.key], ", ") + ") DO UPDATE SET " + strings.Join(set, ", ")
}

// insertion is the statement that writes so many rows.
func (t *table) insertion(rows int) string {
	one := "(" + strings.Repeat("?,", len(t.columns)-1) + "?)"
	return "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES " + strings.Repeat(one+",", rows-1) + one + t.conflict()
}

// leastCopied is how many rows PostgreSQL is given by COPY: at the end of the chain a
// block has few, of many tables, and each COPY is several questions.
const leastCopied = 64

// insertFew is for PostgreSQL, whose driver knows statements that it had before: so the
// numbers of their rows are powers of two.
func (s *Store) insertFew(ctx context.Context, tx *sql.Tx, t *table, rows [][]any) error {
	for len(rows) > 0 {
		n := 1 << (bits.Len(uint(len(rows))) - 1)
		if _, err := tx.ExecContext(ctx, s.q(t.insertion(n)), slices.Concat(rows[:n]...)...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// sqliteParams is how many parameters a statement has at most.
const sqliteParams = 600

func (s *Store) insertRows(ctx context.Context, tx *sql.Tx, t *table, rows [][]any) error {
	most := max(1, sqliteParams/len(t.columns))
	var stmt *sql.Stmt
	defer func() {
		if stmt != nil {
			stmt.Close()
		}
	}()
	args, prepared := make([]any, 0, sqliteParams), 0
	for len(rows) > 0 {
		n := min(most, len(rows))
		if n != prepared {
			if stmt != nil {
				stmt.Close()
			}
			var err error
			if stmt, err = tx.PrepareContext(ctx, t.insertion(n)); err != nil {
				return err
			}
			prepared = n
		}
		args = args[:0]
		for _, r := range rows[:n] {
			args = append(args, r...)
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// copyRows is by COPY: into the table where rows are only added, else by way of a
// temporary one. It runs within tx, on conn.
func (s *Store) copyRows(ctx context.Context, conn *sql.Conn, tx *sql.Tx, t *table, rows [][]any) error {
	to := t.name
	if !t.grows {
		to = "new_" + t.name
		if _, err := tx.ExecContext(ctx, "CREATE TEMP TABLE IF NOT EXISTS "+to+" (LIKE "+t.name+") ON COMMIT DELETE ROWS"); err != nil {
			return err
		}
	}
	err := conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{to}, t.columns, pgx.CopyFromRows(rows))
		return err
	})
	if err != nil || t.grows {
		return err
	}
	columns := strings.Join(t.columns, ", ")
	_, err = tx.ExecContext(ctx, "INSERT INTO "+t.name+" ("+columns+") SELECT "+columns+" FROM "+to+t.conflict())
	return err
}
