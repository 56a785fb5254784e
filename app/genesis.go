package app

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	cmttypes "github.com/cometbft/cometbft/types"

	"cosmossdk.io/math"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	seedtypes "github.com/lodenet/lode/x/seed/types"
)

// Names of the coin: amounts on chain are rao, people read TAO (10^9 rao).
const (
	BaseDenom    = alphatypes.Denom
	DisplayDenom = "TAO"
	displayDigit = 9
)

// Balance is what an account has at genesis.
type Balance struct {
	Address string
	Rao     uint64
}

// Validator is a chain validator at genesis.
type Validator struct {
	Operator     string // account address: the hotkey whose root stake it is
	ConsensusKey cryptotypes.PubKey
	VRFKey       []byte // 32 bytes: it proves the validator's part of the seed from the first block on
	SelfBond     uint64 // rao, beside its balance
	Moniker      string
}

// Genesis is what a chain begins with. It holds nothing of subnets: they come by
// transactions.
type Genesis struct {
	ChainID    string
	Time       time.Time
	BlockTime  time.Duration // target; 0: the profile's
	Balances   []Balance
	Validators []Validator
}

// MainnetGenesis is a genesis with the parameters of the mainnet profile.
func MainnetGenesis(g Genesis) (*genutiltypes.AppGenesis, error) { return g.build(mainnet()) }

// LocalGenesis is a genesis with the parameters of the local profile
// (protocol.md §2): short delays, so that one sees them pass.
func LocalGenesis(g Genesis) (*genutiltypes.AppGenesis, error) { return g.build(local()) }

func (g Genesis) build(p profile) (*genutiltypes.AppGenesis, error) {
	enc := MakeEncodingConfig()
	p.setBlockTime(g.BlockTime)
	state := basics().DefaultGenesis(enc.Codec)
	if err := g.addBalances(enc, state); err != nil {
		return nil, err
	}
	if err := g.addValidators(enc, state, p.staking); err != nil {
		return nil, err
	}
	g.addVRFKeys(enc, state, p.seed)
	p.addTo(enc, state)
	if err := basics().ValidateGenesis(enc.Codec, enc.TxConfig, state); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(state)
	if err != nil {
		return nil, err
	}
	doc := &genutiltypes.AppGenesis{
		AppName: Name, AppVersion: Version, ChainID: g.ChainID, GenesisTime: g.Time.UTC(), InitialHeight: 1,
		AppState: raw, Consensus: &genutiltypes.ConsensusGenesis{Params: p.consensus()},
	}
	return doc, doc.ValidateAndComplete()
}

// addBalances fills auth and bank. Validators get an account even where their
// balance is zero: they sign.
func (g Genesis) addBalances(enc EncodingConfig, state map[string]json.RawMessage) error {
	var (
		accounts []authtypes.GenesisAccount
		balances []banktypes.Balance
		total    = math.ZeroInt()
		seen     = map[string]bool{}
	)
	add := func(address string, rao uint64) error {
		addr, err := sdk.AccAddressFromBech32(address)
		if err != nil {
			return fmt.Errorf("genesis account %q: %w", address, err)
		}
		if seen[address] {
			return fmt.Errorf("genesis account %s is there twice", address)
		}
		seen[address] = true
		accounts = append(accounts, authtypes.NewBaseAccount(addr, nil, uint64(len(accounts)), 0))
		if rao > 0 {
			balances = append(balances, banktypes.Balance{Address: address, Coins: raoCoins(rao)})
		}
		total = total.Add(math.NewIntFromUint64(rao))
		return nil
	}
	for _, b := range g.Balances {
		if err := add(b.Address, b.Rao); err != nil {
			return err
		}
	}
	bonded := math.ZeroInt()
	for _, v := range g.Validators {
		if !seen[v.Operator] {
			if err := add(v.Operator, 0); err != nil {
				return err
			}
		}
		bonded = bonded.Add(math.NewIntFromUint64(v.SelfBond))
	}
	total = total.Add(bonded)
	if most := math.NewIntFromUint64(SupplyCap); total.GT(most) {
		return fmt.Errorf("genesis balances and bonds are %s rao, may be at most the supply cap of %s rao", total, most)
	}
	if bonded.IsPositive() {
		balances = append(balances, banktypes.Balance{
			Address: authtypes.NewModuleAddress(stakingtypes.NotBondedPoolName).String(),
			Coins:   sdk.NewCoins(sdk.NewCoin(BaseDenom, bonded)),
		})
	}
	slices.SortFunc(balances, func(a, b banktypes.Balance) int { return strings.Compare(a.Address, b.Address) })

	auth := authtypes.NewGenesisState(authtypes.DefaultParams(), accounts)
	state[authtypes.ModuleName] = enc.Codec.MustMarshalJSON(auth)
	bank := banktypes.NewGenesisState(banktypes.DefaultParams(), balances, sdk.NewCoins(sdk.NewCoin(BaseDenom, total)),
		[]banktypes.Metadata{Metadata()}, nil)
	state[banktypes.ModuleName] = enc.Codec.MustMarshalJSON(bank)
	return nil
}

// addValidators fills staking. They begin unbonded, with their tokens in the pool
// of the unbonded: staking bonds them and its hooks do the rest.
func (g Genesis) addValidators(enc EncodingConfig, state map[string]json.RawMessage, params stakingtypes.Params) error {
	if len(g.Validators) == 0 {
		return fmt.Errorf("a genesis needs at least one validator: without one no block can be made")
	}
	var (
		validators  []stakingtypes.Validator
		delegations []stakingtypes.Delegation
	)
	for _, v := range g.Validators {
		operator, err := sdk.AccAddressFromBech32(v.Operator)
		if err != nil {
			return fmt.Errorf("operator of a genesis validator, %q: %w", v.Operator, err)
		}
		if v.SelfBond < sdk.DefaultPowerReduction.Uint64() {
			return fmt.Errorf("validator %s bonds %d rao, must be at least %d to have any voting power", v.Operator, v.SelfBond, sdk.DefaultPowerReduction.Uint64())
		}
		if len(v.VRFKey) == 0 {
			return fmt.Errorf("validator %s has no VRF key: `lode node init` makes one, in config/vrf_key.json", v.Operator)
		}
		key, err := codectypes.NewAnyWithValue(v.ConsensusKey)
		if err != nil {
			return fmt.Errorf("consensus key of validator %s: %w", v.Operator, err)
		}
		bond := math.NewIntFromUint64(v.SelfBond)
		validators = append(validators, stakingtypes.Validator{
			OperatorAddress: sdk.ValAddress(operator).String(),
			ConsensusPubkey: key,
			Status:          stakingtypes.Unbonded,
			Tokens:          bond,
			DelegatorShares: math.LegacyNewDecFromInt(bond),
			Description:     stakingtypes.Description{Moniker: v.Moniker},
			UnbondingTime:   time.Unix(0, 0).UTC(),
			Commission: stakingtypes.NewCommissionWithTime(MaxCommission, MaxCommission, math.LegacyNewDecWithPrec(1, 2),
				g.Time.UTC()),
			MinSelfDelegation: math.OneInt(),
		})
		delegations = append(delegations, stakingtypes.NewDelegation(v.Operator, sdk.ValAddress(operator).String(), math.LegacyNewDecFromInt(bond)))
	}
	staking := stakingtypes.NewGenesisState(params, validators, delegations)
	state[stakingtypes.ModuleName] = enc.Codec.MustMarshalJSON(staking)
	return nil
}

// addVRFKeys fills seed: the validators' keys are in force at once.
func (g Genesis) addVRFKeys(enc EncodingConfig, state map[string]json.RawMessage, params seedtypes.Params) {
	seed := seedtypes.GenesisState{Params: params}
	for _, v := range g.Validators {
		seed.Keys = append(seed.Keys, seedtypes.VRFKey{Operator: v.Operator, Key: v.VRFKey})
	}
	state[seedtypes.ModuleName] = enc.Codec.MustMarshalJSON(&seed)
}

// Metadata is how wallets learn to show amounts.
func Metadata() banktypes.Metadata {
	return banktypes.Metadata{
		Name: "Lode TAO", Symbol: DisplayDenom, Description: "The coin of the Lode network; 1 TAO = 10^9 rao.",
		Base: BaseDenom, Display: DisplayDenom,
		DenomUnits: []*banktypes.DenomUnit{{Denom: BaseDenom}, {Denom: DisplayDenom, Exponent: displayDigit}},
	}
}

// CheckGenesis checks a genesis file, and returns the target block time that it
// was made for.
func CheckGenesis(genesis *genutiltypes.AppGenesis) (time.Duration, error) {
	if err := genesis.ValidateAndComplete(); err != nil {
		return 0, err
	}
	var state map[string]json.RawMessage
	if err := json.Unmarshal(genesis.AppState, &state); err != nil {
		return 0, fmt.Errorf("app_state: %w", err)
	}
	enc := MakeEncodingConfig()
	has := basics().DefaultGenesis(enc.Codec)
	for _, name := range orderGenesis {
		if has[name] != nil && state[name] == nil {
			return 0, fmt.Errorf("app_state has no part of module %s", name)
		}
	}
	if err := basics().ValidateGenesis(enc.Codec, enc.TxConfig, state); err != nil {
		return 0, err
	}
	var emission emissiontypes.GenesisState
	if err := enc.Codec.UnmarshalJSON(state[emissiontypes.ModuleName], &emission); err != nil {
		return 0, err
	}
	return emission.Params.BlockTime(), nil
}

func raoCoins(rao uint64) sdk.Coins {
	return sdk.NewCoins(sdk.NewCoin(BaseDenom, math.NewIntFromUint64(rao)))
}

// consensus are the parameters of CometBFT.
func (p profile) consensus() *cmttypes.ConsensusParams {
	c := cmttypes.DefaultConsensusParams()
	c.Block.MaxBytes = maxBlockBytes
	c.Block.MaxGas = maxBlockGas
	// Misbehaviour can be punished as long as what it put at stake is bonded.
	c.Evidence.MaxAgeDuration = p.staking.UnbondingTime
	c.Evidence.MaxAgeNumBlocks = max(1, int64(p.staking.UnbondingTime/p.blockTime))
	return c
}
