package localnet

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"syscall"
)

// ErrPortInUse says that a port that was asked for is taken.
var ErrPortInUse = errors.New("the port is in use")

// addresses are where a network's servers listen.
type addresses struct {
	RPC, GRPC, REST, P2P, Status string
}

// choose finds an address for each server: the port asked for, which must be free;
// else the last run's; else any free one. moved names those that the last run had and
// that are taken now.
func choose(asked Ports, last Info) (a addresses, moved []string, err error) {
	taken := map[int]string{}
	pick := func(name string, ask, before int) string {
		if err != nil {
			return ""
		}
		var port int
		switch {
		case ask != 0:
			if other := taken[ask]; other != "" {
				err = fmt.Errorf("--%s-port %d is the %s port already: give each its own", name, ask, other)
				return ""
			}
			if port, err = free(ask); err != nil {
				err = fmt.Errorf("--%s-port %d: %w; give another, or leave it out for a free one", name, ask, err)
				return ""
			}
		case before != 0 && taken[before] == "":
			if port, err = free(before); err == nil {
				break
			}
			moved = append(moved, fmt.Sprintf("%s %d", name, before))
			fallthrough
		default:
			for port, err = free(0); err == nil && taken[port] != ""; {
				port, err = free(0)
			}
			if err != nil {
				return ""
			}
		}
		taken[port] = name
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	e := last.Endpoints
	a.RPC = pick("rpc", asked.RPC, portOf(e.RPC))
	a.GRPC = pick("grpc", asked.GRPC, portOf(e.GRPC))
	a.REST = pick("rest", asked.REST, portOf(e.REST))
	a.P2P = pick("p2p", asked.P2P, last.P2PPort)
	a.Status = pick("status", asked.Status, portOf(e.Status))
	return a, moved, err
}

// free says which port can be listened on: the one asked for, or any if that is 0.
func free(port int) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return 0, ErrPortInUse
	}
	if err != nil {
		return 0, err
	}
	port = l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// portOf is an endpoint's port, 0 where there is none.
func portOf(endpoint string) int {
	u, err := url.Parse(endpoint)
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return 0
	}
	return port
}
