package localnet

// Inference says what the subnet of language models runs.
type Inference struct {
	// Model is the GGUF file that the honest miners and the validators run, and Cheat the
	// one that a third miner runs in its place; empty: that one is honest, too.
	Model, Cheat string
}
