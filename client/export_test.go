package client

import "context"

// AccountNumbers are an account's number and sequence.
func AccountNumbers(ctx context.Context, c *Client, address string) (number, sequence uint64, err error) {
	return c.account(ctx, address)
}
