// Package console is Lode's console: a page that is wallet, explorer and market, and the
// JSON API that it reads, which any program may read, too.
//
// A [Server] is made of a client of the chain and, for what needs the history, an index:
//
//	s, err := console.New(console.Config{Client: c, Index: ix})
//	err = s.Serve(ctx, listener, nil)
//
// The API is described by openapi.yaml, which is served at /v1/openapi.yaml; a test holds
// the document, the routes and the answers equal. What it promises is in the document's
// own introduction: amounts, prices, pages, errors.
//
// What it guarantees:
//
//   - It has no keys and signs nothing. Transactions come signed, and go to the node as
//     they came.
//   - A request must name this server: by the address that it came to, by localhost
//     where that is loopback, or by a name of Config.Hosts. Any other host, as one has
//     that was made to resolve to this machine, is refused before anything is done.
//   - A write must come from this server's own page: its Origin is checked. Other sites'
//     pages read nothing, either: there are no CORS headers, and requests that a browser
//     says were sent by another site are refused.
//   - The page runs under a policy that loads nothing from elsewhere and runs no text as
//     code (guard.go).
//   - What providers answer to /buy is data: it never runs as a page or a script of this
//     server, whatever it says that it is.
//   - /buy reaches the endpoints that the chain has for listed services and no others, and
//     of those none on this machine or a private network, unless both the chain and the
//     server are local.
//   - Every request is bounded in size, time and number; so is each stream, and the
//     memory of what its reader has not read yet.
//   - All figures of an answer are of one block, which it names.
package console
