package lode_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProtoLeavesNoDiff writes what comes of proto/ anew, without network, and
// compares it with what is committed: the Go, the OpenAPI document, the words of help.
func TestProtoLeavesNoDiff(t *testing.T) {
	out := t.TempDir()
	cmd := exec.Command("./scripts/proto.sh", out)
	cmd.Env = append(os.Environ(), "GOPROXY=off")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	var n int
	written := map[string]bool{}
	err := filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(out, path)
		if err != nil {
			return err
		}
		made, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		kept, err := os.ReadFile(rel)
		if err != nil {
			return err
		}
		if string(made) != string(kept) {
			t.Errorf("%s differs from what make proto writes", rel)
		}
		written[rel] = true
		if strings.HasSuffix(rel, ".go") {
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range []string{"docs/openapi/lode.json", "internal/cli/protodocs.json"} {
		if !written[document] {
			t.Errorf("make proto does not write %s", document)
		}
	}
	kept, err := filepath.Glob("x/*/types/*.pb*.go")
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 || n != len(kept) {
		t.Errorf("make proto writes %d files of Go, %d are committed", n, len(kept))
	}
}
