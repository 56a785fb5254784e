package localnet_test

import (
	"os"
	"testing"
	"time"

	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/localnet/localnettest"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
)

// TestMain lets engines start this program as their child.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "engine-child" {
		if err := llama.ChildMain(); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestAModelThatIsNotTheOneSoldEarnsNothing runs the inference subnet: its miners are asked
// like any customer's and paid, and who runs another model than it says loses.
func TestAModelThatIsNotTheOneSoldEarnsNothing(t *testing.T) {
	n, stop := localnettest.StartStoppable(t, localnet.Config{Strategies: []string{}, Inference: &localnet.Inference{}})
	const cheat = "inference-miner-3-hot"
	honest := []string{"inference-miner-1-hot", "inference-miner-2-hot"}
	last := await(t, n, "the honest miners earn, and the cheat does not any more", func(r localnet.Report) bool {
		if len(r.Subnets) < 2 || r.Subnets[1].Name != "inference" {
			return false
		}
		of := func(name string) localnet.NeuronReport { return neuronOf(t, n, r.Subnets[1], name) }
		one, two, bad := of(honest[0]), of(honest[1]), of(cheat)
		return one.EmissionAlpha > 0 && two.EmissionAlpha > 0 && bad.Score != nil && *bad.Score == 0 && bad.EmissionAlpha < two.EmissionAlpha
	})
	one, two := neuronOf(t, n, last.Subnets[1], honest[0]), neuronOf(t, n, last.Subnets[1], honest[1])
	if one.Incentive <= two.Incentive {
		t.Errorf("the cheaper one earns %.3f of the incentive, the dearer one %.3f", one.Incentive, two.Incentive)
	}
	for _, m := range []localnet.NeuronReport{one, two} {
		if m.Jobs == nil || *m.Jobs == 0 {
			t.Errorf("nobody has asked it: %+v", m)
		}
	}
	began := time.Now()
	stop()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %v, must be within 10 s", took)
	}
}
