package console

import (
	"context"
	"slices"
	"strings"

	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// subnetFigures are the figures of the table.
type subnetFigures struct {
	Netuid            uint32   `json:"netuid"`
	SubnetID          uint64   `json:"subnet_id"`
	Name              string   `json:"name"`
	Description       string   `json:"description"`
	URL               string   `json:"url"`
	Started           bool     `json:"started"`
	CreatedHeight     int64    `json:"created_height"`
	CreatedTime       string   `json:"created_time"`
	OwnerHotkey       string   `json:"owner_hotkey"`
	Price             string   `json:"price"`
	MovingPrice       string   `json:"moving_price"`
	Change1h          *float64 `json:"change_1h"`
	Change24h         *float64 `json:"change_24h"`
	Change7d          *float64 `json:"change_7d"`
	MarketValueRao    uint64   `json:"market_value_rao,string"`
	TaoReserveRao     uint64   `json:"tao_reserve_rao,string"`
	AlphaReserve      uint64   `json:"alpha_reserve,string"`
	AlphaIssued       uint64   `json:"alpha_issued,string"`
	AlphaStaked       uint64   `json:"alpha_staked,string"`
	AlphaCirculating  uint64   `json:"alpha_circulating,string"`
	EmissionShare     float64  `json:"emission_share"`
	LiquidityRao      uint64   `json:"liquidity_rao,string"`
	Volume24hRao      *uint64  `json:"volume_24h_rao,string"`
	Neurons           int      `json:"neurons"`
	Miners            int      `json:"miners"`
	Validators        int      `json:"validators"`
	MaxUids           uint32   `json:"max_uids"`
	Tempo             uint32   `json:"tempo"`
	Epochs            uint64   `json:"epochs"`
	NextEpochHeight   int64    `json:"next_epoch_height"`
	BurnRao           uint64   `json:"burn_rao,string"`
	RevenueRao        uint64   `json:"revenue_rao,string"`
	Revenue24hRao     *uint64  `json:"revenue_24h_rao,string"`
	RemovalPlace      *int     `json:"removal_place"`
	ImmuneUntilHeight *int64   `json:"immune_until_height"`
	ImmuneUntilTime   *string  `json:"immune_until_time"`
}

func newSubnetFigures(r *row) subnetFigures {
	s, p := &r.subnet, &r.pool
	v := subnetFigures{
		Netuid: s.Netuid, SubnetID: s.Id, Name: s.Name, Description: s.Description, URL: s.Url, Started: s.StartedHeight > 0,
		CreatedHeight: s.CreatedHeight, CreatedTime: unix(s.CreatedTime), OwnerHotkey: s.OwnerHotkey, Price: r.price, MovingPrice: r.moving,
		MarketValueRao: worth(p, circulating(p)), TaoReserveRao: p.TaoReserve, AlphaReserve: p.AlphaReserve, AlphaIssued: p.AlphaIssued,
		AlphaStaked: p.AlphaStaked, AlphaCirculating: circulating(p), EmissionShare: r.share, LiquidityRao: sum(p.TaoReserve, worth(p, p.AlphaReserve)),
		Neurons: len(r.members.neurons), Validators: r.validators(), MaxUids: s.Hyperparameters.MaxUids, Tempo: s.Hyperparameters.Tempo,
		Epochs: r.members.epoch.Number, NextEpochHeight: r.members.epoch.DueHeight, BurnRao: r.burn, RevenueRao: r.revenue, RemovalPlace: r.place,
	}
	v.Miners = v.Neurons - v.Validators
	if r.immune != nil {
		v.ImmuneUntilHeight, v.ImmuneUntilTime = orNull(r.immune.ImmuneUntilHeight), timeOrNull(r.immune.ImmuneUntilTime)
	}
	return v
}

// figures are a row's, with what the index knows of it.
func (s *Server) figures(ctx context.Context, t *table) ([]subnetFigures, error) {
	list := make([]subnetFigures, 0, len(t.rows))
	for _, r := range t.rows {
		list = append(list, newSubnetFigures(r))
	}
	return list, s.addHistory(ctx, t, list)
}

func (s *Server) subnets(ctx context.Context, _ *ask) (any, error) {
	ctx, t, err := s.table(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.figures(ctx, t)
	if err != nil {
		return nil, err
	}
	return struct {
		at
		FreeSlots uint32          `json:"free_slots"`
		Items     []subnetFigures `json:"items"`
		Next      string          `json:"next"`
	}{t.at, t.freeSlots, list, ""}, nil
}

type splitJSON struct {
	Provider float64 `json:"provider"`
	Burn     float64 `json:"burn"`
	Miners   float64 `json:"miners"`
	Owner    float64 `json:"owner"`
}

func newSplit(s markettypes.RevenueSplit) splitJSON {
	return splitJSON{share(s.Provider), share(s.Burn), share(s.Miners), share(s.Owner)}
}

type scheduledSplitJSON struct {
	Split  splitJSON `json:"split"`
	Height int64     `json:"height"`
}

type revenueJSON struct {
	TotalRao     uint64              `json:"total_rao,string"`
	ProviderRao  uint64              `json:"provider_rao,string"`
	OwnerRao     uint64              `json:"owner_rao,string"`
	BurnRao      uint64              `json:"burn_rao,string"`
	BurnedAlpha  uint64              `json:"burned_alpha,string"`
	MinersRao    uint64              `json:"miners_rao,string"`
	MinersAlpha  uint64              `json:"miners_alpha,string"`
	WaitingRao   uint64              `json:"waiting_rao,string"`
	Redemptions  uint64              `json:"redemptions"`
	Split        splitJSON           `json:"split"`
	Scheduled    *scheduledSplitJSON `json:"scheduled"`
	PriceWithout *string             `json:"price_without"`
}

func newRevenue(r *markettypes.QueryRevenueResponse) revenueJSON {
	v := revenueJSON{
		TotalRao: r.Revenue.Total, ProviderRao: r.Revenue.Provider, OwnerRao: r.Revenue.Owner, BurnRao: r.Revenue.BurnTao,
		BurnedAlpha: r.Revenue.Burned, MinersRao: r.Revenue.MinersTao, MinersAlpha: r.Revenue.Miners,
		WaitingRao:  sum(r.Revenue.PendingBurn, r.Revenue.PendingMiners, r.Revenue.PendingOwner),
		Redemptions: r.Revenue.Claims, Split: newSplit(r.Split),
	}
	if r.Scheduled != nil {
		v.Scheduled = &scheduledSplitJSON{newSplit(r.Scheduled.Split), r.Scheduled.Height}
	}
	if r.PriceWithout != "" {
		p := price(r.PriceWithout)
		v.PriceWithout = &p
	}
	return v
}

type scheduledValueJSON struct {
	Value     uint64 `json:"value,string"`
	DueHeight int64  `json:"due_height"`
	DueTime   string `json:"due_time"`
}

type hyperparameterJSON struct {
	Name       string              `json:"name"`
	Value      uint64              `json:"value,string"`
	Default    uint64              `json:"default,string"`
	Min        uint64              `json:"min,string"`
	Max        uint64              `json:"max,string"`
	Unit       string              `json:"unit"`
	SetBy      string              `json:"set_by"`
	SetHeight  *int64              `json:"set_height"`
	NextHeight *int64              `json:"next_height"`
	Scheduled  *scheduledValueJSON `json:"scheduled"`
}

// units of hyperparameters, as protocol.md §3 and subnets.proto have them.
var units = map[string]string{
	"tempo": "blocks", "max_uids": "uids", "max_validators": "uids", "immunity_period": "blocks", "kappa": "1/65535",
	"bonds_moving_average": "1/1000000", "bonds_penalty": "1/65535", "yuma_version": "version", "liquid_alpha": "switch",
	"alpha_low": "1/1000000", "alpha_high": "1/1000000", "alpha_sigmoid_steepness": "1/100", "activity_cutoff": "blocks",
	"min_allowed_weights": "uids", "max_weight_limit": "1/65535", "weights_rate_limit": "blocks", "weights_version": "version",
	"commit_reveal": "switch", "reveal_period": "epochs", "registration_allowed": "switch", "min_burn": "rao", "max_burn": "rao",
	"burn_half_life": "blocks", "burn_increase": "1/100", "owner_cut_enabled": "switch", "min_stake_to_validate": "stake",
	"min_collateral": "alpha", "collateral_unbond": "blocks", "max_slash": "1/1000000",
}

func newHyperparameter(h subnetstypes.HyperparameterInfo) hyperparameterJSON {
	v := hyperparameterJSON{
		Name: h.Name, Value: h.Value, Default: h.Rule.Default, Min: h.Rule.Min, Max: h.Rule.Max, Unit: units[h.Name], SetBy: "governance",
		SetHeight: orNull(h.SetHeight), NextHeight: orNull(h.NextHeight),
	}
	if h.Rule.Owner {
		v.SetBy = "owner"
	}
	if s := h.Scheduled; s != nil {
		v.Scheduled = &scheduledValueJSON{s.Value, s.DueHeight, unix(s.DueTime)}
	}
	return v
}

type servesJSON struct {
	Protocol string `json:"protocol"`
	Version  string `json:"version"`
	Neurons  int    `json:"neurons"`
}

// serves counts what neurons serve, the most frequent first.
func (r *row) serves() []servesJSON {
	type kind struct{ protocol, version string }
	count := map[kind]int{}
	for i := range r.members.neurons {
		if n := &r.members.neurons[i]; n.Protocol != "" {
			count[kind{n.Protocol, n.ProtocolVersion}]++
		}
	}
	list := []servesJSON{}
	for k, n := range count {
		list = append(list, servesJSON{k.protocol, k.version, n})
	}
	slices.SortFunc(list, func(a, b servesJSON) int {
		if a.Neurons != b.Neurons {
			return b.Neurons - a.Neurons
		}
		return strings.Compare(a.Protocol+" "+a.Version, b.Protocol+" "+b.Version)
	})
	return list
}

func (s *Server) subnet(ctx context.Context, a *ask) (any, error) {
	netuid, err := a.netuid()
	if err != nil {
		return nil, err
	}
	ctx, t, err := s.table(ctx)
	if err != nil {
		return nil, err
	}
	r, err := t.row(netuid)
	if err != nil {
		return nil, err
	}
	list := []subnetFigures{newSubnetFigures(r)}
	if err := s.addHistory(ctx, t, list); err != nil {
		return nil, err
	}
	owner, err := s.client.Subnets().Subnet(ctx, &subnetstypes.QuerySubnetRequest{Netuid: netuid})
	if err != nil {
		return nil, err
	}
	hyper, err := s.client.Subnets().Hyperparameters(ctx, &subnetstypes.QueryHyperparametersRequest{Netuid: netuid})
	if err != nil {
		return nil, err
	}
	revenue, err := s.client.Market().Revenue(ctx, &markettypes.QueryRevenueRequest{Netuid: netuid})
	if err != nil {
		return nil, err
	}
	v := struct {
		at
		subnetFigures
		OwnerColdkey    string               `json:"owner_coldkey"`
		Parameters      string               `json:"parameters"`
		LockRao         uint64               `json:"lock_rao,string"`
		StartedHeight   *int64               `json:"started_height"`
		StartedTime     *string              `json:"started_time"`
		LastEpochHeight *int64               `json:"last_epoch_height"`
		AlphaProtocol   uint64               `json:"alpha_protocol,string"`
		AlphaPending    uint64               `json:"alpha_pending,string"`
		AlphaBurned     uint64               `json:"alpha_burned,string"`
		FreeSlots       uint32               `json:"free_slots"`
		Hyperparameters []hyperparameterJSON `json:"hyperparameters"`
		Revenue         revenueJSON          `json:"revenue"`
		Serves          []servesJSON         `json:"serves"`
	}{
		at: t.at, subnetFigures: list[0], OwnerColdkey: owner.OwnerColdkey, Parameters: r.subnet.Parameters, LockRao: r.subnet.Lock,
		StartedHeight: orNull(r.subnet.StartedHeight), StartedTime: timeOrNull(r.subnet.StartedTime), LastEpochHeight: orNull(r.members.epoch.LastHeight),
		AlphaProtocol: r.pool.AlphaProtocol, AlphaPending: r.pool.AlphaPending, AlphaBurned: r.pool.AlphaBurned, FreeSlots: t.freeSlots,
		Hyperparameters: []hyperparameterJSON{}, Revenue: newRevenue(revenue), Serves: r.serves(),
	}
	for _, h := range hyper.Hyperparameters {
		v.Hyperparameters = append(v.Hyperparameters, newHyperparameter(h))
	}
	return v, nil
}
