package console

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

type metagraphJSON struct {
	at
	Netuid          uint32   `json:"netuid"`
	SubnetID        uint64   `json:"subnet_id"`
	Name            string   `json:"name"`
	Started         bool     `json:"started"`
	Price           string   `json:"price"`
	MovingPrice     string   `json:"moving_price"`
	TaoReserveRao   uint64   `json:"tao_reserve_rao,string"`
	AlphaReserve    uint64   `json:"alpha_reserve,string"`
	BurnRao         uint64   `json:"burn_rao,string"`
	Tempo           uint32   `json:"tempo"`
	Epochs          uint64   `json:"epochs"`
	NextEpochHeight int64    `json:"next_epoch_height"`
	Neurons         []Neuron `json:"neurons"`
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
		Neurons: make([]Neuron, 0, len(r.Neurons)),
	}
	for i := range r.Neurons {
		v.Neurons = append(v.Neurons, NewNeuron(&r.Neurons[i]))
	}
	if format != "csv" {
		return v, nil
	}
	return raw{"text/csv; charset=utf-8", fmt.Sprintf("metagraph-%d-%d.csv", netuid, r.Height), func(w io.Writer) error { return WriteNeurons(w, v.Neurons) }}, nil
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
