package indexer

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// Errors that callers tell apart.
var (
	// ErrForeign is a database of another chain than the source's, or a block that does
	// not follow the last one.
	ErrForeign = errors.New("the index is of another chain")
	// ErrBusy is a second writer.
	ErrBusy = errors.New("another process writes this index")
	// ErrMalformed is an event that can't be read, or that contradicts what is known.
	ErrMalformed = errors.New("an event can't be read")
	// ErrNotFound is what nobody knows: a block that is not indexed, an unknown hash.
	ErrNotFound = errors.New("not in the index")
	// ErrCursor is a cursor of another list, or of no list.
	ErrCursor = errors.New("no cursor of this list")
	// ErrEmpty is a store that has no block yet.
	ErrEmpty = errors.New("the index has no block yet")
)

// Amount is rao or units of 10^-9 alpha; in JSON a decimal string.
type Amount uint64

// MarshalJSON writes a decimal string.
func (a Amount) MarshalJSON() ([]byte, error) {
	return strconv.AppendQuote(nil, strconv.FormatUint(uint64(a), 10)), nil
}

// Price is TAO per alpha; in JSON a decimal string with a point.
type Price float64

func (p Price) String() string {
	s := strconv.FormatFloat(float64(p), 'f', -1, 64)
	for i := range len(s) {
		if s[i] == '.' {
			return s
		}
	}
	return s + ".0"
}

// MarshalJSON writes a decimal string.
func (p Price) MarshalJSON() ([]byte, error) { return strconv.AppendQuote(nil, p.String()), nil }

// At is the block that an answer is of.
type At struct {
	Height int64     `json:"height"`
	Time   time.Time `json:"time"` // UTC
}

// Page asks for a part of a list.
type Page struct {
	Limit int    // 1 to 500; 0: 50
	After string // Next of the part before; empty: the first
}

// List is a part of a list, as of a block.
type List[T any] struct {
	At
	Items []T    `json:"items"` // never null
	Next  string `json:"next"`  // empty: there is no more
}

// Status is how far the index is.
type Status struct {
	At
	ChainID string `json:"chain_id"`
	Hash    string `json:"hash"` // of the block at Height, hexadecimal
}

// Block is one block.
type Block struct {
	At
	Hash         string `json:"hash"`     // hexadecimal, upper case
	Proposer     string `json:"proposer"` // consensus address, hexadecimal
	Transactions int    `json:"transactions"`
}

// BlockDetail is a block with its transactions.
type BlockDetail struct {
	Block
	Items []Transaction `json:"items"`
}

// Transaction is one line of a list of them.
type Transaction struct {
	Hash      string    `json:"hash"`
	Height    int64     `json:"height"`
	Time      time.Time `json:"time"`
	Index     int       `json:"index"` // in its block
	OK        bool      `json:"ok"`
	Code      uint32    `json:"code"`
	Codespace string    `json:"codespace"`
	Error     string    `json:"error"`
	Fee       Amount    `json:"fee_rao"`
	GasWanted int64     `json:"gas_wanted"`
	GasUsed   int64     `json:"gas_used"`
	Signers   []string  `json:"signers"`
	Types     []string  `json:"types"` // of its messages
}

// TransactionDetail is all of one. Its events are the node's to tell.
type TransactionDetail struct {
	Transaction
	Memo     string            `json:"memo"`
	Messages []json.RawMessage `json:"messages"`
}

// Candle is a pool's price over an interval.
type Candle struct {
	Time   time.Time `json:"time"` // its beginning
	Open   Price     `json:"open"`
	High   Price     `json:"high"`
	Low    Price     `json:"low"`
	Close  Price     `json:"close"`
	Volume Amount    `json:"volume_rao"` // of transactions' trades, not the chain's own
	Trades int       `json:"trades"`
}

// Lengths of candles.
const (
	Minutes5 = 5 * time.Minute
	Hour     = time.Hour
	Day      = 24 * time.Hour
)

// Span asks for a part of a series in time. Without From and After it is its end.
type Span struct {
	Page
	From, To time.Time // zero: no bound; To is exclusive
}

// Epoch is what an epoch of a subnet paid.
type Epoch struct {
	Epoch    uint64    `json:"epoch"`
	Height   int64     `json:"height"`
	Time     time.Time `json:"time"`
	Pending  Amount    `json:"pending_alpha"`
	Paid     Amount    `json:"paid_alpha"`
	Owner    Amount    `json:"owner_alpha"`
	Revenue  Amount    `json:"revenue_alpha"`
	Burned   Amount    `json:"burned_alpha"`
	Recycled Amount    `json:"recycled_alpha"`
	Carried  Amount    `json:"carried_alpha"`
	RootPaid Amount    `json:"root_paid_rao"`
}

// Registration is a hotkey that got a uid: by a burn, in another's place that was swapped
// for it, or under a new coldkey, when Replaced is the hotkey itself.
type Registration struct {
	Height   int64     `json:"height"`
	Time     time.Time `json:"time"`
	Netuid   uint32    `json:"netuid"`
	SubnetID uint64    `json:"subnet_id"`
	UID      uint32    `json:"uid"`
	Hotkey   string    `json:"hotkey"`
	Coldkey  string    `json:"coldkey"`
	Burn     Amount    `json:"burn_rao"`
	Replaced *string   `json:"replaced"` // the hotkey that lost the uid
}

// Income is something that was paid to an account: by an epoch, a customer or a removal.
// What dividends made of an account's stakes is told by the day, of which Height is the
// last block; Epoch is nil there.
type Income struct {
	Height   int64     `json:"height"`
	Time     time.Time `json:"time"`
	Netuid   uint32    `json:"netuid"`
	SubnetID uint64    `json:"subnet_id"`
	Epoch    *uint64   `json:"epoch"`
	Hotkey   string    `json:"hotkey"`
	Kind     string    `json:"kind"` // incentive, revenue, owner, dividends, sale, payout
	Alpha    Amount    `json:"alpha"`
	TAO      Amount    `json:"tao_rao"`
	Value    *Amount   `json:"value_rao"`
}

// Figures are what a subnet's table row has of the past.
type Figures struct {
	SubnetID   uint64   `json:"subnet_id"`
	Netuid     uint32   `json:"netuid"`
	Change1h   *float64 `json:"change_1h"` // of the price, a fraction; nil: not so old
	Change24h  *float64 `json:"change_24h"`
	Change7d   *float64 `json:"change_7d"`
	Volume24h  Amount   `json:"volume_24h_rao"`
	Revenue24h Amount   `json:"revenue_24h_rao"`
}

// SubnetName says what a subnet is or was.
type SubnetName struct {
	SubnetID      uint64 `json:"subnet_id"`
	Netuid        uint32 `json:"netuid"` // the slot that it holds or held
	Name          string `json:"name"`
	CreatedHeight int64  `json:"created_height"`
	RemovedHeight int64  `json:"removed_height"` // 0: it is there
}

// Yield is what a stake earned over some days: r = v1/v0 − 1 an epoch, v what a share is
// worth, after the take.
type Yield struct {
	Days      int      `json:"days"`
	Samples   int      `json:"samples"`    // epochs
	Epoch     *float64 `json:"epoch"`      // mean r
	APR       *float64 `json:"apr"`        // mean r × epochs a year
	APY       *float64 `json:"apy"`        // (1 + mean r)^n − 1
	TAOReturn *float64 `json:"tao_return"` // with the price's change
}

// StakeYields are those of one stake, over 1, 7 and 30 days.
type StakeYields struct {
	SubnetID uint64  `json:"subnet_id"`
	Hotkey   string  `json:"hotkey"`
	Yields   []Yield `json:"yields"`
}

// Found is something that a search found.
type Found struct {
	Kind  string `json:"kind"` // block, transaction, account, subnet, service
	ID    string `json:"id"`   // height, hash, address, netuid, service id
	Title string `json:"title"`
}

// Stake is a coldkey's stake on a hotkey in a subnet.
type Stake struct {
	SubnetID uint64 `json:"subnet_id"`
	Netuid   uint32 `json:"netuid"`
	Hotkey   string `json:"hotkey"`
	Coldkey  string `json:"coldkey"`
	Alpha    Amount `json:"alpha"` // what the shares are worth
	Shares   string `json:"shares"`
	Locked   Amount `json:"locked_alpha"`
	Value    Amount `json:"value_rao"` // at the pool's price, rounded down
}

// Pool is a subnet's pool.
type Pool struct {
	SubnetID      uint64 `json:"subnet_id"`
	Netuid        uint32 `json:"netuid"`
	Trading       bool   `json:"trading"`
	TAOReserve    Amount `json:"tao_reserve_rao"`
	AlphaReserve  Amount `json:"alpha_reserve"`
	AlphaIssued   Amount `json:"alpha_issued"`
	AlphaStaked   Amount `json:"alpha_staked"`
	AlphaProtocol Amount `json:"alpha_protocol"`
	AlphaPending  Amount `json:"alpha_pending"`
	AlphaBurned   Amount `json:"alpha_burned"`
}

// Supply is TAO in all, in rao.
type Supply struct {
	At
	Issued   Amount `json:"issued_rao"`
	Burned   Amount `json:"burned_rao"`
	Recycled Amount `json:"recycled_rao"`
	Bank     Amount `json:"supply_rao"` // the sum of all balances
}

// NeuronEpoch is what an epoch gave a uid. Of old epochs of a short tempo it is what some
// gave together, up to Epoch; fractions are their mean.
type NeuronEpoch struct {
	Epoch     uint64 `json:"epoch"`
	Epochs    uint64 `json:"epochs"` // that it tells of: 1 but of old ones
	Hotkey    string `json:"hotkey"`
	Incentive Amount `json:"incentive_alpha"`
	Revenue   Amount `json:"revenue_alpha"`
	Dividends Amount `json:"dividends_alpha"`
	Root      Amount `json:"root_rao"`
	Consensus uint32 `json:"consensus"` // of 65,535
	Trust     uint32 `json:"trust"`     // of 65,535
}

// HyperparameterChange is a value that held from a block on.
type HyperparameterChange struct {
	Name   string `json:"name"`
	Height int64  `json:"height"`
	Value  Amount `json:"value"`
}

// Trade is a trade of a transaction.
type Trade struct {
	Height   int64     `json:"height"`
	Time     time.Time `json:"time"`
	Index    int       `json:"index"` // of the transaction in its block
	SubnetID uint64    `json:"subnet_id"`
	Account  string    `json:"account"`
	Hotkey   string    `json:"hotkey"`
	Purchase bool      `json:"purchase"`
	Kind     string    `json:"kind"` // stake, unstake, swap, registration
	TAO      Amount    `json:"tao_rao"`
	Alpha    Amount    `json:"alpha"`
	Fee      Amount    `json:"fee"` // in what went in
	Price    Price     `json:"price"`
}
