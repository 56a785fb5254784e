package models

import (
	"embed"
	"encoding/json"

	"github.com/lodenet/lode/subnets/inference/fidelity"
)

// shipped are thresholds of models that Lode brings along, as `lode model calibrate` wrote
// them.
//
//go:embed shipped
var shipped embed.FS

// Shipped returns the thresholds that Lode brings along for a model, else
// [fidelity.Default].
func Shipped(digest string) fidelity.Thresholds {
	raw, err := shipped.ReadFile("shipped/" + digest + ".json")
	if err != nil {
		return fidelity.Default(digest)
	}
	var t fidelity.Thresholds
	if json.Unmarshal(raw, &t) != nil || t.Check() != nil || t.Digest != digest { // a test reads them all
		return fidelity.Default(digest)
	}
	return t
}
