package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	protoio "github.com/cosmos/gogoproto/io"
	"github.com/cosmos/gogoproto/proto"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/store/v2/rootmulti"
)

var errClosing = errors.New("the node ends")

// snapshotted is the state as the SDK's snapshots see it. They are made beside the blocks
// and nobody waits for them: a database that is closed meanwhile would end the process in a
// panic. So closing breaks a snapshot off first, and waits for that.
type snapshotted struct {
	*rootmulti.Store
	mu      sync.Mutex // nothing begins while close looks
	closing chan struct{}
	running sync.WaitGroup
}

// through has s stand between the state and the snapshots that options set up.
func (s *snapshotted) through(options []func(*baseapp.BaseApp)) []func(*baseapp.BaseApp) {
	enter := func(b *baseapp.BaseApp) {
		s.Store, s.closing = b.CommitMultiStore().(*rootmulti.Store), make(chan struct{})
		b.SetCMS(s)
	}
	leave := func(b *baseapp.BaseApp) { b.SetCMS(s.Store) } // the SDK looks for the store itself
	return append(append([]func(*baseapp.BaseApp){enter}, options...), leave)
}

// AnnounceSnapshotHeight begins a snapshot.
func (s *snapshotted) AnnounceSnapshotHeight(height int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running.Add(1)
	if s.broken() == nil {
		s.Store.AnnounceSnapshotHeight(height)
	}
}

// PruneSnapshotHeight ends a snapshot, however it went.
func (s *snapshotted) PruneSnapshotHeight(height int64) {
	defer s.running.Done()
	if s.broken() == nil {
		s.Store.PruneSnapshotHeight(height)
	}
}

// Snapshot writes the state of a height, until the node is closed.
func (s *snapshotted) Snapshot(height uint64, w protoio.Writer) error {
	s.mu.Lock()
	err := s.broken()
	if err == nil {
		s.running.Add(1)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	defer s.running.Done()
	return s.Store.Snapshot(height, breakable{w, s})
}

func (s *snapshotted) broken() error {
	select {
	case <-s.closing:
		return errClosing
	default:
		return nil
	}
}

// close breaks off the snapshot that is being made.
func (s *snapshotted) close() {
	s.mu.Lock()
	close(s.closing)
	s.mu.Unlock()
	s.running.Wait()
}

type breakable struct {
	protoio.Writer
	s *snapshotted
}

func (w breakable) WriteMsg(m proto.Message) error {
	if err := w.s.broken(); err != nil {
		return err
	}
	return w.Writer.WriteMsg(m)
}

// dropUnfinished removes what snapshots have left that were broken off or killed: the SDK
// forgets it, and each takes as much of the disk as a finished one.
func (app *App) dropUnfinished(home string) error {
	m := app.SnapshotManager()
	if m == nil || home == "" {
		return nil
	}
	list, err := m.List()
	if err != nil {
		return err
	}
	keep := map[uint64]bool{}
	for _, s := range list {
		keep[s.Height] = true
	}
	dir := filepath.Join(home, "data", "snapshots")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		height, not := strconv.ParseUint(e.Name(), 10, 64)
		if not != nil || keep[height] {
			continue
		}
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	if err != nil {
		return fmt.Errorf("remove unfinished snapshots: %w", err)
	}
	return nil
}
