package api

import "time"

// modelShape is a model in a shape that OpenAI's and Anthropic's clients both read, with
// what Lode has to say of it.
type modelShape struct {
	ID          string `json:"id"`
	Object      string `json:"object"`
	Type        string `json:"type"`
	Created     int64  `json:"created"`
	CreatedAt   string `json:"created_at"`
	OwnedBy     string `json:"owned_by"`
	DisplayName string `json:"display_name"`

	Context int        `json:"context_length"`
	Tier    string     `json:"tier"`
	Digest  string     `json:"digest,omitempty"`
	Price   modelPrice `json:"price"`
}

type modelPrice struct {
	Input  uint64 `json:"input"`
	Output uint64 `json:"output"`
	Unit   string `json:"unit"`
}

func (m Model) shape() modelShape {
	return modelShape{
		ID: m.ID, Object: "model", Type: "model", DisplayName: m.ID, OwnedBy: m.Owner,
		Created: m.Created.Unix(), CreatedAt: m.Created.UTC().Format(time.RFC3339),
		Context: m.Context, Tier: m.Tier, Digest: m.Digest,
		Price: modelPrice{m.InputPrice, m.OutputPrice, "rao per million tokens"},
	}
}

// models serves /v1/models.
func (x *exchange) models() error {
	list, err := x.b.Models(x.ctx)
	if err != nil {
		return err
	}
	all := struct {
		Object  string       `json:"object"`
		Data    []modelShape `json:"data"`
		HasMore bool         `json:"has_more"`
		FirstID *string      `json:"first_id"`
		LastID  *string      `json:"last_id"`
	}{Object: "list", Data: make([]modelShape, len(list))}
	for i, m := range list {
		all.Data[i] = m.shape()
	}
	if n := len(list); n > 0 {
		all.FirstID, all.LastID = &list[0].ID, &list[n-1].ID
	}
	return x.json(200, all)
}

// model serves /v1/models/ID.
func (x *exchange) model() error {
	list, err := x.b.Models(x.ctx)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.ID == x.r.PathValue("id") {
			return x.json(200, m.shape())
		}
	}
	return &Error{Kind: UnknownModel, Message: "there is no such model: GET /v1/models lists those that are served"}
}
