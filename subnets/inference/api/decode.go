package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Bounds of a request.
const (
	maxDepth    = 100 // of JSON
	maxMessages = 4096
	maxTools    = 256
	maxStops    = 4
	maxName     = 256 // bytes of names of models, tools and calls
	maxTop      = 20  // alternatives of a token
	maxTokens   = 1 << 30
	maxInputs   = 2048 // of embeddings
)

// decode reads a body into a struct.
func decode(body []byte, into any) error {
	if !utf8.Valid(body) {
		return bad("", "the body is not UTF-8")
	}
	if deep(body) {
		return bad("", "the body is nested more than %d deep", maxDepth)
	}
	if b := bytes.TrimLeft(body, " \t\r\n"); len(b) == 0 || b[0] != '{' {
		return bad("", "the body must be a JSON object")
	}
	return unmarshal(body, into, "")
}

// unmarshal reads a value. Its errors name the field and the type, not what is there.
func unmarshal(raw []byte, into any, param string) error {
	err := json.Unmarshal(raw, into)
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return bad(param, "not JSON from byte %d on", syntax.Offset)
	case errors.As(err, &wrong):
		return bad(join(param, embedded.Replace(wrong.Field)), "must be %s", nameOf(wrong.Type))
	}
	return bad(param, "can't be read")
}

// embedded takes Go's names of embedded structs out of a field's path.
var embedded = strings.NewReplacer("sampling.", "", "penalties.", "", "tool.", "")

func join(path, field string) string {
	switch {
	case path == "":
		return field
	case field == "":
		return path
	}
	return path + "." + field
}

func nameOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float64:
		return "a number"
	}
	return "an integer"
}

// deep tells whether JSON is nested too deep, without reading it.
func deep(body []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// none tells whether a field is missing or null.
func none(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func object(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '{' }

// part is one of a message's content.
type part struct {
	Type    string `json:"type"`
	Text    string `json:"text"`
	Refusal string `json:"refusal"`
}

// textOf reads content that is a string or an array of parts that are text.
func textOf(raw json.RawMessage, param string) (string, error) {
	if none(raw) {
		return "", bad(param, "is missing")
	}
	if raw[0] == '"' {
		var s string
		return s, unmarshal(raw, &s, param)
	}
	if raw[0] != '[' {
		return "", bad(param, "must be a string or an array of parts")
	}
	var parts []part
	if err := unmarshal(raw, &parts, param); err != nil {
		return "", err
	}
	var out strings.Builder
	for i, p := range parts {
		switch p.Type {
		case "text", "input_text", "output_text":
			out.WriteString(p.Text)
		case "refusal":
			out.WriteString(p.Refusal)
		default:
			return "", bad(fmt.Sprintf("%s[%d]", param, i), "is not text: text is all that models read here")
		}
	}
	return out.String(), nil
}

// oneOrMany reads a string or an array of strings.
func oneOrMany(raw json.RawMessage, param string) ([]string, error) {
	if none(raw) {
		return nil, nil
	}
	if raw[0] == '"' {
		var s string
		err := unmarshal(raw, &s, param)
		return []string{s}, err
	}
	var list []string
	err := unmarshal(raw, &list, param)
	return list, err
}

// sampling are the fields that the endpoints have in common.
type sampling struct {
	Model       string   `json:"model"`
	Stream      bool     `json:"stream"`
	Temperature *float64 `json:"temperature"`
	TopP        *float64 `json:"top_p"`
}

// request checks the common fields.
func (s sampling) request(x *exchange, hottest float64) (*Request, error) {
	r := &Request{ID: x.id, Model: s.Model, N: 1, Temperature: 1, TopP: 1}
	switch {
	case s.Model == "":
		return nil, bad("model", "is missing: GET /v1/models lists those that are served")
	case len(s.Model) > maxName:
		return nil, bad("model", "is longer than %d bytes", maxName)
	}
	if t := s.Temperature; t != nil {
		if *t < 0 || *t > hottest {
			return nil, bad("temperature", "must be from 0 to %g", hottest)
		}
		r.Temperature = *t
	}
	if p := s.TopP; p != nil {
		if *p < 0 || *p > 1 {
			return nil, bad("top_p", "must be from 0 to 1")
		}
		r.TopP = *p
	}
	return r, nil
}

// limit checks a number of tokens; a missing one is 0.
func limit(n *int, param string) (int, error) {
	switch {
	case n == nil:
		return 0, nil
	case *n < 1 || *n > maxTokens:
		return 0, bad(param, "must be from 1 to %d", maxTokens)
	}
	return *n, nil
}

// stops checks stop strings.
func stops(list []string, param string) ([]string, error) {
	if len(list) > maxStops {
		return nil, bad(param, "has more than %d strings", maxStops)
	}
	for i, s := range list {
		if s == "" || len(s) > maxName {
			return nil, bad(fmt.Sprintf("%s[%d]", param, i), "must have from 1 to %d bytes", maxName)
		}
	}
	return list, nil
}

// choices checks n, of each of some prompts.
func (x *exchange) choices(n *int, prompts int) (int, error) {
	switch {
	case n == nil:
		return 1, nil
	case *n < 1 || *n > x.MaxChoices/prompts:
		return 0, bad("n", "must be from 1 to %d", x.MaxChoices/prompts)
	}
	return *n, nil
}

// penalties are fields that would change the answer, and can't be honoured.
type penalties struct {
	Frequency float64         `json:"frequency_penalty"`
	Presence  float64         `json:"presence_penalty"`
	Bias      json.RawMessage `json:"logit_bias"`
}

func (p penalties) check() error {
	switch {
	case p.Frequency != 0:
		return bad("frequency_penalty", "is not supported: leave it out, or 0")
	case p.Presence != 0:
		return bad("presence_penalty", "is not supported: leave it out, or 0")
	case !none(p.Bias) && string(bytes.Join(bytes.Fields(p.Bias), nil)) != "{}":
		return bad("logit_bias", "is not supported: leave it out")
	}
	return nil
}

// format is how an answer must look, in chat's and in responses' words.
type format struct {
	Type   string          `json:"type"`
	Schema json.RawMessage `json:"schema"`
}

var anyObject = json.RawMessage(`{"type":"object"}`)

// schema is what the answer must follow, nil for free text.
func (f format) schema(param string) (json.RawMessage, error) {
	switch f.Type {
	case "", "text":
		return nil, nil
	case "json_object":
		return anyObject, nil
	case "json_schema":
		if none(f.Schema) {
			return anyObject, nil
		}
		if !object(f.Schema) {
			return nil, bad(join(param, "schema"), "must be an object")
		}
		return f.Schema, nil
	}
	return nil, bad(join(param, "type"), "must be text, json_object or json_schema")
}
