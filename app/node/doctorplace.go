package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	diskFailed  = 1 << 30  // bytes free, below which a node soon stops
	diskWarning = 10 << 30 // bytes free that some weeks of blocks need
	dialTimeout = 2 * time.Second
)

// disk examines the room for blocks and state.
func (d *doctor) disk(n *note) {
	data := filepath.Join(d.home, "data")
	info, err := os.Stat(data)
	if err != nil || !info.IsDir() {
		n.add(Failed, data+" is no folder", "bring it back; for a node that never ran, mkdir -m 700 "+data)
		return
	}
	if err := syscall.Access(data, 2); err != nil { // W_OK
		n.add(Failed, fmt.Sprintf("%s can't be written: %v", data, err), "let the user that runs the node own it")
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(data, &fs); err != nil {
		n.add(Skipped, fmt.Sprintf("the room on the disk of %s can't be told: %v", data, err), "")
		return
	}
	free := fs.Bavail * uint64(fs.Bsize)
	says := fmt.Sprintf("%.1f GiB free for %s", float64(free)/(1<<30), data)
	const do = "make room, prune (`lode node prune`), or move the home to a larger disk"
	switch {
	case free < diskFailed:
		n.add(Failed, says+": a node whose disk is full stops", do)
	case free < diskWarning:
		n.add(Warning, says, do)
	default:
		n.add(OK, says, "")
	}
	if fs.Files > 0 && fs.Ffree < 1_000 {
		n.add(Failed, fmt.Sprintf("only %d more files can be made there", fs.Ffree), "delete files: the disk's table of files is full")
	}
}

// ports examines the node's addresses: those of a node that runs must answer, those of
// one that does not must be free.
func (d *doctor) ports(n *note) {
	if !d.loaded {
		n.add(Skipped, "the configuration can't be read", "")
		return
	}
	s := d.settings
	list := []struct{ name, addr, key string }{
		{"peers", s.comet.P2P.ListenAddress, "[p2p] laddr in config.toml"},
		{"RPC", s.comet.RPC.ListenAddress, "[rpc] laddr in config.toml"},
		{"REST", s.app.API.Address, "[api] address in app.toml"},
		{"gRPC", s.app.GRPC.Address, "[grpc] address in app.toml"},
	}
	if s.comet.Instrumentation.IsPrometheusEnabled() {
		list = append(list, struct{ name, addr, key string }{"metrics", s.comet.Instrumentation.PrometheusListenAddr, "prometheus_listen_addr in config.toml"})
	}
	var fine []string
	seen := map[string]string{}
	for _, l := range list {
		addr := strings.TrimPrefix(l.addr, "tcp://")
		if addr == "" || strings.HasPrefix(addr, "unix://") || l.name == "REST" && !s.app.API.Enable || l.name == "gRPC" && !s.app.GRPC.Enable {
			continue
		}
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			n.add(Failed, fmt.Sprintf("%s: %q is no address HOST:PORT", l.name, l.addr), "correct "+l.key)
			continue
		}
		if other := seen[port]; other != "" {
			n.add(Failed, fmt.Sprintf("%s and %s have the same port %s", other, l.name, port), "give each its own: "+l.key)
			continue
		}
		seen[port] = l.name
		if d.own != nil {
			err = dial(d.context, reachable(addr))
		} else {
			err = listenable(addr)
		}
		switch {
		case err == nil:
			fine = append(fine, l.name+" "+addr)
		case d.own != nil:
			n.add(Warning, fmt.Sprintf("the node runs, but %s at %s does not answer: %v", l.name, addr, err),
				"nothing, if a flag of `lode node start` gave another address; else see its log")
		case errors.Is(err, syscall.EADDRINUSE):
			n.add(Failed, fmt.Sprintf("another process listens on %s, which is for %s", addr, l.name), "end it (`ss -ltnp` shows which it is), or choose another port: "+l.key)
		default:
			n.add(Failed, fmt.Sprintf("%s can't listen on %s: %v", l.name, addr, err), "correct "+l.key)
		}
	}
	if n.state == OK {
		state := "free, the node does not run: "
		if d.own != nil {
			state = "the node answers: "
		}
		n.add(OK, state+strings.Join(fine, ", "), "")
	}
}

func listenable(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return l.Close()
}

func dial(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return c.Close()
}

// reachable is where one calls what listens on an address: one that stands for all of
// a machine's is called on loopback.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
