package types

import (
	"bytes"
	"crypto/sha256"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	//lint:ignore SA1019 addresses of the chain are defined by it
	"golang.org/x/crypto/ripemd160"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Limits of what a neuron serves. An endpoint's is also mesh's.
const (
	MaxEndpoints   = 8
	MaxEndpointLen = 256 // bytes
)

// ValidateEndpoints checks what a neuron serves: one to MaxEndpoints multiaddrs,
// each once, each with a transport, each ending in /p2p/ID with the peer ID of
// the hotkey. A secp256k1 key is written out in its peer ID, so neither network
// nor state is needed.
func ValidateEndpoints(hotkey sdk.AccAddress, endpoints []string) error {
	if len(endpoints) < 1 || len(endpoints) > MaxEndpoints {
		return ErrInvalidEndpoint.Wrapf("%d endpoints, must be 1 to %d", len(endpoints), MaxEndpoints)
	}
	for i, e := range endpoints {
		if err := validateEndpoint(hotkey, e); err != nil {
			return err
		}
		for _, before := range endpoints[:i] {
			if before == e {
				return ErrInvalidEndpoint.Wrapf("%q is there twice", e)
			}
		}
	}
	return nil
}

func validateEndpoint(hotkey sdk.AccAddress, endpoint string) error {
	if len(endpoint) > MaxEndpointLen {
		return ErrInvalidEndpoint.Wrapf("%q has %d bytes, may have %d", cut(endpoint), len(endpoint), MaxEndpointLen)
	}
	addr, err := ma.NewMultiaddr(endpoint)
	if err != nil {
		return ErrInvalidEndpoint.Wrapf("%q is not a multiaddr such as /ip4/203.0.113.7/udp/4001/quic-v1/p2p/ID: %s", endpoint, err)
	}
	transport, id := peer.SplitAddr(addr)
	switch {
	case id == "":
		return ErrInvalidEndpoint.Wrapf("%q does not end in /p2p/ID of the hotkey", endpoint)
	case len(transport) == 0:
		return ErrInvalidEndpoint.Wrapf("%q has no transport before /p2p/, such as /ip4/203.0.113.7/udp/4001/quic-v1", endpoint)
	case addr.String() != endpoint:
		return ErrInvalidEndpoint.Wrapf("%q: write it as %q", endpoint, addr)
	}
	owner, err := hotkeyOf(id)
	if err != nil {
		return ErrInvalidEndpoint.Wrapf("%q: %s is not the peer ID of a hotkey: %s", endpoint, id, err)
	}
	if !bytes.Equal(owner, hotkey) {
		return ErrInvalidEndpoint.Wrapf("%q ends in the peer ID of %s, must be that of %s", endpoint, owner, hotkey)
	}
	return nil
}

// hotkeyOf is the account address of a peer ID's key.
func hotkeyOf(id peer.ID) (sdk.AccAddress, error) {
	pub, err := id.ExtractPublicKey()
	if err != nil {
		return nil, err
	}
	if pub.Type() != crypto.Secp256k1 {
		return nil, ErrInvalidEndpoint.Wrapf("its key is %s, must be Secp256k1", pub.Type())
	}
	raw, err := pub.Raw() // 33 bytes, compressed
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	h := ripemd160.New()
	h.Write(sum[:])
	return h.Sum(nil), nil
}
