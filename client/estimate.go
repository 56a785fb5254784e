package client

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/wallet"
)

// racing is how often a simulation is tried beside others' sending.
const racing = 3

// guessedGas is what a message takes before anything is known about it.
const guessedGas = 200_000

// Estimate says what a transaction would take: gas, and the fee in rao. It fails as
// [Client.Send] would where the messages fail in the state of now.
func (c *Client) Estimate(ctx context.Context, signers []*wallet.Signer, msgs ...sdk.Msg) (gas, feeRao uint64, err error) {
	d, err := c.draft(signers, msgs)
	if err != nil {
		return 0, 0, err
	}
	if err := c.estimate(ctx, d); err != nil {
		return 0, 0, err
	}
	return d.gas, d.feeRao, nil
}

// estimate sets the gas and the fee of a draft by running it on a node. The fee is part
// of what is run, so that messages which leave too little for it fail here, for free,
// and not in a block.
func (c *Client) estimate(ctx context.Context, d *draft) error {
	sequences, err := c.sequences(ctx, d)
	if err != nil {
		return err
	}
	d.gas = guessedGas * uint64(len(d.msgs))
	if d.feeRao, err = c.fee(d.gas); err != nil {
		return err
	}
	used, err := c.simulate(ctx, d, sequences)
	exact := !errors.Is(err, ErrInsufficientFunds)
	if !exact {
		// It is tight, or the guess was too high.
		d.feeRao = 0
		used, err = c.simulate(ctx, d, sequences)
	}
	if err != nil {
		return err
	}
	d.gas = uint64(math.Ceil(float64(used) * c.cfg.GasAdjustment))
	if d.feeRao, err = c.fee(d.gas); err != nil || exact {
		return err
	}
	_, err = c.simulate(ctx, d, sequences)
	return err
}

// sequences are what the accounts of a draft would sign with now.
func (c *Client) sequences(ctx context.Context, d *draft) ([]uint64, error) {
	release, err := take(ctx, d.accounts)
	if err != nil {
		return nil, err
	}
	defer release()
	var out []uint64
	for _, a := range d.accounts {
		if err := c.load(ctx, a); err != nil {
			return nil, err
		}
		out = append(out, a.next)
	}
	return out, nil
}

// fee is what gas costs, in rao, rounded up.
func (c *Client) fee(gas uint64) (uint64, error) {
	f := c.gasPrice.Amount.MulInt(sdkmath.NewIntFromUint64(gas)).Ceil().TruncateInt()
	if !f.IsUint64() {
		return 0, fmt.Errorf("gas price %s makes a fee beyond all TAO; give a lower one", c.gasPrice)
	}
	return f.Uint64(), nil
}

// simulate runs a draft on a node and returns the gas that it used. While a node takes
// up a block it may think of other sequences than we do; they don't change the gas, so
// that sequences is brought in line with what it says.
func (c *Client) simulate(ctx context.Context, d *draft, sequences []uint64) (gas uint64, err error) {
	for try := range maxSignings {
		if try == racing {
			// Others of this process send with the same keys faster than this can look:
			// they wait now.
			release, err := take(ctx, d.accounts)
			if err != nil {
				return 0, err
			}
			defer release()
		}
		tx, err := d.bytes("", sequences)
		if err != nil {
			return 0, err
		}
		res, err := c.abciQuery(ctx, "/app/simulate", tx, 0)
		var q *QueryError
		if errors.As(err, &q) {
			if expected, got, ok := mismatch(q.Codespace, q.Code, q.Log); ok {
				if i := slices.Index(sequences, got); i >= 0 {
					sequences[i] = expected
					continue
				}
			}
			return 0, c.refusal(d, &TxError{Codespace: q.Codespace, Code: q.Code, Log: q.Log})
		}
		if err != nil {
			return 0, err
		}
		sim, err := parseSimulated(res.Response.Value)
		if err != nil {
			return 0, fmt.Errorf("the node's estimate of gas can't be read: %w", err)
		}
		d.changes = sim.changes()
		return sim.GasInfo.GasUsed, nil
	}
	return 0, fmt.Errorf("%w: the node changed its mind about the next sequence of %s too often", ErrUnavailable, d.accounts[0].signer.Address())
}

var (
	mismatchWords = regexp.MustCompile(`account sequence mismatch, expected (\d+), got (\d+)`)
	fundsWords    = regexp.MustCompile(`(\d*)(?:` + Denom + `)? is smaller than (\d+)` + Denom)
	messageWords  = regexp.MustCompile(`failed to execute message; message index: \d+: `)
	// What a key sends for another is written out whole.
	dumpWords = regexp.MustCompile(`failed to execute message; message (?:[a-z_]+:(?:"(?:[^"\\]|\\.)*"|[\w.+-]+) *)+: `)
)

// grantWords is what the chain says around two addresses, which it writes as raw bytes,
// where a fee granter does not pay.
const grantWords = "does not allow to pay fees for"

// notGranted are the chain's reasons for that, and what they mean.
var notGranted = []struct{ words, meaning string }{
	{"not found", "it allows none"},
	{"expired", "its allowance has expired"},
	{"limit exceeded", "its allowance is used up"},
	{"not allowed", "its allowance is not for this message"},
}

// mismatch reads the chain's answer to a wrong sequence.
func mismatch(codespace string, code uint32, log string) (expected, got uint64, ok bool) {
	if codespace != sdkerrors.RootCodespace || code != sdkerrors.ErrWrongSequence.ABCICode() {
		return 0, 0, false
	}
	m := mismatchWords.FindStringSubmatch(log)
	if m == nil {
		return 0, 0, false
	}
	expected, err := strconv.ParseUint(m[1], 10, 64)
	got, err2 := strconv.ParseUint(m[2], 10, 64)
	return expected, got, err == nil && err2 == nil
}

// refusal makes the error of a transaction that the chain refused, or that failed in a
// block, one that says what to do.
func (c *Client) refusal(d *draft, e *TxError) error {
	e.Log = strings.TrimPrefix(e.Log, "failed to simulate tx: ")
	if i := strings.Index(e.Log, grantWords); i >= 0 && d.granter != "" && len(d.accounts) > 0 {
		why := "it refuses"
		for _, n := range notGranted {
			if strings.Contains(e.Log[i:], n.words) {
				why = n.meaning
				break
			}
		}
		e.Log = fmt.Sprintf("%s pays no fees for %s: %s", d.granter, d.accounts[0].signer.Address(), why)
		return fmt.Errorf("%w: %w", ErrNoFeeAllowance, e)
	}
	if len(d.msgs) == 1 {
		e.Log = messageWords.ReplaceAllString(e.Log, "")
	}
	e.Log = dumpWords.ReplaceAllString(e.Log, "")
	if e.Codespace != sdkerrors.RootCodespace || len(d.accounts) == 0 {
		return e // of [Client.SendRaw] nobody here knows the signers
	}
	switch e.Code {
	case sdkerrors.ErrInsufficientFunds.ABCICode():
		f := &FundsError{Address: d.accounts[0].signer.Address(), Tx: e}
		if d.payer != "" {
			f.Address = d.payer
		}
		if d.granter != "" {
			f.Address = d.granter
		}
		if m := fundsWords.FindStringSubmatch(e.Log); m != nil {
			f.HasRao, _ = strconv.ParseUint(m[1], 10, 64) // nothing is written as nothing
			f.NeedRao, _ = strconv.ParseUint(m[2], 10, 64)
		}
		return f
	case sdkerrors.ErrInsufficientFee.ABCICode():
		return fmt.Errorf("%w at a gas price of %s: %w", ErrFeeTooLow, c.gasPrice, e)
	case sdkerrors.ErrUnknownAddress.ABCICode():
		return fmt.Errorf("%w: %w", ErrNoAccount, e)
	}
	return e
}
