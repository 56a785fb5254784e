// Package lode_test holds the tests of the whole tree's shape.
package lode_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/lodenet/lode/"

// layers is the list of architecture.md, top first: a package imports only
// packages of later layers. The longest matching prefix names a package's layer.
var layers = []string{
	"cmd/lode",
	"internal/cli",
	"console",
	"localnet",
	"autopilot",
	"lab",
	"indexer",
	"subnets",
	"subnet",
	"mesh",
	"pay/mcp",
	"pay",
	"client",
	"wallet",
	"app",
	"x/market",
	"x/emission",
	"x/collateral",
	"x/weights",
	"x/subnets",
	"x/alpha",
	"x/seed",
	"x/internal",
	"yuma",
	"fixed",
	"voucher",
	"records",
	"subnets/inference/engine",
	"docs/openapi",
}

// appImporters are the only layers that may import app.
var appImporters = map[string]bool{"cmd/lode": true, "internal/cli": true, "localnet": true, "lab": true, "app": true}

// offChain are the layers that know the chain only through client and the modules' types.
var offChain = map[string]bool{
	"console": true, "autopilot": true, "indexer": true, "subnets": true, "subnet": true,
	"mesh": true, "pay/mcp": true, "pay": true, "client": true, "wallet": true,
}

func layerOf(path string) (string, int) {
	best, at := "", -1
	for i, l := range layers {
		if (path == l || strings.HasPrefix(path, l+"/")) && len(l) > len(best) {
			best, at = l, i
		}
	}
	return best, at
}

// TestImportArrowsRunDown reads the import graph: non-test imports and those of
// internal test packages count, external test packages are exempt.
func TestImportArrowsRunDown(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	seen := 0
	for {
		var p struct {
			ImportPath           string
			Imports, TestImports []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		from := strings.TrimPrefix(p.ImportPath, module)
		if p.ImportPath+"/" == module || strings.HasPrefix(from, "bench") || strings.HasPrefix(from, "test/") {
			continue // only external tests live there
		}
		fromLayer, fromAt := layerOf(from)
		if fromAt < 0 {
			t.Errorf("%s is in no layer: put it on the list in ARCHITECTURE.md and here", p.ImportPath)
			continue
		}
		seen++
		for _, imp := range append(p.Imports, p.TestImports...) {
			to, ours := strings.CutPrefix(imp, module)
			if !ours || strings.HasPrefix(to, "test/") && !slices.Contains(p.Imports, imp) {
				continue // what is for tests alone has no layer
			}
			toLayer, toAt := layerOf(to)
			if msg := forbidden(from, fromLayer, fromAt, to, toLayer, toAt); msg != "" {
				t.Errorf("%s imports %s: %s", from, to, msg)
			}
		}
	}
	if seen < 10 {
		t.Fatalf("read only %d packages", seen)
	}
}

func forbidden(from, fromLayer string, fromAt int, to, toLayer string, toAt int) string {
	switch {
	case toAt < 0:
		return "it is in no layer"
	case toAt < fromAt:
		return "the arrow runs up"
	case toLayer == "app" && !appImporters[fromLayer]:
		return "only cmd/lode, internal/cli, localnet and lab import app"
	case offChain[fromLayer] && strings.HasPrefix(to, "x/") && !strings.HasSuffix(to, "/types") && to != "x/alpha/pool":
		return "off-chain code knows the chain only through client, the modules' types and the pools' mathematics"
	case fromLayer == "voucher" && toLayer != "voucher", fromLayer == "records" && toLayer != "records", fromLayer == "fixed" && toLayer != "fixed", fromLayer == "yuma" && toLayer != "yuma" && toLayer != "fixed":
		return "voucher, records, fixed and yuma import nothing of ours"
	case fromLayer == "subnets/inference/engine" && toLayer != "subnets/inference/engine":
		return "engines know nothing of Lode"
	case toLayer == "subnets/inference/engine" && toLayer != fromLayer && fromLayer != "subnets" && fromLayer != "internal/cli" && fromLayer != "localnet":
		return "models are run by the subnet of inference alone"
	case strings.HasSuffix(from, "/pool") && toLayer != "fixed" && to != from:
		return "pure mathematics imports only fixed"
	}
	return ""
}

func TestArrowRules(t *testing.T) {
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"internal/cli", "app/node", true},
		{"client", "app", false},
		{"subnet", "client", true},
		{"client", "subnet", false},
		{"subnets/video", "subnet", true},
		{"subnets/video", "x/alpha/types", true},
		{"subnets/video", "x/alpha/keeper", false},
		{"indexer", "x/alpha/pool", true},
		{"indexer", "x/alpha/keeper", false},
		{"x/weights/keeper", "x/subnets/types", true},
		{"x/subnets/keeper", "x/weights/types", false},
		{"x/alpha/keeper", "yuma", true},
		{"yuma", "fixed", true},
		{"fixed", "yuma", false},
		{"fixed", "voucher", false},
		{"x/market/keeper", "voucher", true},
		{"pay", "voucher", true},
		{"pay/mcp", "pay", true},
		{"pay", "pay/mcp", false},
		{"pay/mcp", "x/market/keeper", false},
		{"subnets/inference/api", "subnets/inference/engine", true},
		{"internal/cli", "subnets/inference/engine/llama", true},
		{"subnets/inference/engine", "subnets/inference/api", false},
		{"subnets/inference/engine/llama", "fixed", false},
		{"x/market/keeper", "subnets/inference/engine", false},
		{"x/alpha/pool", "fixed", true},
		{"x/alpha/pool", "x/alpha/types", false},
	} {
		fl, fa := layerOf(c.from)
		tl, ta := layerOf(c.to)
		if got := forbidden(c.from, fl, fa, c.to, tl, ta) == ""; got != c.ok {
			t.Errorf("%s → %s: allowed %v, want %v", c.from, c.to, got, c.ok)
		}
	}
}
