package inference

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/pflag"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
	"github.com/lodenet/lode/subnets/inference/engine/remote"
)

// MineOptions are the flags of `lode mine inference`.
type MineOptions struct {
	Model  string // a file, a name or a digest; with URL: its name there
	URL    string
	KeyEnv string // environment variable
	Price  string // TAO; empty or 0: everything is free

	Schemas    bool
	Dimensions int

	Slots, Queue, Threads, Context, GPULayers int

	Requests, PerCaller int
}

// Bind adds the flags.
func (o *MineOptions) Bind(f *pflag.FlagSet) {
	f.StringVar(&o.Model, "model", o.Model, "the model: a GGUF file, or a name or digest of the library (see lode model list); with --url its name on the server")
	f.StringVar(&o.URL, "url", o.URL, "an OpenAI-compatible server, up to and with /v1, in place of a model's file: unverified")
	f.StringVar(&o.KeyEnv, "api-key-env", o.KeyEnv, "environment variable that has the server's key")
	f.StringVar(&o.Price, "price", o.Price, "TAO for a million tokens of answers, four of a prompt counting as one; the service is listed by itself (default: they are free)")
	f.IntVar(&o.Slots, "slots", 0, "requests that are worked on at once (default: 4)")
	f.IntVar(&o.Queue, "queue", 0, "requests that wait for a slot; more are refused (default: 64)")
	f.IntVar(&o.Threads, "threads", 0, "threads of the processor (default: what is fastest, by trial)")
	f.IntVar(&o.Context, "context", 0, "tokens of prompt and answer together (default: the model's, up to 4096; of a server unknown)")
	f.IntVar(&o.GPULayers, "gpu-layers", 0, "layers on a GPU, by the libraries of 'make engine-cuda'; -1: all")
	f.IntVar(&o.Requests, "requests", 0, "most requests that are accepted and not yet answered (default: 1024)")
	f.IntVar(&o.PerCaller, "requests-per-caller", 0, "most of them from one caller (default: 448)")
	f.BoolVar(&o.Schemas, "schemas", o.Schemas, "the server of --url keeps to JSON schemas (response_format)")
	f.IntVar(&o.Dimensions, "dimensions", 0, "dimensions of the embeddings of the server of --url (default: it is asked for none)")
}

// Rao is the price of a million units in rao; 0: everything is free.
func (o MineOptions) Rao() (uint64, error) {
	if o.Price == "" {
		return 0, nil
	}
	rao, err := client.ParseTAO(o.Price)
	if err != nil {
		return 0, fmt.Errorf("--price: %w", err)
	}
	return rao, nil
}

// Check refuses flags that can't be.
func (o MineOptions) Check() error {
	switch {
	case o.Model == "" && o.URL == "":
		return fmt.Errorf("say what to run: --model FILE.gguf, or --url of a server with its --model")
	case o.Model == "":
		return fmt.Errorf("--url needs --model, too: the model's name on the server")
	case o.KeyEnv != "" && o.URL == "":
		return fmt.Errorf("--api-key-env is for --url")
	case o.KeyEnv != "" && os.Getenv(o.KeyEnv) == "":
		return fmt.Errorf("--api-key-env %s: there is nothing in it", o.KeyEnv)
	case o.GPULayers < -1 || o.GPULayers > 1024:
		return fmt.Errorf("--gpu-layers %d: between -1 and 1024", o.GPULayers)
	}
	for _, d := range []struct {
		flag        string
		value, most int
		engine      int // 1: of a model's file; 2: of a server; 0: of both
	}{
		{"--slots", o.Slots, 256, 1}, {"--queue", o.Queue, 1 << 16, 1}, {"--threads", o.Threads, 512, 1}, {"--gpu-layers", max(o.GPULayers, 0), 1024, 1},
		{"--context", o.Context, 1 << 20, 0},
		{"--requests", o.Requests, 4096, 0}, {"--requests-per-caller", o.PerCaller, 512, 0},
		{"--dimensions", o.Dimensions, 1 << 16, 2},
	} {
		switch {
		case d.value < 0 || d.value > d.most:
			return fmt.Errorf("%s %d: between 1 and %d", d.flag, d.value, d.most)
		case d.engine == 1 && o.URL != "" && (d.value != 0 || d.flag == "--gpu-layers" && o.GPULayers != 0):
			return fmt.Errorf("%s is for a model's file: the server of --url has its own settings", d.flag)
		case d.engine == 2 && o.URL == "" && d.value != 0:
			return fmt.Errorf("%s is for --url", d.flag)
		}
	}
	if o.Schemas && o.URL == "" {
		return fmt.Errorf("--schemas is for --url: with a model's file they are kept anyway")
	}
	_, err := o.Rao()
	return err
}

// Llama are the options of the engine that runs the model in a file.
func (o MineOptions) Llama(file string) llama.Options {
	queue := o.Queue
	if queue == 0 {
		queue = 64
	}
	return llama.Options{Model: file, Threads: o.Threads, Context: o.Context, Slots: o.Slots, Queue: queue, GPULayers: o.GPULayers}
}

// Remote makes the engine that asks the server of --url.
func (o MineOptions) Remote() (*remote.Engine, error) {
	key := ""
	if o.KeyEnv != "" {
		key = os.Getenv(o.KeyEnv)
	}
	return remote.New(remote.Options{URL: o.URL, Model: o.Model, Key: key, Schemas: o.Schemas, Context: o.Context, Dimensions: o.Dimensions})
}

// Miner makes the miner over an engine. Run a seller ([Listing]) beside one with a price.
func (o MineOptions) Miner(e engine.Engine, log *slog.Logger) (*Miner, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	price, err := o.Rao()
	if err != nil {
		return nil, err
	}
	cfg := MinerConfig{Engine: e, Price: price, Open: o.Requests, PerCaller: o.PerCaller, Logger: log}
	if o.URL != "" {
		info := e.Info()
		info.Backend = "a server by URL" // where it is concerns nobody
		cfg.Claim = &info
	}
	return NewMiner(cfg)
}
