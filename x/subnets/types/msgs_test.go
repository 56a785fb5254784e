package types_test

import (
	"strings"
	"testing"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/subnets/types"
)

func TestIdentityRefuses(t *testing.T) {
	for name, c := range map[string]struct{ name, description, url, parameters, says string }{
		"no name":                          {"", "", "", "", "name has 0 bytes, must have 1 to 64"},
		"a name that is too long":          {strings.Repeat("n", 65), "", "", "", "name has 65 bytes"},
		"a name of a megabyte":             {strings.Repeat("n", 1<<20), "", "", "", "name has 1048576 bytes"},
		"a name of space":                  {" ", "", "", "", "must be one line, without space at its ends"},
		"a name that ends in space":        {"video\u00a0", "", "", "", "must be one line, without space at its ends"},
		"a name of two lines":              {"a\nb", "", "", "", "must be one line"},
		"a name with a terminal's escape":  {"a\x1b[31mb", "", "", "", "control character U+001B"},
		"a name that is not UTF-8":         {"a\xff", "", "", "", "name is not UTF-8"},
		"a description that is too long":   {"n", strings.Repeat("d", 1_025), "", "", "description has 1025 bytes, must have 0 to 1024"},
		"a url that is too long":           {"n", "", "https://a.b/" + strings.Repeat("u", 250), "", "url has 262 bytes"},
		"a url that runs code":             {"n", "", "javascript:alert(1)", "", "must be of the form https://host/path"},
		"a url of a file":                  {"n", "", "file:///etc/passwd", "", "must be of the form"},
		"a url without a host":             {"n", "", "https:///x", "", "must be of the form"},
		"a url with a password":            {"n", "", "https://google.com@evil.example/", "", "must be of the form"},
		"a url with a quote":               {"n", "", `https://a.b/"onclick=x`, "", "must be of the form"},
		"a url with letters that look so":  {"n", "", "https://еxample.org", "", "must be of the form"},
		"parameters that are too large":    {"n", "", "", "{" + strings.Repeat(" ", types.MaxParameters) + "}", "parameters has 8194 bytes, must have 0 to 8192"},
		"parameters of a megabyte":         {"n", "", "", strings.Repeat("{", 1<<20), "parameters has 1048576 bytes"},
		"parameters that are a number":     {"n", "", "", "7", "must be a JSON object"},
		"parameters that are a list":       {"n", "", "", " [1]", "must be a JSON object"},
		"parameters that are null":         {"n", "", "", "null", "must be a JSON object"},
		"parameters of nothing but space":  {"n", "", "", " ", "must be a JSON object"},
		"parameters that are cut off":      {"n", "", "", `{"a":1`, "must be a JSON object"},
		"parameters with more behind them": {"n", "", "", `{} {}`, "must be a JSON object"},
		"parameters that nest deep":        {"n", "", "", strings.Repeat(`{"a":`, 1_000) + "1", "must be a JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, err := range []error{
				(&types.MsgCreateSubnet{Name: c.name, Description: c.description, Url: c.url, Parameters: c.parameters}).ValidateBasic(),
				(&types.MsgUpdateSubnet{Name: c.name, Description: c.description, Url: c.url, Parameters: c.parameters}).ValidateBasic(),
			} {
				require.ErrorIs(t, err, types.ErrInvalidText)
				require.ErrorContains(t, err, c.says)
				require.Less(t, len(err.Error()), 1_000)
			}
		})
	}
}

func TestIdentityTakes(t *testing.T) {
	for _, c := range []struct{ name, description, url, parameters string }{
		{"n", "", "", ""},
		{strings.Repeat("n", 64), strings.Repeat("d", 1_024), "http://localhost:8080", "{}"},
		{"Vidéo 視頻", "two\nlines\tand a tab", "https://example.org/a?b=c#d", " {\"target\": 98, \"measure\": \"ssim\"}\n"},
		{"n", "", "https://a.b", "{" + strings.Repeat(" ", types.MaxParameters-2) + "}"},
	} {
		require.NoError(t, types.ValidateIdentity(c.name, c.description, c.url, c.parameters))
	}
}

func FuzzIdentityNeverPanics(f *testing.F) {
	f.Add("n", "https://a.b", "{}")
	f.Add("\xff", "http://", "\t{")
	f.Fuzz(func(t *testing.T, name, url, parameters string) {
		if types.ValidateIdentity(name, "", url, parameters) == nil && parameters != "" && !strings.Contains(parameters, "{") {
			t.Fatalf("took %q", parameters)
		}
	})
}

func FuzzEndpointsNeverPanic(f *testing.F) {
	f.Add("/ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA")
	f.Add("/p2p//p2p")
	f.Fuzz(func(t *testing.T, endpoint string) {
		if types.ValidateEndpoints(make([]byte, 20), []string{endpoint}) == nil {
			t.Fatalf("took %q for a key that nobody has", endpoint)
		}
	})
}

func TestMessagesAreKnownByTheirNames(t *testing.T) {
	amino := codec.NewLegacyAmino()
	types.RegisterLegacyAminoCodec(amino)
	registry := codectypes.NewInterfaceRegistry()
	types.RegisterInterfaces(registry)
	for name, m := range map[string]sdk.Msg{
		"lode/MsgCreateSubnet": &types.MsgCreateSubnet{}, "lode/MsgStartSubnet": &types.MsgStartSubnet{},
		"lode/MsgUpdateSubnet": &types.MsgUpdateSubnet{}, "lode/MsgSetHyperparameter": &types.MsgSetHyperparameter{},
		"lode/MsgRegister": &types.MsgRegister{}, "lode/MsgServe": &types.MsgServe{},
		"lode/x/subnets/MsgUpdateParams": &types.MsgUpdateParams{},
	} {
		_, err := registry.Resolve(sdk.MsgTypeURL(m))
		require.NoError(t, err)
		signed, err := amino.MarshalJSON(m)
		require.NoError(t, err)
		require.Contains(t, string(signed), `"`+name+`"`)
	}
}

func TestGenesisRefuses(t *testing.T) {
	p := types.LocalParams()
	h, err := p.Defaults()
	require.NoError(t, err)
	good := func() *types.GenesisState {
		return &types.GenesisState{
			Params:  p,
			Subnets: []types.Subnet{{Id: 1, Netuid: 1, OwnerHotkey: "a", Name: "n", Parameters: "{}", Neurons: 2, Hyperparameters: h}},
			Neurons: []types.Neuron{{SubnetId: 1, Uid: 0, Hotkey: "a"}, {SubnetId: 1, Uid: 1, Hotkey: "b"}},

			BurnPrices:         []types.BurnPrice{{SubnetId: 1, Burn: h.MinBurn}},
			Creations:          []types.Creation{{Creator: "c", Height: 1}},
			HyperparameterSets: []types.HyperparameterSet{{SubnetId: 1, Name: "tempo", Height: 1}},
		}
	}
	require.NoError(t, good().Validate())
	for name, change := range map[string]func(*types.GenesisState){
		"a subnet twice":             func(g *types.GenesisState) { g.Subnets = append(g.Subnets, g.Subnets[0]) },
		"netuid 0":                   func(g *types.GenesisState) { g.Subnets[0].Netuid = 0 },
		"a subnet without a name":    func(g *types.GenesisState) { g.Subnets[0].Name = "" },
		"a yuma version of its own":  func(g *types.GenesisState) { g.Subnets[0].Hyperparameters.YumaVersion = 4 },
		"a uid left out":             func(g *types.GenesisState) { g.Neurons[1].Uid = 2 },
		"a hotkey twice":             func(g *types.GenesisState) { g.Neurons[1].Hotkey = "a" },
		"fewer neurons than it says": func(g *types.GenesisState) { g.Neurons = g.Neurons[:1] },
		"an owner without a uid":     func(g *types.GenesisState) { g.Subnets[0].OwnerHotkey = "c" },
		"a neuron of no subnet":      func(g *types.GenesisState) { g.Neurons[1].SubnetId = 2 },
		"no price":                   func(g *types.GenesisState) { g.BurnPrices = nil },
		"a price below min_burn":     func(g *types.GenesisState) { g.BurnPrices[0].Burn-- },
		"a price twice":              func(g *types.GenesisState) { g.BurnPrices = append(g.BurnPrices, g.BurnPrices[0]) },
		"a creator twice":            func(g *types.GenesisState) { g.Creations = append(g.Creations, g.Creations[0]) },
		"a setting of no subnet":     func(g *types.GenesisState) { g.HyperparameterSets[0].SubnetId = 2 },
		"a setting of nothing":       func(g *types.GenesisState) { g.HyperparameterSets[0].Name = "x" },
		"parameters that are not":    func(g *types.GenesisState) { g.Params = types.Params{} },
	} {
		g := good()
		change(g)
		require.Error(t, g.Validate(), name)
	}
}
