//go:build linux

package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// space is a network namespace: a machine of its own, as far as its network goes.
type space struct {
	name string
	addr string // on the air, 10.77.0.N
}

// spaces makes n namespaces with nothing but loopback; they go with the test. Where this
// can't be done the test is skipped.
func spaces(t *testing.T, n int) (made []*space) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("network namespaces need the program ip: apt-get install iproute2")
	}
	if f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0); err != nil {
		t.Skipf("the kernel gives no TUN devices: %v", err)
	} else {
		f.Close()
	}
	for i := range n {
		s := &space{name: fmt.Sprintf("lode-%d-%d", os.Getpid(), i), addr: fmt.Sprintf("10.77.0.%d", i+1)}
		if out, err := exec.Command("ip", "netns", "add", s.name).CombinedOutput(); err != nil {
			t.Skipf("no network namespace can be made: %v: %s", err, out)
		}
		t.Cleanup(func() { ip(t, "netns", "del", s.name) })
		ip(t, "-n", s.name, "link", "set", "lo", "up")
		made = append(made, s)
	}
	return made
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.Command("ip", args...).CombinedOutput()
	require.NoError(t, err, "ip %s: %s", strings.Join(args, " "), out)
}

// within runs something in the namespace. What it opens stays there.
func (s *space) within(f func() error) (err error) {
	ns, err := os.Open(filepath.Join("/run/netns", s.name))
	if err != nil {
		return err
	}
	defer ns.Close()
	done := make(chan error)
	go func() {
		// A namespace is a thread's. This one is not given back: it ends with the goroutine.
		runtime.LockOSThread()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("setns %s: %w", s.name, err)
			return
		}
		done <- f()
	}()
	return <-done
}

// tun opens a TUN device in the namespace, with its address. What is read from it are the
// packets that the namespace sends; what is written to it are those that it gets.
func (s *space) tun(t *testing.T) *os.File {
	t.Helper()
	var fd int
	require.NoError(t, s.within(func() (err error) {
		if fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0); err != nil {
			return err
		}
		req, err := unix.NewIfreq("air")
		if err != nil {
			return err
		}
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		return unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
	}))
	ip(t, "-n", s.name, "addr", "add", s.addr+"/24", "dev", "air")
	ip(t, "-n", s.name, "link", "set", "air", "up")
	return os.NewFile(uintptr(fd), s.name) // non-blocking, so that Close ends a Read
}

// forward lets a URL of the namespace's loopback be used outside: a client here talks
// to a node there, whatever the air does.
func (s *space) forward(t *testing.T, raw string) {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	l, err := net.Listen("tcp", u.Host)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var open sync.WaitGroup
	t.Cleanup(func() { cancel(); l.Close(); open.Wait() })
	open.Go(func() {
		for {
			outside, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer outside.Close()
				var inside net.Conn
				err := s.within(func() (err error) {
					inside, err = (&net.Dialer{}).DialContext(ctx, "tcp", u.Host)
					return err
				})
				if err != nil {
					return // nothing listens there now: so it is here
				}
				defer inside.Close()
				join(ctx, inside, outside)
			})
		}
	})
}

// join carries bytes both ways until one side ends or ctx does.
func join(ctx context.Context, a, b net.Conn) {
	stop := context.AfterFunc(ctx, func() { a.Close(); b.Close() })
	defer stop()
	ends := make(chan error, 2)
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		go func() {
			_, err := io.Copy(way[0], way[1])
			ends <- err
		}()
	}
	err := <-ends
	a.Close()
	b.Close()
	_ = errors.Join(err, <-ends) // either end may hang up
}
