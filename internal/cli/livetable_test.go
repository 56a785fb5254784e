package cli

import (
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/lodenet/lode/localnet"
)

func TestTheTableFitsItsTerminal(t *testing.T) {
	strategy, score := "search", 1.25
	r := localnet.Report{Height: 1234567, ChainID: "lode-local-1", Subnets: []localnet.SubnetReport{{
		Netuid: 1, Name: "video", Price: 1.5, TaoReserveRao: 1_000_000e9, Epochs: 3,
		Neurons: []localnet.NeuronReport{
			{UID: 0, Hotkey: "lode1owner", Role: localnet.RoleOwner},
			{UID: 255, Hotkey: "lode1fmq26nrg9ql9j82k0l684ns0fj47yxc66x34nu", Role: localnet.RoleMiner, Strategy: &strategy, Score: &score, Incentive: 0.5, StakeAlpha: 123456e9, EmissionAlpha: 1},
			{UID: 2, Hotkey: "lode1validator", Role: localnet.RoleValidator, Dividends: 0.25, StakeAlpha: 1e9},
		},
	}}}
	names := map[string]string{"lode1validator": "validator-1-hot"}
	for _, width := range []int{20, 80, 100, fullWidth, 200} {
		text := networkTable(r, names, width)
		for line := range strings.Lines(text) {
			if n := lipgloss.Width(strings.TrimRight(line, "\n")); n > width {
				t.Errorf("width %d: a line of %d:\n%s", width, n, line)
			}
		}
		if width >= 80 && (!strings.Contains(text, "validator-1-hot") || !strings.Contains(text, "lode1fmq2…34nu") || !strings.Contains(text, "+0.000")) {
			t.Errorf("width %d leaves out too much:\n%s", width, text)
		}
	}
	if text := networkTable(r, nil, 0); !strings.Contains(text, "last epoch") {
		t.Errorf("any width leaves columns out:\n%s", text)
	}
}
