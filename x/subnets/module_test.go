package subnets_test

import (
	"encoding/json"
	"testing"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/subnets"
	"github.com/lodenet/lode/x/subnets/types"
)

func TestAGenesisFileIsCheckedBeforeItIsLoaded(t *testing.T) {
	cdc := codec.NewProtoCodec(codectypes.NewInterfaceRegistry())
	m := subnets.AppModule{}
	good := m.DefaultGenesis(cdc)
	require.NoError(t, m.ValidateGenesis(cdc, nil, good))
	for _, bad := range []string{``, `[]`, `{"subnets": 7}`, `{"params": {}}`} {
		require.Error(t, m.ValidateGenesis(cdc, nil, json.RawMessage(bad)), bad)
	}
	var g types.GenesisState
	require.NoError(t, cdc.UnmarshalJSON(good, &g))
	require.Equal(t, types.DefaultParams(), g.Params)
	require.Empty(t, g.Subnets)
}
