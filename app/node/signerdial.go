package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cometbft/cometbft/crypto"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/lp2p"
	"github.com/cometbft/cometbft/p2p"
	p2pconn "github.com/cometbft/cometbft/p2p/conn"
	"github.com/cometbft/cometbft/privval"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
)

const (
	signerRedial    = 250 * time.Millisecond // between two attempts to reach the node
	signerHandshake = 3 * time.Second
)

// SignerID is the id by which a node and its signer know each other on a noise://
// connection. The file holds a connection key, as node_key.json does; one that is not
// there is made.
func SignerID(file string) (string, error) {
	key, err := connectionKey(file)
	if err != nil {
		return "", err
	}
	id, err := lp2p.IDFromPrivateKey(key)
	return id.String(), err
}

func connectionKey(file string) (crypto.PrivKey, error) {
	if missing(file) {
		if _, err := p2p.LoadOrGenNodeKey(file); err != nil {
			return nil, err
		}
	}
	key, err := loadNodeKey(file)
	if err != nil {
		return nil, fmt.Errorf("the connection key %s: %w", file, err)
	}
	return key.PrivKey, nil
}

// signerDialer calls the node until it is there.
type signerDialer struct {
	connect func(ctx context.Context) (net.Conn, error)
	where   string
	log     *slog.Logger
	context context.Context
	cancel  context.CancelFunc

	mu   sync.Mutex
	conn net.Conn
	said string // the last error, which is said once
}

func newSignerDialer(c SignerConfig, log *slog.Logger) (*signerDialer, error) {
	connect, err := signerConnect(c)
	if err != nil {
		return nil, err
	}
	d := &signerDialer{connect: connect, where: c.Connect, log: log}
	d.context, d.cancel = context.WithCancel(context.Background())
	return d, nil
}

// signerConnect reads an address.
func signerConnect(c SignerConfig) (func(ctx context.Context) (net.Conn, error), error) {
	network, address, ok := strings.Cut(c.Connect, "://")
	bad := func(err error) error {
		return fmt.Errorf("the node's address %q: %w. Write it as its priv_validator_laddr: tcp://HOST:PORT, unix://PATH, or noise://ID@HOST:PORT", c.Connect, err)
	}
	if !ok || address == "" {
		return nil, bad(errors.New("it is no address"))
	}
	switch network {
	case "unix":
		return func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", address)
		}, nil
	case "tcp":
		if _, _, err := net.SplitHostPort(address); err != nil {
			return nil, bad(err)
		}
		key := ed25519.GenPrivKey() // the node does not know whom it talks to
		return func(ctx context.Context) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			if err != nil {
				return nil, err
			}
			if err := conn.SetDeadline(time.Now().Add(signerHandshake)); err != nil {
				return nil, errors.Join(err, conn.Close())
			}
			secret, err := p2pconn.MakeSecretConnection(conn, key)
			if err == nil {
				err = conn.SetDeadline(time.Time{})
			}
			if err != nil {
				return nil, errors.Join(err, conn.Close())
			}
			return secret, nil
		}, nil
	case "noise":
		id, at, ok := strings.Cut(address, "@")
		if !ok {
			return nil, bad(errors.New("it has no id: `lode node signer-id --home HOME` on the node's machine says it"))
		}
		node, err := peer.Decode(id)
		if err != nil {
			return nil, bad(err)
		}
		if _, _, err := net.SplitHostPort(at); err != nil {
			return nil, bad(err)
		}
		if c.Identity == "" {
			return nil, errors.New("noise:// needs the signer's own connection key: name its file with --identity")
		}
		key, err := connectionKey(c.Identity)
		if err != nil {
			return nil, err
		}
		own, err := lp2p.PrivateKeyFromCosmosKey(key)
		if err != nil {
			return nil, err
		}
		transport, err := noise.New(noise.ID, own, nil)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", at)
			if err != nil {
				return nil, err
			}
			secure, err := transport.SecureOutbound(ctx, conn, node)
			if err != nil {
				return nil, errors.Join(err, conn.Close())
			}
			return secure, nil
		}, nil
	}
	return nil, bad(fmt.Errorf("%q is no kind of address", network))
}

// dial returns when the node is reached, or the signer has ended.
func (d *signerDialer) dial() (net.Conn, error) {
	for {
		conn, err := d.try()
		if err == nil {
			return conn, nil
		}
		if d.context.Err() != nil {
			return nil, d.context.Err()
		}
		if err.Error() != d.said {
			d.said = err.Error()
			d.log.Warn("the node can't be reached: trying on", "node", d.where, "err", err)
		}
		select {
		case <-d.context.Done():
		case <-time.After(signerRedial):
		}
	}
}

func (d *signerDialer) try() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(d.context, signerHandshake)
	defer cancel()
	conn, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.context.Err() != nil {
		return nil, errors.Join(d.context.Err(), conn.Close())
	}
	d.conn, d.said = conn, ""
	d.log.Warn("connected to the node", "node", d.where)
	return &severed{conn}, nil
}

// close ends the connection and all attempts.
func (d *signerDialer) close() {
	d.cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		_ = d.conn.Close() // it may be closed already
	}
}

// severed is a connection whose every error ends it. CometBFT's signer only drops one
// that timed out; of one that the node has closed it would read the end for ever.
type severed struct{ net.Conn }

func (c *severed) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		err = severedError{err}
	}
	return n, err
}

func (c *severed) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err != nil {
		err = severedError{err}
	}
	return n, err
}

type severedError struct{ error }

func (severedError) Timeout() bool   { return true }
func (e severedError) Unwrap() error { return e.error }

// remoteSigner is where a node listens for its validator's signer.
type remoteSigner struct {
	*privval.RetrySignerClient
	endpoint *privval.SignerListenerEndpoint
}

// listenForSigner waits for the remote signer that a node's configuration asks for.
func listenForSigner(ctx context.Context, address, chainID string, nodeKey *p2p.NodeKey, log quiet) (*remoteSigner, error) {
	if err := removeStaleSocket(address); err != nil {
		return nil, err
	}
	endpoint, err := privval.NewSignerListenerFromAddr(address, nodeKey.PrivKey, log.comet())
	if err != nil {
		return nil, fmt.Errorf("the address for the remote signer, %s, can't be listened on: %w", address, err)
	}
	client, err := privval.NewSignerClient(endpoint, chainID)
	if err != nil {
		return nil, errors.Join(err, endpoint.Stop())
	}
	r := &remoteSigner{privval.NewRetrySignerClient(client, 50, 100*time.Millisecond), endpoint}
	ctx, cancel := context.WithTimeout(ctx, signerPatience)
	defer cancel()
	for {
		_, err := client.GetPubKey()
		if err == nil {
			return r, nil
		}
		if remote := (*privval.RemoteSignerError)(nil); errors.As(err, &remote) || ctx.Err() != nil {
			return nil, errors.Join(fmt.Errorf("%w at %s: %w", ErrNoSigner, address, err), r.close())
		}
	}
}

// ErrNoSigner says that the remote signer of a node's configuration does not come.
var ErrNoSigner = errors.New("the node has no key of its own, and its remote signer does not answer")

// signerPatience is how long a node waits for its signer when it starts.
const signerPatience = 30 * time.Second

// close stops to listen: CometBFT leaves that to the end of the process.
func (r *remoteSigner) close() error {
	if r == nil || !r.endpoint.IsRunning() {
		return nil
	}
	return r.endpoint.Stop()
}

// removeStaleSocket removes what a killed process has left at a unix:// address.
func removeStaleSocket(address string) error {
	path, ok := strings.CutPrefix(address, "unix://")
	if !ok {
		return nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("the address for the remote signer, %s, is a file already", address)
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		return errors.Join(fmt.Errorf("another process listens at %s", address), conn.Close())
	}
	return os.Remove(path)
}
