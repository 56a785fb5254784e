package sim

import (
	"encoding/json"
	"fmt"
)

// counted are the fields that an import numbers anew: x/staking's unbondings, and
// accounts that appear afterwards, whose number comes from the app hash.
var counted = map[string]bool{"unbonding_id": true, "unbonding_ids": true, "account_number": true}

// difference says where two genesis files differ first; nothing where they don't.
func difference(a, b any) string {
	return differ("", plain(a), plain(b))
}

func plain(v any) (out any) {
	must(json.Unmarshal(must1(json.Marshal(v)), &out))
	return out
}

func differ(at string, a, b any) string {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			break
		}
		for _, k := range sorted(x) {
			if counted[k] {
				continue
			}
			if d := differ(at+"/"+k, x[k], y[k]); d != "" {
				return d
			}
		}
		for _, k := range sorted(y) {
			if _, there := x[k]; !there {
				return fmt.Sprintf("%s/%s: nothing, then %v", at, k, y[k])
			}
		}
		return ""
	case []any:
		y, ok := b.([]any)
		if !ok {
			break
		}
		for i := range min(len(x), len(y)) {
			if d := differ(fmt.Sprintf("%s/%d", at, i), x[i], y[i]); d != "" {
				return d
			}
		}
		if len(x) != len(y) {
			return fmt.Sprintf("%s: %d entries, then %d", at, len(x), len(y))
		}
		return ""
	default:
		if a == b {
			return ""
		}
	}
	return fmt.Sprintf("%s: %.300v, then %.300v", at, a, b)
}
