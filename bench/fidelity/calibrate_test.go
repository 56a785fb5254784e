package fidelity_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference"
)

// BenchmarkCalibrate measures lode-mini's honest noise, as `lode model calibrate` does, and
// prints the thresholds.
func BenchmarkCalibrate(b *testing.B) {
	tokens := 4000
	if long() {
		tokens = 12_000
	}
	for b.Loop() {
		c, err := inference.Calibrate(b.Context(), inference.CalibrateOptions{Model: claimed, Tokens: tokens})
		require.NoError(b, err)
		require.NoError(b, c.Thresholds.Check())
		require.NotEmpty(b, c.Shapes)
		for _, s := range c.Shapes {
			require.True(b, s.Seen.Pass, "%s, read by %s: %s", s.Miner, s.Validator, s.Seen.Reason)
		}
		raw, err := json.MarshalIndent(c, "", "  ")
		require.NoError(b, err)
		fmt.Printf("\n%s\n", raw)
	}
}
