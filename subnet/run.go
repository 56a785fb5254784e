package subnet

import "context"

// RunMiner runs a miner until ctx ends. It returns nil then, or the reason why it could
// not start.
func RunMiner(ctx context.Context, cfg MinerConfig) error {
	n, err := NewMinerNode(cfg)
	if err != nil {
		return err
	}
	return n.Run(ctx)
}

// RunValidator runs a validator until ctx ends. It returns nil then, or the reason why
// it could not start.
func RunValidator(ctx context.Context, cfg ValidatorConfig) error {
	n, err := NewValidatorNode(cfg)
	if err != nil {
		return err
	}
	return n.Run(ctx)
}
