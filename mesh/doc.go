// Package mesh lets hotkeys call each other: plain HTTP over authenticated
// libp2p streams, in which the network identity of a process *is* its hotkey.
//
// A process makes one [Host] for its hotkey. As a server it mounts handlers with
// [Host.Handle]; inside a handler [Caller] names the hotkey that is asking, proven
// by the handshake and not by anything in the request. As a client it calls
// http://HOTKEY/path with [Host.Client], after [Host.AddPeer] told it where that
// hotkey listens:
//
//	h, err := mesh.New(ctx, mesh.Config{PrivKey: key})
//	err = h.Handle("/video/", miner, mesh.HandlerOptions{Allow: isNeuron})
//	err = h.AddPeer("lode1…", "/ip4/203.0.113.7/udp/4001/quic-v1/p2p/16Uiu2…")
//	resp, err := h.Client().Get("http://lode1…/video/job")
//
// What it guarantees:
//
//   - The peer ID of an endpoint holds the secp256k1 public key of the hotkey, so
//     that an address on chain cannot point at somebody else: [ValidateEndpoint]
//     checks it without a network, the handshake checks it on every connection.
//   - Only callers that a handler's Allow accepts get through, unless it is Open.
//   - Every request is bounded in body size, time and number at once per peer, every
//     response in size and time, and every header in size. What exceeds a bound is
//     answered with a JSON [Error] where the other side can still hear it.
//   - One HTTP request has a stream to itself. A stream waits some seconds for a next
//     request, but not where it goes through a relay, or was answered before it was read. Connections to a peer are shared by
//     all its streams.
//
// Transports are QUIC and TCP with Noise. There is no discovery (no DHT, no mDNS):
// addresses come from the chain. Who can't be reached gets an address at a [Relay] with
// [Config].NAT; whoever calls it there needs nothing.
package mesh
