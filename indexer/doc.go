// Package indexer keeps all that ever happened on a chain in a database that can be
// asked quickly: SQLite in a file, or PostgreSQL.
//
//	s, err := indexer.Open(ctx, "index.db") // or postgres://…
//	defer s.Close()
//	go func() { err = s.Run(ctx, indexer.Node(c)) }() // c is a client.Client
//	page, err := s.Transactions(ctx, indexer.Page{Limit: 50})
//
// [Store.Run] reads blocks, one after the other, with all events of their execution, and
// keeps what they tell. It asks the chain nothing else: with the genesis file the events
// suffice, and what it adds up equals what the chain has, to the last unit (a test holds
// both together at a height). Queries see the database as of one block, the one that
// [Store.At] and every page name.
//
// # What it keeps
//
// Blocks and transactions, and which accounts each transaction touches; transfers and
// trades; every account's TAO and what changed it; subnets with the history of their
// hyperparameters; pools, as candles of 5 minutes, an hour and a day; neurons,
// registrations and their prices; stakes by coldkey, hotkey and subnet, and what they
// were worth at the end of each day; what epochs paid and gave, by uid; services,
// channels and payments of the market.
//
// What epochs gave is kept by uid: the last 128 and fewer of a subnet a row each, older
// ones 128 of a uid in a row. Of a tempo under 181 blocks the old ones are summed up, so
// many that they take about 360 blocks ([NeuronEpoch].Epochs): a chain of short tempos
// takes about as much room as one of long ones. Who earned what stays exact.
//
// It does not keep what is asked of the chain and has no history there either: bonds of
// Yuma (a query of x/weights), delegations to the chain's validators with their rewards
// (x/staking, x/distribution; what they pay and bond is in the accounts' histories), and
// the modules' parameters, which governance sets. What proposals changed is told by the
// transactions.
//
// A transaction is kept as it was in its block, and is decoded when it is asked for: that
// takes a third of the room of JSON, and messages that this version does not know are
// shown as what they are. Its events stay with the node ([client.Client.Record]).
//
// # Queries
//
//	Status(ctx) (Status, error)
//	Block(ctx, height) (BlockDetail, error); Blocks(ctx, Page) (List[Block], error)
//	Transaction(ctx, hash) (TransactionDetail, error); Transactions(ctx, Page) (List[Transaction], error)
//	AccountTransactions(ctx, address, Page) (List[Transaction], error)
//	SubnetName(ctx, subnetID) (SubnetName, error); Subnets(ctx) ([]SubnetName, error), also removed ones
//	Figures(ctx) ([]Figures, error), of live subnets by netuid
//	Candles(ctx, subnetID, length, Span) (List[Candle], error); length Minutes5, Hour or Day
//	Epochs(ctx, subnetID, Span) (List[Epoch], error)
//	Neuron(ctx, subnetID, uid, Page) (List[NeuronEpoch], error), the latest first
//	Hyperparameters(ctx, subnetID, name, Page) (List[HyperparameterChange], error), the latest first
//	Registrations(ctx, subnetID, Page), AccountRegistrations(ctx, address, Page) (List[Registration], error)
//	Trades(ctx, subnetID, Page), AccountTrades(ctx, address, Page) (List[Trade], error)
//	Income(ctx, address, Page) (List[Income], error)
//	Yields(ctx, coldkey) ([]StakeYields, At, error)
//	Portfolio(ctx, coldkey, Page) (List[StakeDay], error): stakes by the day; SupplyHours(ctx, Span) (List[Supply], error)
//	Transfers(ctx, height) ([]Transfer, error); Weights(ctx, subnetID) ([]WeightRow, error)
//	Search(ctx, text) ([]Found, error), at most 20
//	History(ctx, address, w io.Writer) error: CSV with Koinly's columns
//	Balance(ctx, address) (Amount, error); Stakes(ctx, coldkey) ([]Stake, error); Pools(ctx) ([]Pool, error); Supply(ctx) (Supply, error)
//
// # Numbers
//
// Amounts are unsigned 64-bit numbers, and databases have signed ones. A column of
// amounts holds the amount less 2^63: so both databases compare and sort it right, and
// 9 bytes hold it. Sums are taken of its upper and lower half apart (sumOf), which can't
// overflow, and put together in Go. Shares of stakes, which need more than 64 bits, are
// decimal text. Prices in candles are binary fractions (float64, reserve by reserve,
// rounded once): they are for charts, no money follows from them.
//
// # What it promises
//
//   - One database transaction holds some blocks, what they changed and the cursor. A
//     process that dies at any moment leaves the database as of a block, and one that
//     goes on from there makes the same database as one that never died. Where the
//     machine loses its power, the last transactions may be gone, whole: they are read
//     from the node again.
//   - The first error ends Run, with nothing of the block that it came from written. There
//     are no holes.
//   - Chain id, the hash of the first block and the hash of the last one are kept. A
//     database of another chain is refused and left alone (ErrForeign).
//   - There is one writer: a second one fails with ErrBusy before it writes.
//   - Events that can't be read stop it (ErrMalformed); messages of any kind do not.
package indexer
