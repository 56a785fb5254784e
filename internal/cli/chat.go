package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/api"
)

// chatFlags are what `lode chat` asks with.
type chatFlags struct {
	inferenceFlags
	url, key, system, save string
	maxTokens              int
	temperature            float64
	seed                   int64
}

func newChatCommand() *cobra.Command {
	var f chatFlags
	cmd := &cobra.Command{
		Use:   "chat [QUESTION]...",
		Short: "Talk with a language model of the network, in the terminal",
		Long: `Asks a model, and shows the answer as it comes. With a question it ends after the answer; without, it reads a line at a time
and keeps the conversation in mind until /exit. It finds miners and pays them by itself, or, with --url, asks a
` + "`lode inference serve`" + ` that runs.

` + inferenceLimitsHelp + `

Nothing of the conversation is written anywhere, unless --save names a file for it: the last question with what came before,
and the answer, as ` + "`lode inference verify`" + ` reads it. The miner that answers reads what it is asked.`,
		Example: `  lode chat "What is a lode?"
  lode chat --model lode-mini --system "Answer in one sentence." --temperature 0.7
  lode chat --url http://127.0.0.1:8000/v1
  lode chat --save talk.json "What is a lode?"`,
		Args: cobra.ArbitraryArgs,
	}
	s := cmd.Flags()
	s.StringVar(&f.url, "url", "", "base URL of an endpoint that runs, for example http://127.0.0.1:8000/v1 (default: miners are asked from here)")
	s.StringVar(&f.key, "api-key", "", "key of that endpoint")
	s.StringVar(&f.system, "system", "", "what the model is told before all else")
	s.StringVar(&f.save, "save", "", "write the conversation to a `FILE`, to verify it")
	s.IntVar(&f.maxTokens, "max-tokens", 0, "most tokens of an answer (default: until the model ends it)")
	s.Float64Var(&f.temperature, "temperature", 1, "from 0, always the likeliest word, to 2")
	s.Int64Var(&f.seed, "seed", 0, "the answer's seed (default: drawn)")
	f.add(cmd, "warn")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		g := globalsOf(cmd)
		question := strings.Join(args, " ")
		switch {
		case len(args) == 0 && g.json:
			return fail(codeUsage, "give a question: lode chat --json \"What is a lode?\"", "--json prints one answer")
		case len(args) > 0 && strings.TrimSpace(question) == "":
			return fail(codeUsage, "give one, or none to be asked for it", "the question is empty")
		case f.temperature < 0 || f.temperature > 2:
			return fail(codeUsage, "", "--temperature %g: from 0 to 2", f.temperature)
		case f.maxTokens < 0:
			return fail(codeUsage, "", "--max-tokens %d: 1 or more", f.maxTokens)
		}
		if cmd.Flags().Changed("save") {
			if err := savable(f.save); err != nil {
				return err
			}
		}
		c := &chatter{cmd: cmd, f: &f, url: strings.TrimSuffix(strings.TrimSuffix(f.url, "/"), "/v1") + "/v1", key: f.key}
		if f.url == "" {
			end, err := c.serve()
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, end()) }()
		} else if u, err := url.Parse(f.url); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fail(codeUsage, "give its base URL, for example http://127.0.0.1:8000/v1", "--url %q is no URL", f.url)
		}
		if f.system != "" {
			c.messages = append(c.messages, chatTurn{"system", f.system})
		}
		if len(args) > 0 {
			return c.once(question)
		}
		return c.converse()
	}
	return cmd
}

// savable says before a question is asked that its answer could not be saved.
func savable(path string) error {
	if path == "" {
		return fail(codeUsage, "name a file: --save talk.json", "--save is empty")
	}
	return checkWritable(path, "--save")
}

// chatTurn is a message.
type chatTurn struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// chatter has a conversation.
type chatter struct {
	cmd      *cobra.Command
	f        *chatFlags
	url, key string
	desk     *inferenceDesk // nil: another process asks the miners
	messages []chatTurn
}

// serve asks miners from here: behind an endpoint as any, which only this process knows how
// to use.
func (c *chatter) serve() (end func() error, err error) {
	if c.desk, err = c.f.open(c.cmd, true); err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, c.desk.Close())
	}
	c.key, c.url = rand.Text(), "http://"+ln.Addr().String()+"/v1"
	ctx, cancel := context.WithCancel(c.cmd.Context())
	served := make(chan error, 1)
	go func() {
		served <- serveHTTP(ctx, ln, inference.Local(api.Handler(c.desk, api.Config{IDHeader: inference.ReceiptHeader}), c.key), c.desk.log)
	}()
	return func() error { cancel(); return errors.Join(<-served, c.desk.Close()) }, nil
}

// once asks one question.
func (c *chatter) once(question string) error {
	g := globalsOf(c.cmd)
	out := c.cmd.OutOrStdout()
	if g.json {
		out = io.Discard
	}
	a, err := c.ask(question, out)
	if err != nil {
		return err
	}
	if g.json {
		return printJSON(c.cmd, a)
	}
	fmt.Fprintln(out)
	return nil
}

// converse asks one question after another.
func (c *chatter) converse() error {
	g, ctx, out := globalsOf(c.cmd), c.cmd.Context(), c.cmd.OutOrStdout()
	if g.terminal.file != nil {
		fmt.Fprintln(c.cmd.ErrOrStderr(), "say something; /exit ends it")
	}
	for {
		question, err := g.terminal.ask(ctx, "> ", false)
		if errors.Is(err, errNoAnswer) {
			break
		}
		if err != nil {
			return err
		}
		switch question = strings.TrimSpace(question); {
		case question == "":
			continue
		case question == "/exit":
			return c.bye()
		case strings.HasPrefix(question, "/"):
			fmt.Fprintln(c.cmd.ErrOrStderr(), "there is /exit; begin with a space to say a word with a slash")
			continue
		}
		if _, err := c.ask(question, out); err != nil {
			if ctx.Err() != nil {
				return err
			}
			fmt.Fprintf(c.cmd.ErrOrStderr(), "\n%s\n", plain(err.Error())) // the next one may go well
			continue
		}
		fmt.Fprintln(out)
	}
	return c.bye()
}

func (c *chatter) bye() error {
	if c.desk != nil {
		fmt.Fprintln(c.cmd.ErrOrStderr(), totalsText(c.desk.Totals()))
	}
	return nil
}

// chatAnswer is an answer as programs see it.
type chatAnswer struct {
	Answer  string          `json:"answer"`
	Model   string          `json:"model"`
	Finish  string          `json:"finish_reason"`
	Receipt string          `json:"receipt,omitempty"`
	Usage   json.RawMessage `json:"usage,omitempty"`
}

type chatRequest struct {
	Model         string     `json:"model"`
	Messages      []chatTurn `json:"messages"`
	Stream        bool       `json:"stream"`
	StreamOptions struct {
		Usage bool `json:"include_usage"`
	} `json:"stream_options"`
	MaxTokens   int     `json:"max_tokens,omitempty"`
	Temperature float64 `json:"temperature"`
	Seed        *int64  `json:"seed,omitempty"`
}

// ask asks a question and writes the answer as it comes.
func (c *chatter) ask(question string, out io.Writer) (chatAnswer, error) {
	messages := append(c.messages[:len(c.messages):len(c.messages)], chatTurn{"user", question})
	r := chatRequest{Model: c.f.model, Messages: messages, Stream: true, MaxTokens: c.f.maxTokens, Temperature: c.f.temperature}
	if r.StreamOptions.Usage = true; r.Model == "" {
		r.Model = "auto"
	}
	if c.cmd.Flags().Changed("seed") {
		r.Seed = &c.f.seed
	}
	body, err := json.Marshal(r)
	if err != nil {
		return chatAnswer{}, err
	}
	resp, err := c.post(body)
	if err != nil {
		return chatAnswer{}, err
	}
	defer resp.Body.Close()
	s := chatStream{out: out}
	err = s.read(resp.Body)
	a := chatAnswer{Answer: s.text.String(), Model: s.Model, Finish: s.finish, Receipt: plain(resp.Header.Get(inference.ReceiptHeader)), Usage: s.usage}
	if err != nil {
		return a, err
	}
	c.messages = append(messages, chatTurn{"assistant", a.Answer})
	if c.f.save == "" {
		return a, nil
	}
	response, err := s.whole()
	if err != nil {
		return a, err
	}
	raw, err := json.Marshal(api.Conversation{Endpoint: "/v1/chat/completions", Request: body, Response: response})
	if err != nil {
		return a, err
	}
	return a, replaceFile(c.f.save, append(raw, '\n'))
}

func (c *chatter) post(body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(c.cmd.Context(), http.MethodPost, c.url+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if c.cmd.Context().Err() != nil {
			return nil, c.cmd.Context().Err()
		}
		return nil, fail("unreachable", "start it with `lode inference serve`, or leave --url away", "%s does not answer: %w", c.url, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var told struct {
		Error chatError `json:"error"`
	}
	if err == nil && json.Unmarshal(raw, &told) == nil && told.Error.Message != "" {
		return nil, told.Error.err()
	}
	return nil, fail("refused", "", "%s answers %s", c.url, resp.Status)
}
