package indexer

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

const (
	maxFound  = 20
	maxSearch = 128 // bytes
)

// Search finds what a text may name: a height, a hash, an address or its beginning, a
// netuid, a part of a subnet's or service's name. The best comes first.
func (s *Store) Search(ctx context.Context, text string) ([]Found, error) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxSearch {
		return []Found{}, nil
	}
	return look(ctx, s, func(v *view) ([]Found, error) {
		f := finder{view: v, text: text, out: []Found{}}
		for _, part := range []func() error{f.numbers, f.hashes, f.addresses, f.subnets, f.services} {
			if err := part(); err != nil {
				return nil, err
			}
		}
		return f.out[:min(len(f.out), maxFound)], nil
	})
}

type finder struct {
	*view
	text string
	out  []Found
}

func (f *finder) found(kind, id, title string) { f.out = append(f.out, Found{kind, id, title}) }

func (f *finder) numbers() error {
	n, err := strconv.ParseInt(f.text, 10, 64)
	if err != nil || n < 1 {
		return nil
	}
	err = f.rows("SELECT netuid, name FROM subnets WHERE netuid = ? AND removed_height = 0", []any{n}, func(scan func(...any) error) error {
		var netuid, name string
		err := scan(&netuid, &name)
		f.found("subnet", netuid, name)
		return err
	})
	if err != nil {
		return err
	}
	return f.rows("SELECT height FROM blocks WHERE height = ?", []any{n}, func(func(...any) error) error {
		f.block(n)
		return nil
	})
}

func (f *finder) block(height int64) {
	id := strconv.FormatInt(height, 10)
	f.found("block", id, "Block "+id)
}

// hashes are those of transactions and of blocks.
func (f *finder) hashes() error {
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.TrimPrefix(f.text, "0x"), "0X"))
	if err != nil || len(raw) != 32 {
		return nil
	}
	err = f.rows("SELECT types FROM txs WHERE hash = ? ORDER BY height DESC LIMIT 1", []any{raw}, func(scan func(...any) error) error {
		var types string
		err := scan(&types)
		f.found("transaction", fmt.Sprintf("%X", raw), types)
		return err
	})
	if err != nil {
		return err
	}
	return f.rows("SELECT height FROM blocks WHERE hash = ?", []any{raw}, func(scan func(...any) error) error {
		var height int64
		err := scan(&height)
		f.block(height)
		return err
	})
}

func (f *finder) addresses() error {
	text := strings.ToLower(f.text)
	if !strings.HasPrefix(text, addressPrefix) || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return nil
	}
	column := "address"
	if f.postgres {
		column = `address COLLATE "C"`
	}
	return f.rows("SELECT address FROM accounts WHERE "+column+" >= ? AND "+column+" < ? ORDER BY "+column+" LIMIT ?", []any{text, text + "~", maxFound}, func(scan func(...any) error) error {
		var address string
		err := scan(&address)
		f.found("account", address, "")
		return err
	})
}

// part is a pattern of LIKE for a text anywhere in a column.
func part(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(text)) + "%"
}

// clean takes out what PostgreSQL refuses in a text.
func (f *finder) clean() string { return text(f.text) }

func (f *finder) subnets() error {
	return f.rows(`SELECT netuid, name FROM subnets WHERE removed_height = 0 AND LOWER(name) LIKE ? ESCAPE '\' ORDER BY CASE WHEN LOWER(name) = ? THEN 0 ELSE 1 END, netuid LIMIT ?`,
		[]any{part(f.clean()), strings.ToLower(f.clean()), maxFound}, func(scan func(...any) error) error {
			var netuid, name string
			err := scan(&netuid, &name)
			f.found("subnet", netuid, name)
			return err
		})
}

func (f *finder) services() error {
	return f.rows(`SELECT id, name FROM services WHERE listed = 1 AND LOWER(name) LIKE ? ESCAPE '\' ORDER BY CASE WHEN LOWER(name) = ? THEN 0 ELSE 1 END, id LIMIT ?`,
		[]any{part(f.clean()), strings.ToLower(f.clean()), maxFound}, func(scan func(...any) error) error {
			var id, name string
			err := scan(&id, &name)
			f.found("service", id, name)
			return err
		})
}
