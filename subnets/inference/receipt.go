package inference

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// ReceiptVersion is the version of [Receipt].
const ReceiptVersion = 1

// Receipt says what a customer got for one choice of an answer, and from whom, without a
// word of it. Whoever has the conversation, too, can show with it whether the answer was
// the model's ([VerifyReceipts]); whoever has only the receipt learns no text, but can
// tell whether one that he guesses whole is right.
type Receipt struct {
	Version int       `json:"version"`
	ID      string    `json:"id"`     // of the answer, as the client saw it
	Choice  int       `json:"choice"` // of several to one prompt
	Time    time.Time `json:"time"`

	ChainID string `json:"chain_id,omitempty"`
	Netuid  uint16 `json:"netuid"`
	UID     uint16 `json:"uid"`
	Hotkey  string `json:"hotkey"` // the miner
	Model   string `json:"model"`
	Digest  string `json:"digest,omitempty"` // of the model that the miner claims to run
	Context int    `json:"context,omitempty"`

	PromptTokens     int    `json:"prompt_tokens"`
	CompletionTokens int    `json:"completion_tokens"`
	Price            uint64 `json:"price_rao,string"` // for a million units
	Paid             uint64 `json:"paid_rao,string"`
	// Exact says that Paid was charged; else it is the most that can have been.
	Exact bool `json:"exact"`

	Temperature float64 `json:"temperature"`
	TopP        float64 `json:"top_p,omitempty"`
	Seed        uint64  `json:"seed,string"` // of this choice
	MaxTokens   int     `json:"max_tokens,omitempty"`
	// Finish is stop, length, or cancelled: the client left, or the miner failed.
	Finish engine.Finish `json:"finish"`
	// Stopped says that one of the request's stop strings ended the answer.
	Stopped bool `json:"stopped,omitempty"`

	// The hashes are SHA-256 of a domain, the salt and the text. The answer's is of what
	// [canonical] leaves of it.
	Salt       []byte `json:"salt"`
	PromptHash []byte `json:"prompt_hash"`
	AnswerHash []byte `json:"answer_hash"`
	// Tokens are the answer's, with their log-probabilities, sealed with AES-256-GCM under a
	// key that the conversation gives; empty where the miner can't tell them.
	Tokens []byte `json:"tokens,omitempty"`
}

// saltSize is how many bytes keep texts from being looked up in tables.
const saltSize = 16

// What receipts compute, in their domains.
const (
	promptDomain = "lode/inference/receipt/v1/prompt"
	answerDomain = "lode/inference/receipt/v1/answer"
	tokensDomain = "lode/inference/receipt/v1/tokens"
)

// canonical is an answer without white space, and without the tags around calls of tools:
// clients get calls as names and arguments, from which that can't be told. That a text is
// the model's to the letter its tokens show.
func canonical(answer string) string {
	return strings.NewReplacer("<tool_call>", "", "</tool_call>", "").Replace(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, answer))
}

// sealedTokens is what [Receipt].Tokens holds.
type sealedTokens struct {
	IDs      []int32   `json:"ids"`
	LogProbs []float64 `json:"logprobs"`
}

// seal fills in what depends on the conversation.
func (r *Receipt) seal(rand io.Reader, p engine.Prompt, answer string, tokens []Token) error {
	r.Salt = make([]byte, saltSize)
	if _, err := io.ReadFull(rand, r.Salt); err != nil {
		return err
	}
	prompt, err := json.Marshal(p)
	if err != nil {
		return err
	}
	answer = canonical(answer)
	r.PromptHash = r.hash(promptDomain, prompt)
	r.AnswerHash = r.hash(answerDomain, []byte(answer))
	if len(tokens) == 0 || tokens[0].ID < 0 {
		return nil
	}
	var plain sealedTokens
	for _, t := range tokens {
		plain.IDs, plain.LogProbs = append(plain.IDs, t.ID), append(plain.LogProbs, t.LogProb)
	}
	raw, err := json.Marshal(plain)
	if err != nil {
		return err
	}
	aead, nonce, err := r.cipher(prompt, answer)
	if err != nil {
		return err
	}
	r.Tokens = aead.Seal(nil, nonce, raw, []byte(r.ID))
	return nil
}

func (r *Receipt) hash(domain string, text []byte) []byte {
	h := sha256.New()
	h.Write([]byte(domain))
	h.Write(r.Salt)
	h.Write(text)
	return h.Sum(nil)
}

// cipher is for canonical answers. It seals the tokens once: its key is the salt's, which is new for each receipt, so
// the nonce may be.
func (r *Receipt) cipher(prompt []byte, answer string) (cipher.AEAD, []byte, error) {
	secret := append(append(bytes.Clone(prompt), 0), answer...)
	key, err := hkdf.Key(sha256.New, secret, r.Salt, tokensDomain, 32)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, nil, err
	}
	return aead, make([]byte, aead.NonceSize()), nil
}

// Errors of receipts and conversations that do not belong together.
var (
	errOtherPrompt = errors.New("the receipt is of another prompt")
	errOtherAnswer = errors.New("the receipt is of another answer")
	errNoTokens    = errors.New("the receipt has no tokens: the miner's engine can't tell them")
)

// ofPrompt says whether the receipt is of a prompt.
func (r *Receipt) ofPrompt(p engine.Prompt) (bool, error) {
	prompt, err := json.Marshal(p)
	return err == nil && bytes.Equal(r.hash(promptDomain, prompt), r.PromptHash), err
}

// open returns the answer's tokens to who has the conversation.
func (r *Receipt) open(p engine.Prompt, answer string) (sealedTokens, error) {
	var out sealedTokens
	answer = canonical(answer)
	prompt, err := json.Marshal(p)
	switch {
	case err != nil:
		return out, err
	case !bytes.Equal(r.hash(promptDomain, prompt), r.PromptHash):
		return out, errOtherPrompt
	case !bytes.Equal(r.hash(answerDomain, []byte(answer)), r.AnswerHash):
		return out, errOtherAnswer
	case len(r.Tokens) == 0:
		return out, errNoTokens
	}
	aead, nonce, err := r.cipher(prompt, answer)
	if err != nil {
		return out, err
	}
	raw, err := aead.Open(nil, nonce, r.Tokens, []byte(r.ID))
	if err != nil {
		return out, fmt.Errorf("the receipt was changed: %w", err)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return out, fmt.Errorf("the receipt's tokens: %w", err)
	}
	if len(out.IDs) != len(out.LogProbs) {
		return out, fmt.Errorf("the receipt has %d tokens and %d log-probabilities", len(out.IDs), len(out.LogProbs))
	}
	return out, nil
}
