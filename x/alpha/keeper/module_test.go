package keeper_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/cosmos/cosmos-sdk/codec"

	"github.com/lodenet/lode/x/alpha"
	"github.com/lodenet/lode/x/alpha/types"
)

// registrar keeps the names of the services that a module serves.
type registrar []string

func (r *registrar) RegisterService(desc *grpc.ServiceDesc, _ any) { *r = append(*r, desc.ServiceName) }

func TestTheModuleLoadsServesAndExports(t *testing.T) {
	e := bareEnv(t)
	m := alpha.NewAppModule(e.k)
	raw := m.DefaultGenesis(e.cdc)
	require.NoError(t, m.ValidateGenesis(e.cdc, nil, raw))
	require.ErrorContains(t, m.ValidateGenesis(e.cdc, nil, json.RawMessage("{")), "genesis of alpha")
	require.Error(t, m.ValidateGenesis(e.cdc, nil, json.RawMessage("{}")))
	m.InitGenesis(e.ctx, e.cdc, raw)
	require.JSONEq(t, string(raw), string(m.ExportGenesis(e.ctx, e.cdc)))
	require.Panics(t, func() { m.InitGenesis(e.ctx, e.cdc, json.RawMessage("{}")) })

	var served registrar
	require.NoError(t, m.RegisterServices(&served))
	require.Equal(t, registrar{"lode.alpha.v1.Msg", "lode.alpha.v1.Query"}, served)
	require.Equal(t, types.ModuleName, m.Name())
	require.NotPanics(t, func() { m.RegisterLegacyAminoCodec(codec.NewLegacyAmino()) })
}
