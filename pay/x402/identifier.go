package x402

import (
	"encoding/json"
	"maps"
)

// ExtensionIdentifier is the name of the extension that makes retries safe.
const ExtensionIdentifier = "payment-identifier"

// Bounds of a payment identifier, in characters of A-Z, a-z, 0-9, - and _.
const (
	MinIdentifier = 16
	MaxIdentifier = 128
)

type identifier struct {
	Info struct {
		Required bool   `json:"required"`
		ID       string `json:"id,omitempty"`
	} `json:"info"`
	Schema json.RawMessage `json:"schema,omitempty"`
}

const identifierSchema = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"required":{"type":"boolean"},"id":{"type":"string","minLength":16,"maxLength":128,"pattern":"^[a-zA-Z0-9_-]+$"}},"required":["required"]}`

// DeclareIdentifier is how a server says that it knows payment identifiers.
func DeclareIdentifier() Extensions {
	return Extensions{ExtensionIdentifier: json.RawMessage(`{"info":{"required":false},"schema":` + identifierSchema + `}`)}
}

// Identifier is the payment identifier that a client has chosen; empty if none.
func (e Extensions) Identifier() (string, error) {
	raw, ok := e[ExtensionIdentifier]
	if !ok {
		return "", nil
	}
	var v struct {
		Info struct {
			Required bool   `json:"required"`
			ID       string `json:"id"`
		} `json:"info"`
	}
	if err := unmarshal(raw, &v); err != nil {
		return "", err
	}
	if v.Info.ID != "" && !validIdentifier(v.Info.ID) {
		return "", malformed("a payment-identifier has %d to %d characters of A-Z, a-z, 0-9, - and _", MinIdentifier, MaxIdentifier)
	}
	return v.Info.ID, nil
}

// WithIdentifier is what a client sends back: what the server has declared, and its
// own identifier.
func (e Extensions) WithIdentifier(id string) (Extensions, error) {
	v, err := e.identifier()
	if err != nil {
		return nil, err
	}
	v.Info.ID = id
	raw, err := marshal(v)
	if err != nil {
		return nil, err
	}
	out := maps.Clone(e)
	if out == nil {
		out = Extensions{}
	}
	out[ExtensionIdentifier] = raw
	return out, nil
}

// identifier is what the server has declared, or would have.
func (e Extensions) identifier() (v identifier, err error) {
	raw, ok := e[ExtensionIdentifier]
	if !ok {
		v.Schema = json.RawMessage(identifierSchema)
		return v, nil
	}
	err = unmarshal(raw, &v)
	return v, err
}

func validIdentifier(id string) bool {
	if len(id) < MinIdentifier || len(id) > MaxIdentifier {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
