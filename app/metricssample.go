package app

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/emission/curve"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// stateSample is the state of a block as metrics show it.
type stateSample struct {
	height                                     int64 // 0: none was read yet
	time                                       time.Time
	target                                     time.Duration
	issued, burned, recycled, security, reward uint64 // rao
	laneGas                                    uint64
	planHeight                                 int64
	snapshots                                  int
	snapshotHeight                             uint64
	subnets                                    []subnetSample
}

// subnetSample is a subnet's part of it.
type subnetSample struct {
	netuid                      string
	started                     bool
	begun                       time.Time // started
	neurons                     uint32
	price, moving, share        float64
	tao, alpha, staked, pending uint64 // 10^-9
	epochs                      uint64
	lastEpoch, dueEpoch         int64
}

// stateReader reads samples of the state, once a block at most, however often they are
// asked for.
type stateReader struct {
	app *App

	mu   sync.Mutex
	last stateSample
}

// sample is the state of the last committed block. Where it can't be read, it is that
// of the last block that could, and an error.
func (r *stateReader) sample() (stateSample, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	height := r.app.LastBlockHeight()
	if height == r.last.height {
		return r.last, nil
	}
	s, err := r.app.sampleState(height)
	if err != nil {
		return r.last, err
	}
	r.last = s
	return s, nil
}

// sampleState reads the state of a block as a query does. It never panics: the block
// may be pruned, and the databases closed, while it is read.
func (app *App) sampleState(height int64) (s stateSample, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the state of block %d can't be read: %v", height, r)
		}
	}()
	ctx, err := app.CreateQueryContext(height, false)
	if err != nil {
		return s, err
	}
	ctx = ctx.WithGasMeter(storetypes.NewInfiniteGasMeter()).WithConsensusParams(app.GetConsensusParams(ctx))
	s = stateSample{height: height, time: ctx.BlockTime(), laneGas: newBudget(ctx).lane}
	totals, err := app.Keepers.Emission.Totals(ctx)
	if err != nil {
		return s, err
	}
	params, err := app.Keepers.Emission.Params(ctx)
	if err != nil {
		return s, err
	}
	s.target = params.BlockTime()
	s.issued, s.burned, s.recycled, s.security = totals.Issued, totals.Burned, totals.Recycled, totals.Security
	s.reward = curve.Reward(params.Cap, params.InitialReward, totals.Issued)
	plan, err := app.Upgrade.GetUpgradePlan(ctx)
	if err != nil && !errors.Is(err, upgradetypes.ErrNoUpgradePlanFound) {
		return s, err
	}
	s.planHeight = plan.Height
	if m := app.SnapshotManager(); m != nil {
		list, err := m.List() // newest first
		if err != nil {
			return s, err
		}
		if s.snapshots = len(list); s.snapshots > 0 {
			s.snapshotHeight = list[0].Height
		}
	}
	s.subnets, err = app.sampleSubnets(ctx)
	return s, err
}

func (app *App) sampleSubnets(ctx sdk.Context) ([]subnetSample, error) {
	list, err := app.Subnets.Subnets(ctx)
	if err != nil {
		return nil, err
	}
	samples := make([]subnetSample, 0, len(list))
	var (
		started  []int
		moving   []fixed.Q64
		withheld []fixed.Q32
	)
	for i, subnet := range list {
		n, price, held, err := app.sampleSubnet(ctx, subnet)
		if err != nil {
			return nil, err
		}
		samples = append(samples, n)
		if n.started {
			started, moving, withheld = append(started, i), append(moving, price), append(withheld, held)
		}
	}
	for i, part := range curve.Shares(tao, moving, withheld) {
		samples[started[i]].share = float64(part) / tao
	}
	return samples, nil
}

func (app *App) sampleSubnet(ctx sdk.Context, s subnetstypes.Subnet) (n subnetSample, moving fixed.Q64, withheld fixed.Q32, err error) {
	n = subnetSample{
		netuid: strconv.FormatUint(uint64(s.Netuid), 10), neurons: s.Neurons,
		started: s.StartedHeight > 0, begun: time.Unix(s.StartedTime, 0),
	}
	pool, err := app.Alpha.Pool(ctx, s.Id)
	if err != nil {
		return n, moving, 0, err
	}
	e, err := app.Keepers.Emission.Emission(ctx, s.Id)
	if err != nil {
		return n, moving, 0, err
	}
	epoch, _, err := app.Weights.EpochState(ctx, s.Id)
	if err != nil {
		return n, moving, 0, err
	}
	n.price, n.moving = pool.Price().Float64(), e.MovingPrice.Float64()
	n.tao, n.alpha, n.staked, n.pending = pool.TaoReserve, pool.AlphaReserve, pool.AlphaStaked, pool.AlphaPending
	n.epochs, n.lastEpoch, n.dueEpoch = epoch.Number, epoch.LastHeight, epoch.DueHeight
	return n, e.MovingPrice, fixed.Q32(e.Withheld), nil
}
