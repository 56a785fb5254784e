package api

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

type embedRequest struct {
	Model      string          `json:"model"`
	Input      json.RawMessage `json:"input"`
	Encoding   string          `json:"encoding_format"`
	Dimensions *int            `json:"dimensions"`
}

type embedding struct {
	Object string `json:"object"`
	Index  int    `json:"index"`
	Vector any    `json:"embedding"`
}

// embed serves /v1/embeddings.
func (x *exchange) embed() error {
	x.prompt, x.schema = "input", ""
	var e embedRequest
	if err := decode(x.body, &e); err != nil {
		return err
	}
	if _, err := (sampling{Model: e.Model}).request(x, 2); err != nil {
		return err
	}
	inputs, err := texts(e.Input, "input", maxInputs)
	if err != nil {
		return err
	}
	for i, s := range inputs {
		if s == "" {
			return bad(fmt.Sprintf("input[%d]", i), "is empty")
		}
	}
	switch {
	case e.Encoding != "" && e.Encoding != "float" && e.Encoding != "base64":
		return bad("encoding_format", "must be float or base64")
	case e.Dimensions != nil:
		return bad("dimensions", "is not supported: leave it out")
	}
	got, err := x.b.Embed(x.ctx, e.Model, inputs)
	if err != nil {
		return err
	}
	if len(got.Vectors) != len(inputs) {
		return errors.New("not a vector for each input")
	}
	list := make([]embedding, len(inputs))
	for i, v := range got.Vectors {
		list[i] = embedding{"embedding", i, v}
		if e.Encoding == "base64" {
			raw := make([]byte, 0, 4*len(v))
			for _, f := range v {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
			}
			list[i].Vector = base64.StdEncoding.EncodeToString(raw)
		}
	}
	type usage struct {
		Prompt int `json:"prompt_tokens"`
		Total  int `json:"total_tokens"`
	}
	return x.json(200, struct {
		Object string      `json:"object"`
		Data   []embedding `json:"data"`
		Model  string      `json:"model"`
		Usage  usage       `json:"usage"`
	}{"list", list, e.Model, usage{got.Tokens, got.Tokens}})
}
