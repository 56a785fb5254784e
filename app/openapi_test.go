package app_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/docs/openapi"
)

// swagger is what the tests read of the document.
type swagger struct {
	Swagger string `json:"swagger"`
	Info    struct {
		Title, Version string
	} `json:"info"`
	Paths       map[string]map[string]operation `json:"paths"`
	Definitions map[string]json.RawMessage      `json:"definitions"`
}

type operation struct {
	OperationID string                     `json:"operationId"`
	Tags        []string                   `json:"tags"`
	Parameters  []parameter                `json:"parameters"`
	Responses   map[string]json.RawMessage `json:"responses"`
}

type parameter struct {
	Name     string          `json:"name"`
	In       string          `json:"in"`
	Required bool            `json:"required"`
	Type     string          `json:"type"`
	Schema   json.RawMessage `json:"schema"`
}

func readSwagger(t *testing.T) swagger {
	t.Helper()
	var doc swagger
	require.NoError(t, json.Unmarshal(openapi.JSON, &doc))
	return doc
}

// route is a way to ask a method over REST.
type route struct{ method, path string }

// routesOf are the routes that a method's annotation gives it.
func routesOf(m protoreflect.MethodDescriptor) []route {
	rule, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	if rule == nil {
		return nil
	}
	var routes []route
	for _, r := range append([]*annotations.HttpRule{rule}, rule.AdditionalBindings...) {
		switch p := r.Pattern.(type) {
		case *annotations.HttpRule_Get:
			routes = append(routes, route{"get", p.Get})
		case *annotations.HttpRule_Post:
			routes = append(routes, route{"post", p.Post})
		}
	}
	return routes
}

var wildcard = regexp.MustCompile(`\{([a-z_]+)=[^}]*\}`)

// TestTheOpenAPIDocumentHasEveryRouteThatTheChainServes compares it with the annotations
// of the services whose queries the application answers.
func TestTheOpenAPIDocumentHasEveryRouteThatTheChainServes(t *testing.T) {
	doc, own, n := readSwagger(t), 0, 0
	registry := app.MakeEncodingConfig().InterfaceRegistry
	tags := map[string]bool{} // of services that the document has
	for _, item := range doc.Paths {
		for _, op := range item {
			tags[op.Tags[0]] = true
		}
	}
	registry.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			if strings.HasPrefix(string(s.FullName()), "lode.") {
				own++
			} else if !tags[string(s.FullName())] {
				continue // nobody answers it here; see the test of all commands
			}
			for j := range s.Methods().Len() {
				for _, r := range routesOf(s.Methods().Get(j)) {
					n++
					path := wildcard.ReplaceAllString(r.path, "{$1}")
					op, ok := doc.Paths[path][r.method]
					if !ok {
						t.Errorf("%s %s is not in the document: run make proto", r.method, path)
						continue
					}
					if want := strings.ReplaceAll(string(s.FullName()), ".", "_") + "_" + string(s.Methods().Get(j).Name()); op.OperationID != want && !strings.HasPrefix(op.OperationID, want) {
						t.Errorf("%s %s is %s, want %s", r.method, path, op.OperationID, want)
					}
				}
			}
		}
		return true
	})
	if own < 4 || n < 60 {
		t.Errorf("%d services of ours and %d routes: these are not the chain's descriptors", own, n)
	}
	for _, service := range []string{"cosmos.auth.v1beta1.Query", "cosmos.bank.v1beta1.Query", "cosmos.staking.v1beta1.Query", "cosmos.distribution.v1beta1.Query",
		"cosmos.gov.v1.Query", "cosmos.slashing.v1beta1.Query", "cosmos.authz.v1beta1.Query", "cosmos.feegrant.v1beta1.Query", "cosmos.upgrade.v1beta1.Query",
		"cosmos.evidence.v1beta1.Query", "cosmos.consensus.v1.Query", "cosmos.tx.v1beta1.Service", "cosmos.base.tendermint.v1beta1.Service", "cosmos.base.node.v1beta1.Service"} {
		if !tags[service] {
			t.Errorf("the document lacks %s: name its files in scripts/proto.sh", service)
		}
	}
}

// TestTheOpenAPIDocumentIsValidSwagger checks what OpenAPI 2.0 asks of a document, as
// far as this one uses it.
func TestTheOpenAPIDocumentIsValidSwagger(t *testing.T) {
	doc := readSwagger(t)
	require.Equal(t, "2.0", doc.Swagger)
	require.NotEmpty(t, doc.Info.Title)
	require.NotEmpty(t, doc.Info.Version)
	ids := map[string]string{}
	for path, item := range doc.Paths {
		require.True(t, strings.HasPrefix(path, "/"), path)
		for method, op := range item {
			at := method + " " + path
			require.Contains(t, []string{"get", "post"}, method, path)
			require.NotEmpty(t, op.OperationID, at)
			require.Empty(t, ids[op.OperationID], "two operations are called %s: %s and %s", op.OperationID, ids[op.OperationID], at)
			ids[op.OperationID] = at
			require.NotEmpty(t, op.Responses["200"], at)
			checkParameters(t, at, path, op)
		}
	}
	// Every reference leads somewhere.
	for _, m := range regexp.MustCompile(`"\$ref": "([^"]*)"`).FindAllStringSubmatch(string(openapi.JSON), -1) {
		name, ok := strings.CutPrefix(m[1], "#/definitions/")
		require.True(t, ok, m[1])
		require.NotEmpty(t, doc.Definitions[name], "nothing is called %s", m[1])
	}
}

func checkParameters(t *testing.T, at, path string, op operation) {
	t.Helper()
	var inPath, seen []string
	for _, p := range op.Parameters {
		require.Contains(t, []string{"path", "query", "body"}, p.In, at)
		require.False(t, slices.Contains(seen, p.In+p.Name), "%s: parameter %s is there twice", at, p.Name)
		seen = append(seen, p.In+p.Name)
		if p.In == "path" {
			require.True(t, p.Required, "%s: %s", at, p.Name)
			inPath = append(inPath, p.Name)
		}
		require.Equal(t, p.In == "body", p.Schema != nil, "%s: %s", at, p.Name)
		require.Equal(t, p.In != "body", p.Type != "", "%s: %s", at, p.Name)
	}
	var named []string
	for _, m := range regexp.MustCompile(`\{([^}]*)\}`).FindAllStringSubmatch(path, -1) {
		named = append(named, m[1])
	}
	require.ElementsMatch(t, named, inPath, at)
}

// TestTheOpenAPIDocumentNamesFieldsAsRESTDoes: proto's names, and 64-bit integers as
// strings.
func TestTheOpenAPIDocumentNamesFieldsAsRESTDoes(t *testing.T) {
	var pool struct {
		Properties map[string]struct{ Type, Format string }
	}
	require.NoError(t, json.Unmarshal(readSwagger(t).Definitions["lode.alpha.v1.Pool"], &pool))
	require.Equal(t, "string", pool.Properties["tao_reserve"].Type)
	require.Equal(t, "uint64", pool.Properties["tao_reserve"].Format)
	require.NotContains(t, pool.Properties, "taoReserve")
}
