package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// maxDimensions bounds a vector, and maxEmbedding what a server sends of it, in bytes.
const (
	maxDimensions = 1 << 16
	maxEmbedding  = 4 << 20
)

// Embed is described at [engine.Engine]. Whatever length the server's vector has, this
// one's is 1.
func (e *Engine) Embed(ctx context.Context, p engine.Prompt) (engine.Embedding, error) {
	var none engine.Embedding
	if err := p.Check(); err != nil {
		return none, err
	}
	switch {
	case e.options.Dimensions == 0:
		return none, fmt.Errorf("%w: the server is not known to embed", engine.ErrUnsupported)
	case p.Chat != nil || len(p.Tokens) > 0:
		return none, fmt.Errorf("%w: a server embeds texts, not chats or tokens", engine.ErrUnsupported)
	}
	body, err := json.Marshal(map[string]string{"model": e.options.Model, "input": p.Text, "encoding_format": "float"})
	if err != nil {
		return none, err
	}
	ctx, done, err := e.begin(ctx)
	if err != nil {
		return none, err
	}
	defer done()
	resp, err := e.post(ctx, "/embeddings", "application/json", body)
	if err != nil {
		return none, orCause(ctx, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxEmbedding+1))
	if err != nil {
		return none, orCause(ctx, fmt.Errorf("%w (%w)", engine.ErrGone, err))
	}
	return e.embedding(raw)
}

// embedding reads a server's answer.
func (e *Engine) embedding(raw []byte) (engine.Embedding, error) {
	var said struct {
		Data []struct {
			Embedding []float64 `json:"embedding"`
		} `json:"data"`
		Usage struct {
			Prompt int `json:"prompt_tokens"`
		} `json:"usage"`
	}
	if len(raw) > maxEmbedding || json.Unmarshal(raw, &said) != nil || len(said.Data) != 1 || said.Usage.Prompt < 0 {
		return engine.Embedding{}, fmt.Errorf("%w (the server sends no embedding)", engine.ErrGone)
	}
	v := said.Data[0].Embedding
	if len(v) != e.options.Dimensions {
		return engine.Embedding{}, fmt.Errorf("the server's embeddings have %d dimensions, it is set up for %d: correct that", len(v), e.options.Dimensions)
	}
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	length := math.Sqrt(sum)
	if length == 0 || math.IsInf(length, 0) {
		return engine.Embedding{}, fmt.Errorf("%w (the server's embedding has no direction)", engine.ErrGone)
	}
	out := engine.Embedding{Vector: make([]float32, len(v)), Tokens: said.Usage.Prompt}
	for i, x := range v {
		out.Vector[i] = float32(x / length)
	}
	return out, nil
}
