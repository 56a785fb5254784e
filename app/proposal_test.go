package app

import (
	"errors"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	sdk "github.com/cosmos/cosmos-sdk/types"

	seedkeeper "github.com/lodenet/lode/x/seed/keeper"
	"github.com/lodenet/lode/x/seed/vrf"
)

// On an error baseapp would propose the mempool as it is, without the proof.
func TestSection2TheProofIsThereWhateverBecomesOfTheRest(t *testing.T) {
	app := New(log.NewNopLogger(), dbm.NewMemDB(), simtestutil.AppOptionsMap{}, baseapp.SetChainID("lode-test-1"))
	t.Cleanup(func() { require.NoError(t, app.Close()) })
	ctx := app.NewContextLegacy(true, cmtproto.Header{ChainID: "lode-test-1", Height: 2})
	req := &abci.RequestPrepareProposal{Height: 2, Txs: [][]byte{[]byte("a"), []byte("b")}, MaxTxBytes: 1 << 20, ProposerAddress: make([]byte, 20)}
	want := &abci.ResponsePrepareProposal{Txs: [][]byte{vrf.Frame(nil)}}

	for name, p := range map[string]proposals{
		"a transaction that panics": {decode: func([]byte) (sdk.Tx, error) { panic("boom") }, seed: app.Seed, vrf: app.vrf},
		"nothing that can be read":  {decode: func([]byte) (sdk.Tx, error) { return nil, errors.New("no") }, seed: app.Seed, vrf: app.vrf},
		"a prover that panics":      {decode: func([]byte) (sdk.Tx, error) { return nil, errors.New("no") }, seed: seedkeeper.Keeper{}, vrf: app.vrf},
	} {
		res, err := p.prepare(ctx, req)
		require.NoError(t, err, name)
		require.Equal(t, want, res, name)
	}
}
