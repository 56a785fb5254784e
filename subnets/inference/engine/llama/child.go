package llama

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/child"
)

// Start runs the engine in a child process: this program, called with the argument
// engine-child, which must call [ChildMain]. A nil log is slog's default.
func Start(ctx context.Context, o Options, log *slog.Logger) (*child.Client, error) {
	if err := checkFile(o.Model); err != nil {
		return nil, err
	}
	start, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	return child.Start(ctx, child.Options{Start: start, Log: log})
}

// ChildMain serves the parent of this process until it goes.
func ChildMain() error {
	return child.Main(func(start json.RawMessage) (engine.Engine, error) {
		var o Options
		if err := json.Unmarshal(start, &o); err != nil {
			return nil, err
		}
		return Load(o)
	})
}
