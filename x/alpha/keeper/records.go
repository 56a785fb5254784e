package keeper

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/lodenet/lode/x/alpha/pool"
)

// Stake pools and positions are what an epoch changes by the thousand. So they are kept
// without what their keys say, and shares as bytes: as messages with decimal text and
// addresses they were six times as large, and a tenth of the block's time went into the
// text. Genesis has them as types.StakePool and types.Position.

var errGenesis = errors.New("stake pools and positions are written to JSON by genesis alone")

// stakePoolCodec keeps a stake pool as its alpha, 8 bytes big-endian, then its shares.
type stakePoolCodec struct{}

// Encode implements codec.ValueCodec.
func (stakePoolCodec) Encode(s pool.SharePool) ([]byte, error) {
	return appendShares(binary.BigEndian.AppendUint64(make([]byte, 0, 24), s.Alpha), s.Shares)
}

// Decode implements codec.ValueCodec.
func (stakePoolCodec) Decode(raw []byte) (s pool.SharePool, err error) {
	if len(raw) < 8 {
		return s, fmt.Errorf("a stake pool of %d bytes: alpha alone has 8", len(raw))
	}
	s.Alpha = binary.BigEndian.Uint64(raw)
	s.Shares, err = readShares(raw[8:])
	return s, err
}

// EncodeJSON implements codec.ValueCodec.
func (stakePoolCodec) EncodeJSON(pool.SharePool) ([]byte, error) { return nil, errGenesis }

// DecodeJSON implements codec.ValueCodec.
func (stakePoolCodec) DecodeJSON([]byte) (pool.SharePool, error) {
	return pool.SharePool{}, errGenesis
}

// Stringify implements codec.ValueCodec.
func (stakePoolCodec) Stringify(s pool.SharePool) string {
	return fmt.Sprintf("%d alpha units, %s shares", s.Alpha, s.Shares)
}

// ValueType implements codec.ValueCodec.
func (stakePoolCodec) ValueType() string { return "stake pool" }

// sharesCodec keeps a position as its shares.
type sharesCodec struct{}

// Encode implements codec.ValueCodec.
func (sharesCodec) Encode(shares *big.Int) ([]byte, error) { return appendShares(nil, shares) }

// Decode implements codec.ValueCodec.
func (sharesCodec) Decode(raw []byte) (*big.Int, error) { return readShares(raw) }

// EncodeJSON implements codec.ValueCodec.
func (sharesCodec) EncodeJSON(*big.Int) ([]byte, error) { return nil, errGenesis }

// DecodeJSON implements codec.ValueCodec.
func (sharesCodec) DecodeJSON([]byte) (*big.Int, error) { return nil, errGenesis }

// Stringify implements codec.ValueCodec.
func (sharesCodec) Stringify(shares *big.Int) string { return shares.String() + " shares" }

// ValueType implements codec.ValueCodec.
func (sharesCodec) ValueType() string { return "shares" }

// maxShares is the most bytes that shares may have, which is what events can tell.
const maxShares = 32

// appendShares appends shares, which are positive, big-endian without leading zeros: a
// number has one form.
func appendShares(to []byte, shares *big.Int) ([]byte, error) {
	if shares == nil || shares.Sign() <= 0 {
		return nil, fmt.Errorf("%s shares to keep: there must be some", shares)
	}
	n := (shares.BitLen() + 7) / 8
	if n > maxShares {
		return nil, fmt.Errorf("shares of %d bytes: at most %d", n, maxShares)
	}
	at := len(to)
	to = append(to, make([]byte, n)...)
	shares.FillBytes(to[at:])
	return to, nil
}

func readShares(raw []byte) (*big.Int, error) {
	if len(raw) == 0 || len(raw) > maxShares || raw[0] == 0 {
		return nil, fmt.Errorf("shares kept as %x: 1 to %d bytes, the first not 0", raw, maxShares)
	}
	return new(big.Int).SetBytes(raw), nil
}
