package fixed

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// q64Size is the length of a Q64 in the store and on the wire: 16 bytes, big
// endian, so that bytes sort like the values.
const q64Size = 16

// Marshal is the value as 16 bytes, big endian.
func (a Q64) Marshal() ([]byte, error) {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, q64Size), a.v.hi)
	return binary.BigEndian.AppendUint64(b, a.v.lo), nil
}

// MarshalTo writes the value to the first 16 bytes of b.
func (a Q64) MarshalTo(b []byte) (int, error) {
	if len(b) < q64Size {
		return 0, fmt.Errorf("a Q64.64 takes %d bytes, there is room for %d", q64Size, len(b))
	}
	binary.BigEndian.PutUint64(b, a.v.hi)
	binary.BigEndian.PutUint64(b[8:], a.v.lo)
	return q64Size, nil
}

// Unmarshal reads what Marshal wrote; no bytes at all are 0.
func (a *Q64) Unmarshal(b []byte) error {
	switch len(b) {
	case 0:
		*a = Q64{}
	case q64Size:
		a.v = u128{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
	default:
		return fmt.Errorf("a Q64.64 takes %d bytes, these are %d", q64Size, len(b))
	}
	return nil
}

// Size is the number of bytes that Marshal writes.
func (a Q64) Size() int { return q64Size }

// MarshalJSON is String in quotes: it reads back to the same value.
func (a Q64) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }

// UnmarshalJSON reads a decimal number, in quotes or without.
func (a *Q64) UnmarshalJSON(b []byte) error {
	var s string
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	} else {
		s = string(b)
	}
	v, err := ParseQ64(s)
	if err != nil {
		return err
	}
	*a = v
	return nil
}
