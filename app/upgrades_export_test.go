package app

import (
	dbm "github.com/cosmos/cosmos-db"

	"cosmossdk.io/core/appmodule"
	"cosmossdk.io/core/store"
	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
)

// NextRelease is a release that the tests make: this one, and what comes after it.
type NextRelease struct {
	Stores   []string
	Upgrades []Upgrade
	Modules  func(Keepers, func(store string) store.KVStoreService) []appmodule.AppModule
}

func (n NextRelease) release() release {
	return release{
		stores: append(thisRelease.stores[:len(thisRelease.stores):len(thisRelease.stores)], n.Stores...), modules: n.Modules,
		upgrades: append(thisRelease.upgrades[:len(thisRelease.upgrades):len(thisRelease.upgrades)], n.Upgrades...),
	}
}

// New is [New] of the release.
func (n NextRelease) New(logger log.Logger, db dbm.DB, opts servertypes.AppOptions, base ...func(*baseapp.BaseApp)) *App {
	return n.release().new(logger, db, opts, base...)
}

// Export is [Export] of the release.
func (n NextRelease) Export(logger log.Logger, db dbm.DB, opts servertypes.AppOptions, genesis *genutiltypes.AppGenesis, height int64) (*genutiltypes.AppGenesis, error) {
	return n.release().export(logger, db, opts, genesis, height)
}
