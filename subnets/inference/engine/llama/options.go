package llama

import "fmt"

// Options says what to run and with how much of the machine.
type Options struct {
	Model     string `json:"model"`                // path of a GGUF file
	Libraries string `json:"libraries,omitempty"`  // their folder; empty: [Libraries]
	Variant   string `json:"variant,omitempty"`    // CPU variant, as [Variants] lists; empty: the best
	Threads   int    `json:"threads,omitempty"`    // 0: what is fastest, by trial
	Context   int    `json:"context,omitempty"`    // tokens of a request's prompt and answer; 0: the model's, but at most 4096
	Slots     int    `json:"slots,omitempty"`      // requests at once; 0: 4
	Queue     int    `json:"queue,omitempty"`      // requests that wait; 0: 256
	Batch     int    `json:"batch,omitempty"`      // tokens of a step; 0: 512
	GPULayers int    `json:"gpu_layers,omitempty"` // layers on a GPU, by the libraries of `make engine-cuda`; −1: all
}

func (o *Options) fill() error {
	if o.Model == "" {
		return fmt.Errorf("no model: name a GGUF file")
	}
	if o.Libraries == "" {
		dir, err := Libraries(o.GPULayers)
		if err != nil {
			return err
		}
		o.Libraries = dir
	}
	for _, d := range []struct {
		name       string
		value      *int
		none, most int
	}{
		{"threads", &o.Threads, 0, 512}, {"context", &o.Context, 0, 1 << 20}, {"slots", &o.Slots, 4, 256},
		{"queue", &o.Queue, 256, 1 << 16}, {"batch", &o.Batch, 512, 1 << 14},
	} {
		if *d.value < 0 || *d.value > d.most {
			return fmt.Errorf("%s is %d, the bounds are 0 and %d", d.name, *d.value, d.most)
		}
		if *d.value == 0 {
			*d.value = d.none
		}
	}
	o.Batch = max(o.Batch, o.Slots, 32)
	return nil
}
