package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// pieces cuts a text where the bits say.
func pieces(text string, cuts uint64) []string {
	var list []string
	at := 0
	for i := range len(text) {
		if i > at && cuts>>(i%64)&1 == 1 {
			list = append(list, text[at:i])
			at = i
		}
	}
	return append(list, text[at:])
}

func TestStopStringsAreCutAcrossPieces(t *testing.T) {
	for _, c := range []struct {
		text  string
		stops []string
		want  string
		stop  string
	}{
		{"one two three", []string{"two"}, "one ", "two"},
		{"one two three", []string{"three", "two"}, "one ", "two"},
		{"one two three", nil, "one two three", ""},
		{"one two thre", []string{"three"}, "one two thre", ""},
		{"aaaab", []string{"aab"}, "aa", "aab"},
		{"abababac", []string{"ababac"}, "ab", "ababac"},
		{"two", []string{"two"}, "", "two"},
		{"Grüße 世界.", []string{"界"}, "Grüße 世", "界"},
		{"", []string{"x"}, "", ""},
		{"\xffx\xc3", []string{"y"}, "\xffx\xc3", ""},
	} {
		for cuts := range uint64(1 << min(len(c.text), 12)) {
			cut := cutter{stops: c.stops}
			var got, stop string
			list := pieces(c.text, cuts)
			for i, p := range list {
				out, tokens, s := cut.push(p, []Token{{Text: p}}, i == len(list)-1)
				got += out
				if utf8.ValidString(c.text) {
					require.True(t, utf8.ValidString(out), "%q", out)
				}
				for _, tok := range tokens {
					require.Contains(t, c.text, tok.Text)
				}
				if stop = s; stop != "" {
					break
				}
			}
			require.Equal(t, c.want, got, "%q", list)
			require.Equal(t, c.stop, stop)
		}
	}
}

func TestTokensComeWithTheTextThatTheyBegin(t *testing.T) {
	cut := cutter{stops: []string{"stop"}}
	text := func(tokens []Token) (out []string) {
		for _, t := range tokens {
			out = append(out, t.Text)
		}
		return out
	}
	out, tokens, _ := cut.push("a s", []Token{{Text: "a "}, {Text: "s"}}, false)
	require.Equal(t, "a ", out)
	require.Equal(t, []string{"a "}, text(tokens))
	out, tokens, _ = cut.push("it", []Token{{Text: "it"}}, false)
	require.Equal(t, "sit", out)
	require.Equal(t, []string{"s", "it"}, text(tokens))
	out, tokens, stop := cut.push(" xst", []Token{{Text: " xst"}}, false)
	require.Equal(t, []any{" x", ""}, []any{out, stop})
	require.Equal(t, []string{" xst"}, text(tokens))
	out, tokens, stop = cut.push("op it", []Token{{Text: "op"}, {Text: " it"}}, false)
	require.Equal(t, []any{"", "stop"}, []any{out, stop})
	require.Empty(t, tokens, "they belong to the stop string")
}

// heard is what a caller found.
type heard struct {
	said  string
	calls []call
}

func (h *heard) text(s string)      { h.said += s }
func (h *heard) call(name string)   { h.calls = append(h.calls, call{Name: name}) }
func (h *heard) arguments(s string) { h.calls[len(h.calls)-1].Arguments += s }

func hear(t toolset, schema bool, list []string) *heard {
	r := &Request{}
	if schema {
		r.Schema = anyObject
	}
	c := newCaller(r, t)
	h := &heard{}
	c.out = h
	for i, p := range list {
		c.push(p, i == len(list)-1)
	}
	return h
}

func TestToolCallsAreFoundHoweverTheyComeInPieces(t *testing.T) {
	auto := toolset{tools: []tool{{Name: "f"}, {Name: "g"}}}
	must, single := auto, auto
	must.must, single.single = true, true
	made := func(pairs ...string) (list []call) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, call{Name: pairs[i], Arguments: pairs[i+1]})
		}
		return list
	}
	for _, c := range []struct {
		name   string
		tools  toolset
		schema bool
		text   string
		said   string
		calls  []call
	}{
		{"text alone", auto, false, "no call < here </tool_call> ", "no call < here </tool_call> ", nil},
		{"a call", auto, false, `<tool_call>{"name":"f","arguments":{"a":"}\"{"}}</tool_call>`, "", made("f", `{"a":"}\"{"}`)},
		{"a call with space", auto, false, "hm\n<tool_call>\n{ \"name\" : \"f\" , \"arguments\" : {\"a\": [1]} }\n</tool_call>\n", "hm", made("f", `{"a": [1]}`)},
		{"two calls", auto, false, `<tool_call>{"name":"f","arguments":{}}</tool_call> <tool_call>{"name":"g","arguments":{"x":1}}</tool_call>`, "", made("f", "{}", "g", `{"x":1}`)},
		{"two calls, one wanted", single, false, `<tool_call>{"name":"f","arguments":{}}</tool_call> <tool_call>{"name":"g","arguments":{"x":1}}</tool_call>`, "", made("f", "{}")},
		{"text after", auto, false, `<tool_call>{"name":"f","arguments":{}}</tool_call> done`, "done", made("f", "{}")},
		{"no closing tag", auto, false, `<tool_call>{"name":"f","arguments":{}}`, "", made("f", "{}")},
		{"parameters", auto, false, `<tool_call>{"name":"f","parameters":{"a":1}}</tool_call>`, "", made("f", `{"a":1}`)},
		{"another order", auto, false, `<tool_call>{"arguments":{"a":1},"name":"f"}</tool_call>`, "", made("f", `{"a":1}`)},
		{"more fields", auto, false, `<tool_call>{"id":"1","name":"f","arguments":{"a":1}}</tool_call>`, "", made("f", `{"a":1}`)},
		{"fields after", auto, false, `<tool_call>{"name":"f","arguments":{"a":1},"id":"}"}</tool_call>`, "", made("f", `{"a":1}`)},
		{"an unknown tool", auto, false, `x <tool_call>{"name":"h","arguments":{}}</tool_call>`, `x <tool_call>{"name":"h","arguments":{}}</tool_call>`, nil},
		{"not an object", auto, false, `<tool_call>{"name":"f","arguments":"x"}</tool_call>`, `<tool_call>{"name":"f","arguments":"x"}</tool_call>`, nil},
		{"not JSON", auto, false, `<tool_call>f(1)</tool_call>`, `<tool_call>f(1)</tool_call>`, nil},
		{"cut in the head", auto, false, `<tool_call>{"name":"f`, `<tool_call>{"name":"f`, nil},
		{"cut in the arguments", auto, false, `<tool_call>{"name":"f","arguments":{"a":`, "", made("f", `{"a":`)},
		{"a denied call, then a call", auto, false, `<tool_call>no<tool_call>{"name":"f","arguments":{}}`, "<tool_call>no", made("f", "{}")},
		{"demanded", must, true, ` {"name":"f","arguments":{"a":1}} and more`, "", made("f", `{"a":1}`)},
		{"demanded, another order", must, true, `{"arguments":{"a":1},"name":"g"}`, "", made("g", `{"a":1}`)},
		{"a schema, a call", auto, true, `{"name":"f","arguments":{"a":1}}`, "", made("f", `{"a":1}`)},
		{"a schema, no call", auto, true, `{"name":"Bob","age":7}`, `{"name":"Bob","age":7}`, nil},
		{"a schema, nothing like a call", auto, true, `{"x":"<tool_call>"}`, `{"x":"<tool_call>"}`, nil},
		{"no tools", toolset{}, false, `<tool_call>{"name":"f","arguments":{}}</tool_call>`, `<tool_call>{"name":"f","arguments":{}}</tool_call>`, nil},
	} {
		for _, cuts := range []uint64{0, ^uint64(0), 0x5555555555555555, 0xaaaaaaaaaaaaaaaa, 0x8888888888888888, 0x0123456789abcdef, 0x8040201008040201} {
			h := hear(c.tools, c.schema, pieces(c.text, cuts))
			require.Equal(t, c.said, h.said, "%s %x", c.name, cuts)
			require.Equal(t, c.calls, h.calls, "%s %x", c.name, cuts)
		}
	}
}

func TestACallThatNeverEndsIsNotKeptForever(t *testing.T) {
	c := newCaller(&Request{}, toolset{tools: []tool{{Name: "f"}}})
	h := &heard{}
	c.out = h
	c.push(`<tool_call>{"x":"`, false)
	for range 100 {
		c.push(strings.Repeat("y", 10_000), false)
	}
	require.Greater(t, len(h.said), 700_000)
	require.Empty(t, h.calls)
}

func TestADemandedCallKeepsItsSchemasReferences(t *testing.T) {
	r := &Request{Schema: []byte(`{"type":"object","properties":{"z":{"$ref":"#/$defs/p"}},"$defs":{"p":{"type":"string"}}}`)}
	set := toolset{tools: []tool{
		{Name: "f", Parameters: []byte(`{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"string"}}}`)},
		{Name: "g", Parameters: []byte(`{"type":"object","properties":{"p":{"$ref":"#/definitions/p"}},"definitions":{"p":{"anyOf":[{"$ref":"#/definitions/p"},{"type":"null"}]}}}`)},
	}}
	require.NoError(t, set.offer(r))
	require.JSONEq(t, `{"anyOf":[
		{"type":"object","properties":{"name":{"const":"f"},"arguments":{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"string"}}}},"required":["name","arguments"],"additionalProperties":false},
		{"type":"object","properties":{"name":{"const":"g"},"arguments":{"type":"object","properties":{"p":{"$ref":"#/$defs/1_p"}}}},"required":["name","arguments"],"additionalProperties":false},
		{"type":"object","properties":{"z":{"$ref":"#/$defs/2_p"}}}],
		"$defs":{"1_p":{"anyOf":[{"$ref":"#/$defs/1_p"},{"type":"null"}]},"2_p":{"type":"string"}}}`, string(r.Schema))
	require.Less(t, strings.Index(string(r.Schema), `"b"`), strings.Index(string(r.Schema), `"a"`), "fields keep their order")

	r = &Request{Messages: []Message{{System, "be kind"}, {User, "go"}}}
	set.must, set.only = true, "f"
	require.NoError(t, set.offer(r))
	require.JSONEq(t, `{"type":"object","properties":{"name":{"const":"f"},"arguments":{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"string"}}}},"required":["name","arguments"],"additionalProperties":false}`, string(r.Schema))
	require.True(t, strings.HasPrefix(r.Messages[0].Content, "be kind\n\nYou can call functions."))
	require.Len(t, r.Messages, 2)
}

// FuzzPieces holds that it makes no difference where a text is cut, and that nothing is
// lost of what is no call.
func FuzzPieces(f *testing.F) {
	f.Add(`a <tool_call>{"name":"f","arguments":{"a":"}"}}</tool_call> b`, "stop", uint64(0x123456789), false)
	f.Add(`{"name":"f","arguments":{}}`, "}", uint64(0xffff), true)
	f.Add(`<tool_call>{"arguments":{"ü":"\"`, "ü", uint64(0xf0f0), false)
	f.Fuzz(func(t *testing.T, text, stop string, cuts uint64, schema bool) {
		set := toolset{tools: []tool{{Name: "f"}}}
		whole, cut := hear(set, schema, []string{text}), hear(set, schema, pieces(text, cuts))
		require.Equal(t, whole, cut)
		if len(whole.calls) == 0 {
			require.Equal(t, text, whole.said)
		}
		c := cutter{stops: slices.DeleteFunc([]string{stop}, func(s string) bool { return s == "" })}
		var got string
		list := pieces(text, cuts)
		for i, p := range list {
			out, _, at := c.push(p, nil, i == len(list)-1)
			if got += out; at != "" {
				break
			}
		}
		want := text
		if stop != "" {
			want, _, _ = strings.Cut(text, stop)
		}
		require.Equal(t, want, got, fmt.Sprintf("%q", list))
	})
}
