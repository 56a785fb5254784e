package indexer

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of PostgreSQL
	_ "modernc.org/sqlite"             // that of SQLite

	"github.com/lodenet/lode/client"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an index. It is safe for concurrent use.
type Store struct {
	read     *sql.DB
	write    *sql.DB // one connection on SQLite
	postgres bool
	name     string // for people
	codec    codec.Codec
	most     int64 // blocks in one transaction of the database
	trouble  atomic.Pointer[error]
}

const (
	readConns = 8
	openFor   = 30 * time.Second // an index of another version may have much to change
)

// Open opens an index, and makes or migrates it where that is needed: a file of SQLite,
// or a database of PostgreSQL by its URL, postgres://USER@HOST/NAME.
func Open(ctx context.Context, dsn string) (*Store, error) {
	if dsn == "" {
		return nil, errors.New("indexer: name a file, or a database as postgres://USER@HOST/NAME")
	}
	s := &Store{most: mostBlocks}
	var err error
	if s.codec, err = client.Codec(); err != nil {
		return nil, err
	}
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		err = s.openPostgres(dsn)
	} else {
		err = s.openSQLite(dsn)
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, openFor)
	defer cancel()
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("index %s: %w", s.name, err), s.Close())
	}
	return s, nil
}

func (s *Store) openPostgres(dsn string) (err error) {
	s.postgres, s.name = true, "of PostgreSQL"
	if u, err := url.Parse(dsn); err == nil {
		s.name = u.Redacted()
	}
	if s.read, err = sql.Open("pgx", dsn); err != nil {
		return fmt.Errorf("indexer: %s: %w", s.name, err)
	}
	s.read.SetMaxOpenConns(readConns)
	s.read.SetMaxIdleConns(readConns)
	s.write = s.read
	return nil
}

// openSQLite has one connection that writes, and others that can't.
func (s *Store) openSQLite(path string) (err error) {
	s.name = path
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("indexer: %w", err)
	}
	dsn := func(lock string, pragmas ...string) string {
		q := url.Values{"_txlock": {lock}, "_pragma": append([]string{
			"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)", "cache_size(-65536)", "temp_store(MEMORY)",
		}, pragmas...)}
		return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
	}
	if s.write, err = sql.Open("sqlite", dsn("immediate", "wal_autocheckpoint(4000)")); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = sql.Open("sqlite", dsn("deferred", "query_only(1)")); err != nil {
		return errors.Join(err, s.write.Close())
	}
	s.read.SetMaxOpenConns(readConns)
	s.read.SetMaxIdleConns(readConns)
	return nil
}

// Close closes the database. Queries under way may fail.
func (s *Store) Close() error {
	if s.read == s.write {
		return s.write.Close()
	}
	return errors.Join(s.read.Close(), s.write.Close())
}

// migrate makes the tables, or brings them to this version.
func (s *Store) migrate(ctx context.Context) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	dialect := database.DialectSQLite3
	if s.postgres {
		dialect = database.DialectPostgres
	}
	p, err := goose.NewProvider(dialect, s.write, dir)
	if err != nil {
		return err
	}
	for before, again := int64(-1), false; ; {
		err := s.step(ctx, p)
		if err == nil {
			return nil
		}
		// Where another process makes the same step at once, one of them fails; the next try
		// sees what was done.
		done, failed := p.GetDBVersion(ctx)
		if failed != nil || done <= before && again {
			return err
		}
		before, again = done, done <= before
	}
}

// step brings the tables to this version.
func (s *Store) step(ctx context.Context, p *goose.Provider) error {
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > want {
		return fmt.Errorf("its schema is version %d, this program knows %d: use a newer program, or index anew elsewhere", have, want)
	}
	if _, err := p.Up(ctx); err != nil || !s.postgres {
		return err
	}
	// Beginnings of addresses are looked up whatever language the database sorts by; on
	// SQLite the column's own index does.
	_, err = s.write.ExecContext(ctx, `CREATE INDEX IF NOT EXISTS accounts_prefix ON accounts (address COLLATE "C")`)
	return err
}

// q is a statement as this database numbers its parameters.
func (s *Store) q(query string) string {
	if !s.postgres || !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	n := 0
	for i := range len(query) {
		if query[i] != '?' {
			b.WriteByte(query[i])
			continue
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}
