package engine

import (
	"context"
	"encoding/json"
)

// Engine runs one model. Its methods may be called by many goroutines at once.
type Engine interface {
	// Info says what the engine runs.
	Info() Info
	// Tokens returns a prompt as the model reads it. The error is [ErrUnsupported]
	// where the engine can't tell, a [TooLongError] where it exceeds the context.
	Tokens(ctx context.Context, p Prompt) ([]int32, error)
	// Generate answers a prompt and calls emit for each piece of the answer, one after
	// another; a nil emit is allowed. It ends early when ctx ends or emit returns an
	// error, and returns that error. The result counts what was made, with an error, too.
	Generate(ctx context.Context, r Request, emit func(Chunk) error) (Result, error)
	// Score compares an answer with what the model and the sampler would have said: a
	// value for each token of the answer. The error is [ErrUnsupported] where the engine
	// can't.
	Score(ctx context.Context, r ScoreRequest) ([]TokenScore, error)
	// Embed returns a prompt's place in the model's space, of length 1.
	Embed(ctx context.Context, p Prompt) (Embedding, error)
	// Close ends the engine; requests in it end with [ErrClosed].
	Close() error
}

// Info is what is known of an engine.
type Info struct {
	Model      string `json:"model"`      // the model's own name
	Digest     string `json:"digest"`     // SHA-256 of its file, in hexadecimal; empty where unknown
	Backend    string `json:"backend"`    // what computes, with its version
	Context    int    `json:"context"`    // tokens of prompt and answer together, of one request; 0: unknown
	Slots      int    `json:"slots"`      // requests that are worked on at once; 0: unknown
	Vocabulary int    `json:"vocabulary"` // tokens that there are; 0: unknown
	Dimensions int    `json:"dimensions"` // of embeddings; 0: none
	Threads    int    `json:"threads"`    // of the processor; 0: unknown
	Chat       bool   `json:"chat"`       // takes a [Chat]
	Grammar    bool   `json:"grammar"`    // takes a [Grammar]
	Verifiable bool   `json:"verifiable"` // picks tokens by this package's sampler, and scores
}

// Prompt is what a model is asked. Exactly one field is set.
type Prompt struct {
	Text   string  `json:"text,omitempty"`   // read as it stands; marks of the model's template count
	Tokens []int32 `json:"tokens,omitempty"` // not changed at all: nothing is put before or after
	Chat   *Chat   `json:"chat,omitempty"`   // goes through the model's own template
}

// Chat is a conversation.
type Chat struct {
	Messages []Message       `json:"messages"`
	Tools    json.RawMessage `json:"tools,omitempty"` // an array of tools as OpenAI's clients define them, for templates that know them
}

// Message is one turn of a conversation.
type Message struct {
	Role       string     `json:"role"` // system, user, assistant, tool or what the template knows
	Content    string     `json:"content"`
	Name       string     `json:"name,omitempty"`
	ToolCalls  []ToolCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

// ToolCall is a call that the assistant made.
type ToolCall struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Function Function `json:"function"`
}

// Function names a tool; its arguments are JSON.
type Function struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// Sampling says how tokens are picked. The zero value is greedy.
type Sampling struct {
	Temperature float64 `json:"temperature"`     // 0 (greedy) to [MaxTemperature]
	TopP        float64 `json:"top_p,omitempty"` // picks come from the likeliest tokens that together reach it; 0 means 1, all
	Seed        uint64  `json:"seed"`
	Grammar     Grammar `json:"grammar,omitzero"`
}

// Grammar restricts an answer. At most one field is set; the zero value allows all.
type Grammar struct {
	Schema json.RawMessage `json:"schema,omitempty"` // a JSON schema; `{}` allows any JSON value
	GBNF   string          `json:"gbnf,omitempty"`   // a grammar in llama.cpp's notation
}

// IsZero reports whether the grammar allows all.
func (g Grammar) IsZero() bool { return len(g.Schema) == 0 && g.GBNF == "" }

// Request asks for an answer.
type Request struct {
	Prompt Prompt `json:"prompt"`
	Sampling
	MaxTokens   int      `json:"max_tokens,omitempty"`   // 0: as many as the context holds; more than that is cut to it
	Stop        []string `json:"stop,omitempty"`         // up to [MaxStops] strings, each of which ends the answer and is cut off
	TopLogProbs int      `json:"top_logprobs,omitempty"` // alternatives that are told of each token, up to [MaxTopLogProbs]
}

// Chunk is a piece of an answer.
type Chunk struct {
	Text   string  // whole UTF-8; all chunks' texts together are the answer
	Tokens []Token // those that the text ends; empty where the engine can't tell
}

// Token is one of an answer.
type Token struct {
	ID      int32
	Bytes   []byte        // what it stands for; may be part of a character
	LogProb float64       // natural logarithm of its probability by the model alone, before temperature and filters
	Top     []Alternative // the likeliest at this place, likeliest first
}

// Alternative is a token that could have stood at a place.
type Alternative struct {
	ID      int32
	Bytes   []byte
	LogProb float64
}

// Finish says why an answer ended.
type Finish string

const (
	FinishStop      Finish = "stop"      // the model ended it, or a stop string did
	FinishLength    Finish = "length"    // MaxTokens or the context was reached
	FinishCancelled Finish = "cancelled" // ctx ended, emit returned an error, or the engine failed
)

// Result is what was made.
type Result struct {
	Finish     Finish  `json:"finish"`
	StopString string  `json:"stop_string,omitempty"` // the stop string that ended the answer
	Answer     []int32 `json:"answer,omitempty"`      // every token that was picked: those of a stop string and the one that ends an answer, too; nil where the engine can't tell
	Usage      Usage   `json:"usage"`
}

// Usage counts tokens.
type Usage struct {
	Prompt     int `json:"prompt"`
	Completion int `json:"completion"`
}

// ScoreRequest asks how an answer came about.
type ScoreRequest struct {
	Prompt Prompt  `json:"prompt"`
	Answer []int32 `json:"answer"`
	Sampling
}

// TokenScore is how one token of an answer compares.
type TokenScore struct {
	Margin  float64 // see [Sampler.Margin]: 0 is what an honest engine picks, [MaxMargin] far from it
	LogProb float64 // the token's, as [Token] has it
	Bytes   []byte  // what the token stands for, as [Token] has it
	End     bool    // whether the token ends an answer
}

// Embedding is a text's place in a model's space.
type Embedding struct {
	Vector []float32 `json:"vector"`
	Tokens int       `json:"tokens"` // of the prompt
}
