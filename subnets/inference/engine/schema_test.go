package engine

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func rules(schema string) (string, error) { return Grammar{Schema: []byte(schema)}.Rules() }

func TestSchemasBecomeGrammars(t *testing.T) {
	for schema, want := range map[string]string{
		`true`:                              "root ::= value\n",
		`{}`:                                "root ::= value\n",
		`{"description":"any"}`:             "root ::= value\n",
		`{"type":"boolean"}`:                "root ::= ( \"true\" | \"false\" )\n",
		`{"type":["integer","null"]}`:       "root ::= ( integer | \"null\" )\n",
		`{"const":"a\"\\\n"}`:               `root ::= r1` + "\n" + `r1 ::= "\"a\\\"\\\\\\n\""` + "\n",
		`{"enum":[1,"é",{"b":1,"a":2}]}`:    "root ::= r1\nr1 ::= \"1\" | \"\\\"é\\\"\" | \"{\\\"b\\\":1,\\\"a\\\":2}\"\n",
		`{"enum":[1,"a"],"type":"string"}`:  "root ::= r1\nr1 ::= \"\\\"a\\\"\"\n",
		`{"type":"string","maxLength":3}`:   `root ::= "\"" char{0,3} "\""` + "\n",
		`{"type":"string","minLength":2}`:   `root ::= "\"" char{2,} "\""` + "\n",
		`{"type":"string","format":"date"}`: `root ::= "\"" date "\""` + "\n",
		`{"type":"array","items":{"type":"null"},"minItems":2,"maxItems":4}`: "root ::= r2\nr1 ::= \"null\"\nr2 ::= \"[\" ws r1 ( \",\" ws r1 ){1,3} ws \"]\"\n",
		`{"type":"object"}`: "root ::= object\n",
		`{"type":"object","additionalProperties":false}`:              "root ::= \"{\" ws \"}\"\n",
		`{"type":"object","additionalProperties":{"type":"integer"}}`: "root ::= r2\nr1 ::= string \":\" ws integer\nr2 ::= \"{\" ws ( r1 ( \",\" ws r1 )* )? ws \"}\"\n",
		`{"properties":{"z":{"type":"null"},"a":{"type":"integer"}},"required":["a"]}`: "root ::= r7\n" +
			"r1 ::= \"\\\"a\\\"\" \":\" ws integer\nr2 ::= r1 \"\"\nr3 ::= \",\" ws r1 \"\"\n" +
			"r4 ::= \"\\\"z\\\"\" \":\" ws \"null\"\nr5 ::= r4 r3 | r2\nr6 ::= \",\" ws r4 r3 | r3\nr7 ::= \"{\" ws r5 ws \"}\"\n",
		`{"$defs":{"n":{"properties":{"next":{"$ref":"#/$defs/n"}}}},"$ref":"#/$defs/n"}`: "root ::= r1\n" +
			"r2 ::= \"\\\"next\\\"\" \":\" ws r1\nr3 ::= r2 \"\" | \"\"\nr4 ::= \",\" ws r2 \"\" | \"\"\nr5 ::= \"{\" ws r3 ws \"}\"\nr1 ::= r5\n",
	} {
		got, err := rules(schema)
		require.NoError(t, err, schema)
		require.Equal(t, want+basicRules, got, schema)
	}
	got, err := Grammar{GBNF: "root ::= [a-z]"}.Rules()
	require.NoError(t, err)
	require.Equal(t, "root ::= [a-z]", got)
}

func TestWhatAGrammarCantEnforceIsRefusedByName(t *testing.T) {
	for schema, want := range map[string]string{
		``:                                    "",
		`{"type":`:                            "not JSON",
		`{} {}`:                               "more follows",
		`false`:                               "is not a schema",
		`[1]`:                                 "is not a schema",
		`{"type":"poem"}`:                     `there is no type "poem"`,
		`{"type":[]}`:                         "type is empty",
		`{"type":[1]}`:                        `no type ""`,
		`{"type":"string","pattern":"x"}`:     `"pattern" can't be enforced`,
		`{"type":"string","format":"email"}`:  `format "email"`,
		`{"type":"string","minItems":1}`:      `"minItems" can't be enforced`,
		`{"type":"integer","minimum":1}`:      `schema: "minimum"`,
		`{"type":"array","uniqueItems":true}`: `"uniqueItems"`,
		`{"type":"array","minItems":3,"maxItems":2}`:             "minItems exceeds maxItems",
		`{"type":"array","maxItems":100000}`:                     "the bounds are 0 and 1000",
		`{"type":"array","maxItems":1.5}`:                        "maxItems is 1.5",
		`{"type":"array","maxItems":-1}`:                         "maxItems is -1",
		`{"oneOf":[{"type":"null"}]}`:                            `"oneOf"`,
		`{"not":{}}`:                                             `"not"`,
		`{"allOf":[{},{}]}`:                                      "allOf only one",
		`{"anyOf":[]}`:                                           "must list schemas",
		`{"enum":[]}`:                                            "enum must list values",
		`{"enum":[1],"type":"string"}`:                           "no value is left",
		`{"properties":{"a":{}},"required":["b"]}`:               `"b" is required`,
		`{"properties":{"a":{}},"required":"a"}`:                 "required must be a list",
		`{"properties":[]}`:                                      "properties must be an object",
		`{"properties":{"a":{"properties":{"b":{"type":"x"}}}}}`: "schema.a.b: ",
		`{"properties":{"a":{},"a":{}}}`:                         `"a" comes twice`,
		`{"$ref":"#"}`:                                           "is to itself",
		`{"$ref":"#/$defs/x"}`:                                   "leads nowhere",
		`{"$ref":"http://x"}`:                                    "leads out",
		`{"$ref":7}`:                                             "leads out",
		strings.Repeat(`{"items":`, 40) + "{}" + strings.Repeat("}", 40): "deep",
		strings.Repeat(`[`, 10_000):                                      "deeply",
	} {
		_, err := rules(schema)
		if want == "" {
			require.NoError(t, err, "none is none")
			continue
		}
		require.ErrorIs(t, err, ErrGrammar, schema)
		require.ErrorContains(t, err, want, schema)
	}
	large := `{"properties":{` + strings.TrimSuffix(strings.Repeat(`"x":{},`, 2), ",") + `}}`
	_, err := rules(large)
	require.ErrorIs(t, err, ErrGrammar)
}

// Ten levels of a schema that refers twice to the level below are not a thousand rules.
func TestReferencesDoNotExplode(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/$defs/l0","$defs":{`)
	for i := range 25 {
		next := string(rune('0'+(i+1)/10)) + string(rune('0'+(i+1)%10))
		b.WriteString(`"l` + map[bool]string{true: "0", false: string(rune('0'+i/10)) + string(rune('0'+i%10))}[i == 0] + `":{"anyOf":[{"$ref":"#/$defs/l` + next + `"},{"$ref":"#/$defs/l` + next + `"}]},`)
	}
	b.WriteString(`"l25":{"type":"null"}}}`)
	got, err := rules(b.String())
	require.NoError(t, err)
	require.Less(t, len(got), 8000)
}

func FuzzSchema(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`)
	f.Add(`{"$defs":{"n":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]}},"$ref":"#/$defs/n"}`)
	f.Add(`{"enum":["\u0000",1e400]}`)
	f.Fuzz(func(t *testing.T, schema string) {
		got, err := rules(schema)
		if err != nil {
			require.ErrorIs(t, err, ErrGrammar)
			return
		}
		require.Less(t, len(got), 100*len(schema)+1<<20)
	})
}
