package indexer

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// SetBatch makes a transaction of the database hold at most so many blocks.
func (s *Store) SetBatch(blocks int64) { s.most = blocks }

// Dump is all that is stored, a line a row, sorted.
func (s *Store) Dump(ctx context.Context) ([]string, error) {
	var out []string
	for _, t := range tables {
		rows, err := s.read.QueryContext(ctx, "SELECT "+strings.Join(t.columns, ", ")+" FROM "+t.name)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			values := make([]any, len(t.columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				rows.Close()
				return nil, err
			}
			line := t.name
			for i, v := range values {
				v := *v.(*any)
				if b, ok := v.([]byte); ok {
					v = fmt.Sprintf("%x", b)
				}
				line += fmt.Sprintf(" %s=%v", t.columns[i], v)
			}
			out = append(out, line)
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
		rows.Close()
	}
	slices.Sort(out)
	return out, nil
}

// Exec runs a statement as somebody who meddles would.
func (s *Store) Exec(ctx context.Context, query string, args ...any) error {
	_, err := s.write.ExecContext(ctx, s.q(query), args...)
	return err
}

// Put and Got are how amounts are stored.
var (
	Put         = put
	Got         = got
	SumOf       = sumOf
	TotalAmount = totalAmount
)

// QueryRow asks for one row.
func (s *Store) QueryRow(ctx context.Context, query string, into ...any) error {
	return s.read.QueryRowContext(ctx, query).Scan(into...)
}

// Lock keeps everybody from writing until unlock is called.
func (s *Store) Lock(ctx context.Context) (unlock func() error, err error) {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	return tx.Rollback, nil
}
