package types_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/emission/types"
)

func TestProfiles(t *testing.T) {
	mainnet, local := types.DefaultParams(), types.LocalParams()
	require.NoError(t, mainnet.Validate())
	require.NoError(t, local.Validate())

	perDay := uint64(24 * time.Hour / mainnet.BlockTime())
	require.EqualValues(t, 7_200_000_000_000, mainnet.InitialReward*perDay, "7,200 TAO a day")
	require.Equal(t, 3*time.Second, mainnet.BlockTime())
	require.EqualValues(t, 750_000, mainnet.MovingPriceBase, "0.000003·(3 s/12 s)")
	require.EqualValues(t, 28*perDay, mainnet.MovingPriceHalfTime, "28 days")
	require.EqualValues(t, 21_000_000_000_000_000, mainnet.Cap)

	require.EqualValues(t, 1_000_000_000, local.InitialReward, "1 TAO a block")
	require.Equal(t, time.Second, local.BlockTime())
}

func TestParametersOutOfBoundsAreRefusedByName(t *testing.T) {
	for _, c := range []struct {
		word   string
		change func(*types.Params)
	}{
		{"cap", func(p *types.Params) { p.Cap = 0 }},
		{"cap", func(p *types.Params) { p.Cap++ }},
		{"initial_reward", func(p *types.Params) { p.InitialReward = p.Cap + 1 }},
		{"security_share", func(p *types.Params) { p.SecurityShare = 1_000_001 }},
		{"target_block_time", func(p *types.Params) { p.TargetBlockTime = 0 }},
		{"target_block_time", func(p *types.Params) { p.TargetBlockTime = -3_000 }},
		{"target_block_time", func(p *types.Params) { p.TargetBlockTime = 3_600_001 }},
		{"owner_cut", func(p *types.Params) { p.OwnerCut = 1_000_001 }},
		{"moving_price_base", func(p *types.Params) { p.MovingPriceBase = 1_000_000_000_001 }},
		{"moving_price_half_time", func(p *types.Params) { p.MovingPriceHalfTime = 1 << 41 }},
	} {
		p := types.DefaultParams()
		c.change(&p)
		err := p.Validate()
		require.ErrorIs(t, err, types.ErrInvalidParams)
		require.ErrorContains(t, err, c.word)
	}
}
