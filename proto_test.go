package lode_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestProtoLeavesNoDiff writes the Go of proto/ anew, without network, and
// compares it with what is committed.
func TestProtoLeavesNoDiff(t *testing.T) {
	out := t.TempDir()
	cmd := exec.Command("./scripts/proto.sh", out)
	cmd.Env = append(os.Environ(), "GOPROXY=off")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	var n int
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
		n++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := filepath.Glob("x/*/types/*.pb*.go")
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 || n != len(kept) {
		t.Errorf("make proto writes %d files, %d are committed", n, len(kept))
	}
}
