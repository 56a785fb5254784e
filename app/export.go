package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	dbm "github.com/cosmos/cosmos-db"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	"github.com/cosmos/cosmos-sdk/store/v2/rootmulti"
	sdk "github.com/cosmos/cosmos-sdk/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	"github.com/cosmos/cosmos-sdk/x/staking"
)

// Export is the state in an application's database as a genesis file, for a chain
// that goes on where this one is at: same chain id and time, the next height. A
// height of 0 is the last one. Where no block was committed yet, it is what the
// genesis given makes of itself: an imported genesis exports to the same file.
// Everything but state is taken from that genesis.
func Export(logger log.Logger, db dbm.DB, opts servertypes.AppOptions, genesis *genutiltypes.AppGenesis, height int64) (*genutiltypes.AppGenesis, error) {
	return thisRelease.export(logger, db, opts, genesis, height)
}

func (r release) export(logger log.Logger, db dbm.DB, opts servertypes.AppOptions, genesis *genutiltypes.AppGenesis, height int64) (*genutiltypes.AppGenesis, error) {
	app, err := r.open(logger, db, opts, height == 0, baseapp.SetChainID(genesis.ChainID), baseapp.SetIAVLSyncPruning(true))
	if err != nil {
		return nil, err
	}
	if height > 0 {
		if err := app.LoadVersion(height); err != nil {
			return nil, fmt.Errorf("block %d can't be exported: %w", height, err)
		}
	}
	out := *genesis
	header := cmtproto.Header{ChainID: genesis.ChainID, Height: app.LastBlockHeight(), Time: genesis.GenesisTime}
	committed := header.Height > 0
	if committed {
		if header.Time, err = app.lastBlockTime(); err != nil {
			return nil, err
		}
	} else {
		if err := app.initFrom(genesis); err != nil {
			return nil, err
		}
		header.Height = max(genesis.InitialHeight, 1) - 1
	}
	exported, err := app.export(app.NewContextLegacy(committed, header), nil)
	if err != nil {
		return nil, err
	}
	params := cmttypes.ConsensusParamsFromProto(exported.ConsensusParams)
	out.AppName, out.AppVersion = Name, Version
	out.GenesisTime = header.Time.UTC()
	out.InitialHeight = exported.Height
	out.AppHash = nil
	out.AppState = exported.AppState
	out.Consensus = &genutiltypes.ConsensusGenesis{Params: &params, Validators: exported.Validators}
	return &out, nil
}

// ExportAppStateAndValidators is the last state, for a chain that goes on at the
// next height, as the SDK's server asks for it.
func (app *App) ExportAppStateAndValidators(forZeroHeight bool, _, modules []string) (servertypes.ExportedApp, error) {
	if forZeroHeight {
		return servertypes.ExportedApp{}, errors.New("an export for height zero is not supported: periods, epochs and immunity are counted in this chain's blocks")
	}
	if app.LastBlockHeight() == 0 {
		return servertypes.ExportedApp{}, errors.New("there is no block to export yet")
	}
	return app.export(app.NewContextLegacy(true, cmtproto.Header{ChainID: app.ChainID(), Height: app.LastBlockHeight()}), modules)
}

func (app *App) export(ctx sdk.Context, modules []string) (servertypes.ExportedApp, error) {
	state, err := app.modules.ExportGenesisForModules(ctx, app.Codec, modules)
	if err != nil {
		return servertypes.ExportedApp{}, err
	}
	raw, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return servertypes.ExportedApp{}, err
	}
	validators, err := staking.WriteValidators(ctx, app.Staking)
	if err != nil {
		return servertypes.ExportedApp{}, err
	}
	return servertypes.ExportedApp{
		AppState: raw, Validators: validators, Height: ctx.BlockHeight() + 1, ConsensusParams: app.GetConsensusParams(ctx),
	}, nil
}

// initFrom runs a genesis without committing it.
func (app *App) initFrom(genesis *genutiltypes.AppGenesis) error {
	doc, err := genesis.ToGenesisDoc()
	if err != nil {
		return err
	}
	if err := doc.ValidateAndComplete(); err != nil {
		return err
	}
	params := doc.ConsensusParams.ToProto()
	validators := make([]abci.ValidatorUpdate, 0, len(doc.Validators))
	for _, v := range doc.Validators {
		validators = append(validators, cmttypes.TM2PB.NewValidatorUpdate(v.PubKey, v.Power))
	}
	_, err = app.InitChain(&abci.RequestInitChain{
		Time: doc.GenesisTime, ChainId: doc.ChainID, ConsensusParams: &params, Validators: validators,
		AppStateBytes: doc.AppState, InitialHeight: doc.InitialHeight,
	})
	return err
}

// lastBlockTime is the time of the last committed block.
func (app *App) lastBlockTime() (t time.Time, err error) {
	rs, ok := app.CommitMultiStore().(*rootmulti.Store)
	if !ok {
		return t, errors.New("the application's store does not keep blocks' times")
	}
	info, err := rs.GetCommitInfo(app.LastBlockHeight())
	if err != nil {
		return t, err
	}
	return info.Timestamp, nil
}
