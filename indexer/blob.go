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
	ended                               bool // the uid changed hands before the next
	later                               bool // it is part of what the next one tells, or one after it
}

// What of a uidEpoch is not zero, in the order in which it follows.
const (
	hasIncentive = 1 << iota
	hasRevenue
	hasDividends
	hasRoot
	hasConsensus
	hasTrust
	hasEnded        // the uid changed hands after it
	hasLater = 0x80 // alone: so many epochs, a number, are in what follows
)

func (u uidEpoch) append(b []byte) []byte {
	at := len(b)
	b = append(b, 0)
	if u.ended {
		b[at] = hasEnded
	}
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
	if has >= hasLater {
		return u, nil, errBlob // only a chunk has them, which decode reads
	}
	u.ended = has&hasEnded != 0
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
		if b[0] == hasLater {
			count, n := binary.Uvarint(b[1:])
			if n <= 0 || count == 0 || count > chunkEpochs {
				return nil, errBlob
			}
			for range count {
				out = append(out, uidEpoch{later: true})
			}
			b = b[1+n:]
			continue
		}
		var u uidEpoch
		if u, b, err = readUID(b); err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, nil
}

// fullTempo is how long epochs are of which a chunk has each, in blocks.
const fullTempo = 360

// thin makes one of epochs of a short tempo, so many that they take about fullTempo: what
// they gave is summed up, what they found is averaged. A uid's old epochs then take as
// much room at any tempo. One that ends with the uid in other hands ends a sum, so that
// all of it is somebody's. first is the number of the first epoch.
func thin(data []byte, first uint64, tempo uint32) ([]byte, error) {
	every := uint64(fullTempo / max(tempo, 1))
	if every < 2 {
		return data, nil
	}
	list, err := decode(data)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(data)/2)
	var sum uidEpoch
	var count, consensus, trust uint64
	for i, u := range list {
		sum.incentive, sum.revenue, sum.dividends, sum.root = sum.incentive+u.incentive, sum.revenue+u.revenue, sum.dividends+u.dividends, sum.root+u.root
		count, consensus, trust = count+1, consensus+uint64(u.consensus), trust+uint64(u.trust)
		if !u.ended && (first+uint64(i))%every != 0 && i < len(list)-1 {
			continue
		}
		if count > 1 {
			out = binary.AppendUvarint(append(out, hasLater), count-1)
		}
		sum.consensus, sum.trust, sum.ended = uint16(consensus/count), uint16(trust/count), u.ended
		out = sum.append(out)
		sum, count, consensus, trust = uidEpoch{}, 0, 0, 0
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
