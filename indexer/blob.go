package indexer

import (
	"encoding/binary"
	"errors"
)

// chunkEpochs is how many epochs of a uid one row holds: a row a neuron and epoch would
// be 91 million for a million blocks of 128 full subnets.
const chunkEpochs = 128

// uidEpoch is what an epoch gave one uid.
type uidEpoch struct {
	incentive, revenue, dividends, root uint64
	consensus, trust                    uint16
}

// What of a uidEpoch is not zero, in the order in which it follows.
const (
	hasIncentive = 1 << iota
	hasRevenue
	hasDividends
	hasRoot
	hasConsensus
	hasTrust
)

func (u uidEpoch) append(b []byte) []byte {
	at := len(b)
	b = append(b, 0)
	for i, v := range [...]uint64{u.incentive, u.revenue, u.dividends, u.root, uint64(u.consensus), uint64(u.trust)} {
		if v != 0 {
			b[at] |= 1 << i
			b = binary.AppendUvarint(b, v)
		}
	}
	return b
}

var errBlob = errors.New("what is stored of an epoch can't be read")

// readUID reads one, and returns what follows it.
func readUID(b []byte) (u uidEpoch, rest []byte, err error) {
	if len(b) == 0 {
		return u, nil, errBlob
	}
	has, rest := b[0], b[1:]
	for i, v := range [...]*uint64{&u.incentive, &u.revenue, &u.dividends, &u.root} {
		if has&(1<<i) == 0 {
			continue
		}
		var n int
		if *v, n = binary.Uvarint(rest); n <= 0 {
			return u, nil, errBlob
		}
		rest = rest[n:]
	}
	for i, v := range [...]*uint16{&u.consensus, &u.trust} {
		if has&(hasConsensus<<i) == 0 {
			continue
		}
		f, n := binary.Uvarint(rest)
		if n <= 0 || f > 65_535 {
			return u, nil, errBlob
		}
		*v, rest = uint16(f), rest[n:]
	}
	return u, rest, nil
}

// encodeEpoch is an epoch, all its uids in their order.
func encodeEpoch(uids []uidEpoch) []byte {
	b := make([]byte, 0, 12*len(uids))
	for _, u := range uids {
		b = u.append(b)
	}
	return b
}

// decode reads all that there is.
func decode(b []byte) (out []uidEpoch, err error) {
	for len(b) > 0 {
		var u uidEpoch
		if u, b, err = readUID(b); err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, nil
}

// transpose makes of epochs by number the epochs of each uid: those from first on, one
// after the other. An epoch that is missing, or has no such uid, is a zero.
func transpose(first uint64, numbers []uint64, epochs map[uint64][]byte) [][]byte {
	var out [][]byte
	var have []uint64 // epochs that each uid has already
	for _, number := range numbers {
		if number < first {
			continue // of before the genesis that this index began with
		}
		rest := epochs[number]
		for uid := 0; len(rest) > 0; uid++ {
			_, after, err := readUID(rest)
			if err != nil {
				break // what encodeEpoch wrote is readable
			}
			one := rest[:len(rest)-len(after)]
			rest = after
			if uid == len(out) {
				out, have = append(out, make([]byte, 0, chunkEpochs*8)), append(have, 0)
			}
			for have[uid] < number-first {
				out[uid] = append(out[uid], 0)
				have[uid]++
			}
			out[uid] = append(out[uid], one...)
			have[uid]++
		}
	}
	return out
}
