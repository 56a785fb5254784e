// Package guarded has what modules need for work at a block's end that must neither
// stop the chain nor grow without bound (protocol.md §7, "A bad subnet can't stop the
// chain"; §3, "Full house").
package guarded

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// maxReason bounds what an event tells of a failure, in bytes.
const maxReason = 500

// Attempt runs f on a cached store. Where f fails or panics nothing of it stays, no
// write and no event, and Attempt returns why. module is named in the log of a panic.
func Attempt[T any](ctx context.Context, module string, f func(ctx context.Context) (T, error)) (v T, err error) {
	c := sdk.UnwrapSDKContext(ctx)
	cached, write := c.CacheContext()
	defer func() {
		if r := recover(); r != nil {
			var none T
			v, err = none, recovered(ctx, module, r)
		}
	}()
	if v, err = f(cached); err != nil {
		var none T
		return none, err
	}
	write()
	return v, nil
}

// Do is Attempt for what returns nothing.
func Do(ctx context.Context, module string, f func(ctx context.Context) error) error {
	_, err := Attempt(ctx, module, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) })
	return err
}

// Read is Do for what writes nothing: it needs no store of its own.
func Read(ctx context.Context, module string, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = recovered(ctx, module, r)
		}
	}()
	return f()
}

// recovered is a panic as an error; the log has where it was.
func recovered(ctx context.Context, module string, r any) error {
	sdk.UnwrapSDKContext(ctx).Logger().Error("recovered", "module", module, "panic", r, "stack", string(debug.Stack()))
	return fmt.Errorf("panic: %v", r)
}

// Reason is an error as an event holds it: valid UTF-8, bounded.
func Reason(err error) string {
	s := err.Error()
	if len(s) > maxReason {
		s = s[:maxReason] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}

// iterator is what a map's and a set's have in common.
type iterator[K any] interface {
	Valid() bool
	Key() (K, error)
	Next()
	Close() error
}

// Sweep deletes the first keys of a range, at most so many, and returns how many:
// fewer than most means that nothing is left.
func Sweep[K any, I iterator[K]](
	ctx context.Context, iterate func(context.Context, collections.Ranger[K]) (I, error), remove func(context.Context, K) error,
	in collections.Ranger[K], most int,
) (int, error) {
	keys, err := FirstKeys(ctx, iterate, in, most)
	if err != nil {
		return 0, err
	}
	for _, key := range keys {
		if err := remove(ctx, key); err != nil {
			return 0, err
		}
	}
	return len(keys), nil
}

// FirstKeys reads the first keys of a range, at most so many, before any is deleted:
// the store must not change below an iterator.
func FirstKeys[K any, I iterator[K]](ctx context.Context, iterate func(context.Context, collections.Ranger[K]) (I, error), in collections.Ranger[K], most int) (keys []K, err error) {
	if most <= 0 {
		return nil, nil
	}
	it, err := iterate(ctx, in)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for ; it.Valid() && len(keys) < most; it.Next() {
		key, err := it.Key()
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}
