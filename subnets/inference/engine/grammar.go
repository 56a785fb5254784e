package engine

import (
	"fmt"
	"strings"
)

// Rules returns the grammar in llama.cpp's notation. All that a schema's grammar lets
// through is valid by the schema; keywords that a grammar can't enforce are refused with
// an error that wraps [ErrGrammar]. Of objects with listed properties, those come in the
// schema's order and no others come, which every schema with additionalProperties allows,
// too. A schema is read from whoever asks; a GBNF is taken as it is and must come from
// someone who is trusted, as some take long to follow.
func (g Grammar) Rules() (string, error) {
	if len(g.Schema) == 0 {
		return g.GBNF, nil
	}
	root, err := decodeOrdered(g.Schema)
	if err != nil {
		return "", fmt.Errorf("%w: the schema is not JSON: %w", ErrGrammar, err)
	}
	w := &schemaWriter{root: root, refs: map[string]string{}}
	rule, err := w.schema(root, "schema", 0)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrGrammar, err)
	}
	return "root ::= " + rule + "\n" + w.rules.String() + basicRules, nil
}

const basicRules = `ws ::= | " " | "\n" [ \t]{0,20}
value ::= object | array | string | number | "true" | "false" | "null"
object ::= "{" ws ( string ":" ws value ( "," ws string ":" ws value )* )? ws "}"
array ::= "[" ws ( value ( "," ws value )* )? ws "]"
string ::= "\"" char* "\""
char ::= [^"\\\x7F\x00-\x1F] | "\\" ( ["\\/bfnrt] | "u" ( [0-9a-cA-CefEF] hex hex hex | [dD] [0-7] hex hex ) )
hex ::= [0-9a-fA-F]
integer ::= "-"? ( "0" | [1-9] [0-9]{0,15} )
number ::= integer ( "." [0-9]{1,16} )? ( [eE] [-+]? [0-9]{1,2} )?
date ::= [0-9]{4} "-" ( "0" [1-9] | "1" [0-2] ) "-" ( "0" [1-9] | "1" [0-9] | "2" [0-8] )
time ::= ( [01] [0-9] | "2" [0-3] ) ":" [0-5] [0-9] ":" [0-5] [0-9] ( "." [0-9]{1,9} )? ( "Z" | [+-] ( [01] [0-9] | "2" [0-3] ) ":" [0-5] [0-9] )
uuid ::= hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12}
`

var formats = map[string]string{
	"date": `"\"" date "\""`, "time": `"\"" time "\""`, "date-time": `"\"" date "T" time "\""`, "uuid": `"\"" uuid "\""`,
}

// repeat writes an item between least and most times; −1 is without bound.
func repeat(item string, least, most int) string {
	switch {
	case most == 0:
		return `""`
	case most < 0 && least == 0:
		return item + "*"
	case most < 0:
		return fmt.Sprintf("%s{%d,}", item, least)
	}
	return fmt.Sprintf("%s{%d,%d}", item, least, most)
}

// quote writes a literal of GBNF.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + `"`
}
