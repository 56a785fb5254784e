package api

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// tool is a function that the model may call.
type tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"` // a JSON schema
}

// call is one that the model made, or is said to have made.
type call struct {
	ID        string
	Name      string
	Arguments string // JSON
}

// toolset are a request's tools and how they may be used.
type toolset struct {
	tools  []tool
	must   bool   // a call is demanded
	only   string // of this tool
	single bool   // one call at most
}

func (t toolset) any() bool { return len(t.tools) > 0 }

// check checks the names. What is wrong is at param, a field of whose elements name is.
func (t toolset) check(param, name string) error {
	if len(t.tools) > maxTools {
		return bad(param, "has more than %d tools", maxTools)
	}
	seen := map[string]bool{}
	for i, f := range t.tools {
		at := fmt.Sprintf("%s[%d].%s", param, i, name)
		if f.Name == "" || len(f.Name) > maxName || strings.ContainsFunc(f.Name, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			return bad(at, "must have from 1 to %d visible ASCII characters, without quotes and backslashes", maxName)
		}
		if seen[f.Name] {
			return bad(at, "names two tools")
		}
		seen[f.Name] = true
		if !none(f.Parameters) && !object(f.Parameters) {
			return bad(fmt.Sprintf("%s[%d]", param, i), "must describe its parameters with a JSON schema")
		}
	}
	switch {
	case t.only != "" && !seen[t.only]:
		return bad("tool_choice", "names a tool that tools does not have")
	case t.must && len(t.tools) == 0:
		return bad("tool_choice", "demands a call, but there are no tools")
	}
	return nil
}

// The words in which tools are offered, called and answer: those of Hermes and Qwen,
// which most open models have seen.
const (
	callOpen, callClose     = "<tool_call>", "</tool_call>"
	answerOpen, answerClose = "<tool_response>", "</tool_response>"
)

// offer puts the tools into a request: words for the model, and a schema if a call is
// demanded.
func (t toolset) offer(r *Request) error {
	if !t.any() {
		return nil
	}
	var words strings.Builder
	words.WriteString("You can call functions. These are their names, what they do, and the JSON schemas of their arguments:\n<tools>\n")
	for _, f := range t.tools {
		line, err := json.Marshal(struct {
			Type     string `json:"type"`
			Function tool   `json:"function"`
		}{"function", f})
		if err != nil {
			return err
		}
		words.Write(line)
		words.WriteByte('\n')
	}
	words.WriteString("</tools>\n")
	switch {
	case t.bare(r):
		words.WriteString("To call one, answer with nothing but a JSON object: {\"name\": NAME, \"arguments\": {…}}")
	default:
		words.WriteString("To call one, answer with a JSON object between tags, once for each call:\n" + callOpen + "\n{\"name\": NAME, \"arguments\": {…}}\n" + callClose)
	}
	if t.must {
		words.WriteString("\nCall one now.")
	}
	if t.only != "" {
		words.WriteString(" Call " + t.only + ".")
	}
	if len(r.Messages) > 0 && r.Messages[0].Role == System {
		r.Messages[0].Content += "\n\n" + words.String()
	} else {
		r.Messages = append([]Message{{System, words.String()}}, r.Messages...)
	}
	if t.bare(r) {
		return t.demand(r)
	}
	return nil
}

// bare tells whether calls come without tags: where a schema rules the answer.
func (t toolset) bare(r *Request) bool { return t.any() && (t.must || r.Schema != nil) }

// demand makes the request's schema one of calls, or of calls and what it was.
func (t toolset) demand(r *Request) error {
	defs := map[string]any{}
	var shapes []json.RawMessage
	for i, f := range t.tools {
		if t.only != "" && f.Name != t.only {
			continue
		}
		args := f.Parameters
		if none(args) {
			args = anyObject
		}
		args, err := hoist(args, i, defs)
		if err != nil {
			return err
		}
		name, err := json.Marshal(f.Name)
		if err != nil {
			return err
		}
		shapes = append(shapes, json.RawMessage(`{"type":"object","properties":{"name":{"const":`+string(name)+`},"arguments":`+string(args)+`},"required":["name","arguments"],"additionalProperties":false}`))
	}
	if !t.must {
		own, err := hoist(r.Schema, len(t.tools), defs)
		if err != nil {
			return err
		}
		shapes = append(shapes, own)
	}
	if len(shapes) == 1 && len(defs) == 0 {
		r.Schema = shapes[0]
		return nil
	}
	schema, err := json.Marshal(struct {
		AnyOf []json.RawMessage `json:"anyOf"`
		Defs  map[string]any    `json:"$defs,omitempty"`
	}{shapes, defs})
	r.Schema = schema
	return err
}

// hoist moves a schema's definitions to where they are found once it is a part of
// another. One without references stays as it is, its fields' order too.
func hoist(schema json.RawMessage, n int, defs map[string]any) (json.RawMessage, error) {
	if !strings.Contains(string(schema), `"$ref"`) {
		return schema, nil
	}
	var root map[string]any
	if err := json.Unmarshal(schema, &root); err != nil {
		return nil, err
	}
	prefix := strconv.Itoa(n) + "_"
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				if ref, ok := e.(string); ok && k == "$ref" {
					for _, room := range []string{"#/$defs/", "#/definitions/"} {
						if name, ok := strings.CutPrefix(ref, room); ok {
							v[k] = "#/$defs/" + prefix + name
						}
					}
					continue
				}
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(root)
	for _, room := range []string{"$defs", "definitions"} {
		if named, ok := root[room].(map[string]any); ok {
			for name, def := range named {
				defs[prefix+name] = def
			}
			delete(root, room)
		}
	}
	return json.Marshal(root)
}

// said is how the model said something that it is now reminded of.
func said(text string, calls []call) string {
	var out strings.Builder
	out.WriteString(text)
	for _, c := range calls {
		if out.Len() > 0 {
			out.WriteByte('\n')
		}
		args := strings.TrimSpace(c.Arguments)
		if args == "" {
			args = "{}"
		}
		name, _ := json.Marshal(c.Name) // strings always can be
		out.WriteString(callOpen + "\n{\"name\": " + string(name) + ", \"arguments\": " + args + "}\n" + callClose)
	}
	return out.String()
}

// answered adds what a tool answered; answers of several are one message.
func answered(messages []Message, text string) []Message {
	text = answerOpen + "\n" + text + "\n" + answerClose
	if n := len(messages); n > 0 && messages[n-1].Role == User && strings.HasSuffix(messages[n-1].Content, answerClose) {
		messages[n-1].Content += "\n" + text
		return messages
	}
	return append(messages, Message{User, text})
}
