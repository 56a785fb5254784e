// Package registry_test holds what Lode gives to the Cosmos chain registry against the
// registry's own types and against the chain.
package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/wallet"
	"github.com/lodenet/lode/x/seed/vrf"
)

// chain is chain.json, with all the fields that ours has: another is an error.
type chain struct {
	Schema       string            `json:"$schema"`
	ChainName    string            `json:"chain_name"`
	ChainType    string            `json:"chain_type"`
	ChainID      string            `json:"chain_id"`
	PrettyName   string            `json:"pretty_name"`
	Status       string            `json:"status"`
	NetworkType  string            `json:"network_type"`
	Description  string            `json:"description"`
	Bech32Prefix string            `json:"bech32_prefix"`
	Bech32       map[string]string `json:"bech32_config"`
	DaemonName   string            `json:"daemon_name"`
	NodeHome     string            `json:"node_home"`
	KeyAlgos     []string          `json:"key_algos"`
	Slip44       int               `json:"slip44"`
	Fees         struct {
		Tokens []struct {
			Denom   string      `json:"denom"`
			Fixed   json.Number `json:"fixed_min_gas_price"`
			Low     json.Number `json:"low_gas_price"`
			Average json.Number `json:"average_gas_price"`
			High    json.Number `json:"high_gas_price"`
		} `json:"fee_tokens"`
	} `json:"fees"`
	Staking struct {
		Tokens []struct {
			Denom string `json:"denom"`
		} `json:"staking_tokens"`
		Lock struct {
			Time string `json:"time"`
		} `json:"lock_duration"`
	} `json:"staking"`
	Codebase struct {
		GitRepo   string   `json:"git_repo"`
		Language  software `json:"language"`
		SDK       software `json:"sdk"`
		Consensus software `json:"consensus"`
	} `json:"codebase"`
	Keywords []string `json:"keywords"`
}

type software struct {
	Type    string `json:"type"`
	Repo    string `json:"repo"`
	Version string `json:"version"`
	Tag     string `json:"tag"`
}

type assetList struct {
	Schema    string  `json:"$schema"`
	ChainName string  `json:"chain_name"`
	Assets    []asset `json:"assets"`
}

type asset struct {
	Description string `json:"description"`
	TypeAsset   string `json:"type_asset"`
	Units       []struct {
		Denom    string `json:"denom"`
		Exponent uint32 `json:"exponent"`
	} `json:"denom_units"`
	Base     string   `json:"base"`
	Name     string   `json:"name"`
	Display  string   `json:"display"`
	Symbol   string   `json:"symbol"`
	Keywords []string `json:"keywords"`
}

var folder = filepath.Join("..", "..", "docs", "chain-registry", "lode")

func read(t *testing.T, name string, v any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// equal reports a value that is not what the chain has.
func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, the chain's is %v", what, got, want)
	}
}

func TestTheRegistrysOwnTypesAcceptTheFiles(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	for _, args := range [][]string{{"ci", "--no-audit", "--no-fund", "--prefer-offline"}, {"test"}} {
		cmd := exec.CommandContext(ctx, "npm", args...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("npm %s: %v\n%s", args[0], err, out)
		}
	}
}

func TestChainJSONSaysWhatTheChainIs(t *testing.T) {
	var c chain
	read(t, "chain.json", &c)
	equal(t, "chain_id", c.ChainID, "lode-1")
	equal(t, "bech32_prefix", c.Bech32Prefix, app.AccountPrefix)
	config := sdk.GetConfig()
	for key, want := range map[string]string{
		"bech32PrefixAccAddr": config.GetBech32AccountAddrPrefix(), "bech32PrefixAccPub": config.GetBech32AccountPubPrefix(),
		"bech32PrefixValAddr": config.GetBech32ValidatorAddrPrefix(), "bech32PrefixValPub": config.GetBech32ValidatorPubPrefix(),
		"bech32PrefixConsAddr": config.GetBech32ConsensusAddrPrefix(), "bech32PrefixConsPub": config.GetBech32ConsensusPubPrefix(),
	} {
		equal(t, key, c.Bech32[key], want)
	}
	equal(t, "bech32_config's size", len(c.Bech32), 6)
	equal(t, "node_home", strings.TrimPrefix(c.NodeHome, "$HOME"), app.DefaultHome[strings.LastIndex(app.DefaultHome, "/.lode"):])
	equal(t, "slip44", "m/44'/"+strconv.Itoa(c.Slip44)+"'/0'/0/0", wallet.Path)

	if len(c.Fees.Tokens) != 1 || len(c.Staking.Tokens) != 1 || len(c.KeyAlgos) != 1 {
		t.Fatalf("want one fee token, one staking token and one kind of key: %+v", c)
	}
	fee := c.Fees.Tokens[0]
	equal(t, "the least gas price", fee.Fixed.String()+fee.Denom, app.MinGasPrices())
	equal(t, "a low gas price", fee.Low.String()+fee.Denom, app.MinGasPrices())
	low, err1 := fee.Low.Float64()
	average, err2 := fee.Average.Float64()
	high, err3 := fee.High.Float64()
	if err1 != nil || err2 != nil || err3 != nil || low > average || average > high {
		t.Errorf("gas prices must rise: %v", fee)
	}
	equal(t, "the staking token", c.Staking.Tokens[0].Denom, app.BaseDenom)
	key, err := wallet.NewSigner(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the kind of keys", c.KeyAlgos[0], key.PubKey().Type())

	genesis, err := app.MainnetGenesis(app.Genesis{ChainID: c.ChainID, Time: time.Unix(1_800_000_000, 0), Validators: []app.Validator{testValidator(t)}})
	if err != nil {
		t.Fatal(err)
	}
	var state map[string]json.RawMessage
	if err := json.Unmarshal(genesis.AppState, &state); err != nil {
		t.Fatal(err)
	}
	var staking stakingtypes.GenesisState
	app.MakeEncodingConfig().Codec.MustUnmarshalJSON(state[stakingtypes.ModuleName], &staking)
	lock, err := time.ParseDuration(c.Staking.Lock.Time)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "lock_duration", lock, staking.Params.UnbondingTime)
	equal(t, "the bond's denom", staking.Params.BondDenom, c.Staking.Tokens[0].Denom)
}

// testValidator is a validator that a genesis can begin with.
func testValidator(t *testing.T) app.Validator {
	t.Helper()
	secret := bytes.Repeat([]byte{2}, 32)
	seed, err := vrf.FromSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	operator, err := wallet.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return app.Validator{
		Operator: operator.Address(), ConsensusKey: ed25519.GenPrivKeyFromSecret(secret).PubKey(), VRFKey: seed.Public(), SelfBond: 10_000_000_000,
	}
}

func TestChainJSONNamesTheVersionsThatGoModHas(t *testing.T) {
	var c chain
	read(t, "chain.json", &c)
	raw, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	line := func(pattern string) string {
		m := regexp.MustCompile(`(?m)` + pattern).FindStringSubmatch(string(raw))
		if m == nil {
			t.Fatalf("go.mod has no line like %s", pattern)
		}
		return m[1]
	}
	equal(t, "the SDK's version", "v"+c.Codebase.SDK.Version, line(`^\tgithub\.com/cosmos/cosmos-sdk (v\S+)`))
	equal(t, "the SDK's tag", c.Codebase.SDK.Tag, line(`^\tgithub\.com/cosmos/cosmos-sdk (v\S+)`))
	equal(t, "CometBFT's version", "v"+c.Codebase.Consensus.Version, line(`^\tgithub\.com/cometbft/cometbft (v\S+)`))
	equal(t, "CometBFT's tag", c.Codebase.Consensus.Tag, line(`^\tgithub\.com/cometbft/cometbft (v\S+)`))
	equal(t, "Go's version", c.Codebase.Language.Version, line(`^go (\S+)`))
	equal(t, "git_repo", strings.TrimPrefix(c.Codebase.GitRepo, "https://"), line(`^module (\S+)`))
}

// TestTheFilesKeepTheRegistrysForms: what its schemas ask of texts, which no type says.
func TestTheFilesKeepTheRegistrysForms(t *testing.T) {
	var c chain
	var l assetList
	read(t, "chain.json", &c)
	read(t, "assetlist.json", &l)
	name := filepath.Base(folder)
	equal(t, "chain_name", c.ChainName, name)
	equal(t, "the asset list's chain_name", l.ChainName, name)
	for _, f := range []struct{ what, value, pattern string }{
		{"$schema", c.Schema, `^(\.\./)+chain\.schema\.json$`},
		{"the asset list's $schema", l.Schema, `^(\.\./)+assetlist\.schema\.json$`},
		{"chain_name", c.ChainName, `^[a-z0-9]+$`},
		{"language.version", c.Codebase.Language.Version, `^v?\d+(\.\d+){0,2}$`},
		{"sdk.version", c.Codebase.SDK.Version, `^v?\d+(\.\d+){0,2}$`},
		{"consensus.version", c.Codebase.Consensus.Version, `^v?\d+(\.\d+){0,2}$`},
		{"sdk.tag", c.Codebase.SDK.Tag, `^v?\d+(\.\d+){0,2}(-[\w.-]+)?$`},
		{"consensus.tag", c.Codebase.Consensus.Tag, `^v?\d+(\.\d+){0,2}(-[\w.-]+)?$`},
		{"git_repo", c.Codebase.GitRepo, `^https://[a-z./]+$`},
		{"sdk.repo", c.Codebase.SDK.Repo, `^https://[a-z./-]+$`},
		{"consensus.repo", c.Codebase.Consensus.Repo, `^https://[a-z./-]+$`},
		{"description", c.Description, `^.{1,1000}$`},
		{"the asset's name", l.Assets[0].Name, `^.{1,42}$`},
		{"the asset's description", l.Assets[0].Description, `^.+$`},
	} {
		if !regexp.MustCompile(f.pattern).MatchString(f.value) {
			t.Errorf("%s is %q, want %s", f.what, f.value, f.pattern)
		}
	}
}

// TestAssetListJSONSaysWhatTheBankDoes: wallets show 10^9 rao as 1 TAO.
func TestAssetListJSONSaysWhatTheBankDoes(t *testing.T) {
	var l assetList
	read(t, "assetlist.json", &l)
	if len(l.Assets) != 1 {
		t.Fatalf("there are %d assets, want TAO alone", len(l.Assets))
	}
	a, bank := l.Assets[0], app.Metadata()
	equal(t, "base", a.Base, bank.Base)
	equal(t, "display", a.Display, bank.Display)
	equal(t, "symbol", a.Symbol, bank.Symbol)
	equal(t, "name", a.Name, bank.Name)
	equal(t, "description", a.Description, bank.Description)
	equal(t, "type_asset", a.TypeAsset, "sdk.coin")
	equal(t, "the number of units", len(a.Units), len(bank.DenomUnits))
	for i, u := range bank.DenomUnits {
		equal(t, "a unit", a.Units[i].Denom, u.Denom)
		equal(t, "the exponent of "+u.Denom, a.Units[i].Exponent, u.Exponent)
	}
}
