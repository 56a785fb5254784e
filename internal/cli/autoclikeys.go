package cli

import (
	"context"
	"maps"
	"slices"
	"strings"

	msgv1 "cosmossdk.io/api/cosmos/msg/v1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	"github.com/lodenet/lode/app"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// authorityField is how modules call the signer of what governance alone may do.
const authorityField = "authority"

// governance is the account that messages of accepted proposals are signed by.
func governance() string { return authtypes.NewModuleAddress(govtypes.ModuleName).String() }

// signerFields are the fields of a message that hold the addresses of its signers, in
// the order in which they sign.
func signerFields(desc protoreflect.MessageDescriptor) []protoreflect.FieldDescriptor {
	names, _ := proto.GetExtension(desc.Options(), msgv1.E_Signer).([]string)
	var fields []protoreflect.FieldDescriptor
	for _, n := range names {
		if fd := desc.Fields().ByName(protoreflect.Name(n)); fd != nil && fd.Kind() == protoreflect.StringKind {
			fields = append(fields, fd)
		}
	}
	return fields
}

// has says whether a message's JSON gives a field.
func has(obj map[string]any, fd protoreflect.FieldDescriptor) bool {
	for _, name := range []string{string(fd.Name()), fd.JSONName()} {
		if v, ok := obj[name]; ok && v != nil && v != "" {
			return true
		}
	}
	return false
}

// address reads an address, or the name of a key. Nothing stays nothing, and what
// begins as an address of a validator is the account that runs it.
func (r resolver) address(ctx context.Context, s string) (string, error) {
	if s == "" {
		return s, nil
	}
	if strings.HasPrefix(s, app.ValidatorPrefix+"1") {
		raw, err := sdk.ValAddressFromBech32(s)
		if err != nil {
			return "", fail("bad_address", "copy it again: every character counts", "%q is no address: a character is wrong, missing or too many", s)
		}
		return sdk.AccAddress(raw).String(), nil
	}
	return r.g.address(ctx, s)
}

// validator reads the address of a validator, or of the account that runs it, or the
// name of its key.
func (r resolver) validator(ctx context.Context, s string) (string, error) {
	if s == "" {
		return s, nil
	}
	s, err := r.address(ctx, s)
	if err != nil {
		return "", err
	}
	acc, err := sdk.AccAddressFromBech32(s)
	if err != nil {
		return "", err
	}
	return sdk.ValAddress(acc).String(), nil
}

// fieldNames lists a message's fields, for errors.
func fieldNames(desc protoreflect.MessageDescriptor) string {
	var names []string
	for i := range desc.Fields().Len() {
		names = append(names, string(desc.Fields().Get(i).Name()))
	}
	if len(names) == 0 {
		return "it has none"
	}
	return "it has " + strings.Join(names, ", ")
}

// resolver turns the names of keys in a message's JSON into addresses.
type resolver struct {
	g   *globals
	api *chainAPI
}

// message checks the names of fields, and resolves the names of keys, in all that a
// message holds.
func (r resolver) message(ctx context.Context, desc protoreflect.MessageDescriptor, obj map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(obj)) {
		if key == "@type" {
			continue
		}
		fd := desc.Fields().ByName(protoreflect.Name(key))
		if fd == nil {
			fd = desc.Fields().ByJSONName(key)
		}
		if fd == nil {
			return fail("bad_value", fieldNames(desc), "%s has no field %q", desc.Name(), key)
		}
		v, err := r.value(ctx, fd, obj[key])
		if err != nil {
			return err
		}
		obj[key] = v
	}
	return nil
}

func (r resolver) value(ctx context.Context, fd protoreflect.FieldDescriptor, v any) (any, error) {
	if list, ok := v.([]any); ok {
		for i := range list {
			var err error
			if list[i], err = r.value(ctx, fd, list[i]); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	switch v := v.(type) {
	case string:
		switch scalarOf(fd) {
		case scalarAddress:
			return r.address(ctx, v)
		case scalarValidator:
			return r.validator(ctx, v)
		}
	case map[string]any:
		if fd.IsMap() || fd.Message() == nil {
			return v, nil
		}
		if fd.Message().FullName() != messageAny {
			return v, r.message(ctx, fd.Message(), v)
		}
		return v, r.any(ctx, fd, v)
	}
	return v, nil
}

// any is a message within a message. In a proposal governance is its signer, unless it
// says otherwise.
func (r resolver) any(ctx context.Context, fd protoreflect.FieldDescriptor, v map[string]any) error {
	url, _ := v["@type"].(string)
	desc, ok := findMessage(r.api.InterfaceRegistry, url)
	if !ok {
		return fail("bad_value", "name it by \"@type\", for example \"/lode.alpha.v1.MsgUpdateParams\"", "%s: the chain has no message %q", fd.Name(), url)
	}
	if strings.HasPrefix(string(desc.FullName()), "google.protobuf.") {
		return nil
	}
	if fd.Parent().Name() == "MsgSubmitProposal" {
		for _, s := range signerFields(desc) {
			if !has(v, s) {
				v[string(s.Name())] = governance()
			}
		}
	}
	return r.message(ctx, desc, v)
}
