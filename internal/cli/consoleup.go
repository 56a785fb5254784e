package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/console"
	"github.com/lodenet/lode/localnet"
)

// upConsole is the console of `lode up`.
type upConsole struct {
	home string
	port int // 0: the last run's, or 8420, or a free one
	log  *slog.Logger

	ln net.Listener
}

// listen takes the console's port before anything else is started.
func (u *upConsole) listen() error {
	at := func(port int) error {
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		u.ln = ln
		return err
	}
	if u.port != 0 {
		if err := at(u.port); err != nil {
			return fmt.Errorf("--console-port %d: %w", u.port, err)
		}
		return nil
	}
	// A browser keeps its wallet by the address, port and all: it should stay.
	_, usual, err := net.SplitHostPort(consoleListen)
	if err != nil {
		return err
	}
	for _, text := range []string{u.lastPort(), usual, "0"} {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			continue
		}
		if err := at(int(port)); err == nil || !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
	}
	return nil
}

// portFile keeps the port from run to run, also where a network is started over.
func (u *upConsole) portFile() string { return filepath.Join(u.home, "console", "port") }

func (u *upConsole) lastPort() string {
	raw, err := os.ReadFile(u.portFile())
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(raw))
}

// url is where it is found.
func (u *upConsole) url() string { return consoleURL(u.ln.Addr(), "", false) }

// run serves the console of a chain until ctx ends.
func (u *upConsole) run(ctx context.Context, c *client.Client) (err error) {
	if err := os.MkdirAll(filepath.Dir(u.portFile()), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(u.portFile(), []byte(strconv.Itoa(u.ln.Addr().(*net.TCPAddr).Port)+"\n"), 0o600); err != nil {
		return err
	}
	cfg := console.Config{Client: c, Version: app.Version, Logger: u.log.With("part", "console")}
	// It goes with the chain that it is of: `lode up --fresh` deletes it, too.
	closeIndex, err := openIndex(ctx, filepath.Join(u.home, "state", "index.db"), c, &cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeIndex()) }()
	s, err := console.New(cfg)
	if err != nil {
		return err
	}
	return s.Serve(ctx, u.ln, (*tls.Config)(nil))
}

// close gives the port up; serving does so by itself.
func (u *upConsole) close() {
	if u != nil && u.ln != nil {
		_ = u.ln.Close() // it may be closed
	}
}

// start runs the console beside a network. What goes wrong with it is told, and does not
// end the network. What it returns ends it, and waits until it has ended.
func (u *upConsole) start(ctx context.Context, n *localnet.Network, step func(string)) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := u.run(ctx, n.Client()); err != nil && ctx.Err() == nil {
			step(fmt.Sprintf("the console is not served any more: %v", err))
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
