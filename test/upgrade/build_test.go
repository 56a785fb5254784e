//go:build linux

package upgrade_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// cosmovisor is the version that the test builds.
const cosmovisor = "cosmossdk.io/tools/cosmovisor v1.5.0"

// root is the module's folder.
func root(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../..")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(path, "go.mod"))
	return path
}

func build(t *testing.T, to string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"build", "-o", to}, args...)...)
	cmd.Dir = root(t)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

// release is a program of the tree, or of the tree with some files in others' places.
// It says the version.
func release(t *testing.T, to, version string, overlay map[string]string) {
	t.Helper()
	files := map[string]string{}
	for place, file := range overlay {
		path, err := filepath.Abs(file)
		require.NoError(t, err)
		files[filepath.Join(root(t), place)] = path
	}
	raw, err := json.Marshal(map[string]any{"Replace": files})
	require.NoError(t, err)
	list := filepath.Join(t.TempDir(), "overlay.json")
	require.NoError(t, os.WriteFile(list, raw, 0o600))
	build(t, to, "-overlay", list, "-ldflags", "-s -w -X github.com/lodenet/lode/app.Version="+version, "./cmd/lode")
}

// supervisor is cosmovisor, built with this module's dependencies: those of its own
// time come with another SDK.
func supervisor(t *testing.T, to string) {
	t.Helper()
	dir := t.TempDir()
	read := func(path string) string {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(raw)
	}
	stand, err := filepath.Abs("testdata/xupgrade")
	require.NoError(t, err)
	mod := strings.ReplaceAll(read(filepath.Join(root(t), "go.mod")), "=> ./", "=> "+root(t)+"/")
	mod += "\nrequire " + cosmovisor + "\nreplace cosmossdk.io/x/upgrade => " + stand + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o600))
	sum := read(filepath.Join(root(t), "go.sum")) + read("testdata/cosmovisor.sum")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), []byte(sum), 0o600))
	build(t, to, "-modfile", filepath.Join(dir, "go.mod"), "-mod=mod", "cosmossdk.io/tools/cosmovisor/cmd/cosmovisor")
}
