package roster

import (
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"

	"github.com/lodenet/lode/x/subnets"
	"github.com/lodenet/lode/x/subnets/keeper"
	"github.com/lodenet/lode/x/subnets/types"
)

// Subnets is x/subnets in its next form.
type Subnets struct {
	subnets.AppModule
	neurons keeper.Keeper
	roster  Roster
}

// NewSubnets makes the module of its keeper and the list that its migration fills.
func NewSubnets(k keeper.Keeper, r Roster) Subnets {
	return Subnets{subnets.NewAppModule(k), k, r}
}

var _ module.HasServices = Subnets{}

// ConsensusVersion is one more than x/subnets': the state's form has changed.
func (s Subnets) ConsensusVersion() uint64 { return s.AppModule.ConsensusVersion() + 1 }

// RegisterServices also registers what makes the new form of the old.
func (s Subnets) RegisterServices(cfg module.Configurator) {
	if err := s.AppModule.RegisterServices(cfg); err != nil {
		panic(err)
	}
	if err := cfg.RegisterMigration(types.ModuleName, s.AppModule.ConsensusVersion(), s.migrate); err != nil {
		panic(err)
	}
}

func (s Subnets) migrate(ctx sdk.Context) error {
	all, err := s.neurons.Subnets(ctx)
	if err != nil {
		return err
	}
	for _, subnet := range all {
		neurons, err := s.neurons.Neurons(ctx, subnet.Id)
		if err != nil {
			return err
		}
		for _, n := range neurons {
			hotkey, err := sdk.AccAddressFromBech32(n.Hotkey)
			if err != nil {
				return err
			}
			if err := s.roster.Put(ctx, Entry{Hotkey: hotkey, SubnetID: n.SubnetId, UID: n.Uid, Registered: n.RegisteredHeight}); err != nil {
				return err
			}
		}
	}
	return nil
}
