package indexertest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
)

// postgres is a private server of the test's process.
var postgres struct {
	once sync.Once
	err  error
	dir  string
	cmd  *exec.Cmd
	n    int
	mu   sync.Mutex
}

// Main runs a package's tests, and stops what Postgres started.
func Main(m *testing.M) {
	code := m.Run()
	if err := stopPostgres(); err != nil {
		fmt.Fprintln(os.Stderr, "postgres:", err)
		code = 1
	}
	os.Exit(code)
}

// Stores runs a test with an empty database of each kind: f gets what indexer.Open takes.
func Stores(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Run("SQLite", func(t *testing.T) { f(t, filepath.Join(t.TempDir(), "index.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { f(t, Postgres(t)) })
}

// Postgres is an empty database on a server that is started for the test's process, and
// ends with it: a package that uses it has a TestMain that calls Main.
func Postgres(t testing.TB) (dsn string) {
	t.Helper()
	postgres.once.Do(func() { postgres.err = startPostgres() })
	if postgres.err != nil {
		t.Fatalf("no PostgreSQL to test with: %v", postgres.err)
	}
	postgres.mu.Lock()
	postgres.n++
	name := fmt.Sprintf("test%d", postgres.n)
	postgres.mu.Unlock()
	db, err := sql.Open("pgx", urlOf("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return urlOf(name)
}

func urlOf(name string) string { return "postgres://lode@/" + name + "?host=" + postgres.dir }

// bin is where Debian keeps the server's programs.
func bin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return "", errors.New("it is not installed: run `make tools`")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

func startPostgres() error {
	bin, err := bin()
	if err != nil {
		return err
	}
	if postgres.dir, err = os.MkdirTemp("", "lode-pg-"); err != nil {
		return err
	}
	as, err := unprivileged(postgres.dir)
	if err != nil {
		return err
	}
	data := filepath.Join(postgres.dir, "data")
	init := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "lode", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	init.SysProcAttr, init.Dir = as, postgres.dir
	if out, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	log, err := os.Create(filepath.Join(postgres.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	c := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", postgres.dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=60")
	c.SysProcAttr, c.Dir, c.Stdout, c.Stderr = as, postgres.dir, log, log
	if err := c.Start(); err != nil {
		return err
	}
	postgres.cmd = c
	return await(log.Name())
}

// await waits until the server answers.
func await(log string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := sql.Open("pgx", urlOf("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			said, _ := os.ReadFile(log) // for the message alone
			return fmt.Errorf("%w\n%s", err, said)
		}
	}
}

// unprivileged is who runs the server, which refuses to run as root.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	as := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Getuid() != 0 {
		return as, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return as, os.Chown(dir, uid, gid)
}

func stopPostgres() error {
	var err error
	if postgres.cmd != nil {
		err = postgres.cmd.Process.Signal(syscall.SIGINT) // fast: clients are cut off
		if waited := postgres.cmd.Wait(); waited != nil && !strings.Contains(waited.Error(), "exit status") {
			err = errors.Join(err, waited)
		}
	}
	if postgres.dir != "" {
		err = errors.Join(err, os.RemoveAll(postgres.dir))
	}
	return err
}

// PostgresTime is the processor time that the server of [Postgres] has taken so far; 0
// where none runs.
func PostgresTime(t testing.TB) (used time.Duration) {
	t.Helper()
	if postgres.cmd == nil {
		return 0
	}
	const tick = 10 * time.Millisecond // Linux tells /proc's times in hundredths of a second
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended: its time is its parent's
		}
		_, after, _ := strings.Cut(string(raw), ") ")
		f := strings.Fields(after)
		if len(f) < 15 {
			t.Fatalf("%s can't be read", path)
		}
		times := f[11:13] // utime, stime
		switch own := strconv.Itoa(postgres.cmd.Process.Pid); {
		case filepath.Base(filepath.Dir(path)) == own:
			times = f[11:15] // with those of children that have ended
		case f[1] != own:
			continue
		}
		for _, text := range times {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			used += time.Duration(n) * tick
		}
	}
	return used
}
