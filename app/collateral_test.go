package app_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/app"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
)

// TestSection4CollateralAndClaimsByTransactions: collateral is locked, a claim by a
// validator with too little stake costs its deposit, which is in the totals, and
// one by most of the stake slashes.
func TestSection4CollateralAndClaimsByTransactions(t *testing.T) {
	c := newChain(t)
	settle(c)
	c.epoch()
	c.judge(60_000, 20_000)
	for _, hot := range []string{"validator-1-hot", "validator-2-hot"} {
		c.run([]string{"user"}, send("user", hot, tao)) // a confirmation pays its fee
	}
	stake := c.stakeOf("miner-1", "miner-1-hot")
	c.run([]string{"miner-1"}, &collateraltypes.MsgLockCollateral{Coldkey: text("miner-1"), Hotkey: text("miner-1-hot"), Netuid: 1, Alpha: stake})
	bonded, err := c.Collateral.Bonded(c.query(), c.subnetID(), addr("miner-1-hot"))
	require.NoError(t, err)
	require.Equal(t, stake, bonded)

	open := func(author string) {
		c.run([]string{author}, &collateraltypes.MsgOpenClaim{
			Coldkey: text(author), Hotkey: text(author + "-hot"), Netuid: 1, Uid: uidMiner1, Accused: text("miner-1-hot"), Share: 100_000,
			EvidenceHash: bytes.Repeat([]byte{1}, 32), EvidenceUrl: "https://example.org/evidence",
		})
	}
	confirm := func(author string, id uint64) {
		c.run([]string{author + "-hot"}, &collateraltypes.MsgConfirmClaim{Hotkey: text(author + "-hot"), ClaimId: id})
	}
	const deposit = 10 * tao
	before, err := c.Emission.Totals(c.query())
	require.NoError(t, err)
	rao := c.balance("validator-2")
	open("validator-2")
	require.EqualValues(t, rao-deposit-paid.fee, c.balance("validator-2"))
	confirm("validator-2", 1)
	c.blocks(12)
	after, err := c.Emission.Totals(c.query())
	require.NoError(t, err)
	require.Equal(t, before.Burned+deposit, after.Burned)
	require.EqualValues(t, rao-deposit-paid.fee, c.balance("validator-2"))
	require.Equal(t, after.Issued-after.Burned, c.Bank.GetSupply(c.query(), app.BaseDenom).Amount.Uint64())

	burned := c.alphaBurned()
	rao = c.balance("validator-1")
	open("validator-1")
	confirm("validator-1", 2)
	require.EqualValues(t, rao-paid.fee, c.balance("validator-1"), "the deposit is back")
	bonded, err = c.Collateral.Bonded(c.query(), c.subnetID(), addr("miner-1-hot"))
	require.NoError(t, err)
	require.Equal(t, stake-stake/10, bonded)
	require.GreaterOrEqual(t, c.alphaBurned(), burned+stake/10-1)

	c.run([]string{"miner-1"}, &collateraltypes.MsgUnbondCollateral{Coldkey: text("miner-1"), Hotkey: text("miner-1-hot"), Netuid: 1, Alpha: bonded})
	c.blocks(61)
	locked, err := c.Alpha.Locked(c.query(), c.subnetID(), addr("miner-1-hot"), addr("miner-1"))
	require.NoError(t, err)
	require.Zero(t, locked)
}

// alphaBurned is what subnet 1's pool says of it.
func (c *chain) alphaBurned() uint64 {
	p, err := c.Alpha.PoolByNetuid(c.query(), 1)
	require.NoError(c.t, err)
	return p.AlphaBurned
}
