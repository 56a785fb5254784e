package inference

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// Name is the subnet's name in protocols: inference/miner, inference/validator.
const Name = "inference"

// Version is the version of the wire format and of the measure.
const Version = 1

// The calls that a miner answers, relative to its mount point. What is asked and answered
// goes through an [Envelope]; a validator's canary and a customer's request are the same
// calls.
//
//	GET  /card             → Card, for nothing, in the clear
//	POST /count            a sealed Count → a sealed Counted, for nothing
//	POST /generate/UNITS   a sealed Generate → an event stream of sealed Events
//	POST /embed/UNITS      a sealed Embed → an event stream of one sealed Embedded
//
// UNITS are what the caller reserves at a time (see [Ceiling]); in the path, since a payer
// knows the terms of a path from earlier calls. A miner that sells charges the prompt and
// the first token before it sends that, then each piece before it leaves.
const (
	cardPath     = "/card"
	countPath    = "/count"
	generatePath = "/generate"
	embedPath    = "/embed"
)

// Tiers of privacy.
const (
	TierAny      = "any"      // the miner can read what it is asked
	TierAttested = "attested" // only measured software can
	TierFacility = "facility" // and the machine is in somebody else's hands
)

// Card is what a miner says of itself. Nothing in it is proven.
type Card struct {
	Version int         `json:"version"`
	Engine  engine.Info `json:"engine"` // Digest names the model that it claims to run
	Tier    string      `json:"tier"`

	// Envelope names what seals the calls; Key is for it.
	Envelope string `json:"envelope"`
	Key      []byte `json:"key,omitempty"`

	// ServiceID is the miner's service in the catalogue and Price what it takes for a
	// million units ([Units]), in rao; 0: it is free.
	ServiceID uint64 `json:"service_id,string,omitempty"`
	Price     uint64 `json:"price_rao,string"`

	// Open are the requests that are worked on or wait.
	Open int `json:"open"`
}

// Check refuses a card that no honest miner shows.
func (c Card) Check() error {
	switch {
	case c.Version != Version:
		return fmt.Errorf("a card of version %d, this program speaks %d", c.Version, Version)
	case len(c.Engine.Model) > 200 || len(c.Engine.Backend) > 200 || len(c.Engine.Digest) > 64:
		return errors.New("a card with names that are too long")
	case c.Engine.Context < 0 || c.Engine.Slots < 0 || c.Engine.Dimensions < 0 || c.Open < 0:
		return errors.New("a card with negative numbers")
	case c.Tier != TierAny && c.Tier != TierAttested && c.Tier != TierFacility:
		return fmt.Errorf("a card of tier %.20q", c.Tier)
	case (c.Price == 0) != (c.ServiceID == 0):
		return errors.New("a card with a price and no service, or the other way about")
	}
	return nil
}

// PricePer is how many units a price is for.
const PricePer = 1_000_000

// promptShare is how many tokens of a prompt cost as much as one of an answer: reading is
// that much cheaper than writing, at least.
const promptShare = 4

// Units are what a request uses: its answer's tokens, and a quarter of its prompt's,
// rounded up.
func Units(prompt, completion int) uint64 {
	return uint64(max(0, prompt)+promptShare-1)/promptShare + uint64(max(0, completion))
}

// Bounds of what is reserved at a time.
const (
	ceilingStep = 256
	maxCeiling  = 1 << 20
)

// Ceiling is what a caller reserves for a request, before it knows how many tokens the
// prompt has: a multiple of 256, so that it says little, and so that terms are known from
// earlier requests. An answer that is longer is paid on while it comes.
func Ceiling(promptBytes, maxTokens int) uint64 {
	if maxTokens <= 0 || maxTokens > ceilingStep {
		maxTokens = ceilingStep
	}
	// A token is about four bytes of text; where it is less, the stream asks for more.
	units := Units(promptBytes/4, maxTokens)
	return min(maxCeiling, (units+ceilingStep-1)/ceilingStep*ceilingStep)
}

// readUnits reads what a call's path says is reserved.
func readUnits(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n == 0 || n > maxCeiling || n%ceilingStep != 0 {
		return 0, fmt.Errorf("units %.30q: a multiple of %d up to %d", s, ceilingStep, maxCeiling)
	}
	return n, nil
}

// maxRequest bounds a sealed call, in bytes.
const maxRequest = 8 << 20

// Count asks how many tokens a prompt has.
type Count struct {
	Prompt engine.Prompt `json:"prompt"`
}

// Counted is the answer.
type Counted struct {
	Tokens int `json:"tokens"`
}

// Generate asks for an answer. The caller has chosen the seed after everything else.
type Generate struct {
	Version int    `json:"version"`
	Digest  string `json:"digest"` // of the model that is asked for; empty: whatever the miner runs
	engine.Request
	// Bytes asks for each token's bytes: only who shows log-probabilities needs them.
	Bytes bool `json:"bytes,omitempty"`
}

// Event is a piece of an answer. The last one has Finish or Error.
type Event struct {
	// Prompt is how many tokens the prompt has, in the first event.
	Prompt int    `json:"prompt,omitempty"`
	Text   string `json:"text,omitempty"` // whole UTF-8
	// Tokens are those that the text ends. A verifiable miner sends every token of its
	// answer; those that end it without a text come with the last event.
	Tokens []Token `json:"tokens,omitempty"`

	Finish     engine.Finish   `json:"finish,omitempty"`
	StopString string          `json:"stop_string,omitempty"` // that ended the answer, and is not in its text
	Error      *engine.Failure `json:"error,omitempty"`
}

// Token is one of an answer.
type Token struct {
	ID      int32         `json:"id"`
	Bytes   []byte        `json:"bytes,omitempty"`
	LogProb float64       `json:"logprob"`
	Top     []Alternative `json:"top,omitempty"`
}

// Alternative is a token that could have stood at a place.
type Alternative struct {
	ID      int32   `json:"id"`
	Bytes   []byte  `json:"bytes"`
	LogProb float64 `json:"logprob"`
}

// Embed asks for a prompt's place in the model's space.
type Embed struct {
	Version int           `json:"version"`
	Digest  string        `json:"digest"`
	Prompt  engine.Prompt `json:"prompt"`
}

// Embedded is the answer.
type Embedded = engine.Embedding

// decode reads what came out of an envelope: one JSON value and nothing else.
func decode(raw []byte, v any) error {
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("what was sent is no JSON of this call: %w", errShape(err))
	}
	return nil
}

// errShape is err without anything that was sent.
func errShape(err error) error {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return fmt.Errorf("field %.60s has another type", wrongType.Field)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("syntax error at byte %d", syntax.Offset)
	}
	return errors.New("it is malformed")
}
