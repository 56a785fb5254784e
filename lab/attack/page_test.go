package attack_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lodenet/lode/lab/attack"
)

// TestThePageShowsWhatTheCommandsGive keeps docs/attacks-economic.md true: every
// attack is there with its set-up, command and plot; the tables and plots of the quick
// ones are made again.
func TestThePageShowsWhatTheCommandsGive(t *testing.T) {
	docs := filepath.Join("..", "..", "docs")
	raw, err := os.ReadFile(filepath.Join(docs, "attacks-economic.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	quick := map[string]bool{"drain": true, "evict": true}
	for _, a := range attack.All() {
		file := "images/attacks/" + a.Name + ".svg"
		for what, text := range map[string]string{
			"set-up": a.Setup, "command": fmt.Sprintf("$ lode lab attack %s --seeds 200 --plot docs/%s\n", a.Name, file), "plot": "(" + file + ")",
		} {
			if !strings.Contains(page, text) {
				t.Errorf("%s: the page lacks its %s:\n%s", a.Name, what, text)
			}
		}
		plot, err := os.ReadFile(filepath.Join(docs, file))
		if err != nil {
			t.Error(err)
		}
		for _, c := range a.Cases {
			if !strings.Contains(page, "\n"+c+" ") || !strings.Contains(string(plot), ">"+c+"<") {
				t.Errorf("%s: the page's table or plot lacks %q", a.Name, c)
			}
		}
		if !quick[a.Name] {
			continue
		}
		r, err := attack.Run(t.Context(), a, 1, 200, nil)
		if err != nil {
			t.Fatal(err)
		}
		var table, svg bytes.Buffer
		if err := r.Table(&table); err != nil {
			t.Fatal(err)
		}
		if err := r.Plot(&svg); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(page, table.String()) {
			t.Errorf("%s: the page shows another table than\n%s", a.Name, &table)
		}
		if !bytes.Equal(svg.Bytes(), plot) {
			t.Errorf("%s: docs/%s is another plot than its command writes", a.Name, file)
		}
	}
}
