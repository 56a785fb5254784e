// Package node runs a node of the chain, application and CometBFT, in this process.
//
// [Init] makes the home of a local network's only validator, [Start] runs the
// node of a home until [Node.Stop]:
//
//	err := node.Init(home, node.InitOptions{ChainID: "lode-local-1", …})
//	n, err := node.Start(ctx, node.Config{Home: home, RPC: "127.0.0.1:26657", …})
//	defer n.Stop()
//
// The home is the same as the SDK's server commands use (`lode node start
// --home`). Start returns once RPC, gRPC and REST answer; blocks may take a second
// more, see [Node.WaitHeight]. A node that was stopped leaves nothing behind: its
// connections and databases are closed, and it can be started again in the same
// process.
package node
