package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// each calls f with one node after the other until one answers, beginning with the one
// that did last. Every node gets Config.Timeout. With current it must belong to the
// chain and not be catching up; without, only belong to the chain.
func (c *Client) each(ctx context.Context, current bool, f func(context.Context, *node) error) error {
	c.mu.Lock()
	first := c.current
	c.mu.Unlock()
	var failures nodesError
	for i := range c.nodes {
		at := (first + i) % len(c.nodes)
		n := c.nodes[at]
		err := c.check(ctx, n, current)
		if err == nil {
			callCtx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
			err = f(callCtx, n)
			cancel()
		}
		retry, err := n.answer(err)
		if !retry {
			c.worked(at)
			return err
		}
		switch cause := ctx.Err(); { // the caller's time is up, not the node's
		case cause == context.Canceled:
			return cause
		case cause != nil && errors.Is(err, cause):
			return err
		case cause != nil:
			return fmt.Errorf("%w: %w", cause, err)
		}
		c.forget(n)
		failures = append(failures, err)
	}
	var err error = failures
	if len(failures) == 1 {
		err = failures[0]
	}
	if !errors.Is(err, errNoResults) { // it is there, and can't tell
		c.failed(err)
	}
	return err
}

// check asks a node who it is, unless it was asked a moment ago.
func (c *Client) check(ctx context.Context, n *node, current bool) error {
	c.mu.Lock()
	checked, last, lastErr := n.checked, n.last, n.lastErr
	c.mu.Unlock()
	if time.Since(checked) > checkAge || lastErr != nil || current && last.CatchingUp {
		var err error
		if last, err = c.checkNow(ctx, n); err != nil {
			return err
		}
	}
	if current && last.CatchingUp {
		return fmt.Errorf("%w: %s is still catching up, at block %d of %s", ErrBehind, n.name, last.Height, last.Time.UTC().Format(time.DateTime))
	}
	return nil
}

// checkNow asks a node who it is; those who ask at once share an answer.
func (c *Client) checkNow(ctx context.Context, n *node) (Status, error) {
	done := c.checks.DoChan(n.url, func() (any, error) {
		callCtx, cancel := context.WithTimeout(context.Background(), c.cfg.Timeout)
		defer cancel()
		s, err := n.status(callCtx)
		c.mu.Lock()
		defer c.mu.Unlock()
		if err == nil {
			if c.chainID == "" {
				c.chainID = s.ChainID
			}
			if s.ChainID != c.chainID {
				err = fmt.Errorf("%w: %s belongs to %q, this client to %q", ErrWrongNetwork, n.name, s.ChainID, c.chainID)
			}
		}
		n.checked, n.last, n.lastErr = time.Now(), s, err
		return s, err
	})
	select {
	case r := <-done:
		s, _ := r.Val.(Status)
		return s, r.Err
	case <-ctx.Done():
		return Status{}, ctx.Err()
	}
}

// forget makes a node be checked before it is used again: who answers at its address
// later may be another.
func (c *Client) forget(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n.checked = time.Time{}
}

// worked remembers the node that answered, and says so if the client was without one.
func (c *Client) worked(at int) {
	c.mu.Lock()
	was, moved := c.down, c.current != at
	c.down, c.current = false, at
	c.mu.Unlock()
	switch {
	case was:
		c.log.Info("the chain can be reached again", "node", c.nodes[at].name)
	case moved:
		c.log.Warn("using another node", "node", c.nodes[at].name)
	}
}

// leave makes another node than this the first to be asked.
func (c *Client) leave(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes[c.current].name == name {
		c.current = (c.current + 1) % len(c.nodes)
	}
}

func (c *Client) failed(err error) {
	c.mu.Lock()
	was := c.down
	c.down = true
	c.mu.Unlock()
	if !was {
		c.log.Warn("the chain can't be reached; trying again", "err", err)
	}
}

// nodesError is what several nodes failed with.
type nodesError []error

func (e nodesError) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (e nodesError) Unwrap() []error { return e }
