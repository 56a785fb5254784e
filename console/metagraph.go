package console

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	emissiontypes "github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

type metagraphJSON struct {
	at
	Netuid          uint32       `json:"netuid"`
	SubnetID        uint64       `json:"subnet_id"`
	Name            string       `json:"name"`
	Started         bool         `json:"started"`
	Price           string       `json:"price"`
	MovingPrice     string       `json:"moving_price"`
	TaoReserveRao   uint64       `json:"tao_reserve_rao,string"`
	AlphaReserve    uint64       `json:"alpha_reserve,string"`
	BurnRao         uint64       `json:"burn_rao,string"`
	Tempo           uint32       `json:"tempo"`
	Epochs          uint64       `json:"epochs"`
	NextEpochHeight int64        `json:"next_epoch_height"`
	Neurons         []neuronJSON `json:"neurons"`
}

type neuronJSON struct {
	UID               uint32   `json:"uid"`
	Hotkey            string   `json:"hotkey"`
	Coldkey           string   `json:"coldkey"`
	Owner             bool     `json:"owner"`
	Permit            bool     `json:"permit"`
	Active            bool     `json:"active"`
	StakeAlpha        uint64   `json:"stake_alpha,string"`
	StakeWeight       uint64   `json:"stake_weight,string"`
	RootStakeRao      uint64   `json:"root_stake_rao,string"`
	Incentive         float64  `json:"incentive"`
	Dividends         float64  `json:"dividends"`
	Consensus         float64  `json:"consensus"`
	ValidatorTrust    float64  `json:"validator_trust"`
	Rank              float64  `json:"rank"`
	EmissionAlpha     uint64   `json:"emission_alpha,string"`
	RegisteredHeight  int64    `json:"registered_height"`
	LastUpdateHeight  *int64   `json:"last_update_height"`
	PruningRank       *uint32  `json:"pruning_rank"`
	ImmuneUntilHeight *int64   `json:"immune_until_height"`
	Endpoints         []string `json:"endpoints"`
	Protocol          string   `json:"protocol"`
	ProtocolVersion   string   `json:"protocol_version"`
	CollateralAlpha   uint64   `json:"collateral_alpha,string"`
	InheritedWeight   uint64   `json:"inherited_weight,string"`
	LentWeight        uint64   `json:"lent_weight,string"`
	Destination       string   `json:"destination"`
}

func newNeuron(n *emissiontypes.MetagraphNeuron) neuronJSON {
	v := neuronJSON{
		UID: n.Uid, Hotkey: n.Hotkey, Coldkey: n.Coldkey, Owner: n.Owner, Permit: n.Permit, Active: n.Active,
		StakeAlpha: n.StakeAlpha, StakeWeight: n.StakeWeight, RootStakeRao: n.RootStake,
		Incentive: fraction(n.Incentive), Dividends: fraction(n.Dividends), Consensus: fraction(n.Consensus),
		ValidatorTrust: fraction(n.ValidatorTrust), Rank: fraction(n.Rank), EmissionAlpha: n.Emission,
		RegisteredHeight: n.RegisteredHeight, LastUpdateHeight: orNull(n.LastUpdate), ImmuneUntilHeight: orNull(n.ImmuneUntilHeight),
		Endpoints: append([]string{}, n.Endpoints...), Protocol: n.Protocol, ProtocolVersion: n.ProtocolVersion,
		CollateralAlpha: n.Collateral, InheritedWeight: n.Inherited, LentWeight: n.Lent, Destination: n.Destination,
	}
	if v.Destination == "" {
		v.Destination = v.Hotkey
	}
	if !n.Owner { // whose hotkey always keeps its uid
		v.PruningRank = &n.PruningRank
	}
	return v
}

func (s *Server) metagraph(ctx context.Context, a *ask) (any, error) {
	netuid, err := a.netuid()
	if err != nil {
		return nil, err
	}
	format, err := a.oneOf("format", "", "json", "csv")
	if err != nil {
		return nil, err
	}
	if format == "" && prefersCSV(a.Header.Get("Accept")) {
		format = "csv"
	}
	ctx, _, err = s.chain.now(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.client.Metagraph(ctx, netuid)
	if err != nil {
		return nil, err
	}
	t, err := s.client.BlockTime(ctx, r.Height) // to the nanosecond, as elsewhere
	if err != nil {
		t = time.Unix(r.Time, 0)
	}
	v := metagraphJSON{
		at: newAt(r.Height, t), Netuid: r.Subnet.Netuid, SubnetID: r.Subnet.Id, Name: r.Subnet.Name, Started: r.Subnet.StartedHeight > 0,
		Price: price(r.Price), MovingPrice: price(r.MovingPrice), TaoReserveRao: r.Pool.TaoReserve, AlphaReserve: r.Pool.AlphaReserve,
		BurnRao: r.Burn, Tempo: r.Subnet.Hyperparameters.Tempo, Epochs: r.Epoch.Number, NextEpochHeight: r.Epoch.DueHeight,
		Neurons: make([]neuronJSON, 0, len(r.Neurons)),
	}
	for i := range r.Neurons {
		v.Neurons = append(v.Neurons, newNeuron(&r.Neurons[i]))
	}
	if format != "csv" {
		return v, nil
	}
	return raw{"text/csv; charset=utf-8", fmt.Sprintf("metagraph-%d-%d.csv", netuid, r.Height), v.csv}, nil
}

// prefersCSV says whether an Accept header asks for a table and not for JSON.
func prefersCSV(accept string) bool {
	for _, part := range strings.Split(accept, ",") {
		kind, _, _ := strings.Cut(part, ";")
		switch strings.TrimSpace(kind) {
		case "text/csv":
			return true
		case "application/json", "*/*":
			return false
		}
	}
	return false
}

// csv has a column a field. What begins as a formula does in a spreadsheet is quoted by
// an apostrophe: providers choose some of the texts.
func (v metagraphJSON) csv(out io.Writer) error {
	w := csv.NewWriter(out)
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	height := func(n *int64) string {
		if n == nil {
			return ""
		}
		return fmt.Sprint(*n)
	}
	if err := w.Write([]string{"uid", "hotkey", "coldkey", "owner", "permit", "active", "stake_alpha", "stake_weight", "root_stake_rao",
		"incentive", "dividends", "consensus", "validator_trust", "rank", "emission_alpha", "registered_height", "last_update_height",
		"pruning_rank", "immune_until_height", "endpoints", "protocol", "protocol_version",
		"collateral_alpha", "inherited_weight", "lent_weight", "destination"}); err != nil {
		return err
	}
	for _, n := range v.Neurons {
		prune := ""
		if n.PruningRank != nil {
			prune = fmt.Sprint(*n.PruningRank)
		}
		if err := w.Write([]string{fmt.Sprint(n.UID), n.Hotkey, n.Coldkey, fmt.Sprint(n.Owner), fmt.Sprint(n.Permit), fmt.Sprint(n.Active),
			fmt.Sprint(n.StakeAlpha), fmt.Sprint(n.StakeWeight), fmt.Sprint(n.RootStakeRao), number(n.Incentive), number(n.Dividends),
			number(n.Consensus), number(n.ValidatorTrust), number(n.Rank), fmt.Sprint(n.EmissionAlpha), fmt.Sprint(n.RegisteredHeight),
			height(n.LastUpdateHeight), prune, height(n.ImmuneUntilHeight), cell(strings.Join(n.Endpoints, " ")), cell(n.Protocol), cell(n.ProtocolVersion),
			fmt.Sprint(n.CollateralAlpha), fmt.Sprint(n.InheritedWeight), fmt.Sprint(n.LentWeight), n.Destination}); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// cell is a text that no spreadsheet takes for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

type weightsRowJSON struct {
	UID       uint32   `json:"uid"`
	UIDs      []uint32 `json:"uids"`
	Values    []uint32 `json:"values"`
	Height    int64    `json:"height"`
	SetHeight int64    `json:"set_height"`
}

func (s *Server) weights(ctx context.Context, a *ask) (any, error) {
	ctx, now, sub, err := s.oneSubnet(ctx, a)
	if err != nil {
		return nil, err
	}
	r, err := s.client.Weights().Weights(ctx, &weightstypes.QueryWeightsRequest{Netuid: sub.Netuid})
	if err != nil {
		return nil, err
	}
	rows := []weightsRowJSON{}
	for _, w := range r.Rows {
		rows = append(rows, weightsRowJSON{w.Uid, append([]uint32{}, w.Uids...), append([]uint32{}, w.Values...), w.Height, w.SetHeight})
	}
	return struct {
		at
		Netuid  uint32           `json:"netuid"`
		Neurons uint32           `json:"neurons"`
		Rows    []weightsRowJSON `json:"rows"`
	}{now, sub.Netuid, sub.Neurons, rows}, nil
}

type bondsRowJSON struct {
	UID    uint32   `json:"uid"`
	UIDs   []uint32 `json:"uids"`
	Values []uint32 `json:"values"`
}

func (s *Server) bonds(ctx context.Context, a *ask) (any, error) {
	ctx, now, sub, err := s.oneSubnet(ctx, a)
	if err != nil {
		return nil, err
	}
	r, err := s.client.Weights().Bonds(ctx, &weightstypes.QueryBondsRequest{Netuid: sub.Netuid})
	if err != nil {
		return nil, err
	}
	rows := []bondsRowJSON{}
	for _, b := range r.Bonds {
		rows = append(rows, bondsRowJSON{b.Uid, append([]uint32{}, b.Uids...), append([]uint32{}, b.Values...)})
	}
	return struct {
		at
		Netuid  uint32         `json:"netuid"`
		Neurons uint32         `json:"neurons"`
		Rows    []bondsRowJSON `json:"rows"`
	}{now, sub.Netuid, sub.Neurons, rows}, nil
}

// oneSubnet is the live subnet that the path names.
func (s *Server) oneSubnet(ctx context.Context, a *ask) (context.Context, at, *subnetstypes.Subnet, error) {
	netuid, err := a.netuid()
	if err != nil {
		return nil, at{}, nil, err
	}
	ctx, now, err := s.chain.now(ctx)
	if err != nil {
		return nil, at{}, nil, err
	}
	r, err := s.client.Subnets().Subnet(ctx, &subnetstypes.QuerySubnetRequest{Netuid: netuid})
	if err != nil {
		return nil, at{}, nil, err
	}
	return ctx, now, &r.Subnet, nil
}
