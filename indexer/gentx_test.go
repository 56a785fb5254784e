package indexer_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cosmossdk.io/log/v2"
	sdkmath "cosmossdk.io/math"
	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/indexer"
	"github.com/lodenet/lode/x/seed/vrf"
)

const gentxChain = "lode-gentx-1"

func keyOf(name string) *secp256k1.PrivKey { return secp256k1.GenPrivKeyFromSecret([]byte(name)) }

func addressOf(name string) string { return sdk.AccAddress(keyOf(name).PubKey().Address()).String() }

// gentx is a transaction of a genesis, in JSON: its signer does something.
func gentx(t *testing.T, enc app.EncodingConfig, name string, fee int64, msg sdk.Msg) json.RawMessage {
	t.Helper()
	b := enc.TxConfig.NewTxBuilder()
	require.NoError(t, b.SetMsgs(msg))
	b.SetGasLimit(200_000)
	if fee > 0 {
		b.SetFeeAmount(sdk.NewCoins(sdk.NewInt64Coin(client.Denom, fee)))
	}
	sign := func(sig []byte) {
		require.NoError(t, b.SetSignatures(signing.SignatureV2{
			PubKey: keyOf(name).PubKey(), Data: &signing.SingleSignatureData{SignMode: signing.SignMode_SIGN_MODE_DIRECT, Signature: sig},
		}))
	}
	sign(nil)
	bytes, err := authsigning.GetSignBytesAdapter(context.Background(), enc.TxConfig.SignModeHandler(), signing.SignMode_SIGN_MODE_DIRECT,
		authsigning.SignerData{Address: addressOf(name), ChainID: gentxChain, PubKey: keyOf(name).PubKey()}, b.GetTx())
	require.NoError(t, err)
	sig, err := keyOf(name).Sign(bytes)
	require.NoError(t, err)
	sign(sig)
	raw, err := enc.TxConfig.TxJSONEncoder()(b.GetTx())
	require.NoError(t, err)
	return raw
}

// bonding is what creates a validator.
func bonding(t *testing.T, name string, rao int64) *stakingtypes.MsgCreateValidator {
	t.Helper()
	operator := sdk.ValAddress(keyOf(name).PubKey().Address()).String()
	one := sdkmath.LegacyNewDecWithPrec(1, 2)
	m, err := stakingtypes.NewMsgCreateValidator(operator, ed25519.GenPrivKeyFromSecret([]byte(name)).PubKey(), sdk.NewInt64Coin(client.Denom, rao),
		stakingtypes.Description{Moniker: name}, stakingtypes.NewCommissionRates(one, one, one), sdkmath.OneInt())
	require.NoError(t, err)
	return m
}

// gentxGenesis is a genesis whose validators come by transactions; one of them has a
// place.
func gentxGenesis(t *testing.T, enc app.EncodingConfig, txs ...json.RawMessage) *genutiltypes.AppGenesis {
	t.Helper()
	had := map[string]uint64{"big": 90 * tao, "small": 50 * tao}
	begin := app.Genesis{ChainID: gentxChain, Time: time.Unix(1_800_000_000, 0).UTC()}
	for _, name := range []string{"big", "small"} { // which gives them VRF keys
		secret := sha256.Sum256([]byte(name))
		key, err := vrf.FromSecret(secret[:])
		require.NoError(t, err)
		begin.Validators = append(begin.Validators, app.Validator{
			Operator: addressOf(name), ConsensusKey: ed25519.GenPrivKeyFromSecret([]byte(name)).PubKey(), VRFKey: key.Public(), SelfBond: had[name],
		})
	}
	g, err := app.LocalGenesis(begin)
	require.NoError(t, err)
	var state map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(g.AppState, &state))
	var bank banktypes.GenesisState
	enc.Codec.MustUnmarshalJSON(state[banktypes.ModuleName], &bank)
	require.Len(t, bank.Balances, 1, "the pool's, which is theirs here")
	bank.Balances = nil
	for name, rao := range had {
		bank.Balances = append(bank.Balances, banktypes.Balance{Address: addressOf(name), Coins: sdk.NewCoins(sdk.NewInt64Coin(client.Denom, int64(rao)))})
	}
	state[banktypes.ModuleName] = enc.Codec.MustMarshalJSON(&bank)
	var staking stakingtypes.GenesisState
	enc.Codec.MustUnmarshalJSON(state[stakingtypes.ModuleName], &staking)
	staking.Validators, staking.Delegations, staking.Params.MaxValidators = nil, nil, 1
	state[stakingtypes.ModuleName] = enc.Codec.MustMarshalJSON(&staking)
	state[genutiltypes.ModuleName] = enc.Codec.MustMarshalJSON(&genutiltypes.GenesisState{GenTxs: txs})
	g.AppState, err = json.Marshal(state)
	require.NoError(t, err)
	return g
}

// began is a chain's first block, as the application makes it.
type began struct {
	doc    *cmttypes.GenesisDoc
	record *client.Record
}

func (b began) ChainID(context.Context) (string, error) { return b.doc.ChainID, nil }

func (b began) Genesis(context.Context) (*cmttypes.GenesisDoc, error) { return b.doc, nil }

func (b began) Kept(context.Context) (first, last int64, err error) { return 1, 1, nil }

func (b began) Blocks(context.Context, int64, int64) ([]*client.Record, error) {
	return []*client.Record{b.record}, nil
}

func (b began) Done(*client.Record) {}

func (b began) Wait(ctx context.Context, _ int64) error {
	<-ctx.Done()
	return ctx.Err()
}

func docOf(t *testing.T, g *genutiltypes.AppGenesis) *cmttypes.GenesisDoc {
	t.Helper()
	doc, err := g.ToGenesisDoc()
	require.NoError(t, err)
	return doc
}

// What transactions of a genesis do, no block tells of; the index has it all the same.
func TestBalancesAreTheChainsWhereGenesisHasTransactions(t *testing.T) {
	enc := app.MakeEncodingConfig()
	g := gentxGenesis(t, enc, gentx(t, enc, "small", 2_000, bonding(t, "small", 20*tao)), gentx(t, enc, "big", 2_700, bonding(t, "big", 60*tao)))
	a := app.New(log.NewNopLogger(), dbm.NewMemDB(), simtestutil.AppOptionsMap{}, baseapp.SetChainID(gentxChain), baseapp.SetIAVLSyncPruning(true))
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	params := g.Consensus.Params.ToProto()
	_, err := a.InitChain(&abci.RequestInitChain{Time: g.GenesisTime, ChainId: g.ChainID, InitialHeight: 1, ConsensusParams: &params, AppStateBytes: g.AppState})
	require.NoError(t, err)
	hash := sha256.Sum256([]byte(gentxChain))
	r := &client.Record{Height: 1, Time: g.GenesisTime, Hash: hash[:], Proposer: ed25519.GenPrivKeyFromSecret([]byte("big")).PubKey().Address(), Txs: [][]byte{vrf.Frame(nil)}}
	res, err := a.FinalizeBlock(&abci.RequestFinalizeBlock{Txs: r.Txs, Hash: r.Hash, Height: 1, Time: r.Time, ProposerAddress: r.Proposer})
	require.NoError(t, err)
	_, err = a.Commit()
	require.NoError(t, err)
	r.Events, r.Results = res.Events, res.TxResults

	s := open(t, filepath.Join(t.TempDir(), "index.db"))
	require.NoError(t, index(t, s, began{docOf(t, g), r}))
	ctx := a.NewContext(true)
	count := 0
	a.Bank.IterateAllBalances(ctx, func(at sdk.AccAddress, coin sdk.Coin) bool {
		rao, err := s.Balance(t.Context(), at.String())
		require.NoError(t, err)
		require.Equal(t, coin.Amount.Uint64(), uint64(rao), at.String())
		count++
		return false
	})
	require.Greater(t, count, 4)
	for name, want := range map[string]int64{stakingtypes.BondedPoolName: 60 * tao, stakingtypes.NotBondedPoolName: 20 * tao} {
		rao, err := s.Balance(t.Context(), authtypes.NewModuleAddress(name).String())
		require.NoError(t, err)
		require.EqualValues(t, want, rao, "one of two has a place")
	}
	var table strings.Builder
	require.NoError(t, s.History(t.Context(), addressOf("big"), &table))
	require.Contains(t, table.String(), ",,,30.000000000,TAO,0.000002700,TAO,", "its history begins with what bonding left it, and the fee")
}

func TestTransactionsOfAGenesisThatCannotBeReadAreRefused(t *testing.T) {
	enc := app.MakeEncodingConfig()
	send := &banktypes.MsgSend{FromAddress: addressOf("big"), ToAddress: addressOf("small"), Amount: sdk.NewCoins(sdk.NewInt64Coin(client.Denom, 1))}
	other := bonding(t, "big", 1)
	other.Value.Denom = "uatom"
	for says, txs := range map[string][]json.RawMessage{
		"only MsgCreateValidator is": {gentx(t, enc, "big", 0, send)},
		"has 90000000000 rao":        {gentx(t, enc, "big", 0, bonding(t, "big", 91*tao))},
		"bonds no rao":               {gentx(t, enc, "big", 0, other)},
		"transaction 1":              {gentx(t, enc, "big", 0, bonding(t, "big", 90*tao)), gentx(t, enc, "big", 0, bonding(t, "big", 1))},
		"no body":                    {json.RawMessage(`{}`)},
		"gen_txs":                    {json.RawMessage(`7`)},
	} {
		s := open(t, filepath.Join(t.TempDir(), "index.db"))
		err := s.Run(t.Context(), began{doc: docOf(t, gentxGenesis(t, enc, txs...))})
		require.ErrorContains(t, err, says)
		_, err = s.Status(t.Context())
		require.ErrorIs(t, err, indexer.ErrEmpty)
	}
}
