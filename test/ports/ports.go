// Package ports finds ports for the nodes that tests start.
package ports

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Free is the first of n ports in a row on which nothing listens.
func Free(t testing.TB, n int) int {
	t.Helper()
next:
	for range 100 {
		// Under the range from which the kernel takes ports for connections: between two
		// starts of a node another process could get one of those.
		first := 20_000 + rand.IntN(10_000)
		for port := first; port < first+n; port++ {
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if err != nil {
				continue next
			}
			l.Close()
		}
		return first
	}
	t.Fatal("no free ports in a row")
	return 0
}
