package app_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	sdk "github.com/cosmos/cosmos-sdk/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/vrfkey"
	seedtypes "github.com/lodenet/lode/x/seed/types"
	"github.com/lodenet/lode/x/seed/vrf"
)

const (
	accepted = abci.ResponseProcessProposal_ACCEPT
	refused  = abci.ResponseProcessProposal_REJECT
)

// second is another validator's operator.
const second = "second"

func consensusKeyOf(name string) *ed25519.PrivKey {
	if name == validator {
		return consensusKey()
	}
	return ed25519.GenPrivKeyFromSecret([]byte("consensus of " + name))
}

func genesisOfTwo(t testing.TB) *genutiltypes.AppGenesis {
	t.Helper()
	var validators []app.Validator
	for _, name := range []string{validator, second} {
		validators = append(validators, app.Validator{
			Operator: text(name), ConsensusKey: consensusKeyOf(name).PubKey(), VRFKey: vrfKey(name).Public(), SelfBond: 10 * tao, Moniker: name,
		})
	}
	g, err := app.LocalGenesis(app.Genesis{
		ChainID: chainID, Time: genesisTime, Balances: []app.Balance{{Address: text("user"), Rao: 900_000 * tao}, {Address: text("owner"), Rao: 99_980 * tao}},
		Validators: validators,
	})
	require.NoError(t, err)
	return g
}

// turn lets a validator propose the next blocks, with its own key.
func (c *chain) turn(name string) {
	key := vrfKey(name)
	c.proposer, c.vrf = sdk.ConsAddress(consensusKeyOf(name).PubKey().Address()), &key
}

// proof is a frame of whoever has the key, over what it says.
func proof(k vrf.Key, chain string, height int64, previous []byte) []byte {
	return vrf.Frame(k.Prove(vrf.Alpha(chain, height, previous)))
}

func (c *chain) seedAt(height int64) seedtypes.Seed {
	c.t.Helper()
	s, err := c.Seed.SeedAt(c.query(), height)
	require.NoError(c.t, err)
	return s
}

func TestSection2EveryBlockHasASeedThatAnybodyCanVerify(t *testing.T) {
	c := chainOf(t, genesisOfTwo(t))
	previous := vrf.Genesis(chainID)
	for h, who := range []string{validator, second, second, validator} {
		c.turn(who)
		c.block()
		s := c.seedAt(int64(h) + 1)
		require.Equal(t, previous, s.Previous)
		require.Equal(t, text(who), s.Operator)
		require.Equal(t, vrfKey(who).Public(), s.Key)
		require.NoError(t, s.Verify(chainID))
		require.Equal(t, s.Seed, c.seed)
		previous = s.Seed
	}
}

// What a proposer might put in its proof's place: each is refused, and a block that
// was decided with it all the same counts as empty.
func TestSection2AWrongMissingReplayedOrForeignProofIsRefused(t *testing.T) {
	wrong := func(frame []byte) []byte {
		bad := bytes.Clone(frame)
		bad[len(bad)-1] ^= 1
		return bad
	}
	mine, theirs := vrfKey(validator), vrfKey(second)
	for name, begin := range map[string]func(c *chain) [][]byte{
		"no transaction at all":            func(c *chain) [][]byte { return nil },
		"a transaction instead":            func(c *chain) [][]byte { return [][]byte{c.sign(paid, []string{"user"}, send("user", "owner", 1))} },
		"an empty proof":                   func(c *chain) [][]byte { return [][]byte{vrf.Frame(nil)} },
		"a wrong proof":                    func(c *chain) [][]byte { return [][]byte{wrong(c.frame())} },
		"a proof of zeros":                 func(c *chain) [][]byte { return [][]byte{vrf.Frame(make([]byte, 80))} },
		"a proof cut short":                func(c *chain) [][]byte { return [][]byte{c.frame()[:vrf.FrameSize-1]} },
		"a proof and a byte more":          func(c *chain) [][]byte { return [][]byte{append(c.frame(), 0)} },
		"the proof of the last block":      func(c *chain) [][]byte { return [][]byte{vrf.Frame(c.seedAt(c.height).Proof)} },
		"the proof of the block before it": func(c *chain) [][]byte { return [][]byte{vrf.Frame(c.seedAt(c.height - 1).Proof)} },
		"a proof over an older seed": func(c *chain) [][]byte {
			return [][]byte{proof(mine, chainID, c.height+1, c.seedAt(c.height).Previous)}
		},
		"a proof for the next height": func(c *chain) [][]byte { return [][]byte{proof(mine, chainID, c.height+2, c.seed)} },
		"a proof for another chain":   func(c *chain) [][]byte { return [][]byte{proof(mine, "lode-1", c.height+1, c.seed)} },
		"another validator's proof":   func(c *chain) [][]byte { return [][]byte{proof(theirs, chainID, c.height+1, c.seed)} },
		"a stranger's proof":          func(c *chain) [][]byte { return [][]byte{proof(vrfKey("user"), chainID, c.height+1, c.seed)} },
		"its proof in the second place": func(c *chain) [][]byte {
			return [][]byte{c.sign(paid, []string{"user"}, send("user", "owner", 1)), c.frame()}
		},
		"an empty proof, then its own": func(c *chain) [][]byte { return [][]byte{vrf.Frame(nil), c.frame()} },
		"its proof twice":              func(c *chain) [][]byte { return [][]byte{c.frame(), c.frame()} },
	} {
		t.Run(name, func(t *testing.T) {
			c := chainOf(t, genesisOfTwo(t))
			c.blocks(3)
			txs := begin(c)
			require.Equal(t, refused.String(), c.propose(txs...).String())

			c.replay = true // more than two thirds have let it pass
			before := c.seed
			results := c.decide(txs...)
			if name == "its proof twice" {
				require.True(t, c.seedAt(c.height).Proved(), "the first of them proves")
				require.EqualValues(t, 2, results[1].Code)
			} else {
				require.False(t, c.seedAt(c.height).Proved())
				require.Equal(t, vrf.Next(before, nil), c.seed)
			}
			c.replay = false
			c.block() // the chain goes on
			require.True(t, c.seedAt(c.height).Proved())
		})
	}
}

// The header's proposer is whom the proof must be of.
func TestSection2AProposerCannotPassAnotherOffAsTheProposer(t *testing.T) {
	c := chainOf(t, genesisOfTwo(t))
	c.blocks(2)
	c.turn(second)
	mine := vrfKey(validator)
	c.vrf = &mine
	require.Equal(t, refused.String(), c.propose(c.frame()).String())
	require.Equal(t, refused.String(), c.propose(vrf.Frame(nil)).String())
	c.proposer = sdk.ConsAddress(addr("nobody"))
	require.Equal(t, refused.String(), c.propose(c.frame()).String())
}

func TestSection2AProposerThatReordersTransactionsDoesNotMoveTheSeed(t *testing.T) {
	seeds, states := map[string]bool{}, map[string]bool{}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1}, {}} {
		c := newChain(t)
		all := [][]byte{
			c.sign(paid, []string{"user"}, send("user", "a", 1)),
			c.sign(paid, []string{"owner"}, send("owner", "b", 2)),
			c.sign(paid, []string{"user"}, send("user", "c", 3)),
		}
		var txs [][]byte
		for _, i := range order {
			txs = append(txs, all[i])
		}
		c.block(txs...)
		seeds[string(c.seed)], states[string(c.lastHash)] = true, true
	}
	require.Len(t, seeds, 1)
	require.Len(t, states, 5, "the blocks were different ones")
}

func TestSection2AProposersBlockTimeDoesNotMoveTheSeed(t *testing.T) {
	seeds := map[string]bool{}
	for i := range 3 {
		c := newChain(t)
		c.time = c.time.Add(time.Duration(i) * time.Second)
		c.block()
		seeds[string(c.seed)] = true
	}
	require.Len(t, seeds, 1)
}

func TestSection2ATransactionCannotPassForAProof(t *testing.T) {
	c := newChain(t)
	frame := c.frame()
	_, err := c.TxConfig.TxDecoder()(frame)
	require.Error(t, err)
	_, err = c.TxConfig.TxDecoder()(vrf.Frame(nil))
	require.Error(t, err)
	for _, f := range [][]byte{frame, vrf.Frame(nil)} {
		res := c.check(f)
		require.EqualValues(t, 2, res.Code, "no mempool takes it")
	}
	pay := c.sign(paid, []string{"user"}, send("user", "owner", 1))
	require.Equal(t, refused.String(), c.propose(frame, pay, vrf.Frame(nil)).String(), "elsewhere in a block it is no transaction")

	// Nor does it cost, or change anything, where it is decided.
	c.replay = true
	results := c.decide(frame, vrf.Frame(nil), pay, frame)
	require.EqualValues(t, 2, results[0].Code)
	require.EqualValues(t, 2, results[1].Code)
	require.Zero(t, results[2].Code, results[2].Log)
	require.EqualValues(t, 2, results[3].Code)
	require.Zero(t, results[0].GasUsed)
	require.True(t, c.seedAt(c.height).Proved())
}

// withKeys are the options of a node with VRF keys in its file.
func withKeys(t testing.TB, keys ...vrf.Key) appOptions {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vrf_key.json")
	require.NoError(t, vrfkey.File{Keys: keys}.Write(path))
	return appOptions{app.FlagCheckInvariants: 1, app.FlagVRFKeyFile: path}
}

// prepare is what the node proposes of a mempool.
func (c *chain) prepare(most int64, mempool ...[]byte) [][]byte {
	c.t.Helper()
	res, err := c.PrepareProposal(&abci.RequestPrepareProposal{
		Height: c.height + 1, Time: c.time, Txs: mempool, MaxTxBytes: most, ProposerAddress: c.proposer,
	})
	require.NoError(c.t, err)
	return res.Txs
}

func TestSection2ANodeProvesWhatItProposesAndTheProofCountsForTheBlocksSize(t *testing.T) {
	c := chainWith(t, genesis(t), withKeys(t, vrfKey(validator)))
	require.Equal(t, [][]byte{c.frame()}, c.prepare(1<<20), "also the first block, before any state is committed")
	c.block()
	pay := c.sign(paid, []string{"user"}, send("user", "owner", 1))
	require.Equal(t, [][]byte{c.frame(), pay}, c.prepare(1<<20, []byte("hello"), c.frame(), pay))
	size := int64(vrf.FrameSize + 2 + len(pay) + 3)
	require.Equal(t, [][]byte{c.frame(), pay}, c.prepare(size, pay))
	require.Equal(t, [][]byte{c.frame()}, c.prepare(size-1, pay))
	require.Equal(t, accepted.String(), c.propose(c.prepare(size, pay)...).String())
}

func TestSection2ANodeWithoutTheKeyProposesEmptyProofsAndSaysSoOnce(t *testing.T) {
	var out bytes.Buffer
	o := withKeys(t, vrfKey("another"))
	g := genesis(t)
	c := chainLogged(t, g, o, log.NewLogger(&out, log.ColorOption(false)))
	for range 3 {
		require.Equal(t, [][]byte{vrf.Frame(nil)}, c.prepare(1<<20))
		c.block()
	}
	require.Equal(t, 1, bytes.Count(out.Bytes(), []byte("proposing blocks without a VRF proof")), out.String())
	require.Contains(t, out.String(), "is missing: it is not in "+o[app.FlagVRFKeyFile].(string))

	// The operator puts the key there: no restart is needed.
	require.NoError(t, vrfkey.File{Keys: []vrf.Key{vrfKey("another"), vrfKey(validator)}}.Write(o[app.FlagVRFKeyFile].(string)))
	require.Equal(t, [][]byte{c.frame()}, c.prepare(1<<20))
}

func TestSection2ADamagedKeyFileStopsANodeBeforeItsFirstBlock(t *testing.T) {
	require.PanicsWithError(t, "seed_test.go is no file of VRF keys: invalid character 'p' looking for beginning of value", func() {
		app.New(log.NewNopLogger(), dbm.NewMemDB(), appOptions{app.FlagVRFKeyFile: "seed_test.go"})
	})
}

func TestSection2ARotatedVRFKeyTakesThePresentOnesPlaceAfterTheDelay(t *testing.T) {
	old, next := vrfKey(validator), vrfKey("next")
	o := withKeys(t, old, next)
	c := chainWith(t, genesis(t), o)
	c.block()
	c.run([]string{"user"}, send("user", validator, tao))
	c.run([]string{validator}, seedtypes.NewMsgRegisterVRFKey(chainID, addr(validator), next))
	from := c.height + 20
	for c.height+1 < from {
		require.Equal(t, [][]byte{c.frame()}, c.prepare(1<<20), "the node proves with the one in force")
		c.vrf = &next
		require.Equal(t, refused.String(), c.propose(c.frame()).String())
		c.vrf = &old
		c.block()
	}
	require.Equal(t, refused.String(), c.propose(c.frame()).String())
	c.vrf = &next
	require.Equal(t, [][]byte{c.frame()}, c.prepare(1<<20))
	c.blocks(2)
	require.Equal(t, next.Public(), c.seedAt(c.height).Key)
}

func TestSection2AValidatorWithoutAKeyInForceMustNotProve(t *testing.T) {
	c := chainOf(t, genesisOfTwo(t))
	c.blocks(2)
	// Only a genesis that was made by hand has such a validator.
	exported, err := app.Export(log.NewNopLogger(), c.db, options, genesisOfTwo(t), 0)
	require.NoError(t, err)
	edited := editSeed(t, exported, func(g *seedtypes.GenesisState) {
		for i, k := range g.Keys {
			if k.Operator == text(second) {
				g.Keys[i] = seedtypes.VRFKey{Operator: k.Operator, Pending: k.Key, PendingHeight: 6}
			}
		}
	})
	c = chainOf(t, edited)
	c.block()
	c.turn(second)
	for c.height < 5 {
		c.vrf = nil
		before := c.seed
		proved := vrfKey(second)
		require.Equal(t, refused.String(), c.propose(proof(proved, chainID, c.height+1, c.seed)).String())
		require.Equal(t, refused.String(), c.propose().String(), "empty is not missing")
		c.block()
		require.Equal(t, vrf.Next(before, nil), c.seed)
	}
	require.Equal(t, refused.String(), c.propose(vrf.Frame(nil)).String())
	c.turn(second)
	c.block()
	require.True(t, c.seedAt(6).Proved())
}

// editSeed changes a genesis' seed part.
func editSeed(t testing.TB, g *genutiltypes.AppGenesis, edit func(*seedtypes.GenesisState)) *genutiltypes.AppGenesis {
	t.Helper()
	cdc := app.MakeEncodingConfig().Codec
	var state map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(g.AppState, &state))
	var seed seedtypes.GenesisState
	require.NoError(t, cdc.UnmarshalJSON(state[seedtypes.ModuleName], &seed))
	edit(&seed)
	state[seedtypes.ModuleName] = cdc.MustMarshalJSON(&seed)
	raw, err := json.Marshal(state)
	require.NoError(t, err)
	out := *g
	out.AppState = raw
	return &out
}

func TestSection2AGenesisMaySayTheFirstSeed(t *testing.T) {
	given := sha256.Sum256([]byte("a public ceremony"))
	c := chainOf(t, editSeed(t, genesis(t), func(g *seedtypes.GenesisState) { g.Seed = given[:] }))
	c.block()
	require.Equal(t, given[:], c.seedAt(1).Previous)
	require.NoError(t, c.seedAt(1).Verify(chainID))
}

func TestSection2AGenesisValidatorNeedsAKey(t *testing.T) {
	g := editSeed(t, genesis(t), func(g *seedtypes.GenesisState) { g.Keys = nil })
	defer func() {
		err, _ := recover().(error)
		require.ErrorContains(t, err, "a validator needs a VRF key")
	}()
	chainOf(t, g)
}
