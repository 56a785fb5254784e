package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/big"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/indexer"
	"github.com/lodenet/lode/localnet"
	"github.com/rogpeppe/go-internal/testscript"
)

// index writes an index of the network as it is now.
func index(ctx context.Context, n *localnet.Network, ts *testscript.TestScript, file string) {
	s, err := n.Client().Status(ctx)
	ts.Check(err)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ix, err := indexer.Open(ctx, ts.MkAbs(file))
	ts.Check(err)
	done := make(chan error, 1)
	go func() { done <- ix.Run(ctx, indexer.Node(n.Client())) }()
	for range n.Client().Blocks(ctx) {
		now, err := ix.Status(ctx)
		if err == nil && now.Height >= s.Height {
			break
		}
		if err != nil && !errors.Is(err, indexer.ErrEmpty) {
			ts.Fatalf("index: %v", err)
		}
	}
	stop()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		ts.Fatalf("index: %v", err)
	}
	ts.Check(ix.Close())
}

// balances holds an account's history against the chain: what came less what went is
// what there is, to the rao.
func balances(ctx context.Context, n *localnet.Network, ts *testscript.TestScript, name, file string) {
	var out, errOut bytes.Buffer
	if code := Run(ctx, []string{"wallet", "history", name, "--json", "--db", ts.MkAbs(file), "--home", ts.Getenv("LODE_HOME")}, bytes.NewReader(nil), &out, &errOut); code != exitOK {
		ts.Fatalf("history: %s", errOut.String())
	}
	var v struct {
		Address string              `json:"address"`
		Height  int64               `json:"height"`
		Rows    []map[string]string `json:"rows"`
	}
	ts.Check(json.Unmarshal(out.Bytes(), &v))
	sum := new(big.Rat)
	for _, row := range v.Rows {
		for what, sign := range map[string]int64{"received": 1, "sent": -1, "fee": -1} {
			if row[what+"_currency"] != "TAO" {
				continue
			}
			amount, ok := new(big.Rat).SetString(row[what+"_amount"])
			if !ok {
				ts.Fatalf("%v has no amount of %s", row, what)
			}
			sum.Add(sum, amount.Mul(amount, big.NewRat(sign*client.RaoPerTAO, 1)))
		}
	}
	rao, err := n.Client().Balance(client.AtHeight(ctx, v.Height), v.Address)
	ts.Check(err)
	if sum.Cmp(new(big.Rat).SetUint64(rao)) != 0 || len(v.Rows) < 3 {
		ts.Fatalf("%d rows add up to %s rao, the chain has %d at block %d", len(v.Rows), sum.FloatString(0), rao, v.Height)
	}
}
