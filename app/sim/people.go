package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/seed/vrf"
)

const (
	coldkeys  = 40  // at genesis; swaps and faucets bring more
	hotkeys   = 90  // at genesis
	operators = 24  // of the hotkeys: who may run a chain validator
	most      = 260 // people of a run: enough for every mistake, few enough to meet again
)

// person is somebody with a key: a coldkey or a hotkey. The same names have the
// same keys in every run.
type person struct {
	key  *secp256k1.PrivKey
	addr sdk.AccAddress
	text string
}

func newPerson(name string) *person {
	key := secp256k1.GenPrivKeyFromSecret([]byte("lode simulation: " + name))
	addr := sdk.AccAddress(key.PubKey().Address())
	return &person{key: key, addr: addr, text: addr.String()}
}

func (p *person) validator() string { return sdk.ValAddress(p.addr).String() }

// people are all who act, by the order in which they came.
type people struct {
	cold, hot []*person
	byText    map[string]*person
	keys      int // consensus keys that were ever made
}

func newPeople() *people {
	p := &people{byText: map[string]*person{}}
	for range coldkeys {
		p.addCold()
	}
	for range hotkeys {
		p.addHot()
	}
	return p
}

func (p *people) addCold() *person {
	n := newPerson(fmt.Sprintf("cold %d", len(p.cold)))
	p.cold = append(p.cold, n)
	p.byText[n.text] = n
	return n
}

func (p *people) addHot() *person {
	n := newPerson(fmt.Sprintf("hot %d", len(p.hot)))
	p.hot = append(p.hot, n)
	p.byText[n.text] = n
	return n
}

// operators are the hotkeys that may run chain validators. The first of them is the
// rock: it never leaves, so that there is always somebody to make blocks.
func (p *people) operators() []*person { return p.hot[:operators] }

func (p *people) rock() *person { return p.hot[0] }

// consensusKey is a new validator key.
func (p *people) consensusKey() *ed25519.PrivKey {
	p.keys++
	return ed25519.GenPrivKeyFromSecret(fmt.Appendf(nil, "lode simulation: consensus %d", p.keys))
}

// vrfKeysEach is how many VRF keys an operator has, to rotate among.
const vrfKeysEach = 4

func vrfKey(operator, n int) vrf.Key {
	secret := sha256.Sum256(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64([]byte("lode simulation: vrf"), uint64(operator)), uint64(n)))
	k, err := vrf.FromSecret(secret[:])
	must(err) // 32 bytes
	return k
}

// vrfKeys are all that the operators have, for the file of the node that proposes.
func vrfKeys() (keys []vrf.Key) {
	for o := range operators {
		for n := range vrfKeysEach {
			keys = append(keys, vrfKey(o, n))
		}
	}
	return keys
}

// must stops a run: [Run] returns the error.
func must(err error) {
	if err != nil {
		panic(stop{err})
	}
}

func must1[T any](v T, err error) T {
	must(err)
	return v
}

type stop struct{ err error }

func (s stop) Error() string { return s.err.Error() }

// fail ends the run.
func fail(format string, args ...any) { panic(stop{fmt.Errorf(format, args...)}) }
