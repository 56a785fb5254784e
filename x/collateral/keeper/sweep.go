package keeper

import (
	"context"

	"cosmossdk.io/collections"
)

// keysOf is what a map's and a set's iterators have in common.
type keysOf[K any] interface {
	Valid() bool
	Key() (K, error)
	Next()
	Close() error
}

// sweepKeys deletes the first keys of a range, at most so many, and returns how many.
func sweepKeys[K any, I keysOf[K]](
	ctx context.Context, iterate func(context.Context, collections.Ranger[K]) (I, error), remove func(context.Context, K) error,
	in collections.Ranger[K], most int,
) (int, error) {
	keys, err := firstKeys(ctx, iterate, in, most)
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

// firstKeys reads them before any is deleted: the store must not change below an
// iterator.
func firstKeys[K any, I keysOf[K]](ctx context.Context, iterate func(context.Context, collections.Ranger[K]) (I, error), in collections.Ranger[K], most int) ([]K, error) {
	if most <= 0 {
		return nil, nil
	}
	it, err := iterate(ctx, in)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	var keys []K
	for ; it.Valid() && len(keys) < most; it.Next() {
		key, err := it.Key()
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}
