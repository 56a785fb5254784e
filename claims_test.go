package lode_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheTestsThatPagesNameExist keeps docs/lessons.md and docs/attacks.md true: each
// names, as `package.TestName`, the tests that show what it says.
func TestTheTestsThatPagesNameExist(t *testing.T) {
	have := testsOf(t)
	name := regexp.MustCompile("`([a-z0-9/_.]+)\\.(Test[A-Za-z0-9_]+)`")
	for _, page := range []string{"docs/lessons.md", "docs/attacks.md"} {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for line := range strings.Lines(string(raw)) {
			tests := name.FindAllStringSubmatch(line, -1)
			found += len(tests)
			for _, m := range tests {
				if !have[m[1]][m[2]] {
					t.Errorf("%s names %s.%s, which is not there", page, m[1], m[2])
				}
			}
			row := strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| --- ")
			if row && len(tests) == 0 && !strings.Contains(line, "| shown by |") {
				t.Errorf("%s: no test shows %q", page, strings.TrimSpace(line))
			}
		}
		if found < 10 {
			t.Errorf("%s names only %d tests: is its table still read?", page, found)
		}
	}
}

// testsOf are all test functions, by their folder.
func testsOf(t *testing.T) map[string]map[string]bool {
	t.Helper()
	have := map[string]map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "third_party") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		if have[dir] == nil {
			have[dir] = map[string]bool{}
		}
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil {
				have[dir][fn.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return have
}
