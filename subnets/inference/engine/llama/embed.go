package llama

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/hybridgroup/yzma/pkg/llama"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// embedContext is the longest prompt that is embedded: it is read in one piece.
const embedContext = 2048

// embedder has a context of its own, made when it is first needed. One embeds at a time.
type embedder struct {
	turn  chan struct{} // holds the turn's token while somebody embeds
	ctx   llama.Context
	batch llama.Batch
}

func newEmbedder() *embedder { return &embedder{turn: make(chan struct{}, 1)} }

// enter waits for a turn. It fails when the caller leaves or the engine ends, as done
// tells.
func (b *embedder) enter(ctx context.Context, done <-chan struct{}) error {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-done:
		return engine.ErrClosed
	}
	// Of several that were ready, select takes any.
	select {
	case <-done:
		b.leave()
		return engine.ErrClosed
	default:
	}
	if ctx.Err() != nil {
		b.leave()
		return context.Cause(ctx)
	}
	return nil
}

func (b *embedder) leave() { <-b.turn }

// Embed is described at [engine.Engine]. The vector is the mean of the prompt's tokens,
// or what the model says is to be taken.
func (e *Engine) Embed(ctx context.Context, p engine.Prompt) (engine.Embedding, error) {
	var none engine.Embedding
	if err := p.Check(); err != nil {
		return none, err
	}
	tokens, err := e.prompt(p)
	if err != nil {
		return none, err
	}
	most := min(e.info.Context, embedContext)
	if len(tokens) > most {
		return none, &engine.TooLongError{Tokens: len(tokens), Context: most}
	}
	e.use.RLock()
	defer e.use.RUnlock()
	if e.freed {
		return none, engine.ErrClosed
	}
	b := e.embedder
	if err := b.enter(ctx, e.done); err != nil {
		if errors.Is(err, engine.ErrClosed) {
			e.mu.Lock()
			defer e.mu.Unlock()
			err = e.ended // it may have failed instead
		}
		return none, err
	}
	defer b.leave()
	if b.ctx == 0 {
		if err := b.open(e.model, most, e.info.Threads); err != nil {
			return none, err
		}
	}
	v, err := b.embed(tokens, e.info.Dimensions)
	return engine.Embedding{Vector: v, Tokens: len(tokens)}, err
}

func (b *embedder) open(m *model, most, threads int) error {
	p := llama.ContextDefaultParams()
	p.NCtx, p.NBatch, p.NUbatch, p.NSeqMax = uint32(most), uint32(most), uint32(most), 1
	p.NThreads, p.NThreadsBatch = int32(threads), int32(threads)
	p.Embeddings = 1
	p.NoPerf = 1
	ctx, err := llama.InitFromModel(m.handle, p)
	if err == nil && llama.GetPoolingType(ctx) == llama.PoolingTypeNone {
		if err = llama.Free(ctx); err == nil {
			p.PoolingType = llama.PoolingTypeMean
			ctx, err = llama.InitFromModel(m.handle, p)
		}
	}
	if err != nil {
		return fmt.Errorf("%w: llama.cpp can't embed with this model", engine.ErrUnsupported)
	}
	b.ctx, b.batch = ctx, llama.BatchInit(int32(most), 0, 1)
	return nil
}

func (b *embedder) embed(tokens []int32, dimensions int) ([]float32, error) {
	memory, err := llama.GetMemory(b.ctx)
	if err != nil {
		return nil, err
	}
	if memory != 0 {
		if err := llama.MemoryClear(memory, false); err != nil {
			return nil, err
		}
	}
	if err := b.batch.Clear(); err != nil {
		return nil, err
	}
	for i, t := range tokens {
		if err := b.batch.Add(llama.Token(t), llama.Pos(i), []llama.SeqId{0}, true); err != nil {
			return nil, err
		}
	}
	if code, err := llama.Decode(b.ctx, b.batch); err != nil || code != 0 {
		return nil, fmt.Errorf("%w (llama.cpp's decode says %d)", engine.ErrGone, code)
	}
	v, err := llama.GetEmbeddingsSeq(b.ctx, 0, int32(dimensions))
	if err != nil || v == nil {
		return nil, fmt.Errorf("%w: llama.cpp has no embedding of it", engine.ErrUnsupported)
	}
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	if !(square > 0) || math.IsInf(square, 0) {
		return nil, fmt.Errorf("%w: the model gives it no place", engine.ErrUnsupported)
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(float64(x) / math.Sqrt(square))
	}
	return out, nil
}

// close gives the memory back. Nobody may embed any more.
func (b *embedder) close() error {
	if b.ctx == 0 {
		return nil
	}
	err := llama.BatchFree(b.batch)
	if e := llama.Free(b.ctx); err == nil {
		err = e
	}
	b.ctx = 0
	return err
}
