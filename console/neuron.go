package console

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	emissiontypes "github.com/lodenet/lode/x/emission/types"
)

// Neuron is a neuron as programs are told of it: by the console's metagraph, and by
// `lode metagraph`.
type Neuron struct {
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
	EmissionAlpha     uint64   `json:"emission_alpha,string"` // of the last epoch
	RegisteredHeight  int64    `json:"registered_height"`
	LastUpdateHeight  *int64   `json:"last_update_height"`  // of the weights in force; null if none
	PruningRank       *uint32  `json:"pruning_rank"`        // 0 is replaced first; null: never
	ImmuneUntilHeight *int64   `json:"immune_until_height"` // null if not immune
	Endpoints         []string `json:"endpoints"`
	Protocol          string   `json:"protocol"`
	ProtocolVersion   string   `json:"protocol_version"`
	CollateralAlpha   uint64   `json:"collateral_alpha,string"` // bonded
	InheritedWeight   uint64   `json:"inherited_weight,string"` // of stake_weight, from parents
	LentWeight        uint64   `json:"lent_weight,string"`      // to children, not in stake_weight
	Destination       string   `json:"destination"`             // the hotkey that gets its incentive
}

// NewNeuron is a neuron of the chain's answer.
func NewNeuron(n *emissiontypes.MetagraphNeuron) Neuron {
	v := Neuron{
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

// neuronColumns are the columns of [WriteNeurons]; they are named as in JSON.
var neuronColumns = []string{"uid", "hotkey", "coldkey", "owner", "permit", "active", "stake_alpha", "stake_weight", "root_stake_rao",
	"incentive", "dividends", "consensus", "validator_trust", "rank", "emission_alpha", "registered_height", "last_update_height",
	"pruning_rank", "immune_until_height", "endpoints", "protocol", "protocol_version",
	"collateral_alpha", "inherited_weight", "lent_weight", "destination"}

// WriteNeurons writes neurons as CSV, a column a field. What begins as a formula does in
// a spreadsheet is quoted by an apostrophe: neurons choose some of the texts.
func WriteNeurons(out io.Writer, neurons []Neuron) error {
	w := csv.NewWriter(out)
	if err := w.Write(neuronColumns); err != nil {
		return err
	}
	for _, n := range neurons {
		if err := w.Write(n.cells()); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func (n *Neuron) cells() []string {
	whole := func(u uint64) string { return strconv.FormatUint(u, 10) }
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	height := func(n *int64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatInt(*n, 10)
	}
	prune := ""
	if n.PruningRank != nil {
		prune = whole(uint64(*n.PruningRank))
	}
	return []string{whole(uint64(n.UID)), n.Hotkey, n.Coldkey, strconv.FormatBool(n.Owner), strconv.FormatBool(n.Permit), strconv.FormatBool(n.Active),
		whole(n.StakeAlpha), whole(n.StakeWeight), whole(n.RootStakeRao), number(n.Incentive), number(n.Dividends),
		number(n.Consensus), number(n.ValidatorTrust), number(n.Rank), whole(n.EmissionAlpha), height(&n.RegisteredHeight),
		height(n.LastUpdateHeight), prune, height(n.ImmuneUntilHeight), cell(strings.Join(n.Endpoints, " ")), cell(n.Protocol), cell(n.ProtocolVersion),
		whole(n.CollateralAlpha), whole(n.InheritedWeight), whole(n.LentWeight), n.Destination}
}

// cell is a text that no spreadsheet takes for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
