package client

import "context"

// AccountNumbers are an account's number and sequence.
func AccountNumbers(ctx context.Context, c *Client, address string) (number, sequence uint64, err error) {
	return c.account(ctx, address)
}

// Changes are what a node's answer to a trial says of balances.
func Changes(raw []byte) ([]Change, error) {
	s, err := parseSimulated(raw)
	if err != nil {
		return nil, err
	}
	return s.changes(), nil
}
