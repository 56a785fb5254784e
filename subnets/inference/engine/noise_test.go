package engine

import (
	"encoding/hex"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The vectors are those of testdata/noise.py, which shares no code with this package.
func TestNoiseIsTheSameBitsAsAnotherImplementations(t *testing.T) {
	for _, c := range noiseVectors {
		bits := make([]byte, 4*(c.token+1))
		NewNoise(c.seed).Bits(c.position, bits)
		s := &Sampler{bits: bits}
		require.Equal(t, c.x, s.x(int32(c.token)))
		require.InDelta(t, c.noise, gumbel(c.x), 1e-13)
	}
}

func TestNoiseFillsADirtyBuffer(t *testing.T) {
	n := NewNoise(5)
	a, b := make([]byte, 100), []byte(hex.EncodeToString(make([]byte, 50)))
	n.Bits(3, a)
	n.Bits(3, b)
	require.Equal(t, a, b)
	n.Bits(4, b)
	require.NotEqual(t, a, b)
}

func TestLnIsTheLogarithmToTheLastBits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		x := math.Ldexp(1+r.Float64(), r.IntN(80)-40)
		if want := math.Log(x); math.Abs(ln(x)-want) > 2.5e-16*max(1, math.Abs(want)) {
			t.Fatalf("ln %v is %v, want %v", x, ln(x), want)
		}
	}
	require.Equal(t, 0.0, ln(1))
}

// These, too, are of testdata/noise.py. A compiler that fuses a product and a sum would
// give others.
func TestLnHasTheseBits(t *testing.T) {
	for x, want := range map[float64]uint64{
		0.5:                    0xbfe62e42fefa39ef,
		2:                      0x3fe62e42fefa39ef,
		3:                      0x3ff193ea7aad030a,
		10:                     0x40026bb1bbb55516,
		0.9999999998835847:     0xbde0000000040000,
		1.1641532182693481e-10: 0xc036dfb516f20bbf,
		0.1:                    0xc0026bb1bbb55515,
		1234.5678:              0x401c7951d51791d7,
	} {
		require.Equal(t, want, math.Float64bits(ln(x)), "ln %v = %#x", x, math.Float64bits(ln(x)))
	}
}

func TestTheBoundOfNoiseHolds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	check := func(x uint32) {
		if gumbel(x) >= gumbelBelow(leadingOnes(x)) {
			t.Fatalf("%#x: %v is not below %v", x, gumbel(x), gumbelBelow(leadingOnes(x)))
		}
	}
	for k := range 33 {
		check(uint32(math.MaxUint32 << k))
		check(^uint32(0) >> k)
	}
	for range 100_000 {
		check(r.Uint32() | uint32(math.MaxUint32<<r.IntN(33)))
	}
	require.InDelta(t, 22.87, gumbel(math.MaxUint32), 0.01)
	require.InDelta(t, -3.13, gumbel(0), 0.01)
}

var noiseVectors = []struct {
	seed     uint64
	position int
	token    int
	x        uint32
	noise    float64
}{
	{0, 0, 0, 0x5aeaccc5, -0.034622063773690905},
	{0, 0, 1, 0xe9f399af, 2.4072420469585074},
	{0, 1, 0, 0x5c784d6b, -0.018128598915237666},
	{1, 0, 0, 0x628fe934, 0.04657799865646508},
	{7, 3, 4095, 0xe2796861, 2.09926720109196},
	{18446744073709551615, 2147483648, 128255, 0x6814d10d, 0.10535498580097145},
	{42, 511, 17, 0x414e9917, -0.3119437555885815},
}
