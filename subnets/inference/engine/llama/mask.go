package llama

import (
	"fmt"
	"math"
	"runtime"

	"github.com/hybridgroup/yzma/pkg/llama"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// mask follows a grammar with llama.cpp.
type mask struct {
	model   *model
	sampler llama.Sampler
	one     []llama.TokenData
	all     []llama.TokenData
}

func (m *model) mask(g engine.Grammar) (*mask, error) {
	if g.IsZero() {
		return nil, nil
	}
	rules, err := g.Rules()
	if err != nil {
		return nil, err
	}
	s := llama.SamplerInitGrammar(m.vocab, rules, "root")
	if s == 0 {
		return nil, fmt.Errorf("%w: llama.cpp does not take it", engine.ErrGrammar)
	}
	return &mask{model: m, sampler: s, one: make([]llama.TokenData, 1)}, nil
}

// mask reads the model, which must not be freed meanwhile.
func (e *Engine) mask(g engine.Grammar) (*mask, error) {
	e.use.RLock()
	defer e.use.RUnlock()
	if e.freed {
		return nil, engine.ErrClosed
	}
	return e.model.mask(g)
}

func (k *mask) free() {
	if k != nil && k.sampler != 0 {
		llama.SamplerFree(k.sampler)
		k.sampler = 0
	}
}

// shut reports whether a token is a mark, which a grammar takes for the text of its name.
func (k *mask) shut(id int32) bool { return k.model.control[id] && !k.model.ends[id] }

func (k *mask) apply(data []llama.TokenData) {
	array := &llama.TokenDataArray{Data: &data[0], Size: uint64(len(data)), Selected: -1}
	llama.SamplerApply(k.sampler, array)
	runtime.KeepAlive(data)
}

// Allows is described at [engine.Mask].
func (k *mask) Allows(id int32) bool {
	if k.shut(id) {
		return false
	}
	k.one[0] = llama.TokenData{Id: llama.Token(id)}
	k.apply(k.one)
	return !math.IsInf(float64(k.one[0].Logit), -1)
}

// Forbid is described at [engine.Mask].
func (k *mask) Forbid(logits []float32) {
	k.all = k.all[:0]
	for i := range logits {
		k.all = append(k.all, llama.TokenData{Id: llama.Token(i)})
	}
	k.apply(k.all)
	for i, d := range k.all {
		if math.IsInf(float64(d.Logit), -1) || k.shut(int32(i)) {
			logits[i] = float32(math.Inf(-1))
		}
	}
}

// accept moves on by a token that is allowed; llama.cpp ends the process for others.
func (k *mask) accept(id int32) {
	if !k.model.ends[id] {
		llama.SamplerAccept(k.sampler, llama.Token(id))
	}
}
