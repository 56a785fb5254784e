package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cosmossdk.io/log/v2"
	dbm "github.com/cosmos/cosmos-db"
	sdkclient "github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/codec"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/wallet"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// newTestRoot is the program's command line as it is for one run.
func newTestRoot(t *testing.T) *cobra.Command {
	t.Helper()
	return newRoot(&globals{terminal: newTerminal(strings.NewReader(""), new(strings.Builder))})
}

// TestEveryMessageAndQueryOfTheApplicationHasACommand compares the commands with what
// the application itself routes: all of it and nothing else.
func TestEveryMessageAndQueryOfTheApplicationHasACommand(t *testing.T) {
	a := app.New(log.NewNopLogger(), dbm.NewMemDB(), simtestutil.AppOptionsMap{flags.FlagHome: t.TempDir()})
	t.Cleanup(func() { a.Close() })
	ctx := sdkclient.Context{}
	a.RegisterTxService(ctx)
	a.RegisterTendermintService(ctx)
	a.RegisterNodeService(ctx, *serverconfig.DefaultConfig())

	root, n := newTestRoot(t), 0
	want := func(kind string, methods []chainMethod, m protoreflect.MethodDescriptor) {
		n++
		i := slices.IndexFunc(methods, func(c chainMethod) bool { return c.desc.FullName() == m.FullName() })
		if i < 0 {
			t.Errorf("%s has no command", m.FullName())
			return
		}
		args := []string{kind, methods[i].module, methods[i].name}
		cmd, rest, err := root.Find(args)
		if err != nil || len(rest) > 0 || cmd.CommandPath() != "lode "+strings.Join(args, " ") {
			t.Errorf("`lode %s` is not found: %v", strings.Join(args, " "), err)
		}
	}
	a.InterfaceRegistry.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			for j := range s.Methods().Len() {
				m := s.Methods().Get(j)
				message := s.Name() == "Msg" && a.MsgServiceRouter().HandlerByTypeURL(typeURL(m.Input())) != nil
				query := m.FullName() != broadcastTx && a.GRPCQueryRouter().Route(chainMethod{desc: m}.path()) != nil
				switch {
				case message:
					want("tx", chain().messages, m)
				case query:
					want("query", chain().queries, m)
				}
			}
		}
		return true
	})
	if got := len(chain().messages) + len(chain().queries); got != n {
		t.Errorf("there are %d commands for %d methods", got, n)
	}
	for _, m := range chain().messages {
		if a.MsgServiceRouter().HandlerByTypeURL(typeURL(m.desc.Input())) == nil {
			t.Errorf("`lode tx %s %s`: the application has no such message", m.module, m.name)
		}
	}
	for _, m := range chain().queries {
		if a.GRPCQueryRouter().Route(m.path()) == nil {
			t.Errorf("`lode query %s %s`: the application has no such query", m.module, m.name)
		}
	}
	for _, name := range []string{"lode.alpha.v1.Msg.BindHotkey", "lode.emission.v1.Query.Metagraph", "cosmos.gov.v1.Msg.SubmitProposal"} {
		if !slices.ContainsFunc(append(chain().messages, chain().queries...), func(m chainMethod) bool { return string(m.desc.FullName()) == name }) {
			t.Errorf("%s is missing: the list is not that of the chain", name)
		}
	}
}

// TestTheClientReadsEveryMessageOfTheApplication: what the client can't decode, the
// commands can't show.
func TestTheClientReadsEveryMessageOfTheApplication(t *testing.T) {
	c, err := client.New(client.Config{Nodes: []string{"http://127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	theirs := c.Codec().(*codec.ProtoCodec).InterfaceRegistry().ListImplementations(sdk.MsgInterfaceProtoName)
	for _, m := range chain().messages {
		if url := typeURL(m.desc.Input()); !slices.Contains(theirs, url) {
			t.Errorf("the client does not know %s", url)
		}
	}
}

func TestEveryFieldOfAMessageHasAFlagOfItsOwn(t *testing.T) {
	for _, m := range append(chain().messages, chain().queries...) {
		cmd := &cobra.Command{Use: m.name}
		f := addMessageFlags(cmd, m.desc.Input(), "body") // panics where two flags have one name
		fields := map[protoreflect.Name]bool{}
		for _, flag := range f.fields {
			fields[flag.desc.Name()] = true
			if !slices.Contains([]string{"key", "text", "number", "bool", "bytes", "word", "coins", "time", "duration", "JSON"}, flag.Type()) {
				t.Errorf("%s: --%s is of kind %q", m.path(), flag.name, flag.Type())
			}
		}
		if len(fields) != m.desc.Input().Fields().Len() {
			t.Errorf("%s: %d fields have flags, of %d", m.path(), len(fields), m.desc.Input().Fields().Len())
		}
	}
}

// TestOwnMethodsAreExplained: help says of each message, query and field of ours what
// the protocol's files say.
func TestOwnMethodsAreExplained(t *testing.T) {
	for _, m := range append(chain().messages, chain().queries...) {
		if strings.HasPrefix(m.path(), "/lode.") && !strings.HasSuffix(m.path(), "Query/Params") && wordsOf(m.desc) == "" {
			t.Errorf("nothing is said about %s: write a comment in proto/, and run make proto", m.path())
		}
	}
}

func TestNamesOfModulesAndMethods(t *testing.T) {
	for name, want := range map[string]string{
		"BindHotkey": "bind-hotkey", "limit_price": "limit-price", "UpdateParams": "update-params", "AccountAddressByID": "account-address-by-id",
		"SpendableBalanceByDenom": "spendable-balance-by-denom", "ABCIQuery": "abci-query", "URL": "url",
	} {
		if got := kebab(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	for _, c := range [][3]string{{"v1", "v1beta1", "v1"}, {"v1beta1", "v1", "v1"}, {"v2", "v10", "v10"}, {"", "v1", "v1"}, {"v1beta1", "v1alpha1", "v1beta1"}} {
		if got := newer(c[0], c[1]); got != c[2] {
			t.Errorf("the newer of %q and %q: %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

// field finds a field of a message of the chain.
func field(t *testing.T, message, name string) protoreflect.FieldDescriptor {
	t.Helper()
	d, ok := findMessage(chain().InterfaceRegistry, message)
	if !ok {
		t.Fatalf("no message %s", message)
	}
	return d.Fields().ByName(protoreflect.Name(name))
}

func TestWhatAFieldTakes(t *testing.T) {
	for _, c := range []struct{ message, field, text, want string }{
		{"lode.alpha.v1.MsgStake", "tao", "18446744073709551615", `"18446744073709551615"`},
		{"lode.alpha.v1.MsgStake", "netuid", "7", `7`},
		{"lode.alpha.v1.MsgStake", "allow_partial", "true", `true`},
		{"lode.weights.v1.MsgCommitWeights", "hash", "0x0102", `"AQI="`},
		{"lode.weights.v1.MsgCommitWeights", "hash", "AQI=", `"AQI="`},
		{"cosmos.gov.v1.MsgVote", "option", "no-with-veto", `"VOTE_OPTION_NO_WITH_VETO"`},
		{"cosmos.gov.v1.MsgVote", "option", "VOTE_OPTION_YES", `"VOTE_OPTION_YES"`},
		{"cosmos.gov.v1.MsgVote", "option", "1", `1`},
		{"cosmos.staking.v1beta1.MsgDelegate", "amount", "1.5TAO", `[{"amount":"1500000000","denom":"rao"}]`},
		{"cosmos.bank.v1beta1.MsgSend", "amount", "12rao,3uatom", `[{"amount":"12","denom":"rao"},{"amount":"3","denom":"uatom"}]`},
		{"cosmos.bank.v1beta1.MsgSend", "amount", `[{"denom":"rao","amount":"1"}]`, `[{"amount":"1","denom":"rao"}]`},
		{"cosmos.feegrant.v1beta1.BasicAllowance", "expiration", "2027-01-01T00:00:00+01:00", `"2026-12-31T23:00:00Z"`},
		{"cosmos.gov.v1.Params", "voting_period", "36h", `"129600s"`},
	} {
		v, err := fieldValue(field(t, c.message, c.field), c.text)
		if err != nil {
			t.Errorf("%s of %s: %q: %v", c.field, c.message, c.text, err)
			continue
		}
		if raw, err := json.Marshal(v); err != nil || string(raw) != c.want {
			t.Errorf("%s of %s: %q is %s, want %s (%v)", c.field, c.message, c.text, raw, c.want, err)
		}
	}
}

func TestWhatAFieldRefuses(t *testing.T) {
	for _, c := range []struct{ message, field, text, says string }{
		{"lode.alpha.v1.MsgStake", "tao", "18446744073709551616", "from 0 to 2^64 - 1"},
		{"lode.alpha.v1.MsgStake", "tao", "-1", "from 0"},
		{"lode.alpha.v1.MsgStake", "tao", "1.5", "no whole number"},
		{"lode.alpha.v1.MsgStake", "netuid", "4294967296", "from 0 to 4294967295"},
		{"lode.alpha.v1.MsgStake", "netuid", "", "no whole number"},
		{"lode.alpha.v1.MsgStake", "allow_partial", "maybe", "invalid syntax"},
		{"lode.weights.v1.MsgCommitWeights", "hash", "0x0", "hexadecimal"},
		{"lode.weights.v1.MsgCommitWeights", "hash", "?", "base64"},
		{"cosmos.gov.v1.MsgVote", "option", "perhaps", "yes, abstain, no, no-with-veto"},
		{"cosmos.staking.v1beta1.MsgDelegate", "amount", "1.5rao", "no part of a rao"},
		{"cosmos.staking.v1beta1.MsgDelegate", "amount", "1.0000000001TAO", "10 digits"},
		{"cosmos.staking.v1beta1.MsgDelegate", "amount", "-1rao", "like 12rao"},
		{"cosmos.staking.v1beta1.MsgDelegate", "amount", "TAO", "like 12rao"},
		{"cosmos.feegrant.v1beta1.BasicAllowance", "expiration", "tomorrow", "a time like"},
		{"cosmos.gov.v1.Params", "voting_period", "a week", "a duration like"},
		{"lode.alpha.v1.MsgUpdateParams", "params", "7", "as JSON"},
		{"lode.alpha.v1.MsgUpdateParams", "params", "{", "unexpected EOF"},
		{"lode.alpha.v1.MsgUpdateParams", "params", "{} {}", "something follows"},
	} {
		if v, err := fieldValue(field(t, c.message, c.field), c.text); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s of %s: %q is %v (%v), want an error that says %q", c.field, c.message, c.text, v, err, c.says)
		}
	}
}

// testWallet is a home with keys of these names.
func testWallet(t *testing.T, names ...string) (*globals, map[string]string) {
	t.Helper()
	t.Setenv("LODE_PASSPHRASE", "correct-horse")
	g := &globals{home: t.TempDir(), terminal: newTerminal(strings.NewReader(""), new(strings.Builder))}
	w, err := g.openWallet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	addresses := map[string]string{}
	for _, n := range names {
		k, _, err := w.Create(n, wallet.Coldkey)
		if err != nil {
			t.Fatal(err)
		}
		addresses[n] = k.Address
	}
	if _, err := os.Stat(localnet.WalletDir(g.home)); err != nil {
		t.Fatal(err)
	}
	return g, addresses
}

func TestNamesOfKeysDoWhereverAnAddressIs(t *testing.T) {
	g, at := testWallet(t, "alice", "bob")
	acc, err := sdk.AccAddressFromBech32(at["bob"])
	if err != nil {
		t.Fatal(err)
	}
	bobsValidator := sdk.ValAddress(acc).String()
	for _, c := range []struct{ name, message, body, want string }{
		{"a field", "lode.alpha.v1.MsgBindHotkey", `{"coldkey":"alice","hotkey":"` + at["bob"] + `"}`, `{"coldkey":"` + at["alice"] + `","hotkey":"` + at["bob"] + `"}`},
		{"a validator by its key", "cosmos.staking.v1beta1.MsgDelegate", `{"delegator_address":"alice","validatorAddress":"bob"}`,
			`{"delegator_address":"` + at["alice"] + `","validatorAddress":"` + bobsValidator + `"}`},
		{"a validator by its account", "cosmos.staking.v1beta1.MsgDelegate", `{"validator_address":"` + at["bob"] + `"}`, `{"validator_address":"` + bobsValidator + `"}`},
		{"a validator by its address", "cosmos.staking.v1beta1.MsgDelegate", `{"validator_address":"` + bobsValidator + `"}`, `{"validator_address":"` + bobsValidator + `"}`},
		{"in a list of messages", "cosmos.bank.v1beta1.MsgMultiSend", `{"inputs":[{"address":"alice","coins":[]}]}`, `{"inputs":[{"address":"` + at["alice"] + `","coins":[]}]}`},
		{"in a message of a message", "cosmos.authz.v1beta1.MsgExec", `{"grantee":"bob","msgs":[{"@type":"/cosmos.bank.v1beta1.MsgSend","from_address":"alice"}]}`,
			`{"grantee":"` + at["bob"] + `","msgs":[{"@type":"/cosmos.bank.v1beta1.MsgSend","from_address":"` + at["alice"] + `"}]}`},
		{"governance's in a proposal", "cosmos.gov.v1.MsgSubmitProposal", `{"messages":[{"@type":"/lode.alpha.v1.MsgUpdateParams"}]}`,
			`{"messages":[{"@type":"/lode.alpha.v1.MsgUpdateParams","authority":"` + governance() + `"}]}`},
		{"nothing stays nothing", "lode.alpha.v1.MsgBindHotkey", `{"coldkey":"","hotkey":null}`, `{"coldkey":"","hotkey":null}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			desc, _ := findMessage(chain().InterfaceRegistry, c.message)
			var obj map[string]any
			if err := decodeJSON([]byte(c.body), &obj); err != nil {
				t.Fatal(err)
			}
			if err := (resolver{g, chain()}).message(t.Context(), desc, obj); err != nil {
				t.Fatal(err)
			}
			if raw, err := json.Marshal(obj); err != nil || string(raw) != c.want {
				t.Errorf("got  %s (%v)\nwant %s", raw, err, c.want)
			}
		})
	}
}

func TestJSONThatIsNoMessageIsRefusedInWords(t *testing.T) {
	g, _ := testWallet(t, "alice")
	for _, c := range []struct{ message, body, says, hint string }{
		{"lode.alpha.v1.MsgStake", `{"netuids":1}`, `MsgStake has no field "netuids"`, "it has coldkey, hotkey, netuid"},
		{"lode.alpha.v1.MsgStake", `{"netuid":"one"}`, "can't be read", "it has"},
		{"lode.alpha.v1.MsgStake", `{"tao":-1}`, "can't be read", ""},
		{"lode.alpha.v1.MsgStake", `{"tao":1e30}`, "can't be read", ""},
		{"lode.alpha.v1.MsgStake", `{"coldkey":"carol"}`, `"carol" is neither an address nor a key`, ""},
		{"lode.alpha.v1.MsgStake", `{"coldkey":"lode1qyqszqgpqyqszqgpqyqszqgpqyqszqgpx2d3zz"}`, "is no address", ""},
		{"cosmos.gov.v1.MsgSubmitProposal", `{"messages":[{"@type":"/lode.alpha.v1.MsgNothing"}]}`, `no message "/lode.alpha.v1.MsgNothing"`, "@type"},
		{"cosmos.gov.v1.MsgSubmitProposal", `{"messages":[{"authority":"x"}]}`, `no message ""`, "@type"},
		{"cosmos.gov.v1.MsgSubmitProposal", `{"messages":[{"@type":"/lode.alpha.v1.MsgUpdateParams","fee":1}]}`, `no field "fee"`, ""},
		{"lode.alpha.v1.QueryPoolRequest", `{"netuid":1,"x":1}`, `no field "x"`, "it has netuid"},
		{"lode.alpha.v1.QueryParamsRequest", `{"x":1}`, `no field "x"`, "it has none"},
	} {
		desc, ok := findMessage(chain().InterfaceRegistry, c.message)
		if !ok {
			t.Fatalf("no message %s", c.message)
		}
		var obj map[string]any
		if err := decodeJSON([]byte(c.body), &obj); err != nil {
			t.Fatal(err)
		}
		_, err := chain().build(t.Context(), g, desc, obj)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error that says %q", c.body, err, c.says)
			continue
		}
		if _, hint := explain(err); !strings.Contains(hint, c.hint) {
			t.Errorf("%s: the hint is %q, want %q in it", c.body, hint, c.hint)
		}
	}
}

// TestEveryExampleOfAMessageMakesThatMessage: what help shows is understood, field by
// field, wherever it needs no file.
func TestEveryExampleOfAMessageMakesThatMessage(t *testing.T) {
	g, _ := testWallet(t, "user", "miner-1-hot")
	for _, m := range append(chain().messages, chain().queries...) {
		cmd := &cobra.Command{Use: m.name}
		f := addMessageFlags(cmd, m.desc.Input(), "body")
		args := exampleArgs(exampleLine("lode x", "body", m, nil))[3:]
		if slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "@") }) {
			continue
		}
		if err := cmd.ParseFlags(args); err != nil {
			t.Errorf("%s: %v: %v", m.path(), args, err)
			continue
		}
		obj, err := f.message(cmd)
		if err != nil {
			t.Errorf("%s: %v: %v", m.path(), args, err)
			continue
		}
		if _, err := chain().build(t.Context(), g, m.desc.Input(), obj); err != nil {
			t.Errorf("%s: %v: %v", m.path(), args, err)
		}
	}
}

func TestAMessageMayComeFromAFileAndFlagsGoBeforeIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.json")
	if err := os.WriteFile(file, []byte(`{"netuid":1,"allowPartial":true,"tao":"5"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	desc, _ := findMessage(chain().InterfaceRegistry, "lode.alpha.v1.MsgStake")
	cmd := &cobra.Command{Use: "x"}
	f := addMessageFlags(cmd, desc, "body")
	if err := cmd.ParseFlags([]string{"--body", "@" + file, "--netuid", "2", "--allow-partial=false"}); err != nil {
		t.Fatal(err)
	}
	obj, err := f.message(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if raw, _ := json.Marshal(obj); string(raw) != `{"allow_partial":false,"netuid":2,"tao":"5"}` {
		t.Errorf("got %s", raw)
	}
}
