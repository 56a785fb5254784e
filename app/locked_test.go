package app_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/app"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// locked is the coldkey whose swap is announced, to "fresh"; "spare-hot" is nobody's
// hotkey yet. It has let "user" send its coins and pay fees with them.
const locked = "miner-1"

func lockedChain(t *testing.T) *chain {
	t.Helper()
	c := newChain(t)
	settle(c)
	c.runTx(
		c.sign(paid, []string{"user"}, send("user", "spare-hot", 1)),
		c.sign(paid, []string{"user"}, send("user", "safe", 10*tao)),
		c.sign(paid, []string{locked}, stake(locked, "miner-1-hot", 20*tao)),
		c.sign(paid, []string{locked}, delegation(10*tao)),
	)
	grant, err := authz.NewMsgGrant(addr(locked), addr("user"), authz.NewGenericAuthorization(sdk.MsgTypeURL(&banktypes.MsgSend{})), nil)
	require.NoError(t, err)
	allowance, err := feegrant.NewMsgGrantAllowance(&feegrant.BasicAllowance{}, addr(locked), addr("user"))
	require.NoError(t, err)
	c.run([]string{locked}, grant, allowance)
	return c
}

func delegation(rao int64) sdk.Msg {
	return stakingtypes.NewMsgDelegate(text(locked), sdk.ValAddress(addr(validator)).String(), sdk.NewInt64Coin(app.BaseDenom, rao))
}

func announceSwap(to string) sdk.Msg {
	return &alphatypes.MsgAnnounceColdkeySwap{Coldkey: text(locked), NewColdkey: text(to)}
}

func disputeSwap() sdk.Msg { return &alphatypes.MsgDisputeColdkeySwap{Coldkey: text(locked)} }

// exec is a message that grantee runs for another.
func exec(grantee string, msgs ...sdk.Msg) sdk.Msg {
	m := authz.NewMsgExec(addr(grantee), msgs)
	return &m
}

// refused is a transaction that neither mempool nor block lets in; nothing is paid for it.
func (c *chain) refused(tx func() []byte, words ...string) {
	c.t.Helper()
	res := c.check(tx())
	require.NotZero(c.t, res.Code)
	before := c.balance(locked)
	clear(c.sequence)
	r := c.block(tx())[0]
	require.NotZero(c.t, r.Code)
	for _, w := range words {
		require.Contains(c.t, res.Log, w)
		require.Contains(c.t, r.Log, w)
	}
	require.Equal(c.t, before, c.balance(locked))
}

func TestSection4AnAnnouncedSwapRefusesWhateverTheColdkeySignsOrOthersDoForIt(t *testing.T) {
	c := lockedChain(t)
	c.run([]string{locked}, announceSwap("fresh"))
	one := []string{locked}
	alpha := uint64(tao)
	for _, r := range []struct {
		name string
		tx   func() []byte
	}{
		{"send", func() []byte { return c.sign(paid, one, send(locked, "user", 1)) }},
		{"stake", func() []byte { return c.sign(paid, one, stake(locked, "miner-1-hot", tao)) }},
		{"unstake", func() []byte {
			return c.sign(paid, one, &alphatypes.MsgUnstake{Coldkey: text(locked), Hotkey: text("miner-1-hot"), Netuid: 1, Alpha: alpha, LimitPrice: 1})
		}},
		{"transfer of stake", func() []byte {
			return c.sign(paid, one, &alphatypes.MsgTransferStake{Coldkey: text(locked), ToColdkey: text("user"), Hotkey: text("miner-1-hot"), Netuid: 1, Alpha: alpha})
		}},
		{"burn", func() []byte {
			return c.sign(paid, one, &alphatypes.MsgBurnAlpha{Coldkey: text(locked), Hotkey: text("miner-1-hot"), Netuid: 1, Alpha: alpha})
		}},
		{"bind", func() []byte {
			return c.sign(paid, []string{locked, "spare-hot"}, &alphatypes.MsgBindHotkey{Coldkey: text(locked), Hotkey: text("spare-hot")})
		}},
		{"delegate", func() []byte { return c.sign(paid, one, delegation(tao)) }},
		{"undelegate", func() []byte {
			return c.sign(paid, one, stakingtypes.NewMsgUndelegate(text(locked), sdk.ValAddress(addr(validator)).String(), sdk.NewInt64Coin(app.BaseDenom, tao)))
		}},
		{"vote", func() []byte { return c.sign(paid, one, govv1.NewMsgVote(addr(locked), 1, govv1.OptionYes, "")) }},
		{"registration", func() []byte {
			return c.sign(paid, one, &subnetstypes.MsgRegister{Coldkey: text(locked), Hotkey: text("miner-1-hot"), Netuid: 1, MaxBurn: tao})
		}},
		{"another announcement", func() []byte { return c.sign(paid, one, announceSwap("user")) }},
		{"recovery key", func() []byte {
			return c.sign(paid, one, &alphatypes.MsgSetRecoveryKey{Coldkey: text(locked), Recovery: text("safe")})
		}},
		{"by an authorization", func() []byte { return c.sign(paid, []string{"user"}, exec("user", send(locked, "user", tao))) }},
		{"by an authorization in an authorization", func() []byte {
			return c.sign(paid, []string{"user"}, exec("user", send("user", "owner", 1), exec("owner", exec("miner-2", send(locked, "user", tao)))))
		}},
		{"using an authorization", func() []byte { return c.sign(paid, one, exec(locked, send("user", locked, 1))) }},
		{"as payer of another's fee", func() []byte {
			return c.sign(offer{gas: paid.gas, fee: paid.fee, payer: locked}, []string{"user", locked}, send("user", "owner", 1))
		}},
		{"as granter of another's fee", func() []byte {
			return c.sign(offer{gas: paid.gas, fee: paid.fee, granter: locked}, []string{"user"}, send("user", "owner", 1))
		}},
		{"beside another's message", func() []byte {
			return c.sign(paid, []string{"user", locked}, send("user", "owner", 1), send(locked, "user", 1))
		}},
		{"beside its dispute", func() []byte { return c.sign(paid, one, disputeSwap(), send(locked, "user", 1)) }},
	} {
		t.Run(r.name, func(t *testing.T) {
			clear(c.sequence)
			c.refused(r.tx, text(locked)+" has announced its swap for "+text("fresh"), "MsgDisputeColdkeySwap")
		})
	}
}

func TestSection4WhileASwapIsAnnouncedHotkeysWorkAndOthersGive(t *testing.T) {
	c := lockedChain(t)
	c.run([]string{locked}, announceSwap("fresh"))
	before := c.balance(locked)
	c.runTx(
		c.free("miner-1-hot", serve(t, "miner-1-hot")),
		c.sign(paid, []string{"user"}, send("user", locked, tao)),
		c.sign(paid, []string{"user"}, stake("user", "miner-1-hot", tao)),
	)
	require.Equal(t, before+tao, c.balance(locked))
}

func TestSection4ALockedColdkeyThatIsAHotkeyTooIsLockedInTheFreeLane(t *testing.T) {
	c := lockedChain(t)
	c.run([]string{"user", locked}, &alphatypes.MsgBindHotkey{Coldkey: text("user"), Hotkey: text(locked)})
	c.run([]string{"user"}, &subnetstypes.MsgRegister{Coldkey: text("user"), Hotkey: text(locked), Netuid: 1, MaxBurn: tao})
	c.run([]string{locked}, announceSwap("fresh"))
	c.refused(func() []byte { return c.free(locked, serve(t, locked)) }, "has announced its swap")
}

func TestSection4ATransactionInTheAnnouncementsBlockIsRefusedToo(t *testing.T) {
	c := lockedChain(t)
	res := c.block(c.sign(paid, []string{locked}, announceSwap("fresh")), c.sign(paid, []string{locked}, send(locked, "user", 1)))
	require.Zero(t, res[0].Code, res[0].Log)
	require.NotZero(t, res[1].Code)
	require.Contains(t, res[1].Log, "has announced its swap")
}

func TestSection4TheAnnouncementsOwnTransactionSetsNoRecoveryKey(t *testing.T) {
	c := lockedChain(t)
	res := c.block(c.sign(paid, []string{locked}, announceSwap("fresh"), &alphatypes.MsgSetRecoveryKey{Coldkey: text(locked), Recovery: text("safe")}))
	require.NotZero(t, res[0].Code)
	require.NoError(t, c.Alpha.Unlocked(c.query(), addr(locked)), "it failed as a whole")
}

func TestSection4ADisputeUnlocksTheColdkey(t *testing.T) {
	c := lockedChain(t)
	c.run([]string{locked}, announceSwap("fresh"))
	c.run([]string{locked}, disputeSwap())
	c.run([]string{locked}, send(locked, "user", 1))
	res := c.block(c.sign(paid, []string{locked}, announceSwap("fresh")))
	require.NotZero(t, res[0].Code)
	require.Contains(t, res[0].Log, "was disputed")
}

// A dispute that can't succeed is refused before it pays: else who has stolen the
// key would burn the coldkey's coins in fees.
func TestSection4WithARecoveryKeyADisputeDoesNotEvenPayAFee(t *testing.T) {
	c := lockedChain(t)
	c.run([]string{locked}, &alphatypes.MsgSetRecoveryKey{Coldkey: text(locked), Recovery: text("safe")})
	c.blocks(61)
	c.run([]string{locked}, announceSwap("thief"))
	c.refused(func() []byte {
		return c.sign(offer{gas: paid.gas, fee: 900 * tao}, []string{locked}, disputeSwap())
	}, "only its recovery key "+text("safe"))

	// The recovery key sends everything to safety at once.
	had := c.balance(locked)
	c.run([]string{"safe"}, &alphatypes.MsgDecideColdkeySwap{Recovery: text("safe"), Coldkey: text(locked), NewColdkey: text("fresh")})
	require.Equal(t, had, c.balance("fresh"))
	require.Zero(t, c.balance("thief"))
	require.Positive(t, c.stakeOf("fresh", "miner-1-hot"))
}

func TestSection4AnAnnouncedSwapIsExecutedAndDelegationsStay(t *testing.T) {
	c := lockedChain(t)
	c.run([]string{locked}, announceSwap("fresh"))
	had, held := c.balance(locked), c.stakeOf(locked, "miner-1-hot")
	c.blocks(59)
	require.Equal(t, had, c.balance(locked))
	c.block()
	require.Equal(t, had, c.balance("fresh"))
	require.Zero(t, c.balance(locked))
	require.Zero(t, c.stakeOf(locked, "miner-1-hot"))
	require.GreaterOrEqual(t, c.stakeOf("fresh", "miner-1-hot"), held)
	bonded, err := c.Staking.GetDelegatorBonded(c.query(), addr(locked))
	require.NoError(t, err)
	require.Equal(t, int64(10*tao), bonded.Int64())

	// The old coldkey is free again, and has what it is sent; the new one has the hotkey.
	c.run([]string{"user"}, send("user", locked, tao))
	c.run([]string{locked}, send(locked, "user", 1))
	c.run([]string{"fresh"}, &alphatypes.MsgSetTake{Coldkey: text("fresh"), Hotkey: text("miner-1-hot"), Take: 5})
	c.epoch()
	require.Zero(t, c.stakeOf(locked, "miner-1-hot"))
}
