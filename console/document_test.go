package console_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/lodenet/lode/console"
)

// document is openapi.yaml, read once.
var document = sync.OnceValues(func() (map[string]any, error) {
	var doc map[string]any
	if err := yaml.Unmarshal(console.Document, &doc); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(doc) // numbers as JSON has them
	if err != nil {
		return nil, err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	return v.(map[string]any), nil
})

const documentURL = "https://lode.invalid/openapi.json"

var compiler = sync.OnceValues(func() (*jsonschema.Compiler, error) {
	doc, err := document()
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	return c, c.AddResource(documentURL, doc)
})

var compiling sync.Mutex

// schema is a part of the document, by its place.
func schemaAt(t testing.TB, pointer string) *jsonschema.Schema {
	t.Helper()
	compiling.Lock()
	defer compiling.Unlock()
	c, err := compiler()
	require.NoError(t, err)
	s, err := c.Compile(documentURL + "#" + pointer)
	require.NoError(t, err)
	return s
}

// pointer escapes the keys of a place in the document.
func pointer(keys ...string) string {
	var b strings.Builder
	for _, k := range keys {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(k))
	}
	return b.String()
}

// fits fails the test if an answer is not what the document says of a route.
func fits(t testing.TB, method, path string, status int, body []byte) {
	t.Helper()
	at := pointer("components", "schemas", "Error")
	if status == 200 {
		at = pointer("paths", path, strings.ToLower(method), "responses", "200", "content", "application/json", "schema")
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	require.NoError(t, err, "%s %s: %s", method, path, body)
	if err := schemaAt(t, at).Validate(v); err != nil {
		t.Errorf("%s %s answers %d, which does not fit the document: %v\n%.2000s", method, path, status, err, body)
	}
}

func TestTheDocumentAndTheRoutesAreTheSame(t *testing.T) {
	doc, err := document()
	require.NoError(t, err)
	var documented []string
	for path, item := range doc["paths"].(map[string]any) {
		for method, operation := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			route := strings.ToUpper(method) + " " + path
			documented = append(documented, route)
			if strings.HasPrefix(path, "/buy/") || path == "/v1/openapi.yaml" || path == "/v1/stream" {
				continue
			}
			var queries []string
			params, _ := operation.(map[string]any)["parameters"].([]any)
			for _, p := range params {
				p := p.(map[string]any)
				if ref, ok := p["$ref"].(string); ok {
					p = doc["components"].(map[string]any)["parameters"].(map[string]any)[ref[strings.LastIndex(ref, "/")+1:]].(map[string]any)
				}
				if p["in"] == "query" {
					queries = append(queries, p["name"].(string))
				}
			}
			require.ElementsMatch(t, queries, console.Params(route), "parameters of %s", route)
		}
	}
	require.ElementsMatch(t, documented, console.Routes())
}

func TestEachSchemaOfTheDocumentCanBeRead(t *testing.T) {
	doc, err := document()
	require.NoError(t, err)
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	for name, s := range schemas {
		compiled := schemaAt(t, pointer("components", "schemas", name))
		examples, _ := s.(map[string]any)["examples"].([]any)
		for _, e := range examples {
			require.NoError(t, compiled.Validate(e), "example of %s", name)
		}
	}
	require.Greater(t, len(schemas), 40)
}

// What a schema does not know must not pass it, or the test of answers could not fail.
func TestSchemasAreClosed(t *testing.T) {
	doc, err := document()
	require.NoError(t, err)
	open := []string{"SubnetFields", "TransactionFields", "BlockFields", "ServiceFields", "ProposalFields"} // closed by who uses them
	for name, s := range doc["components"].(map[string]any)["schemas"].(map[string]any) {
		m := s.(map[string]any)
		if m["properties"] == nil || slices.Contains(open, name) {
			continue
		}
		require.True(t, m["additionalProperties"] == false || m["unevaluatedProperties"] == false, "%s lets unknown fields pass", name)
	}
	status := schemaAt(t, pointer("components", "schemas", "StreamBlock"))
	v := map[string]any{"height": json.Number("1"), "time": "2026-11-26T14:50:00Z", "transactions": nil, "epochs": []any{}, "missed": false}
	require.NoError(t, status.Validate(v))
	v["more"] = true
	require.Error(t, status.Validate(v))
}
