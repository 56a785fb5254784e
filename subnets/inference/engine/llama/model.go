package llama

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ardanlabs/jinja"
	"github.com/hybridgroup/yzma/pkg/llama"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// model is a loaded file; nothing of it changes.
type model struct {
	handle   llama.Model
	vocab    llama.Vocab
	pieces   [][]byte // what each token stands for
	ends     []bool   // whether a token ends an answer
	control  []bool   // whether a token is a mark, not text
	bos      int32    // put before a text; −1: none
	template *jinja.Template
	bosText  string
	eosText  string
	digest   string
	name     string
}

// Digest returns the SHA-256 of a file in hexadecimal: what a model is known by.
func Digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, f, make([]byte, 1<<20)); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func openModel(o Options) (*model, error) {
	if err := checkFile(o.Model); err != nil {
		return nil, err
	}
	digest, err := Digest(o.Model)
	if err != nil {
		return nil, err
	}
	params := llama.ModelDefaultParams()
	params.NGpuLayers = int32(o.GPULayers)
	handle, err := llama.ModelLoadFromFile(o.Model, params)
	if err != nil {
		return nil, fmt.Errorf("llama.cpp %s can't load %s: it is damaged, or of a kind that this version does not know", Version, o.Model)
	}
	m := &model{handle: handle, vocab: llama.ModelGetVocab(handle), digest: digest, bos: -1}
	if err := m.read(o.Model); err != nil {
		return nil, errors.Join(err, llama.ModelFree(handle))
	}
	return m, nil
}

// checkFile refuses what llama.cpp need not see.
func checkFile(path string) error {
	if strings.ContainsRune(path, 0) {
		return fmt.Errorf("the model's path has a zero byte")
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("the model: %w", err)
	}
	defer f.Close()
	var magic [4]byte
	if _, err := io.ReadFull(f, magic[:]); err != nil || string(magic[:]) != "GGUF" {
		return fmt.Errorf("%s is not a GGUF file", path)
	}
	return nil
}

func (m *model) read(path string) error {
	if !llama.ModelHasDecoder(m.handle) || llama.ModelHasEncoder(m.handle) {
		return fmt.Errorf("%s is not a model that goes on with a text", path)
	}
	n := llama.VocabNTokens(m.vocab)
	if n <= 0 {
		return fmt.Errorf("%s has no vocabulary", path)
	}
	m.name = strings.TrimSuffix(filepath.Base(path), ".gguf")
	if name, ok := llama.ModelMetaValStr(m.handle, "general.name"); ok && name != "" {
		m.name = name
	}
	buf := make([]byte, 4096)
	for id := range n {
		token := llama.Token(id)
		size := llama.TokenToPiece(m.vocab, token, buf, 0, false)
		if size < 0 {
			buf = make([]byte, -size)
			size = llama.TokenToPiece(m.vocab, token, buf, 0, false)
		}
		m.pieces = append(m.pieces, append([]byte(nil), buf[:max(size, 0)]...))
		m.ends = append(m.ends, llama.VocabIsEOG(m.vocab, token))
		m.control = append(m.control, llama.VocabIsControl(m.vocab, token))
	}
	if bos := llama.VocabBOS(m.vocab); bos >= 0 {
		m.bosText = llama.VocabGetText(m.vocab, bos)
		if llama.VocabGetAddBOS(m.vocab) {
			m.bos = int32(bos)
		}
	}
	if eos := llama.VocabEOS(m.vocab); eos >= 0 {
		m.eosText = llama.VocabGetText(m.vocab, eos)
	}
	if source := llama.ModelChatTemplate(m.handle, ""); source != "" {
		t, err := jinja.Compile(source)
		if err != nil {
			return fmt.Errorf("the chat template of %s: %w", path, err)
		}
		m.template = t
	}
	return nil
}

func (m *model) free() error { return llama.ModelFree(m.handle) }

// tokens reads a prompt that passed its check.
func (m *model) tokens(p engine.Prompt) ([]int32, error) {
	text := p.Text
	switch {
	case len(p.Tokens) > 0:
		for _, id := range p.Tokens {
			if id < 0 || int(id) >= len(m.pieces) {
				return nil, fmt.Errorf("%w: there is no token %d, the vocabulary has %d", engine.ErrInvalid, id, len(m.pieces))
			}
		}
		return p.Tokens, nil
	case p.Chat != nil:
		var err error
		if text, err = m.render(p.Chat); err != nil {
			return nil, err
		}
	}
	if strings.ContainsRune(text, 0) {
		return nil, fmt.Errorf("%w: the prompt has a zero byte", engine.ErrInvalid)
	}
	all := llama.Tokenize(m.vocab, text, true, true)
	runtime.KeepAlive(text)
	if len(all) > 1 && int32(all[0]) == m.bos && all[1] == all[0] {
		all = all[1:] // the template begins with the mark that is put before all texts
	}
	out := make([]int32, len(all))
	for i, t := range all {
		out[i] = int32(t)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: the prompt is empty", engine.ErrInvalid)
	}
	return out, nil
}

// render writes a conversation as the model's template does.
func (m *model) render(c *engine.Chat) (string, error) {
	if m.template == nil {
		return "", fmt.Errorf("%w: the model has no chat template; ask with a text", engine.ErrUnsupported)
	}
	var messages []any
	for _, msg := range c.Messages {
		one := map[string]any{"role": msg.Role, "content": msg.Content}
		if msg.Name != "" {
			one["name"] = msg.Name
		}
		if msg.ToolCallID != "" {
			one["tool_call_id"] = msg.ToolCallID
		}
		var calls []any
		for _, call := range msg.ToolCalls {
			var arguments any = call.Function.Arguments
			var object map[string]any
			if json.Unmarshal([]byte(call.Function.Arguments), &object) == nil {
				arguments = object // what templates expect
			}
			calls = append(calls, map[string]any{"id": call.ID, "type": "function",
				"function": map[string]any{"name": call.Function.Name, "arguments": arguments}})
		}
		if calls != nil {
			one["tool_calls"] = calls
		}
		messages = append(messages, one)
	}
	vars := map[string]any{"messages": messages, "add_generation_prompt": true, "bos_token": m.bosText, "eos_token": m.eosText}
	if len(c.Tools) > 0 {
		var tools []any
		if err := json.Unmarshal(c.Tools, &tools); err != nil {
			return "", fmt.Errorf("%w: tools are not a list: %w", engine.ErrInvalid, err)
		}
		if len(tools) > 0 {
			vars["tools"] = tools
		}
	}
	text, err := m.template.Render(vars)
	if err != nil {
		return "", fmt.Errorf("%w: the model's chat template does not take these messages: %w", engine.ErrInvalid, err)
	}
	return text, nil
}

// token describes a token of an answer.
func (m *model) token(id int32, p engine.LogProbs, top int) engine.Token {
	t := engine.Token{ID: id, Bytes: m.pieces[id], LogProb: p.Of(id)}
	for _, alt := range p.Top(top) {
		t.Top = append(t.Top, engine.Alternative{ID: alt, Bytes: m.pieces[alt], LogProb: p.Of(alt)})
	}
	return t
}

var _ engine.Engine = (*Engine)(nil)

// Tokens is described at [engine.Engine].
func (e *Engine) Tokens(_ context.Context, p engine.Prompt) ([]int32, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	return e.prompt(p)
}

func (e *Engine) prompt(p engine.Prompt) ([]int32, error) {
	e.use.RLock()
	defer e.use.RUnlock()
	if e.freed {
		return nil, engine.ErrClosed
	}
	tokens, err := e.model.tokens(p)
	if err == nil && len(tokens) >= e.info.Context {
		err = &engine.TooLongError{Tokens: len(tokens), Context: e.info.Context}
	}
	return tokens, err
}
