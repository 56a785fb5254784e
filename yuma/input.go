package yuma

import (
	"errors"
	"fmt"
)

// MaxNeurons is the largest subnet (protocol.md §3, max_uids).
const MaxNeurons = 4096

// perMillion is 1 of a parameter in parts per million, perU16 of one in u16.
const (
	perMillion = 1_000_000
	perU16     = 65_535
)

// ErrInput is wrapped by every error of Run: the input breaks a rule.
var ErrInput = errors.New("yuma: bad input")

// Params are the subnet's hyperparameters that an epoch depends on (protocol.md §3).
type Params struct {
	Kappa               uint16 // of 65,535: the part of the active stake that makes consensus
	BondsPenalty        uint16 // of 65,535: how far bonds follow clipped weights instead of the validator's own
	BondsMovingAverage  uint32 // per 10^6, at most 10^6: what bonds keep from epoch to epoch
	LiquidAlpha         bool   // version 3 only: the rate at which a bond moves depends on its distance from consensus
	AlphaLow, AlphaHigh uint32 // per 10^6, 0 < low <= high < 10^6; read with LiquidAlpha alone
	AlphaSteepness      uint32 // per 100, at most 10,000; read with LiquidAlpha alone
	YumaVersion         uint32 // 2 or 3
	MaxValidators       uint32 // permits, the owner's apart
	ActivityCutoff      uint64 // blocks after which a row no longer counts
	MinStake            uint64 // stake weight below which stake counts as 0, the owner's excepted
}

// Entry is a value, of 65,535, for a neuron: a weight or a bond.
type Entry struct {
	UID   uint16
	Value uint16
}

// Row is a validator's weights in force.
type Row struct {
	Entries []Entry // uids strictly ascending; zero values count as left out
	Block   uint64  // when it was set; where it was committed and revealed, when it was committed
	Set     bool    // false: no row was ever in force, and the rest is ignored
}

// Input is a subnet at the time of its epoch. Everything is indexed by uid and
// has the same length n, at most MaxNeurons; Bonds may be nil before the first
// epoch. Run keeps none of it, and Permits and Bonds may be those of the
// engine's last output.
type Input struct {
	Params
	Block      uint64    // now
	LastEpoch  uint64    // the block of the last epoch; 0 before the first
	Owner      int       // the uid of the owner's hotkey, -1 if it has none
	Stake      []uint64  // stake weights, units of 10^-9
	Rows       []Row     // the row in force
	Registered []uint64  // the block at which the neuron registered
	Permits    []bool    // who holds a permit now; what an epoch grants counts from the next one on
	Bonds      [][]Entry // by validator: its bonds, uids strictly ascending
}

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInput, fmt.Sprintf(format, args...))
}

func (in *Input) validate() error {
	n := len(in.Stake)
	if n > MaxNeurons {
		return bad("%d neurons, at most %d fit a subnet", n, MaxNeurons)
	}
	if len(in.Rows) != n || len(in.Registered) != n || len(in.Permits) != n || in.Bonds != nil && len(in.Bonds) != n {
		return bad("%d stakes, %d rows, %d registrations, %d permits, %d rows of bonds: all must be as many",
			n, len(in.Rows), len(in.Registered), len(in.Permits), len(in.Bonds))
	}
	if in.Owner < -1 || in.Owner >= n {
		return bad("owner's uid %d, want -1 or a uid below %d", in.Owner, n)
	}
	if in.LastEpoch > in.Block {
		return bad("the last epoch ran at block %d, after this one's block %d", in.LastEpoch, in.Block)
	}
	if err := in.Params.validate(); err != nil {
		return err
	}
	for uid, at := range in.Registered {
		if at > in.Block {
			return bad("uid %d registered at block %d, after the epoch's block %d", uid, at, in.Block)
		}
	}
	for uid := range in.Rows {
		row := &in.Rows[uid]
		if !row.Set {
			continue
		}
		if row.Block > in.Block {
			return bad("uid %d's row is of block %d, after the epoch's block %d", uid, row.Block, in.Block)
		}
		if err := ascending(row.Entries, n); err != nil {
			return bad("uid %d's weights: %s", uid, err)
		}
	}
	for uid, row := range in.Bonds {
		if err := ascending(row, n); err != nil {
			return bad("uid %d's bonds: %s", uid, err)
		}
	}
	return nil
}

func (p *Params) validate() error {
	if p.YumaVersion != 2 && p.YumaVersion != 3 {
		return bad("yuma_version %d, want 2 or 3", p.YumaVersion)
	}
	if p.BondsMovingAverage > perMillion {
		return bad("bonds_moving_average %d, at most %d", p.BondsMovingAverage, perMillion)
	}
	if !p.LiquidAlpha {
		return nil
	}
	if p.AlphaLow == 0 || p.AlphaLow > p.AlphaHigh || p.AlphaHigh >= perMillion {
		return bad("alpha_low %d and alpha_high %d, want 0 < low <= high < %d", p.AlphaLow, p.AlphaHigh, perMillion)
	}
	if p.AlphaSteepness > 10_000 {
		return bad("alpha_sigmoid_steepness %d, at most 10000", p.AlphaSteepness)
	}
	return nil
}

// ascending checks that the uids are below n and each is larger than the one before.
func ascending(row []Entry, n int) error {
	next := 0
	for i := range row {
		uid := int(row[i].UID)
		if uid < next {
			return disorder(row, n)
		}
		next = uid + 1
	}
	if next > n {
		return disorder(row, n)
	}
	return nil
}

// disorder tells where a row that isn't ascending goes wrong first.
func disorder(row []Entry, n int) error {
	next := 0
	for i, e := range row {
		if uid := int(e.UID); uid >= n {
			return fmt.Errorf("uid %d is not below the subnet's %d neurons", uid, n)
		} else if uid < next {
			return fmt.Errorf("uid %d at position %d does not ascend; each uid may come once", uid, i)
		} else {
			next = uid + 1
		}
	}
	return nil
}
