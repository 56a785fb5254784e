// Package mcp carries the payments of package pay over the Model Context Protocol, as
// x402's MCP transport says (the binding by tool results): tools of an MCP server are
// paid for by the call.
//
// A server's tools are charged for by one line, a tool handler meters by
// pay.MeterFrom(ctx) as a handler of HTTP does:
//
//	server.AddReceivingMiddleware(mcp.Charge(gateway, mcp.Tariff{Units: mcp.Flat(1)}))
//
// A client pays by another, within the limits of its pay.Client and in the same books:
//
//	client.AddSendingMiddleware(mcp.Pay(payer, "https://example.org/mcp"))
//
// And a [Bridge] is a server that hands all on to another: with [Pay] before it agents
// that know nothing of payment use paid tools, with [Charge] before it a server that
// knows nothing of payment sells its own.
//
// On the wire an unpaid call of a tool gets a result with isError, and x402's
// PaymentRequired as structuredContent and as the text of content[0]. The call that pays
// has a PaymentPayload in _meta["x402/payment"], its result a SettlementResponse in
// _meta["x402/payment-response"]. What is paid for is called mcp://tool/NAME.
//
// Each call goes through the gateway's and the client's own steps, as a request that
// never leaves the process: what package pay promises of HTTP holds here too. A tool
// that fails costs nothing, unless it has charged by itself. A payment is for one tool
// and its arguments: sent again with others it is refused.
package mcp
