package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	cosmosproto "github.com/cosmos/cosmos-proto"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// messageFlags are a command's flags for the fields of a message, and the one for the
// message as a whole.
type messageFlags struct {
	desc   protoreflect.MessageDescriptor
	whole  string // name of the flag that gives the message as JSON
	body   string
	fields []*fieldFlag
}

// fieldFlag is the flag of a field, or of a part of a field that pages through lists.
type fieldFlag struct {
	name  string
	desc  protoreflect.FieldDescriptor
	inner protoreflect.FieldDescriptor // of desc; nil: the flag is the whole field
	text  []string                     // what was given
}

// String, Set and Type make a field a flag's value.
func (f *fieldFlag) String() string { return strings.Join(f.text, ",") }
func (f *fieldFlag) Type() string   { return kindOf(f.leaf()) }
func (f *fieldFlag) Set(s string) error {
	if !f.leaf().IsList() {
		f.text = nil
	}
	f.text = append(f.text, s)
	return nil
}

func (f *fieldFlag) leaf() protoreflect.FieldDescriptor {
	if f.inner != nil {
		return f.inner
	}
	return f.desc
}

// addMessageFlags adds a flag for each field of a message, and one for the whole.
func addMessageFlags(cmd *cobra.Command, desc protoreflect.MessageDescriptor, whole string) *messageFlags {
	m := &messageFlags{desc: desc, whole: whole}
	cmd.Flags().StringVar(&m.body, whole, "", "the message as `JSON`, @FILE, or - for standard input; flags of fields go before it")
	for i := range desc.Fields().Len() {
		fd := desc.Fields().Get(i)
		if isPage(fd) {
			for j := range fd.Message().Fields().Len() {
				in := fd.Message().Fields().Get(j)
				m.add(cmd, &fieldFlag{name: "page-" + kebab(string(in.Name())), desc: fd, inner: in}, pageWords[string(in.Name())])
			}
			continue
		}
		m.add(cmd, &fieldFlag{name: flagName(fd), desc: fd}, firstSentence(wordsOf(fd), ""))
	}
	return m
}

var pageWords = map[string]string{
	"key": "where the page begins: next_key of the answer before", "offset": "how many to leave out, instead of a key",
	"limit": "the most to list", "count_total": "count all, too", "reverse": "the last first",
}

// isPage says whether a field asks for a page of a list.
func isPage(fd protoreflect.FieldDescriptor) bool {
	return fd.Message() != nil && fd.Message().FullName() == "cosmos.base.query.v1beta1.PageRequest"
}

// otherFlags are the names of flags that the commands have beside those of fields.
var otherFlags = []string{"home", "node", "from", "passphrase-file", "gas-price", "json", "help",
	"yes", "at", "request", "body", "generate-only", "dry-run", "free", "gas"}

// flagName is the flag of a field. One whose name is taken is called NAME-field.
func flagName(fd protoreflect.FieldDescriptor) string {
	name := kebab(string(fd.Name()))
	if slices.Contains(otherFlags, name) {
		name += "-field"
	}
	return name
}

func (m *messageFlags) add(cmd *cobra.Command, f *fieldFlag, words string) {
	if values := enumWords(f.leaf()); values != "" {
		words = strings.TrimPrefix(words+": "+values, ": ")
	}
	if f.leaf().IsList() {
		words = strings.TrimPrefix(words+"; may be given several times", "; ")
	}
	cmd.Flags().Var(f, f.name, words)
	if f.leaf().Kind() == protoreflect.BoolKind && !f.leaf().IsList() {
		cmd.Flags().Lookup(f.name).NoOptDefVal = "true"
	}
	m.fields = append(m.fields, f)
}

// Kinds of strings and messages that are written in a way of their own.
const (
	scalarAddress   = "cosmos.AddressString"
	scalarValidator = "cosmos.ValidatorAddressString"
	scalarDec       = "cosmos.Dec"
	messageCoin     = "cosmos.base.v1beta1.Coin"
	messageDecCoin  = "cosmos.base.v1beta1.DecCoin"
	messageTime     = "google.protobuf.Timestamp"
	messageDuration = "google.protobuf.Duration"
	messageAny      = "google.protobuf.Any"
)

func scalarOf(fd protoreflect.FieldDescriptor) string {
	s, _ := proto.GetExtension(fd.Options(), cosmosproto.E_Scalar).(string)
	return s
}

// kindOf names what a field takes, in help.
func kindOf(fd protoreflect.FieldDescriptor) string {
	switch {
	case fd.IsMap():
		return "JSON"
	case fd.Message() != nil:
		switch fd.Message().FullName() {
		case messageCoin, messageDecCoin:
			return "coins"
		case messageTime:
			return "time"
		case messageDuration:
			return "duration"
		}
		return "JSON"
	case fd.Enum() != nil:
		return "word"
	case fd.Kind() == protoreflect.BoolKind:
		return "bool"
	case fd.Kind() == protoreflect.BytesKind:
		return "bytes"
	case fd.Kind() != protoreflect.StringKind:
		return "number"
	}
	switch scalarOf(fd) {
	case scalarAddress, scalarValidator:
		return "key"
	}
	return "text"
}

// message puts together what the flags and the JSON say, field by field, as JSON.
func (m *messageFlags) message(cmd *cobra.Command) (map[string]any, error) {
	obj := map[string]any{}
	if m.body != "" {
		raw, err := readArgument(cmd, "--"+m.whole, m.body)
		if err != nil {
			return nil, err
		}
		if err := decodeJSON(raw, &obj); err != nil || obj == nil {
			return nil, fail("bad_value", "write it like {\"netuid\":1}", "--%s: it is no JSON object: %v", m.whole, err)
		}
	}
	for _, f := range m.fields {
		if !cmd.Flags().Changed(f.name) {
			continue
		}
		v, err := f.value(cmd)
		if err != nil {
			return nil, err
		}
		if f.inner == nil {
			drop(obj, f.desc)
			obj[string(f.desc.Name())] = v
			continue
		}
		page, ok := obj[string(f.desc.Name())].(map[string]any)
		if !ok {
			page = map[string]any{}
			obj[string(f.desc.Name())] = page
		}
		page[string(f.inner.Name())] = v
	}
	return obj, nil
}

// drop forgets a field, under both names that JSON has for it.
func drop(obj map[string]any, fd protoreflect.FieldDescriptor) {
	delete(obj, string(fd.Name()))
	delete(obj, fd.JSONName())
}

// readArgument reads what an argument names: itself, @FILE, or standard input. flag names it
// in errors.
func readArgument(cmd *cobra.Command, flag, s string) ([]byte, error) {
	if s == "-" {
		return argumentFile.read(cmd.InOrStdin(), s, flag)
	}
	if file, ok := strings.CutPrefix(s, "@"); ok {
		return argumentFile.read(nil, file, flag)
	}
	return []byte(s), nil
}

// decodeJSON reads one value and keeps its numbers as they are written.
func decodeJSON(raw []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("something follows it")
	}
	return nil
}

// value is what was given for a field, as JSON.
func (f *fieldFlag) value(cmd *cobra.Command) (any, error) {
	fd := f.leaf()
	bad := func(s string, err error) error {
		return fail("bad_value", "see `"+cmd.CommandPath()+" --help`", "--%s: %q: %w", f.name, s, err)
	}
	if fd.IsMap() {
		var v map[string]any
		if err := decodeJSON([]byte(f.text[0]), &v); err != nil {
			return nil, bad(f.text[0], err)
		}
		return v, nil
	}
	list := []any{}
	for _, s := range f.text {
		if fd.Message() != nil && strings.HasPrefix(s, "@") {
			raw, err := readArgument(cmd, "--"+f.name, s)
			if err != nil {
				return nil, err
			}
			s = string(raw)
		}
		v, err := fieldValue(fd, s)
		if err != nil {
			return nil, bad(s, err)
		}
		if many, ok := v.([]any); ok {
			list = append(list, many...)
		} else {
			list = append(list, v)
		}
	}
	switch {
	case fd.IsList():
		return list, nil
	case len(list) != 1:
		return nil, bad(f.String(), fmt.Errorf("give one"))
	}
	return list[0], nil
}
