package inference

import _ "embed"

// lode-mini is a language model of six million weights that Lode brings along for
// demonstrations and tests. It is tiny: nothing that it says can be trusted.
var (
	//go:embed testdata/models/lode-mini-Q8_0.gguf
	lodeMiniQ8 []byte
	//go:embed testdata/models/lode-mini-Q4_0.gguf
	lodeMiniQ4 []byte
)

// DemoModel is a file of lode-mini, to be written where an engine can read it.
type DemoModel struct {
	File string // its name
	Data []byte // not to be changed
}

// Demo is lode-mini as honest miners run it, and DemoCheat the same at half the bits, as
// one runs it who sells less than he says.
var (
	Demo      = DemoModel{"lode-mini-Q8_0.gguf", lodeMiniQ8}
	DemoCheat = DemoModel{"lode-mini-Q4_0.gguf", lodeMiniQ4}
)
