// Package pay lets services be paid for by use: a [Gateway] in front of an
// http.Handler takes payments, a [Client] makes them, and a [Proxy] makes them for
// programs that know nothing of payment. The wire is x402 (package x402); the money
// lies in channels on the chain (x/market), and what goes over the wire are vouchers on
// it (package voucher), so a payment costs no transaction.
//
// A provider puts a gateway before what it sells:
//
//	g, err := pay.OpenGateway(ctx, pay.GatewayConfig{Dir: dir, Chain: pay.NewChain(c, hotkey), ServiceID: 7})
//	defer g.Close()
//	go g.Run(ctx) // redeems
//	mux.Handle("POST /v1/chat", g.Handler(pay.Route{Units: pay.Flat(1000)}, chat))
//
// and its handler charges what was used, at most the route's units:
//
//	func chat(w http.ResponseWriter, r *http.Request) {
//		answer, tokens := …
//		if err := pay.MeterFrom(r.Context()).Charge(tokens); err != nil { … }
//		w.Write(answer)
//	}
//
// A customer's program uses a client as the transport of its http.Client:
//
//	c, err := pay.OpenClient(pay.ClientConfig{Dir: dir, Chain: pay.NewPayerChain(node, wallet, ""),
//		Limits: pay.Limits{PerRequest: 1e6, PerDay: 1e9, Deposit: 1e8}})
//	defer c.Close()
//	resp, err := (&http.Client{Transport: c}).Post(…)
//
// What a gateway promises: it serves only on a deposit that is committed and not about
// to be closed. It writes voucher and reservation before it serves, and the charge
// before it delivers, so a process may be killed between any two steps: nothing is
// charged twice, and nothing more is served unpaid than one reservation. The same
// payment again gets the same answer. Calls on one channel run side by side.
//
// What a client promises: it never signs beyond its limits, which count over restarts;
// it signs ahead of what is charged only so far; it believes no provider that its own
// signature or its own books contradict. A payment whose answer is lost is sent again
// as it is, never anew, and counts as charged until it is known. Each is in the ledger.
//
// While no node can be reached both go on, within the deposits that they know, for as
// long as GatewayConfig.Offline allows.
package pay
