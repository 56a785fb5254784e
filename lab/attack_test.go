package lab_test

import (
	"os"
	"path/filepath"
	"testing"
)

// TestATinyValidatorThatWeightsItsFriendsCostsItselfAlone is the complaint of
// subtensor 1868: where seats are contested, a validator with next to no stake weights
// nobody, or only its friends. What it costs and gains is in the scenario's table:
// `lode lab epoch lab/testdata/tiny_validator.json`.
func TestATinyValidatorThatWeightsItsFriendsCostsItselfAlone(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "tiny_validator.json"))
	if err != nil {
		t.Fatal(err)
	}
	p := run(t, string(raw))
	const honest, friend, tiny = 3, 4, 2
	for i, e := range p.Epochs {
		if e.Incentive[friend] != 0 || e.Incentive[honest] < 0.999 {
			t.Errorf("epoch %d: the friend has incentive %v, the honest miner %v: must be 0 and all", i+1, e.Incentive[friend], e.Incentive[honest])
		}
		if e.Dividends[tiny] != 0 {
			t.Errorf("epoch %d: the tiny validator has dividends %v for a miner that the majority does not see, must be 0", i+1, e.Dividends[tiny])
		}
		if d := e.Dividends[0] + e.Dividends[1]; d < 0.999 {
			t.Errorf("epoch %d: the honest validators have dividends %v, must lose nothing to it", i+1, d)
		}
		if e.ValidatorTrust[tiny] != 0 {
			t.Errorf("epoch %d: its trust is %v, must show that nobody agrees with it", i+1, e.ValidatorTrust[tiny])
		}
	}
}
