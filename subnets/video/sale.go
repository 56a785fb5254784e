package video

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/x402"
	"github.com/lodenet/lode/subnets/video/media"
	markettypes "github.com/lodenet/lode/x/market/types"
	"golang.org/x/sync/errgroup"
)

// ServiceName is the name that a validator's service has in the catalogue.
const ServiceName = "video"

// Service is what the catalogue says of a validator's gateway that customers pay; price is
// in rao, for a minute of video.
func Service(hotkey string, netuid uint16, endpoint string, price uint64) markettypes.MsgListService {
	return markettypes.MsgListService{
		Hotkey: hotkey, Netuid: uint32(netuid), Name: ServiceName, Endpoint: endpoint,
		Description: "Compresses video by the subnet's best miners, at a quality that the customer names and the gateway measures.",
		Unit:        markettypes.UNIT_VIDEO_MINUTE, Price: price, Per: 60_000,
		Terms: "A minute is 1,500 pictures. Paid when an answer is handed out that holds its gate; what fails costs nothing.",
	}
}

// sale is what makes a customer's job one that is paid. The gateway follows it to its
// end by itself: the job's status is the gateway's word, not the miner's.
type sale struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the job's status is final
	ended  time.Time     // when that was; read after done
	paid   bool          // its answer was charged; guarded by Gateway.mu
}

// end stops what is still being done; a job that isn't sold has nothing to stop.
func (s *sale) end() {
	if s != nil {
		s.cancel()
	}
}

// stale says whether the job's answer waits in vain to be paid. Gateway.mu is held.
func (s *sale) stale() bool {
	if s == nil || s.paid {
		return false
	}
	select {
	case <-s.done:
		return time.Since(s.ended) > gatewayUnpaid
	default:
		return false
	}
}

// wait waits for the job's end, for a while at most.
func (s *sale) wait(ctx context.Context, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-s.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Sell opens the gateway to customers: from now on they pay here. A gateway that sells
// refuses them before.
func (g *Gateway) Sell(till *pay.Gateway) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.till = till
}

// cashier returns who takes the money; nil with false where everything is free. Where
// customers can't pay yet it answers them itself.
func (g *Gateway) cashier(w http.ResponseWriter) (till *pay.Gateway, sells, ok bool) {
	g.mu.Lock()
	till = g.till
	g.mu.Unlock()
	if g.sells && till == nil {
		refuse(w, http.StatusServiceUnavailable, "not_ready", "this validator sells, and has not listed its service yet", "try again in some seconds")
		return nil, true, false
	}
	return till, g.sells, true
}

// price says what video costs.
func (g *Gateway) price(w http.ResponseWriter, _ *http.Request) {
	till, sells, ok := g.cashier(w)
	switch {
	case !ok:
	case !sells:
		refuse(w, http.StatusNotFound, "free", "this gateway takes no money", "")
	default:
		s := till.Service().Service
		writeJSON(w, http.StatusOK, Price{ServiceID: s.Id, Rao: s.Price, Per: s.Per})
	}
}

// callTime bounds a paid call, as the mesh bounds all.
const callTime = time.Minute

// order takes a job; where it is sold, from who could pay for it now.
func (g *Gateway) order(w http.ResponseWriter, r *http.Request) {
	till, sells, ok := g.cashier(w)
	switch {
	case !ok:
	case !sells:
		g.post(w, r)
	default:
		till.Handler(pay.Route{
			Description: "have a segment of video compressed; it costs nothing until the answer is fetched", Timeout: callTime,
			Units: func(r *http.Request) (uint64, error) {
				job, err := readJob(r.Header)
				return Milliseconds(job.Shape.Frames), err
			},
		}, http.HandlerFunc(g.post)).ServeHTTP(w, r)
	}
}

// hand hands an answer out; where it is sold, for what the job's video costs. What is
// not done, and what was paid before, asks for no money.
func (g *Gateway) hand(w http.ResponseWriter, r *http.Request) {
	till, sells, ok := g.cashier(w)
	if !ok {
		return
	}
	if sells && r.Header.Get(x402.HeaderSignature) == "" {
		j, _, ok := g.find(w, r)
		if !ok {
			return
		}
		g.mu.Lock()
		sells = j.status.State == StateDone && !j.sale.paid
		g.mu.Unlock()
	}
	if !sells {
		g.fetch(w, r)
		return
	}
	till.Handler(pay.Route{
		Description: "a segment of video, compressed", MimeType: "application/octet-stream", Timeout: callTime,
		Units: func(r *http.Request) (uint64, error) {
			customer, _ := mesh.Caller(r.Context())
			g.mu.Lock()
			defer g.mu.Unlock()
			j := g.jobs[r.PathValue("miner")+"/"+r.PathValue("id")]
			if j == nil || j.customer != customer {
				return 1, nil // a payment from before a restart gets its answer again; others get none, and pay nothing
			}
			return Milliseconds(j.job.Shape.Frames), nil
		},
	}, http.HandlerFunc(g.fetch)).ServeHTTP(w, r)
}

// charge returns a sold job's answer, and has it paid unless it was before.
func (g *Gateway) charge(ctx context.Context, j *relayed) ([]byte, error) {
	g.mu.Lock()
	answer, paid := j.answer, j.sale.paid
	m := pay.MeterFrom(ctx)
	if m != nil {
		j.sale.paid = true
	}
	g.mu.Unlock()
	switch {
	case m == nil && !paid:
		return nil, fmt.Errorf("job %s is not paid", j.id) // the till stands before
	case m != nil && paid:
		return answer, m.Charge(0)
	}
	return answer, nil // without a word to the meter the whole is charged
}

// sell follows a job that was just posted. Gateway.mu is held.
func (g *Gateway) sell(j *relayed, to caller) {
	ctx, cancel := context.WithCancel(g.ctx)
	j.sale = &sale{cancel: cancel, done: make(chan struct{})}
	j.status.State = StateRunning
	g.work.Add(1)
	go func() {
		defer g.work.Done()
		defer cancel()
		status, answer, err := g.produce(ctx, j, to)
		if err != nil {
			to.forget(ctx, j.id)
			g.log.Info("a customer's job failed", "hotkey", j.miner, "shape", j.job.Shape.String(), "err", err)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		j.answer, j.codec, j.status = answer, status.Codec, status
		if err != nil {
			j.status = Status{State: StateFailed, Error: cut(err.Error(), 300)}
		}
		j.sale.ended = time.Now()
		close(j.sale.done)
	}()
}

// produce looks at a job's source while the miner works on it, and at the answer. It
// returns what the miner sent, where it sent something; the error says why nobody need
// pay for it.
func (g *Gateway) produce(ctx context.Context, j *relayed, to caller) (Status, []byte, error) {
	source, err := media.Source(j.source, j.job.Source)
	if err != nil {
		return Status{}, nil, err
	}
	var status Status
	var answer []byte
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return g.inspect(groupCtx, j.job, source) })
	group.Go(func() error {
		ctx, cancel := context.WithTimeout(groupCtx, j.job.deadline()+controlTimeout)
		defer cancel()
		var err error
		if status, err = to.await(ctx, j.id); err == nil {
			answer, err = to.fetch(ctx, j.id, status, maxAnswer(j.size))
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return Status{}, nil, err
	}
	done, err := g.look(ctx)
	if err != nil {
		return Status{}, nil, err
	}
	defer done()
	judged, err := judge(ctx, g.tools, j.job, source, status.Codec, answer)
	if err == nil {
		err = judged.fits(j.job)
	}
	return status, answer, err
}

// inspect refuses a source that is not what its job says: a customer pays for what it has
// had done.
func (g *Gateway) inspect(ctx context.Context, job Job, source media.Input) error {
	done, err := g.look(ctx)
	if err != nil {
		return err
	}
	defer done()
	shape := job.Shape
	limits := media.LimitsFor(int64(shape.Width)*int64(shape.Height), shape.Frames, time.Minute+judgeTime(shape))
	scan, err := g.tools.Scan(ctx, source, shape, shape.Frames, limits)
	if err == nil && scan.Shape != shape {
		err = fmt.Errorf("it is %s", scan.Shape)
	}
	if err != nil {
		return fmt.Errorf("the source is not %s, as the job says: %w", shape, err)
	}
	return nil
}

// look waits for a turn to decode something of a sold job, and returns what ends it.
func (g *Gateway) look(ctx context.Context) (done func(), err error) {
	select {
	case g.looks <- struct{}{}:
		return func() { <-g.looks }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
