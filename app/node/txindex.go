package node

import (
	"errors"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtcfg "github.com/cometbft/cometbft/config"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/state/indexer"
	"github.com/cometbft/cometbft/state/indexer/block"
	"github.com/cometbft/cometbft/state/txindex"
	"github.com/cometbft/cometbft/store"
	cmttypes "github.com/cometbft/cometbft/types"
)

// indexBehind is how many of the last blocks may miss in the index of transactions. It
// follows the blocks by one or two.
const indexBehind = 10

// CompleteIndex indexes the transactions of the last blocks where that is missing, in a
// home whose node is not running. CometBFT indexes a block after it has recorded it as
// done: where the process ends between the two, the block's transactions could never be
// found by their hashes, and a client would be told that they did not happen. It returns
// how many were missing.
func CompleteIndex(home string) (missing int, err error) {
	s, err := load(home)
	if err != nil {
		return 0, err
	}
	return completeIndex(s.comet)
}

func completeIndex(cfg *cmtcfg.Config) (missing int, err error) {
	if cfg.TxIndex.Indexer != "kv" {
		return 0, nil // there is none, or it is another program's
	}
	var dbs databases
	defer func() {
		if err = errors.Join(err, dbs.close()); err != nil {
			err = fmt.Errorf("the index of transactions in %s can't be completed: %w", cfg.RootDir, err)
		}
	}()
	provide := dbs.provide
	stateDB, err := provide(&cmtcfg.DBContext{ID: "state", Config: cfg})
	if err != nil {
		return 0, err
	}
	blockDB, err := provide(&cmtcfg.DBContext{ID: "blockstore", Config: cfg})
	if err != nil {
		return 0, err
	}
	states := sm.NewStore(stateDB, sm.StoreOptions{DiscardABCIResponses: cfg.Storage.DiscardABCIResponses})
	blocks := store.NewBlockStore(blockDB)
	state, err := states.Load()
	if err != nil || state.IsEmpty() {
		return 0, err
	}
	txs, events, _, err := block.IndexerFromConfigWithDisabledIndexers(cfg, provide, state.ChainID)
	if err != nil {
		return 0, err
	}
	// Later blocks than the state's are run anew when the node starts, and indexed then.
	last := min(state.LastBlockHeight, blocks.Height())
	for h := max(last-indexBehind+1, blocks.Base(), 1); h <= last; h++ {
		b := blocks.LoadBlock(h)
		if b == nil {
			continue // begun with a snapshot, which has no blocks
		}
		n, err := indexBlock(states, b, txs, events)
		if err != nil {
			return missing, fmt.Errorf("block %d: %w", h, err)
		}
		missing += n
	}
	return missing, nil
}

// indexBlock adds what the indices lack of a block.
func indexBlock(states sm.Store, b *cmttypes.Block, txs txindex.TxIndexer, events indexer.BlockIndexer) (missing int, err error) {
	var lacks []int
	for i, tx := range b.Txs {
		found, err := txs.Get(tx.Hash())
		if err != nil {
			return 0, err
		}
		if found == nil {
			lacks = append(lacks, i)
		}
	}
	whole, err := events.Has(b.Height)
	if err != nil || whole && len(lacks) == 0 {
		return 0, err
	}
	res, err := states.LoadFinalizeBlockResponse(b.Height)
	if errors.As(err, new(sm.ErrNoABCIResponsesForHeight)) || errors.Is(err, sm.ErrFinalizeBlockResponsesNotPersisted) {
		return 0, nil // the configuration drops results: the index can't be completed
	}
	if err != nil {
		return 0, err
	}
	if len(res.TxResults) != len(b.Txs) {
		return 0, fmt.Errorf("%d results of %d transactions", len(res.TxResults), len(b.Txs))
	}
	for _, i := range lacks {
		if err := txs.Index(&abci.TxResult{Height: b.Height, Index: uint32(i), Tx: b.Txs[i], Result: *res.TxResults[i]}); err != nil {
			return 0, err
		}
	}
	if !whole {
		err = events.Index(cmttypes.EventDataNewBlockEvents{Height: b.Height, Events: res.Events, NumTxs: int64(len(b.Txs))})
	}
	return len(lacks), err
}
