package app

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(metricsNamespace, "", name), help, labels, nil)
}

var stateDescs = struct {
	build, readFailed, height, blockTime, target,
	issued, burned, recycled, security, reward, laneLimit, plan, snapshots, snapshotHeight, subnets,
	neurons, price, moving, share, pool, alpha, staked, pending, epochs, epochHeight, epochDue, epochAge *prometheus.Desc
}{
	build:          desc("build_info", "1; the labels say which program runs.", "version", "go"),
	readFailed:     desc("state_read_failed", "1 where the last committed state could not be read: the gauges of the state are an older block's."),
	height:         desc("block_height", "Last block that the application committed."),
	blockTime:      desc("block_timestamp_seconds", "Time of the last committed block, Unix seconds."),
	target:         desc("block_target_seconds", "How long a block should take."),
	issued:         desc("issued_tao", "TAO in existence."),
	burned:         desc("burned_tao", "TAO that was burned for ever."),
	recycled:       desc("recycled_tao", "TAO that was ever recycled: it can be minted again."),
	security:       desc("security_paid_tao", "TAO ever paid to the chain's validators and delegators."),
	reward:         desc("block_reward_tao", "TAO that a block mints after the last halving, at the target block time."),
	laneLimit:      desc("lane_gas_limit", "Gas that the free lane may have of a block."),
	plan:           desc("upgrade_plan_height", "Block of the upgrade that is planned; 0: none."),
	snapshots:      desc("snapshots", "Snapshots of the state that the node has."),
	snapshotHeight: desc("snapshot_height", "Block of the newest snapshot; 0: none."),
	subnets:        desc("subnets", "Subnets, by whether they are started.", "started"),
	neurons:        desc("subnet_neurons", "Neurons of a subnet.", "netuid"),
	price:          desc("subnet_price_tao", "TAO for an alpha in the subnet's pool.", "netuid"),
	moving:         desc("subnet_moving_price_tao", "The price's moving average, by which emission is divided.", "netuid"),
	share:          desc("subnet_emission_ratio", "The subnet's moving price as a part of all started subnets'.", "netuid"),
	pool:           desc("subnet_pool_tao", "TAO in the subnet's pool.", "netuid"),
	alpha:          desc("subnet_pool_alpha", "Alpha in the subnet's pool.", "netuid"),
	staked:         desc("subnet_staked_alpha", "Alpha that is staked in the subnet.", "netuid"),
	pending:        desc("subnet_pending_alpha", "Alpha that waits for the subnet's next epoch.", "netuid"),
	epochs:         desc("subnet_epochs_total", "Epochs of the subnet since its start.", "netuid"),
	epochHeight:    desc("subnet_epoch_height", "Block of the subnet's last epoch; 0: none yet.", "netuid"),
	epochDue:       desc("subnet_epoch_due_height", "Block at whose end the subnet's next epoch is due; 0: it is not started.", "netuid"),
	epochAge:       desc("subnet_epoch_age_seconds", "Time from the subnet's last epoch, or from its start, to the last block; of epochs before the node's start by the target block time.", "netuid"),
}

// Describe lists the gauges of the state.
func (r *stateReader) Describe(ch chan<- *prometheus.Desc) {
	d := &stateDescs
	for _, desc := range []*prometheus.Desc{
		d.build, d.readFailed, d.height, d.blockTime, d.target, d.issued, d.burned, d.recycled, d.security, d.reward, d.laneLimit,
		d.plan, d.snapshots, d.snapshotHeight, d.subnets, d.neurons, d.price, d.moving, d.share, d.pool, d.alpha, d.staked, d.pending,
		d.epochs, d.epochHeight, d.epochDue, d.epochAge,
	} {
		ch <- desc
	}
}

// collect gives the gauges. epochs are the times of the last ones, by netuid.
func (r *stateReader) collect(ch chan<- prometheus.Metric, epochs map[string]time.Time) {
	d := &stateDescs
	set := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	set(d.build, 1, Version, runtime.Version())
	s, err := r.sample()
	set(d.readFailed, flag(err != nil))
	set(d.height, float64(s.height))
	if s.height == 0 {
		return // before the first block there is no state to read
	}
	set(d.blockTime, float64(s.time.UnixMilli())/1000)
	set(d.target, s.target.Seconds())
	set(d.issued, float64(s.issued)/tao)
	set(d.burned, float64(s.burned)/tao)
	set(d.recycled, float64(s.recycled)/tao)
	set(d.security, float64(s.security)/tao)
	set(d.reward, float64(s.reward)/tao)
	set(d.laneLimit, float64(s.laneGas))
	set(d.plan, float64(s.planHeight))
	set(d.snapshots, float64(s.snapshots))
	set(d.snapshotHeight, float64(s.snapshotHeight))
	started := 0
	for _, n := range s.subnets {
		if n.started {
			started++
		}
		set(d.neurons, float64(n.neurons), n.netuid)
		set(d.price, n.price, n.netuid)
		set(d.moving, n.moving, n.netuid)
		set(d.share, n.share, n.netuid)
		set(d.pool, float64(n.tao)/tao, n.netuid)
		set(d.alpha, float64(n.alpha)/tao, n.netuid)
		set(d.staked, float64(n.staked)/tao, n.netuid)
		set(d.pending, float64(n.pending)/tao, n.netuid)
		ch <- prometheus.MustNewConstMetric(d.epochs, prometheus.CounterValue, float64(n.epochs), n.netuid)
		set(d.epochHeight, float64(n.lastEpoch), n.netuid)
		set(d.epochDue, float64(n.dueEpoch), n.netuid)
		if n.started {
			set(d.epochAge, n.epochAge(s, epochs[n.netuid]).Seconds(), n.netuid)
		}
	}
	set(d.subnets, float64(started), "true")
	set(d.subnets, float64(len(s.subnets)-started), "false")
}

// epochAge is how long a started subnet's last epoch lies back, at the block of the
// sample. seen is its time, if this program ran it.
func (n subnetSample) epochAge(s stateSample, seen time.Time) time.Duration {
	since := n.begun
	switch {
	case seen.After(n.begun): // else it is of another subnet, that had the netuid before
		since = seen
	case n.epochs > 0:
		return time.Duration(s.height-n.lastEpoch) * s.target
	}
	return max(s.time.Sub(since), 0)
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
