package pay

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay/x402"
)

// words are what strings of records may be made of.
var words = []string{"", "a", "lode1provider", `"`, `\`, "<&>", "\n", "\x7f", "ü", "\xff", "\u2028", "https://a.example/?b=1&c=2"}

func TestRecordsThatWriteThemselvesWriteAsEncodingJSONDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func() string { return words[r.IntN(len(words))] + words[r.IntN(len(words))] }
	number := func() uint64 { return r.Uint64() >> r.IntN(65) }
	signed := func() int64 { return int64(number()) * (1 - 2*r.Int64N(2)) }
	raw := func() hexBytes { return make(hexBytes, r.IntN(4)) }
	flag := func() bool { return r.IntN(2) == 0 }
	at := func() time.Time {
		return time.Unix(r.Int64N(1<<33), r.Int64N(1e9)).In(time.FixedZone("", 60*(r.IntN(1440)-720)))
	}
	for range 2000 {
		s := &x402.Settlement{Success: flag(), ErrorReason: "a", Payer: "lode1payer", Network: "cosmos:a-1", Extra: x402.SettlementExtra{
			CommitmentID: "a/b", ChannelState: &x402.ChannelState{Balance: "1"}}}
		answer := answerRecord{Pending: flag(), Hash: raw(), Print: text(), Time: signed(), Kept: flag(), Status: int(number())}
		if flag() {
			answer.Settlement, answer.Header = s, http.Header{"B": {text(), text()}, "A": nil}
		}
		for _, v := range []appender{
			channelRecord{ID: raw(), Payer: text(), SessionKey: raw(), PlanID: number(), CloseDelay: signed(), Limit: number(), Claimed: number(), ClosingAt: signed(),
				PeriodEnd: signed(), Height: signed(), Seen: signed(), Cumulative: number(), Signature: raw(), Charged: number(), OwedSince: signed(), Used: signed(),
				Claiming: number(), Contested: text(), Gone: flag()},
			reservation{Identifier: text(), Resource: text(), Ceiling: number(), Charged: number(), Units: number(), Began: signed()},
			answer,
			Entry{Time: at(), Kind: EntryKind(text()), Channel: text(), Payer: text(), PlanID: number(), Amount: number(), Units: number(), Resource: text(),
				Identifier: text(), Status: int(number()), Note: text()},
			clientChannel{ID: raw(), Provider: text(), ServiceID: number(), PlanID: number(), SessionKey: raw(), CloseDelay: signed(), Limit: number(),
				Signed: number(), Charged: number(), Recovered: flag(), Stopped: text(), Ended: flag()},
			Payment{N: number(), Time: at(), State: State(text()), Kind: text(), Method: text(), URL: text(), Provider: text(), ServiceID: number(), PlanID: number(),
				Channel: text(), Identifier: text(), Ceiling: number(), Charged: number(), Status: int(number()), Note: text()},
		} {
			want, err := json.Marshal(v)
			require.NoError(t, err)
			got, err := v.appendJSON(nil)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got))
		}
	}
}
