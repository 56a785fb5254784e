package node

import (
	"bytes"
	"errors"
	"fmt"
	"syscall"

	cmtcfg "github.com/cometbft/cometbft/config"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	cmttypes "github.com/cometbft/cometbft/types"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/store/v2/rootmulti"
)

// beginAnew is what to do with data that can't be trusted.
const beginAnew = "don't start this node with it: keep config/ and data/priv_validator_state.json, delete the rest of data/, and begin anew: " +
	"`lode node state-sync`, or start it, to run all blocks"

// ExamineData reads all blocks and the whole state of a home whose node is not running,
// computes their hashes anew, and compares them with what the chain's validators have
// signed. It changes nothing. The time that it takes grows with the data.
func ExamineData(home string) Finding {
	d := &doctor{home: home}
	d.check("data", d.data)
	return d.found[0]
}

func (d *doctor) data(n *note) {
	s, err := load(d.home)
	if err != nil {
		n.add(Skipped, err.Error(), "")
		return
	}
	var dbs databases
	defer func() {
		if err := dbs.close(); err != nil {
			n.add(Failed, err.Error(), "")
		}
	}()
	blockDB, err := dbs.provide(&cmtcfg.DBContext{ID: "blockstore", Config: s.comet})
	if errors.Is(err, syscall.EAGAIN) {
		n.add(Skipped, "the node runs, and has its data open", "stop it, and call the doctor again")
		return
	}
	if err != nil {
		n.add(Failed, fmt.Sprintf("the blocks can't be opened: %v", err), beginAnew)
		return
	}
	stateDB, err := dbs.provide(&cmtcfg.DBContext{ID: "state", Config: s.comet})
	if err != nil {
		n.add(Failed, fmt.Sprintf("CometBFT's state can't be opened: %v", err), beginAnew)
		return
	}
	part(n, "CometBFT's records", func() (string, error) { return "", readAll(stateDB.Iterator(nil, nil)) })
	part(n, "the blocks", func() (string, error) { return wholeBlocks(store.NewBlockStore(blockDB)) })
	part(n, "the state", func() (string, error) {
		return wholeState(s, sm.NewStore(stateDB, sm.StoreOptions{}), store.NewBlockStore(blockDB))
	})
}

// part runs a part of the check; libraries panic at what they can't read.
func part(n *note, what string, f func() (string, error)) {
	says, err := func() (says string, err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("%v", r)
			}
		}()
		return f()
	}()
	if err != nil {
		n.add(Failed, fmt.Sprintf("%s: %v", what, err), beginAnew)
		return
	}
	if says != "" {
		n.add(OK, says, "")
	}
}

// readAll reads a database from end to end: its files have checksums.
func readAll(it iterator, err error) error {
	if err != nil {
		return err
	}
	for ; it.Valid(); it.Next() {
		_ = it.Value() // one that can't be read is the iterator's error
	}
	return errors.Join(it.Error(), it.Close())
}

// iterator is that of the application's databases and of CometBFT's.
type iterator interface {
	Valid() bool
	Next()
	Value() []byte
	Error() error
	Close() error
}

// wholeBlocks checks that each block is what its hash says, and names the one before.
func wholeBlocks(blocks *store.BlockStore) (string, error) {
	first, last := blocks.Base(), blocks.Height()
	if last == 0 {
		return "no blocks yet", nil
	}
	var before []byte
	for h := first; h <= last; h++ {
		meta, b, err := loadBlock(blocks, h)
		if err != nil {
			return "", err
		}
		if err := b.ValidateBasic(); err != nil {
			return "", fmt.Errorf("block %d is not what was signed: %w", h, err)
		}
		if !bytes.Equal(b.Hash(), meta.BlockID.Hash) {
			return "", fmt.Errorf("block %d is not what was signed: its hash is %X, not %X", h, b.Hash(), meta.BlockID.Hash)
		}
		if before != nil && !bytes.Equal(b.LastBlockID.Hash, before) {
			return "", fmt.Errorf("block %d follows %X, block %d is %X", h, b.LastBlockID.Hash, h-1, before)
		}
		before = meta.BlockID.Hash
	}
	return fmt.Sprintf("blocks %d to %d are whole", first, last), nil
}

// loadBlock reads a block; the store panics at what it can't read.
func loadBlock(blocks *store.BlockStore, h int64) (meta *cmttypes.BlockMeta, b *cmttypes.Block, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("block %d is not what was signed: %v", h, r)
		}
	}()
	if meta, b = blocks.LoadBlockMeta(h), blocks.LoadBlock(h); meta == nil || b == nil {
		err = fmt.Errorf("block %d is missing", h)
	}
	return meta, b, err
}

// wholeState checks that the state's entries give the hash that is in the header of the
// block after it.
func wholeState(s settings, states sm.Store, blocks *store.BlockStore) (says string, err error) {
	db, err := openState(s)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := readAll(db.Iterator(nil, nil)); err != nil {
		return "", err
	}
	version := rootmulti.GetLatestVersion(db)
	if version == 0 {
		return "no state yet", nil
	}
	if last := blocks.Height(); last > 0 && last < version {
		return "", fmt.Errorf("it is that of block %d, the last block is %d: blocks have been lost", version, last)
	}
	info, err := rootmulti.NewStore(db, log.NewNopLogger()).GetCommitInfo(version)
	if err != nil {
		return "", err
	}
	var entries int64
	for _, st := range info.StoreInfos {
		hash, n, err := hashOf(db, st.Name, version)
		if err != nil {
			return "", fmt.Errorf("store %s at block %d: %w", st.Name, version, err)
		}
		if want := st.GetHash(); !bytes.Equal(hash, want) {
			return "", fmt.Errorf("store %s at block %d has the hash %X, written is %X", st.Name, version, hash, want)
		}
		entries += n
	}
	says = fmt.Sprintf("%d entries in %d stores give the state's hash at block %d", entries, len(info.StoreInfos), version)
	want, err := signedHash(states, blocks, version)
	switch {
	case err != nil:
		return "", err
	case want == nil:
		return says + "; no block says yet which it should be", nil
	case !bytes.Equal(info.Hash(), want):
		return "", fmt.Errorf("its hash at block %d is %X, that of the chain is %X", version, info.Hash(), want)
	}
	return says + ", which is the chain's", nil
}

// signedHash is the hash of the state after a block as the chain has it; nil: it is not
// known here.
func signedHash(states sm.Store, blocks *store.BlockStore, height int64) ([]byte, error) {
	if meta := blocks.LoadBlockMeta(height + 1); meta != nil {
		return meta.Header.AppHash, nil
	}
	state, err := states.Load()
	if err != nil || state.LastBlockHeight != height {
		return nil, err
	}
	return state.AppHash, nil
}
