package mesh

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/cosmos/btcutil/bech32"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	//lint:ignore SA1019 addresses of the chain are defined by it
	"golang.org/x/crypto/ripemd160"
)

// bech32Prefix starts every account address of the chain.
const bech32Prefix = "lode"

// MaxEndpointLen is the longest endpoint, in bytes, that [ValidateEndpoint] accepts.
const MaxEndpointLen = 256

// Errors that callers branch on.
var (
	// ErrNotHotkey says that a peer's identity is not a secp256k1 key.
	ErrNotHotkey = errors.New("the peer's identity is not a secp256k1 hotkey")
	// ErrWrongPeer says that an endpoint belongs to another key than the hotkey called.
	ErrWrongPeer = errors.New("somebody else answers at the hotkey's endpoint")
	// ErrUnknownPeer says that no endpoint is known for a hotkey.
	ErrUnknownPeer = errors.New("no endpoint is known for the hotkey")
	// ErrUnreachable says that no connection to the endpoint could be made.
	ErrUnreachable = errors.New("the hotkey's endpoint cannot be reached")
	// ErrResponseTooLarge says that a response was cut off at the caller's limit.
	ErrResponseTooLarge = errors.New("the response is larger than the caller's limit")
)

// HotkeyOf returns the address (lode1…) of the hotkey that a peer ID stands for:
// bech32 of ripemd160(sha256(compressed public key)). It needs no network, since a
// secp256k1 public key is written out in the peer ID. Any other kind of ID is
// [ErrNotHotkey].
func HotkeyOf(id peer.ID) (string, error) {
	pub, err := id.ExtractPublicKey()
	if err != nil {
		return "", fmt.Errorf("%w: %s: %v", ErrNotHotkey, id, err)
	}
	return hotkeyOfKey(pub)
}

func hotkeyOfKey(pub crypto.PubKey) (string, error) {
	if pub.Type() != crypto.Secp256k1 {
		return "", fmt.Errorf("%w: it is a %s key", ErrNotHotkey, pub.Type())
	}
	raw, err := pub.Raw() // 33 bytes, compressed
	if err != nil {
		return "", fmt.Errorf("%w: %v", ErrNotHotkey, err)
	}
	sum := sha256.Sum256(raw)
	h := ripemd160.New()
	h.Write(sum[:])
	return bech32.EncodeFromBase256(bech32Prefix, h.Sum(nil))
}

// ValidateEndpoint checks that endpoint is a multiaddr with a transport that ends in
// /p2p/ID, where ID is the peer ID of hotkey. It is pure: nothing is dialed.
func ValidateEndpoint(hotkey, endpoint string) error {
	_, err := parseEndpoint(hotkey, endpoint)
	return err
}

// parseEndpoint returns the peer behind a valid endpoint of hotkey.
func parseEndpoint(hotkey, endpoint string) (*peer.AddrInfo, error) {
	if len(endpoint) > MaxEndpointLen {
		return nil, fmt.Errorf("endpoint is %d bytes long, the limit is %d", len(endpoint), MaxEndpointLen)
	}
	addr, err := ma.NewMultiaddr(endpoint)
	if err != nil {
		return nil, fmt.Errorf("endpoint %q is not a multiaddr: %w", endpoint, err)
	}
	transport, id := peer.SplitAddr(addr)
	if id == "" {
		return nil, fmt.Errorf("endpoint %q does not end in /p2p/ID of the hotkey", endpoint)
	}
	if len(transport) == 0 {
		return nil, fmt.Errorf("endpoint %q has no transport address before /p2p/, such as /ip4/203.0.113.7/udp/4001/quic-v1", endpoint)
	}
	owner, err := HotkeyOf(id)
	if err != nil {
		return nil, fmt.Errorf("endpoint %q: %w", endpoint, err)
	}
	if owner != hotkey {
		return nil, fmt.Errorf("%w: endpoint %q ends in the peer ID of %s, not of %s", ErrWrongPeer, endpoint, owner, hotkey)
	}
	return &peer.AddrInfo{ID: id, Addrs: []ma.Multiaddr{transport}}, nil
}
