package wallet

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
)

// CheckJSON refuses JSON of a stranger that the SDK's readers take, and then fall over:
// null as a member of a list.
func CheckJSON(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return err
	}
	if hasNullMember(v) {
		return errors.New("null is a member of a list in it")
	}
	return nil
}

func hasNullMember(v any) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(m any) bool { return m == nil || hasNullMember(m) })
	case map[string]any:
		for _, m := range v {
			if hasNullMember(m) {
				return true
			}
		}
	}
	return false
}
