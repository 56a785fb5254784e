package pay

// WithHook makes a gateway tell of each step before and after it is written.
func (c GatewayConfig) WithHook(hook func(when, step string)) GatewayConfig {
	c.hook = hook
	return c
}

// WithHook makes a client tell of each step before and after it is written.
func (c ClientConfig) WithHook(hook func(when, step string)) ClientConfig {
	c.hook = hook
	return c
}
