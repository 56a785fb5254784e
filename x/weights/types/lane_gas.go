package types

import (
	sdk "github.com/cosmos/cosmos-sdk/types"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// Gas of the free lane. It covers the ante handlers (signature, the account, 10
// gas a byte of the transaction), the lane's check of the limit and the message
// at its largest, and is fixed, so that nobody has to simulate and nobody can
// claim more of a block than the message needs.
const (
	serveGas  = 300_000 // writes up to all of a neuron's endpoints
	commitGas = 200_000 // writes up to 10 open commits
	rowGas    = 200_000 // reveals also rewrite the open commits
	entryGas  = 250     // 5 bytes in the transaction (10 gas each) and in the row (30 written, 3 read)
)

// LaneGas is the gas limit that a transaction of the free lane must ask for,
// exactly, with a fee of zero; ok is false for messages that always pay.
func LaneGas(msg sdk.Msg) (gas uint64, ok bool) {
	switch m := msg.(type) {
	case *subnetstypes.MsgServe:
		return serveGas, true
	case *MsgCommitWeights:
		return commitGas, true
	case *MsgSetWeights:
		return rowGas + entryGas*uint64(len(m.Uids)), true
	case *MsgRevealWeights:
		return rowGas + entryGas*uint64(len(m.Uids)), true
	}
	return 0, false
}
