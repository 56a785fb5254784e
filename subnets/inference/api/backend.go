package api

import (
	"context"
	"encoding/json"
	"time"
)

// Backend is where answers come from. Its methods are called concurrently. Errors that
// a user can do something about are [*Error]s, whose messages repeat nothing of what was
// asked; of others only the fact that there was one is told.
type Backend interface {
	// Models lists what can be asked for.
	Models(context.Context) ([]Model, error)

	// Generate answers a request: it hands each piece to emit as soon as there is one,
	// never two at a time, and returns what was used, with an error, too. An error before
	// the first event becomes an HTTP status, a later one ends the stream.
	//
	// Once emit has returned an error or ctx has ended, nobody needs more: Generate ends
	// within a token, and only what was made is used. emit blocks while the client is slow
	// to read, for at most [Config.WriteTimeout] a piece.
	Generate(ctx context.Context, r *Request, emit func(Event) error) (Usage, error)

	// Count says how many tokens a request's prompt has.
	Count(context.Context, *Request) (int, error)

	// Embed gives a vector for each input.
	Embed(ctx context.Context, model string, inputs []string) (*Embeddings, error)
}

// Model is one that can be asked for.
type Model struct {
	ID          string
	Created     time.Time
	Owner       string
	Context     int    // tokens, of prompt and answer together
	Tier        string // any, attested or facility
	Digest      string // of the weights
	InputPrice  uint64 // rao per million tokens
	OutputPrice uint64 // rao per million tokens
}

// Request is what is asked, in whichever way it came.
type Request struct {
	ID       string    // of the answer, as the client sees it
	Model    string    // as the client wrote it
	Messages []Message // nil where Prompt is given to the model as it is
	Prompt   string

	// Schema is a JSON schema that the answer must follow, nil for free text. A backend
	// that can't make sure of it refuses with [BadGrammar].
	Schema json.RawMessage

	MaxTokens   int     // of each choice; 0 until the context is full
	Temperature float64 // from 0 to 2; 0 picks the likeliest token
	TopP        float64 // from 0 to 1
	Seed        *int64  // nil: the backend picks one
	N           int     // choices, at least 1

	// Stop has at most 4 strings that end a choice. The backend sends the text of the
	// token that completes one, and ends the choice there; who calls it cuts that text.
	Stop []string

	Logprobs    bool // whether events have tokens
	TopLogprobs int  // alternatives for each token, at most 20
}

// Message is a part of a conversation.
type Message struct {
	Role    Role
	Content string
}

// Role says whose message it is.
type Role string

// The roles. What tools answered is in a user's message.
const (
	System    Role = "system"
	User      Role = "user"
	Assistant Role = "assistant"
)

// Event is a piece of an answer.
type Event struct {
	Choice int     // from 0 to Request.N − 1
	Text   string  // may end within a character
	Tokens []Token // that Text is made of, if they were asked for
	Finish Finish  // in the last event of each choice
	Prompt int     // tokens of the prompt, in the first event
}

// Finish says why a choice ended.
type Finish string

// Why a choice ended.
const (
	Stop   Finish = "stop"   // by itself, or at a stop string
	Length Finish = "length" // at MaxTokens, or where the context is full
)

// Token is one with its probability before any sampling filter.
type Token struct {
	Text    string // its bytes, perhaps not a whole character
	Logprob float64
	Top     []Alternative // the likeliest first
}

// Alternative is a token that could have been picked.
type Alternative struct {
	Text    string
	Logprob float64
}

// Usage counts the tokens of a request.
type Usage struct {
	Prompt     int
	Completion int // of all choices
}

// Embeddings are vectors, one for each input.
type Embeddings struct {
	Vectors [][]float32
	Tokens  int
}
