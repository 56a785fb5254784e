package cli

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/lodenet/lode/app"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// chainMethod is a query or a message of the chain, which has a command of its own
// below `lode query` or `lode tx`.
type chainMethod struct {
	module, name string // as one types them
	desc         protoreflect.MethodDescriptor
}

// path is the method's name in gRPC.
func (m chainMethod) path() string {
	return "/" + string(m.desc.Parent().FullName()) + "/" + string(m.desc.Name())
}

// chainAPI is all that the chain can be asked and sent, read from the descriptors that
// its modules register: what a module adds has a command by itself.
type chainAPI struct {
	app.EncodingConfig
	queries, messages []chainMethod
}

// nodeServices are asked like a module's queries, and belong to no module.
var nodeServices = []protoreflect.FullName{"cosmos.tx.v1beta1.Service", "cosmos.base.tendermint.v1beta1.Service",
	"cosmos.base.node.v1beta1.Service", "cosmos.base.reflection.v1beta1.ReflectionService"}

// broadcastTx is no question, and not answered as one: `lode tx broadcast` sends.
const broadcastTx = "cosmos.tx.v1beta1.Service.BroadcastTx"

// chain reads the chain's descriptors, once for a process.
var chain = sync.OnceValue(func() *chainAPI {
	api := &chainAPI{EncodingConfig: app.MakeEncodingConfig()}
	registered := api.InterfaceRegistry.ListImplementations(sdk.MsgInterfaceProtoName)
	packages := map[protoreflect.FullName]bool{}
	var msgs, others []protoreflect.ServiceDescriptor
	api.InterfaceRegistry.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			switch {
			case s.Name() != "Msg":
				others = append(others, s)
			case s.Methods().Len() > 0 && slices.Contains(registered, "/"+string(s.Methods().Get(0).Input().FullName())):
				msgs = append(msgs, s)
				packages[f.Package()] = true
			}
		}
		return true
	})
	// Programs link descriptors of modules that the chain lacks, too, and of versions
	// that modules take messages of, but answer nothing.
	others = slices.DeleteFunc(others, func(s protoreflect.ServiceDescriptor) bool {
		own := s.Name() == "Query" && (packages[s.ParentFile().Package()] || strings.HasPrefix(string(s.FullName()), "lode."))
		return !own && !slices.Contains(nodeServices, s.FullName())
	})
	latest := newest(others)
	others = slices.DeleteFunc(others, func(s protoreflect.ServiceDescriptor) bool {
		m, v := moduleOf(s)
		return latest[m] != v
	})
	api.messages, api.queries = methodsOf(msgs), methodsOf(others)
	return api
})

// methodsOf lists the methods of services, by module and name. Where a module has two
// versions, the older one's number is part of its name: gov and gov-v1beta1.
func methodsOf(services []protoreflect.ServiceDescriptor) []chainMethod {
	latest := newest(services)
	var all []chainMethod
	for _, s := range services {
		m, v := moduleOf(s)
		if latest[m] != v {
			m += "-" + v
		}
		for i := range s.Methods().Len() {
			d := s.Methods().Get(i)
			if d.FullName() != broadcastTx {
				all = append(all, chainMethod{m, kebab(string(d.Name())), d})
			}
		}
	}
	slices.SortFunc(all, func(a, b chainMethod) int {
		if c := strings.Compare(a.module, b.module); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	return all
}

// newest is the latest version of each module.
func newest(services []protoreflect.ServiceDescriptor) map[string]string {
	latest := map[string]string{}
	for _, s := range services {
		m, v := moduleOf(s)
		latest[m] = newer(latest[m], v)
	}
	return latest
}

var versionWord = regexp.MustCompile(`^v(\d+)((?:alpha|beta)\d+)?$`)

// moduleOf is the last word of a service's package before its version.
func moduleOf(s protoreflect.ServiceDescriptor) (module, version string) {
	words := strings.Split(string(s.ParentFile().Package()), ".")
	if last := words[len(words)-1]; len(words) > 1 && versionWord.MatchString(last) {
		version, words = last, words[:len(words)-1]
	}
	return words[len(words)-1], version
}

// newer is the later of two versions: v2, v1, v1beta2, v1beta1, v1alpha1.
func newer(a, b string) string {
	if age(a) > age(b) {
		return a
	}
	return b
}

// age orders versions: a stable one is later than its alphas and betas.
func age(version string) string {
	m := versionWord.FindStringSubmatch(version)
	if m == nil {
		return ""
	}
	return fmt.Sprintf("%08s", m[1]) + cmp.Or(m[2], "stable")
}

// kebab is BindHotkey as bind-hotkey, limit_price as limit-price.
func kebab(name string) string {
	var b strings.Builder
	runes := []rune(strings.ReplaceAll(name, "_", "-"))
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && runes[i-1] != '-' &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// addModules adds a command for each module and, below, one for each of its methods.
func addModules(cmd *cobra.Command, methods []chainMethod, command func(chainMethod) *cobra.Command) {
	modules := map[string]*cobra.Command{}
	for _, m := range methods {
		parent := modules[m.module]
		if parent == nil {
			short, long := moduleWords(m)
			parent = &cobra.Command{Use: m.module, Short: short, Long: long}
			modules[m.module] = parent
			cmd.AddCommand(parent)
		}
		child := command(m)
		parent.AddCommand(child)
		if line, _, _ := strings.Cut(child.Example, "\n"); strings.Count(parent.Example, "\n") < 3 {
			parent.Example += line + "\n"
		}
	}
	for _, m := range modules {
		m.Example = strings.TrimSuffix(m.Example, "\n")
	}
}

// moduleWords are what help says of a module: what our files do; the SDK's files say
// nothing of theirs.
func moduleWords(m chainMethod) (short, long string) {
	service := m.desc.Parent()
	words, name := wordsOf(service), string(service.FullName())
	if !strings.HasPrefix(name, "lode.") {
		return "The Cosmos SDK's " + name, ""
	}
	return firstSentence(words, name), wrap(words)
}

// wrap breaks a text into lines that fit a terminal.
func wrap(text string) string {
	const width = 115
	var b strings.Builder
	column := 0
	for _, w := range strings.Fields(text) {
		n := len([]rune(w))
		switch {
		case column == 0:
		case column+1+n > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(w)
		column += n
	}
	return b.String()
}

//go:embed protodocs.json
var protodocs []byte

var protoWords = sync.OnceValue(func() map[string]string {
	words := map[string]string{}
	_ = json.Unmarshal(protodocs, &words) // make proto writes it; a test reads it
	return words
})

// wordsOf is what the protocol's files say about a service, a method or a field.
func wordsOf(d protoreflect.Descriptor) string {
	return strings.ReplaceAll(protoWords()[string(d.FullName())], "`", "'")
}

// firstSentence is a line for lists.
func firstSentence(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	s, _, _ := strings.Cut(text, ". ")
	if s = strings.TrimSuffix(s, "."); len([]rune(s)) > 110 {
		s = string([]rune(s)[:109]) + "…"
	}
	return s
}

// typeURL is how an Any names a message.
func typeURL(d protoreflect.MessageDescriptor) string { return "/" + string(d.FullName()) }

// findMessage is the description of the message that an Any names.
func findMessage(r codectypes.InterfaceRegistry, url string) (protoreflect.MessageDescriptor, bool) {
	d, err := r.FindDescriptorByName(protoreflect.FullName(url[strings.LastIndexByte(url, '/')+1:]))
	if err != nil {
		return nil, false
	}
	m, ok := d.(protoreflect.MessageDescriptor)
	return m, ok
}
