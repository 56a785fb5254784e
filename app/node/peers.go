package node

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/cometbft/cometbft/p2p"
)

// CheckPeer says what is wrong with a node's address as ID@HOST:PORT. A name of a host
// is not looked up: it need not be known here yet.
func CheckPeer(address string) error {
	const form = "write it as ID@HOST:PORT; `lode node comet show-node-id` says a node's id"
	id, at, ok := strings.Cut(address, "@")
	if !ok {
		return fmt.Errorf("%q has no id: %s", address, form)
	}
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != p2p.IDByteLength {
		return fmt.Errorf("%q: the id must be %d hexadecimal digits: %s", address, 2*p2p.IDByteLength, form)
	}
	host, port, err := net.SplitHostPort(at)
	if err == nil && host == "" {
		err = errors.New("there is no host")
	}
	if err == nil {
		var n int
		if n, err = strconv.Atoi(port); err == nil && (n < 1 || n > 65_535) {
			err = fmt.Errorf("port %d is not from 1 to 65535", n)
		}
	}
	if err == nil && strings.ContainsAny(host, " \t/\\\"'") {
		err = fmt.Errorf("%q is no name of a host", host)
	}
	if err != nil {
		return fmt.Errorf("%q: %w: %s", address, err, form)
	}
	return nil
}

// checkPeers examines addresses, and that none is there twice.
func checkPeers(addresses []string) error {
	seen := map[string]bool{}
	for _, a := range addresses {
		if err := CheckPeer(a); err != nil {
			return err
		}
		id, _, _ := strings.Cut(a, "@")
		if seen[strings.ToLower(id)] {
			return fmt.Errorf("%s is named twice", id)
		}
		seen[strings.ToLower(id)] = true
	}
	return nil
}
