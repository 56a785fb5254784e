package inference

import "time"

// WithWriteTime sets how long a caller may take for a piece.
func (c MinerConfig) WithWriteTime(d time.Duration) MinerConfig {
	c.writeTime = d
	return c
}
