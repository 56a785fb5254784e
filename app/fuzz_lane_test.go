package app_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/seed/vrf"
)

// No program of strangers, insiders and proposers gets a free ride: what is taken by a
// mempool, proposed, accepted, run and paid for is what protocol.md §8 says, and no more.
func FuzzNobodyRidesForFree(f *testing.F) {
	g := newGame(f)
	for seed := range uint64(8) {
		source := rand.New(rand.NewPCG(seed, 8))
		input := make([]byte, 250)
		for i := range input {
			input[i] = byte(source.Uint32())
		}
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input []byte) { g.play(t, input) })
}

// A block of any bytes is judged without a panic, and one that breaks the rules is
// refused. An input is a list: two bytes of length, then so many; a length of 65,535 is
// the proposer's proof.
func FuzzAProposalOfAnyBytes(f *testing.F) {
	g := newGame(f)
	g.begin(f)
	proof := []byte{0xff, 0xff}
	list := func(txs ...[]byte) []byte {
		out := append([]byte{}, proof...)
		for _, tx := range txs {
			out = append(binary.BigEndian.AppendUint16(out, uint16(len(tx))), tx...)
		}
		return out
	}
	var good [][]byte
	for _, hot := range []string{"miner-1-hot", "validator-1-hot"} {
		good = append(good, g.one.free(hot, served(f, hot)))
	}
	good = append(good, g.one.sign(offer{gas: 600_000, fee: 6_000}, []string{"user"}, send("user", "owner", 1)))
	f.Add(proof)
	f.Add(list(good...))
	f.Add(list(good[0], good[0]))
	f.Add(list(good[2], good[2]))
	f.Add(list(g.one.free("user", served(f, "user"))))
	f.Add(list(append([]byte{0x0a, 0}, good[0]...)))
	f.Add(list(vrf.Frame(nil), good[0]))
	f.Add(list(good...)[2:])
	f.Fuzz(func(t *testing.T, input []byte) {
		g.t, g.one.t, g.two.t = t, t, t
		var txs [][]byte
		for p := (&program{input}); !p.done() && len(txs) < 100; {
			n := int(binary.BigEndian.Uint16([]byte{p.byte(), p.byte()}))
			if n == 0xffff {
				txs = append(txs, g.two.frame())
				continue
			}
			txs = append(txs, p.take(n))
		}
		if g.two.propose(txs...) == accepted {
			require.NoError(t, g.limits.allowed(txs, g.two.frame(), g.two.height+1))
		}
		g.two.calm()
	})
}
