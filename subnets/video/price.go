package video

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
)

// pictureMS is how much video a picture is: work is by the picture, and what a file says
// about its times anybody can rewrite. A minute is 1,500 pictures.
const pictureMS = 40

// Milliseconds is how much video so many pictures are, as it is paid: 25 of them are a
// second, at whatever rate they are shown.
func Milliseconds(frames int64) uint64 { return uint64(frames) * pictureMS }

// Price is what a gateway takes for video, by its service in the catalogue.
type Price struct {
	ServiceID uint64 `json:"service_id,string"`
	Rao       uint64 `json:"rao,string"` // for so many milliseconds of video:
	Per       uint64 `json:"per_ms,string"`
}

// Cost is what a job of so many pictures costs, in rao.
func (p *Price) Cost(frames int64) (uint64, error) {
	if p == nil {
		return 0, nil
	}
	return pay.Cost(Milliseconds(frames), p.Rao, p.Per)
}

// PerMinute is what a minute costs, in rao, rounded up.
func (p *Price) PerMinute() (uint64, error) { return pay.Cost(60_000, p.Rao, p.Per) }

// compare orders prices, that of a free gateway first.
func (p *Price) compare(q *Price) int {
	switch {
	case p == nil && q == nil:
		return 0
	case p == nil:
		return -1
	case q == nil:
		return 1
	}
	n := func(a, b uint64) *big.Int {
		return new(big.Int).Mul(new(big.Int).SetUint64(a), new(big.Int).SetUint64(b))
	}
	return n(p.Rao, q.Per).Cmp(n(q.Rao, p.Per))
}

// Offer is what a clip costs at one gateway.
type Offer struct {
	Hotkey string `json:"hotkey"` // of the gateway
	Price  Price  `json:"price"`
	Most   uint64 `json:"most_rao,string"` // the whole clip
}

// Bill is what a clip will cost, before anything of it is given out.
type Bill struct {
	Frames int64   `json:"frames"`
	Most   uint64  `json:"most_rao,string"` // no more is paid
	Offers []Offer `json:"offers"`          // the cheapest first: the others stand in
}

// Errors about money.
var (
	// ErrNotFree says that all gateways want to be paid, and nobody pays.
	ErrNotFree = errors.New("the gateways want to be paid")
	// ErrTooDear says that a clip would cost more than it may.
	ErrTooDear = errors.New("it would cost too much")
)

// bill is what segments cost at gateways that sell, the cheapest of which comes first.
// Those that ask more than the limit (0: none) get no work; an error says that all do.
func bill(sellers []*desk, segments []*segment, limit uint64) (Bill, error) {
	var b Bill
	for _, s := range segments {
		b.Frames += s.shape.Frames
	}
	for _, d := range sellers {
		most, err := d.price.all(segments)
		if err == nil && limit > 0 && most > limit {
			err = fmt.Errorf("%w: %s TAO, the limit is %s", ErrTooDear, client.FormatTAO(most), client.FormatTAO(limit))
		}
		if err != nil {
			d.close(fmt.Errorf("gateway %s: %w", d.hotkey, err))
			continue
		}
		b.Offers = append(b.Offers, Offer{Hotkey: d.hotkey, Price: *d.price, Most: most})
		b.Most = max(b.Most, most)
	}
	if len(b.Offers) == 0 {
		return b, sellers[0].err()
	}
	return b, nil
}

// all is what segments cost together, in rao.
func (p *Price) all(segments []*segment) (sum uint64, err error) {
	for _, s := range segments {
		cost, err := p.Cost(s.shape.Frames)
		if err != nil || sum+cost < cost {
			return 0, fmt.Errorf("%w: %d rao for %d ms of video", ErrTooDear, p.Rao, p.Per)
		}
		sum += cost
	}
	return sum, nil
}
