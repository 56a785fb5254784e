package app

import (
	"cosmossdk.io/core/appmodule"
	"cosmossdk.io/core/store"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	"github.com/lodenet/lode/test/upgrade/roster"
)

// thisRelease is the next release, which the test builds by putting this file in the
// place of app/upgrades_list.go.
var thisRelease = release{
	stores:   append(storeNames[:len(storeNames):len(storeNames)], roster.Name),
	upgrades: []Upgrade{{Name: "v2-test", Stores: storetypes.StoreUpgrades{Added: []string{roster.Name}}}},
	modules: func(k Keepers, open func(string) store.KVStoreService) []appmodule.AppModule {
		r := roster.New(open(roster.Name))
		return []appmodule.AppModule{roster.AppModule{Roster: r}, roster.NewSubnets(k.Subnets, r)}
	},
}
