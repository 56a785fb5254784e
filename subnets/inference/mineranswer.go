package inference

import (
	"errors"
	"fmt"
	"math"
	"net/http"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnets/inference/engine"
)

// errOtherModel is an engine.ErrGone: whoever asked may ask another miner.
var errOtherModel = fmt.Errorf("%w: this miner runs another model", engine.ErrGone)

// codeUnpaid is the kind of failure of a stream whose caller did not go on paying.
const codeUnpaid = "unpaid"

// generate answers a prompt.
func (m *Miner) generate(w http.ResponseWriter, r *http.Request) {
	var g Generate
	call, ok := m.begin(w, r, &g)
	if !ok {
		return
	}
	defer call.end()
	request := g.Request
	err := m.accepts(g.Version, g.Digest)
	if err == nil {
		err = request.Check()
	}
	if err != nil {
		call.refuse(err)
		return
	}
	prompt, err := call.prompt(&request.Prompt)
	if err != nil {
		call.fail(err)
		return
	}
	out := call.delivery(prompt)
	out.bytes, out.verifiable = g.Bytes, m.info().Verifiable
	if err := out.reserve(); err != nil {
		out.broken(err)
		return
	}
	result, err := m.cfg.Engine.Generate(call.ctx, request, out.piece)
	if err == nil {
		err = out.last(result)
	}
	if late := out.outbox.wait(); err == nil {
		err = late
	}
	if err != nil {
		out.broken(err)
		return
	}
	out.delivered()
}

// embed answers with a prompt's place in the model's space: in a stream, for what a till
// holds back whole it keeps, too.
func (m *Miner) embed(w http.ResponseWriter, r *http.Request) {
	var e Embed
	call, ok := m.begin(w, r, &e)
	if !ok {
		return
	}
	defer call.end()
	err := m.accepts(e.Version, e.Digest)
	if err == nil {
		err = e.Prompt.Check()
	}
	if err != nil {
		call.refuse(err)
		return
	}
	prompt, err := call.prompt(&e.Prompt)
	if err != nil {
		call.fail(err)
		return
	}
	out := call.delivery(prompt)
	if err := out.reserve(); err != nil {
		out.broken(err)
		return
	}
	place, err := m.cfg.Engine.Embed(call.ctx, e.Prompt)
	if err == nil {
		place.Tokens = prompt
		err = out.send(0, embedEvent{Embedded: place}, true)
	}
	if err != nil {
		out.broken(err)
		return
	}
	out.delivered()
}

// accepts refuses calls that are not for this miner.
func (m *Miner) accepts(version int, digest string) error {
	switch {
	case version != Version:
		return fmt.Errorf("%w: a call of version %d, this miner speaks %d", engine.ErrInvalid, version, Version)
	case digest != "" && digest != m.info().Digest:
		return errOtherModel
	}
	return nil
}

// prompt counts a prompt's tokens, and puts them in its place, so that it is read once.
// Where the engine can't tell, four bytes are taken for a token.
func (c *minerCall) prompt(p *engine.Prompt) (int, error) {
	tokens, err := c.m.cfg.Engine.Tokens(c.ctx, *p)
	if errors.Is(err, engine.ErrUnsupported) {
		return max(1, (promptBytes(*p)+3)/4), nil
	}
	if err != nil {
		return 0, err
	}
	*p = engine.Prompt{Tokens: tokens}
	return len(tokens), nil
}

// delivery is an answer on its way to who asked. What it holds is charged before it leaves.
type delivery struct {
	call       *minerCall
	meter      *pay.Meter // nil: it is free
	stream     pieceWriter
	prompt     int
	bytes      bool // of tokens are asked for
	verifiable bool // tokens are known, and count

	outbox outbox
	tokens int // that the engine has made

	started    bool // a piece was sent
	completion int  // tokens that count
	charged    uint64
}

func (c *minerCall) delivery(prompt int) *delivery {
	d := &delivery{call: c, meter: pay.MeterFrom(c.ctx), prompt: prompt, stream: pieceWriter{w: c.w, sealer: c.sealer}}
	d.outbox.init(d.pass)
	d.stream.begin()
	return d
}

// errUnpaid is wrapped where the caller did not go on paying.
var errUnpaid = errors.New("the caller does not pay")

// reserve sees to it that the prompt and a first token can be charged, before anything is
// done for them. Where they are more than was reserved, it asks for more in the stream.
func (d *delivery) reserve() error {
	if d.meter == nil {
		return nil
	}
	if err := d.meter.Reserve(Units(d.prompt, 1)); err != nil {
		return fmt.Errorf("%w: %w", errUnpaid, err)
	}
	return nil
}

// send charges so many tokens more and sends what they came as. Behind the last piece the
// answer ends at once.
func (d *delivery) send(tokens int, v any, last bool) error {
	total := Units(d.prompt, d.completion+tokens)
	if d.meter != nil {
		if err := d.meter.Charge(total - d.charged); err != nil {
			return fmt.Errorf("%w: %w", errUnpaid, err)
		}
	}
	in, more := 0, total-d.charged
	if !d.started {
		in = d.prompt
	}
	d.completion += tokens
	d.charged = total
	if err := d.stream.send(v, last); err != nil {
		return err
	}
	d.started = true
	d.call.m.add(func(s *MinerStats) {
		s.TokensIn += uint64(in)
		s.TokensOut += uint64(tokens)
		s.Units += more
	})
	return nil
}

// piece takes a piece of the answer. What a server makes is passed on as it comes, for its
// pieces are what is counted.
func (d *delivery) piece(c engine.Chunk) error {
	ev := Event{Text: c.Text, Tokens: d.list(c.Tokens)}
	if ev.Text == "" && len(ev.Tokens) == 0 {
		return nil
	}
	d.tokens += len(ev.Tokens)
	if !d.verifiable {
		return d.pass(ev)
	}
	return d.outbox.put(ev)
}

// pass sends a piece.
func (d *delivery) pass(ev Event) error {
	if !d.started {
		ev.Prompt = d.prompt
	}
	return d.send(completion(ev, d.verifiable), ev, ev.Finish != "")
}

// last takes the tokens that end the answer without a text, and why it ends.
func (d *delivery) last(result engine.Result) error {
	ev := Event{Finish: result.Finish, StopString: result.StopString}
	if result.Answer != nil {
		if len(result.Answer) < d.tokens {
			return fmt.Errorf("%w: an answer of fewer tokens than it gave", engine.ErrGone)
		}
		for _, id := range result.Answer[d.tokens:] {
			ev.Tokens = append(ev.Tokens, Token{ID: id})
		}
	}
	return d.outbox.put(ev)
}

// list is tokens as they are sent.
func (d *delivery) list(in []engine.Token) []Token {
	if len(in) == 0 {
		return nil
	}
	out := make([]Token, len(in))
	for i, t := range in {
		out[i] = Token{ID: t.ID, LogProb: finite(t.LogProb)}
		if d.bytes {
			out[i].Bytes = t.Bytes
		}
		for _, a := range t.Top {
			alt := Alternative{ID: a.ID, LogProb: finite(a.LogProb)}
			if d.bytes {
				alt.Bytes = a.Bytes
			}
			out[i].Top = append(out[i].Top, alt)
		}
	}
	return out
}

// finite is a log-probability as JSON can have it: what can't be is −9999.
func finite(p float64) float64 {
	if math.IsNaN(p) || p < -9999 {
		return -9999
	}
	return min(p, 0)
}

// delivered counts an answer that came to its end.
func (d *delivery) delivered() {
	d.call.m.add(func(s *MinerStats) { s.Answered++ })
}

// broken tells the caller what went wrong. Before the first piece nothing was charged, and
// unless a voucher was asked for the answer is an error as any.
func (d *delivery) broken(err error) {
	f, status := d.call.failed(err, d.completion)
	if errors.Is(err, errUnpaid) {
		f, status = &engine.Failure{Kind: codeUnpaid, Message: errUnpaid.Error()}, http.StatusPaymentRequired
	}
	if !d.call.outer.begun {
		writeFailure(d.call.w, f, status)
		return
	}
	_ = d.stream.send(Event{Error: f}, true) // it may be the caller who broke it
}
