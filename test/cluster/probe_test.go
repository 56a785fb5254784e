//go:build linux

package cluster_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The air itself, without a chain: what it says that it does to packets, it does. Numbered
// datagrams go from one namespace to another.
func TestTheAirDelaysLosesDoublesAndCuts(t *testing.T) {
	long(t)
	all := spaces(t, 2)
	a := newAir(t, all, rand.New(rand.NewPCG(1, 2)))
	var from, to *net.UDPConn
	at := &net.UDPAddr{IP: net.ParseIP(all[1].addr), Port: 4000}
	require.NoError(t, all[1].within(func() (err error) { to, err = net.ListenUDP("udp", at); return err }))
	defer to.Close()
	require.NoError(t, to.SetReadBuffer(8<<20))
	require.NoError(t, all[0].within(func() (err error) { from, err = net.DialUDP("udp", nil, at); return err }))
	defer from.Close()

	// shower sends count datagrams and tells how often each arrived, how many came after a
	// later one, and the shortest and longest way.
	shower := func(w weather, count int) (times []int, overtaken int, least, most time.Duration) {
		a.turn(w)
		go func() {
			tick := time.NewTicker(2 * time.Millisecond)
			defer tick.Stop()
			for i := range count {
				<-tick.C
				packet := binary.BigEndian.AppendUint32(nil, uint32(i))
				packet = binary.BigEndian.AppendUint64(packet, uint64(time.Now().UnixNano()))
				_, _ = from.Write(packet) // one that is lost is counted below
			}
		}()
		times, least = make([]int, count), time.Hour
		highest := uint32(0)
		buf := make([]byte, 16)
		require.NoError(t, to.SetReadDeadline(time.Now().Add(time.Duration(count)*2*time.Millisecond+3*time.Second)))
		for {
			n, err := to.Read(buf)
			if err != nil {
				return times, overtaken, least, most
			}
			require.Equal(t, 12, n)
			i := binary.BigEndian.Uint32(buf)
			way := time.Since(time.Unix(0, int64(binary.BigEndian.Uint64(buf[4:]))))
			least, most = min(least, way), max(most, way)
			times[i]++
			if i < highest {
				overtaken++
			}
			highest = max(highest, i)
		}
	}
	count := func(times []int) (none, once, twice int) {
		for _, n := range times {
			switch n {
			case 0:
				none++
			case 1:
				once++
			default:
				twice++
			}
		}
		return none, once, twice
	}

	times, overtaken, least, most := shower(weather{}, 500)
	none, once, twice := count(times)
	say(t, "clear: %d lost, %d once, %d twice, %d overtaken, %s to %s", none, once, twice, overtaken, least, most)
	require.Equal(t, 500, once)

	times, overtaken, least, most = shower(weather{delay: 100 * time.Millisecond, jitter: 50 * time.Millisecond, loss: 0.05, double: 0.02}, 2000)
	none, once, twice = count(times)
	say(t, "bad: %d lost, %d once, %d twice, %d overtaken, %s to %s", none, once, twice, overtaken, least, most)
	require.InDelta(t, 100, none, 60, "of 2,000 datagrams 5 %% are lost")
	require.InDelta(t, 40, twice, 35, "2 %% come twice")
	require.Greater(t, overtaken, 500, "jitter changes the order")
	require.GreaterOrEqual(t, least, 50*time.Millisecond)
	require.Greater(t, most, 140*time.Millisecond)

	a.mu.Lock()
	a.cut[[2]int{0, 1}] = true
	a.mu.Unlock()
	times, _, _, _ = shower(weather{}, 100)
	none, _, _ = count(times)
	say(t, "cut: %d of 100 lost; %s", none, a)
	require.Equal(t, 100, none)
}
