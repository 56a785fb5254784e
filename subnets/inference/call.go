package inference

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/subnets/inference/engine"
)

// Remote is a miner that a client knows.
type Remote struct {
	UID       uint16
	Hotkey    string
	URL       string // without a slash at its end
	Card      Card
	Incentive float64 // its share of the subnet's, as the chain has it
}

// Caller makes the calls of task.go. What miners answer is checked before it is handed
// on: its errors are an engine's ([engine.Retryable] holds), [ErrMiner], those of package
// pay, or its context's. None of them repeats anything of prompts or answers.
type Caller struct {
	HTTP     *http.Client // pays, and goes over the mesh; its Timeout must be 0
	Envelope Envelope
}

// Times of calls.
const (
	cardTime  = 15 * time.Second
	countTime = 30 * time.Second
	callTime  = 15 * time.Minute // of an answer, from the request to its end
	endTime   = 5 * time.Second  // from the last piece to the stream's end
)

// Bounds of short answers, in bytes.
const (
	maxCard    = 64 << 10
	maxCounted = 64 << 10
)

// Card asks a miner for its card, and checks it.
func (c *Caller) Card(ctx context.Context, url string) (Card, error) {
	inner, cancel := context.WithTimeout(ctx, cardTime)
	defer cancel()
	req, err := http.NewRequestWithContext(mesh.WithMaxResponse(inner, maxCard), http.MethodGet, url+cardPath, nil)
	if err != nil {
		return Card{}, err
	}
	raw, err := c.short(ctx, req, maxCard)
	if err != nil {
		return Card{}, err
	}
	var card Card
	if err := decode(raw, &card); err != nil {
		return Card{}, minerFailed("its card: %v", err)
	}
	if err := card.Check(); err != nil {
		return Card{}, minerFailed("%v", err)
	}
	return card, nil
}

// Count asks how many tokens a prompt has.
func (c *Caller) Count(ctx context.Context, to Remote, p engine.Prompt) (int, error) {
	if err := p.Check(); err != nil {
		return 0, err
	}
	inner, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	req, opener, err := c.request(mesh.WithMaxResponse(inner, maxCounted), to, countPath, Count{Prompt: p})
	if err != nil {
		return 0, err
	}
	raw, err := c.short(ctx, req, maxCounted)
	if err != nil {
		return 0, err
	}
	var n Counted
	if err := open(opener, raw, &n); err != nil {
		return 0, err
	}
	return n.Tokens, checkPrompt(to, p, n.Tokens)
}

// Answer is what came of a call, with an error, too.
type Answer struct {
	Started bool // a first piece came
	Prompt  int  // tokens of the prompt, by the miner's word
	// Tokens are those of the answer, empty where the miner can't tell. Completion is how
	// many there are; where it can't tell, of pieces with a text.
	Tokens     []Token
	Completion int
	Finish     engine.Finish
	StopString string
}

// Generate asks a miner for an answer and hands each piece to emit, one after another; an
// error of emit ends it. The last piece has a finish, or is not handed on: Generate
// returns the error in it.
func (c *Caller) Generate(ctx context.Context, to Remote, r Generate, emit func(Event) error) (Answer, error) {
	a := answer{request: &r, to: to}
	if err := r.Check(); err != nil {
		return a.Answer, err
	}
	r.Version = Version
	stream, err := c.stream(ctx, to, generatePath, Ceiling(promptBytes(r.Prompt), r.MaxTokens), r)
	if err != nil {
		return a.Answer, err
	}
	defer stream.close()
	for {
		var ev Event
		if err := stream.read(&ev); err != nil {
			return a.Answer, err
		}
		if ev.Error != nil {
			if err := stream.end(); err != nil {
				return a.Answer, err
			}
			return a.Answer, errorOf(ev.Error)
		}
		if err := a.take(ev); err != nil {
			return a.Answer, err
		}
		if ev.Finish != "" {
			if err := stream.end(); err != nil {
				return a.Answer, err
			}
			if err := a.whole(); err != nil {
				return a.Answer, err
			}
		}
		if emit != nil {
			if err := emit(ev); err != nil {
				return a.Answer, err
			}
		}
		if ev.Finish != "" {
			return a.Answer, nil
		}
	}
}

// Embed asks for a prompt's place in the model's space.
func (c *Caller) Embed(ctx context.Context, to Remote, r Embed) (Embedded, error) {
	if err := r.Prompt.Check(); err != nil {
		return Embedded{}, err
	}
	r.Version = Version
	stream, err := c.stream(ctx, to, embedPath, Ceiling(promptBytes(r.Prompt), 1), r)
	if err != nil {
		return Embedded{}, err
	}
	defer stream.close()
	var e embedEvent
	if err := stream.read(&e); err != nil {
		return Embedded{}, err
	}
	if err := stream.end(); err != nil {
		return Embedded{}, err
	}
	if e.Error != nil {
		return Embedded{}, errorOf(e.Error)
	}
	if err := checkPrompt(to, r.Prompt, e.Tokens); err != nil {
		return Embedded{}, err
	}
	return e.Embedded, checkVector(to, e.Vector)
}

// embedEvent is the one event of an embedding's stream.
type embedEvent struct {
	Embedded
	Error *engine.Failure `json:"error,omitempty"`
}

// checkVector refuses what is no place of length 1.
func checkVector(to Remote, v []float32) error {
	if want := to.Card.Engine.Dimensions; len(v) == 0 || want > 0 && len(v) != want {
		return minerFailed("an embedding of %d dimensions, %d by its card", len(v), want)
	}
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	if math.Abs(square-1) > 0.01 {
		return minerFailed("an embedding of length %g, not 1", math.Sqrt(square))
	}
	return nil
}

// answer is one in the making.
type answer struct {
	Answer
	request *Generate
	to      Remote
}

// take checks a piece and counts it.
func (a *answer) take(ev Event) error {
	if !a.Started {
		if err := checkPrompt(a.to, a.request.Prompt, ev.Prompt); err != nil {
			return err
		}
		a.Started, a.Prompt = true, ev.Prompt
	} else if ev.Prompt != 0 {
		return minerFailed("it counts the prompt twice")
	}
	switch ev.Finish {
	case "":
		if ev.Text == "" && len(ev.Tokens) == 0 {
			return minerFailed("a piece with nothing in it")
		}
		if ev.StopString != "" {
			return minerFailed("a stop string before the end")
		}
	case engine.FinishStop, engine.FinishLength:
		a.Finish, a.StopString = ev.Finish, ev.StopString
		if ev.StopString != "" && !a.stops(ev) {
			return minerFailed("it ends at a stop string that was not asked for")
		}
	default:
		return minerFailed("an end of no kind that is known")
	}
	for _, t := range ev.Tokens {
		if err := a.checkToken(t); err != nil {
			return err
		}
	}
	a.Tokens = append(a.Tokens, ev.Tokens...)
	a.Completion += completion(ev, a.to.Card.Engine.Verifiable)
	if most := a.most(); a.Completion > most {
		return minerFailed("more than the %d tokens that there may be", most)
	}
	return nil
}

// completion is how many tokens a piece counts for: one where there is a text, and the
// engine can't tell.
func completion(ev Event, verifiable bool) int {
	if len(ev.Tokens) == 0 && ev.Text != "" && !verifiable {
		return 1
	}
	return len(ev.Tokens)
}

func (a *answer) stops(ev Event) bool {
	if ev.Finish != engine.FinishStop {
		return false
	}
	for _, s := range a.request.Stop {
		if s == ev.StopString {
			return true
		}
	}
	return false
}

// most is how many tokens an answer may have.
func (a *answer) most() int {
	most := maxCeiling
	if n := a.request.MaxTokens; n > 0 {
		most = min(most, n)
	}
	if n := a.to.Card.Engine.Context; n > 0 {
		most = min(most, n)
	}
	return most
}

func (a *answer) checkToken(t Token) error {
	if err := a.checkID(t.ID, t.LogProb); err != nil {
		return err
	}
	if len(t.Top) > a.request.TopLogProbs {
		return minerFailed("%d alternatives to a token, %d were asked for", len(t.Top), a.request.TopLogProbs)
	}
	for _, alt := range t.Top {
		if err := a.checkID(alt.ID, alt.LogProb); err != nil {
			return err
		}
	}
	return nil
}

// checkID refuses tokens that there aren't. A server's have no ids: all are -1.
func (a *answer) checkID(id int32, logProb float64) error {
	info := a.to.Card.Engine
	low := int32(0)
	if !info.Verifiable {
		low = -1
	}
	if id < low || info.Vocabulary > 0 && int(id) >= info.Vocabulary {
		return minerFailed("token %d of %d", id, info.Vocabulary)
	}
	if !(logProb <= maxLogProb) {
		return minerFailed("a log-probability of %g", logProb)
	}
	return nil
}

// maxLogProb is above 0 by what rounding can do.
const maxLogProb = 0.01

// whole checks what only the end shows.
func (a *answer) whole() error {
	if a.to.Card.Engine.Verifiable && len(a.Tokens) == 0 {
		return minerFailed("an answer without its tokens")
	}
	return nil
}

// checkPrompt refuses numbers of tokens that a prompt can't have.
func checkPrompt(to Remote, p engine.Prompt, tokens int) error {
	// A token is a byte or more, beside what a template says around each message.
	most := 2*promptBytes(p) + 4096
	if p.Chat != nil {
		most += 64 * len(p.Chat.Messages)
	}
	if n := to.Card.Engine.Context; n > 0 {
		most = min(most, n)
	}
	if tokens < 1 || tokens > most || len(p.Tokens) > 0 && tokens != len(p.Tokens) {
		return minerFailed("it counts %d tokens in a prompt that has at most %d", tokens, most)
	}
	return nil
}

// promptBytes is how large a prompt is; a token counts as four.
func promptBytes(p engine.Prompt) int {
	n := len(p.Text) + 4*len(p.Tokens)
	if p.Chat != nil {
		n += len(p.Chat.Tools)
		for _, m := range p.Chat.Messages {
			n += len(m.Role) + len(m.Content) + len(m.Name) + len(m.ToolCallID)
			for _, call := range m.ToolCalls {
				n += len(call.ID) + len(call.Type) + len(call.Function.Name) + len(call.Function.Arguments)
			}
		}
	}
	return n
}

// request seals a call.
func (c *Caller) request(ctx context.Context, to Remote, path string, v any) (*http.Request, Opener, error) {
	if to.Card.Envelope != c.Envelope.Name() {
		return nil, nil, minerFailed("it opens envelopes of kind %.20q, these are %s", to.Card.Envelope, c.Envelope.Name())
	}
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: it is no JSON", engine.ErrInvalid) // a schema that isn't
	}
	sealed, opener, err := c.Envelope.Seal(to.Card, plain)
	if err != nil {
		return nil, nil, err
	}
	if len(sealed) > maxRequest {
		return nil, nil, fmt.Errorf("%w: it has %d bytes, the most is %d", engine.ErrInvalid, len(sealed), maxRequest)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL+path, bytes.NewReader(sealed))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	return req, opener, nil
}

// do sends a request. The answer is one of status 200.
func (c *Caller) do(ctx context.Context, req *http.Request) (*http.Response, error) {
	client := *c.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return nil, lost(ctx, "no answer", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, readFailure(resp)
	}
	return resp, nil
}

// short makes a call whose answer is a body of at most limit bytes. ctx is of who asks,
// the request's own is shorter.
func (c *Caller) short(ctx context.Context, req *http.Request, limit int64) ([]byte, error) {
	resp, err := c.do(ctx, req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, lost(ctx, "its answer broke off", err)
	}
	if int64(len(raw)) > limit {
		return nil, minerFailed("an answer of more than %d bytes", limit)
	}
	return raw, nil
}

// open reads a sealed piece.
func open(opener Opener, sealed []byte, v any) error {
	plain, err := opener.Open(sealed)
	if err != nil {
		return minerFailed("a piece that can't be opened")
	}
	if !utf8.Valid(plain) {
		return minerFailed("a piece that is not UTF-8")
	}
	if err := decode(plain, v); err != nil {
		return minerFailed("%v", err)
	}
	return nil
}

// answerStream is an answer that comes.
type answerStream struct {
	ctx    context.Context // of who asks
	cancel context.CancelFunc
	resp   *http.Response
	opener Opener
	pieces *pieceReader
}

// stream makes a call whose answer comes in pieces.
func (c *Caller) stream(ctx context.Context, to Remote, path string, units uint64, v any) (*answerStream, error) {
	inner, cancel := context.WithTimeout(ctx, callTime)
	// What is said of payment comes on top, and little at a time.
	req, opener, err := c.request(mesh.WithMaxResponse(inner, 2*maxStream), to, path+"/"+strconv.FormatUint(units, 10), v)
	if err != nil {
		cancel()
		return nil, err
	}
	req.Header.Set("Accept", eventStream)
	resp, err := c.do(ctx, req)
	if err != nil {
		cancel()
		return nil, err
	}
	s := &answerStream{ctx: ctx, cancel: cancel, resp: resp, opener: opener, pieces: newPieceReader(resp.Body)}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != eventStream {
		s.close()
		return nil, minerFailed("its answer is no stream of events")
	}
	return s, nil
}

// close leaves the answer. What it costs so far is package pay's to book.
func (s *answerStream) close() {
	_ = s.resp.Body.Close() // what was read is checked, the rest is nobody's
	s.cancel()
}

// read reads the next piece.
func (s *answerStream) read(v any) error {
	sealed, err := s.pieces.next()
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return lost(s.ctx, "its answer broke off", err)
	}
	return open(s.opener, sealed, v)
}

// end reads on to the stream's end, where what was charged is told. Nothing else may come.
// That it breaks off here takes nothing from the answer.
func (s *answerStream) end() error {
	timer := time.AfterFunc(endTime, s.cancel)
	defer timer.Stop()
	_, err := s.pieces.next()
	if err == nil {
		return minerFailed("it says more after its end")
	}
	return nil
}
