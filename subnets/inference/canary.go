package inference

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
)

// Canaries draws requests that look like customers'. All that a request can say is drawn
// as customers' programs say it: most leave temperature and top_p at what their client has
// for them, some are greedy, some name a seed, some want log-probabilities. With prompts of
// one's own a miner can't learn from Lode's source what canaries ask.
//
// It is for one goroutine.
type Canaries struct {
	r   *rand.Rand
	own *Prompts
}

// NewCanaries draws by a seed that nobody else knows; nine of ten ask prompts of one's own,
// if there are any.
func NewCanaries(seed [32]byte, own *Prompts) *Canaries {
	return &Canaries{rand.New(rand.NewChaCha8(seed)), own}
}

// Prompts are a validator's own for its canaries.
type Prompts struct{ list []canaryPrompt }

type canaryPrompt struct {
	messages []api.Message
	text     string
}

// Bounds of prompts of one's own.
const (
	maxOwnPrompts = 1_000_000
	maxOwnPrompt  = 64 << 10
)

// ReadPrompts reads a prompt a line, each a text (a user's message), or in JSON a text that
// is to be gone on with, or a list of messages with role and content.
func ReadPrompts(from io.Reader) (*Prompts, error) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxOwnPrompt)
	out := &Prompts{}
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		if n > maxOwnPrompts {
			return nil, fmt.Errorf("prompts: more than %d lines", maxOwnPrompts)
		}
		p, err := readPrompt(line)
		if err != nil {
			return nil, fmt.Errorf("prompts: line %d: %w", n, err)
		}
		out.list = append(out.list, p)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("prompts: %w (a line has at most %d bytes)", err, maxOwnPrompt)
	}
	if len(out.list) == 0 {
		return nil, fmt.Errorf("prompts: there are none: give one a line")
	}
	return out, nil
}

func readPrompt(line string) (canaryPrompt, error) {
	if !utf8.ValidString(line) || strings.ContainsRune(line, 0) {
		return canaryPrompt{}, fmt.Errorf("it is not UTF-8 text")
	}
	switch line[0] {
	case '"':
		var text string
		if err := json.Unmarshal([]byte(line), &text); err != nil || text == "" || strings.ContainsRune(text, 0) {
			return canaryPrompt{}, fmt.Errorf("no text in JSON")
		}
		return canaryPrompt{text: text}, nil
	case '[':
		var list []struct{ Role, Content string }
		if err := json.Unmarshal([]byte(line), &list); err != nil || len(list) == 0 {
			return canaryPrompt{}, fmt.Errorf("no list of messages in JSON")
		}
		var p canaryPrompt
		for _, m := range list {
			switch r := api.Role(m.Role); r {
			case api.System, api.User, api.Assistant:
				p.messages = append(p.messages, api.Message{Role: r, Content: m.Content})
			default:
				return p, fmt.Errorf("role %.20q: it is system, user or assistant", m.Role)
			}
			if strings.ContainsRune(m.Content, 0) {
				return p, fmt.Errorf("it is not text")
			}
		}
		return p, nil
	}
	return canaryPrompt{messages: []api.Message{{Role: api.User, Content: line}}}, nil
}

// choose returns one of the values, each with its weight.
func choose[T any](r *rand.Rand, weighed ...any) T {
	all := 0
	for i := 1; i < len(weighed); i += 2 {
		all += weighed[i].(int)
	}
	at := r.IntN(all)
	for i := 0; ; i += 2 {
		if at -= weighed[i+1].(int); at < 0 {
			return weighed[i].(T)
		}
	}
}

// Draw draws a request for the model of a name.
func (c *Canaries) Draw(model string) *api.Request {
	q := &api.Request{Model: model, N: 1, Temperature: 1, TopP: 1}
	if c.own != nil && c.r.IntN(10) > 0 {
		p := c.own.list[c.r.IntN(len(c.own.list))]
		q.Messages, q.Prompt = p.messages, p.text
	} else {
		q.Messages, q.Prompt = drawPrompt(c.r)
	}
	c.sampling(q)
	return q
}

// sampling draws all but the prompt.
func (c *Canaries) sampling(q *api.Request) {
	r := c.r
	hundredths := func(from, to int) float64 { return float64(from+r.IntN(to-from+1)) / 100 }
	if r.IntN(2) == 0 {
		q.Temperature = choose[float64](r, 0.0, 30, 0.7, 30, 0.2, 10, 0.5, 8, 0.8, 8, 0.1, 4, 1.2, 3, math.NaN(), 12)
		if math.IsNaN(q.Temperature) {
			q.Temperature = hundredths(2, 150)
		}
	}
	if r.IntN(5) == 0 {
		q.TopP = choose[float64](r, 0.9, 40, 0.95, 35, 0.8, 8, 0.5, 4, math.NaN(), 13)
		if math.IsNaN(q.TopP) {
			q.TopP = hundredths(10, 99)
		}
	}
	if r.IntN(3) > 0 {
		q.MaxTokens = choose[int](r, 256, 20, 100, 15, 128, 15, 200, 10, 64, 8, 150, 8, 512, 8, 50, 6, 300, 4, 1024, 4, 32, 2, 500, 2, 20, 2, 0, 6)
		if q.MaxTokens == 0 {
			q.MaxTokens = 10 + r.IntN(300)
		}
	}
	if r.IntN(10) == 0 {
		q.Stop = [][]string{{"\n\n"}, {"\n"}, {"###"}, {"User:", "Assistant:"}, {"</s>"}, {"```"}, {"END"}, {"\n\n", "---"}}[r.IntN(8)]
	}
	if r.IntN(20) == 0 {
		seed := int64(choose[int](r, 42, 3, 0, 2, 1, 1, 1234, 1, 7, 1))
		q.Seed = &seed
	}
	if r.IntN(12) == 0 {
		q.Logprobs = true
		q.TopLogprobs = choose[int](r, 0, 3, 5, 3, 1, 1, 3, 1, 20, 1)
	}
}

// RequestOf is a drawn request as a gateway gives it to miners, but for the seed.
func RequestOf(q *api.Request) (engine.Request, error) { return requestOf(q) }
