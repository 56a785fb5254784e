package video

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// elsewhere are flags that the guides use and that are not this package's.
var elsewhere = []string{"hotkey", "kind", "check", "netuid", "node", "from", "max-burn", "listen", "announce", "nat", "relay", "json", "log-level", "name", "parameters", "tolerance", "gateway", "max-price", "yes", "since"}

var flagName = regexp.MustCompile(`--([a-z][a-z-]*)`)

func TestGuidesUseFlagsThatExist(t *testing.T) {
	for file, bind := range map[string]func(*pflag.FlagSet){
		"mine-video.md":     new(MineOptions).Bind,
		"validate-video.md": new(ValidateOptions).Bind,
		"compress-video.md": new(CompressOptions).Bind,
	} {
		raw, err := os.ReadFile("../../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		known := pflag.NewFlagSet("", pflag.ContinueOnError)
		bind(known)
		for _, name := range elsewhere {
			known.Bool(name, false, "")
		}
		for line := range strings.Lines(string(raw)) {
			if !strings.HasPrefix(line, "lode ") {
				continue
			}
			for _, m := range flagName.FindAllStringSubmatch(line, -1) {
				if known.Lookup(m[1]) == nil {
					t.Errorf("%s: there is no --%s: %s", file, m[1], line)
				}
			}
		}
		// And the guide names all that a person may set.
		known.VisitAll(func(f *pflag.Flag) {
			if f.Name == "output" || strings.Contains(strings.Join(elsewhere, " "), f.Name) {
				return
			}
			if !strings.Contains(string(raw), "--"+f.Name) {
				t.Errorf("%s says nothing of --%s", file, f.Name)
			}
		})
	}
}
