// Package client talks to a Lode chain: it asks, sends transactions and follows
// blocks.
//
//	c, err := client.New(client.Config{Nodes: []string{"http://127.0.0.1:26657"}})
//	defer c.Close()
//	rao, err := c.Balance(ctx, "lode1…")
//	res, err := c.Send(ctx, []*wallet.Signer{alice}, msg) // returns once it is committed
//	for b := range c.Blocks(ctx) { … }
//
// Everything goes through the CometBFT RPC of one or more nodes, so that one URL
// suffices. The query clients of all modules are at hand ([Client.Alpha],
// [Client.Subnets], …); the Client is itself a gRPC connection for others.
//
// What it guarantees:
//
//   - Every call ends: with its context, or when Config.Timeout has passed at every
//     node. A node that fails is left for the next one; the client comes back to life
//     with the node, and logs the outage and its end once each.
//   - A Client that was asked for a chain never talks to another, and does not send
//     transactions through a node that is behind.
//   - Any number of goroutines may send with one key: each transaction is committed
//     once, or its Send returns why it was not. One that was sent and not answered is
//     sent again byte by byte, never signed anew, until it is committed or its last
//     block has passed.
//   - Errors say what is wrong and what to do, and can be told apart; see [Describe].
package client
