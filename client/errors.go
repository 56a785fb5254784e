package client

import (
	"context"
	"errors"
	"fmt"

	errorsmod "cosmossdk.io/errors"
)

// Errors that callers branch on; what is returned wraps them and says more.
var (
	// ErrUnavailable says that no node can be reached or answers. Waiting may cure it.
	ErrUnavailable = errors.New("no node can be reached")
	// ErrBehind says that a node has not caught up with the chain, or that the chain
	// stands still. Waiting may cure it.
	ErrBehind = errors.New("the node is behind")
	// ErrWrongNetwork says that a node belongs to another chain.
	ErrWrongNetwork = errors.New("the node belongs to another network")
	// ErrNotFound says that the chain has nothing of the kind asked for.
	ErrNotFound = errors.New("not found")
	// ErrNoAccount says that an account does not exist on the chain yet.
	ErrNoAccount = errors.New("the account does not exist yet")
	// ErrInsufficientFunds says that an account has less than a transaction takes.
	ErrInsufficientFunds = errors.New("insufficient funds")
	// ErrNoFeeAllowance says that the fee granter does not pay for a transaction.
	ErrNoFeeAllowance = errors.New("the fees are not paid for")
	// ErrFeeTooLow says that a node asks for a higher gas price.
	ErrFeeTooLow = errors.New("the fee is too low")
	// ErrTxFailed says that a transaction was refused, or that it was committed and
	// failed; the error is a [*TxError].
	ErrTxFailed = errors.New("the transaction failed")
	// ErrTxExpired says that a transaction's last block passed without it: it did not
	// happen and can't any more. It is safe to send it anew.
	ErrTxExpired = errors.New("the transaction was not committed in time and never will be")
	// ErrUnordered says that a transaction without an order can't be signed as amino JSON.
	ErrUnordered = errors.New("an unordered transaction can't be signed as amino JSON: Ledgers don't know it; give it a sequence")
	// ErrTxUnknown says that it is not known whether a transaction will be committed.
	ErrTxUnknown = errors.New("it is not known whether the transaction was committed")
)

// TxError is a transaction that the chain refused or that failed. It wraps
// [ErrTxFailed] and the module's own error: errors.Is finds weightstypes.ErrTooSoon in
// it, for example.
type TxError struct {
	Hash      string
	Height    int64 // block that it failed in and paid its fee; 0: it was refused and cost nothing
	Codespace string
	Code      uint32
	Log       string // the chain's words
}

func (e *TxError) Error() string {
	if e.Height == 0 {
		return fmt.Sprintf("the chain refuses the transaction: %s (%s %d)", e.Log, e.Codespace, e.Code)
	}
	return fmt.Sprintf("transaction %s failed in block %d and paid its fee: %s (%s %d)", e.Hash, e.Height, e.Log, e.Codespace, e.Code)
}

// Unwrap lets errors.Is find the sentinel and the module's error.
func (e *TxError) Unwrap() []error {
	return []error{ErrTxFailed, errorsmod.ABCIError(e.Codespace, e.Code, e.Log)}
}

// FundsError is an account that has less than a transaction takes. It wraps
// [ErrInsufficientFunds] and the [*TxError].
type FundsError struct {
	Address string
	HasRao  uint64 // what it could spend when it was too little; a fee may be off it already
	NeedRao uint64 // what had to be spent then; 0: not known
	Tx      *TxError
}

func (e *FundsError) Error() string {
	if e.NeedRao == 0 {
		return fmt.Sprintf("insufficient funds: %s: %s", e.Address, e.Tx.Log)
	}
	return fmt.Sprintf("insufficient funds: %s has %s TAO to spend, this needs %s TAO", e.Address, FormatTAO(e.HasRao), FormatTAO(e.NeedRao))
}

// Unwrap lets errors.Is find the sentinel and the chain's own error.
func (e *FundsError) Unwrap() []error { return []error{ErrInsufficientFunds, e.Tx} }

// QueryError is a question that the chain answered with an error.
type QueryError struct {
	Path      string
	Codespace string
	Code      uint32
	Log       string // the chain's words
}

func (e *QueryError) Error() string { return e.Log }

// Describe gives an error of this package a short code for programs and a hint for
// people. Errors of others are "error", without a hint.
func Describe(err error) (code, hint string) {
	for _, d := range []struct {
		err        error
		code, hint string
	}{
		{ErrWrongNetwork, "wrong_network", "name a node of the right network with --node, or another --home"},
		{ErrInsufficientFunds, "insufficient_funds", "send TAO to the account first; on a local network: lode faucet ADDRESS"},
		{ErrNoFeeAllowance, "no_fee_allowance", "whoever pays allows it: lode wallet allow; --list shows what is allowed"},
		{ErrNoAccount, "no_account", "an account begins with the first TAO that it is sent; on a local network: lode faucet ADDRESS"},
		{ErrFeeTooLow, "fee_too_low", "give a higher --gas-price"},
		{ErrTxExpired, "tx_expired", "nothing happened; send it again"},
		{ErrTxUnknown, "tx_unknown", "look for the transaction by its hash before you send it again"},
		{ErrTxFailed, "tx_failed", ""},
		{ErrBadSeed, "bad_seed", "ask another node with --node: this one, or its records, can't be trusted"},
		{ErrNotFound, "not_found", ""},
		{ErrBehind, "node_behind", "wait until it has caught up, or name another with --node"},
		{ErrUnavailable, "unavailable", "is the network running? start it with lode up, or name a node with --node URL"},
		{context.DeadlineExceeded, "timeout", "try again, or name another node with --node"},
		{context.Canceled, "canceled", ""},
	} {
		if errors.Is(err, d.err) {
			return d.code, d.hint
		}
	}
	return "error", ""
}
