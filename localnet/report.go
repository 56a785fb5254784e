package localnet

// Report is what a network has done: the answer of its status endpoint and of
// `lode up --report`. Base-unit integers are decimal strings; prices, scores,
// incentive and dividends are numbers; what nobody has seen is null.
type Report struct {
	Height           int64          `json:"height"`
	ChainID          string         `json:"chain_id"`
	IssuedRao        uint64         `json:"issued_rao,string"`
	FirstPaidSeconds *float64       `json:"first_paid_seconds"` // from the first block to the first miner's pay
	Endpoints        Endpoints      `json:"endpoints"`
	Subnets          []SubnetReport `json:"subnets"`
}

// Endpoints are full URLs.
type Endpoints struct {
	RPC    string `json:"rpc"`
	GRPC   string `json:"grpc"`
	REST   string `json:"rest"`
	Status string `json:"status"`
}

// SubnetReport is a subnet of a [Report].
type SubnetReport struct {
	Netuid        uint16         `json:"netuid"`
	Name          string         `json:"name"`
	Price         float64        `json:"price"` // TAO per alpha
	TaoReserveRao uint64         `json:"tao_reserve_rao,string"`
	AlphaReserve  uint64         `json:"alpha_reserve,string"` // units of 10^-9
	Epochs        uint64         `json:"epochs"`
	Neurons       []NeuronReport `json:"neurons"`
}

// Roles of a neuron in a [Report].
const (
	RoleOwner     = "owner"
	RoleValidator = "validator"
	RoleMiner     = "miner"
)

// NeuronReport is a neuron of a [SubnetReport]. Strategy and work are known only
// of the processes that this network runs itself.
type NeuronReport struct {
	UID           uint16   `json:"uid"`
	Hotkey        string   `json:"hotkey"`
	Role          string   `json:"role"`
	Strategy      *string  `json:"strategy"`
	Score         *float64 `json:"score"` // mean over validators of the last round's score
	Incentive     float64  `json:"incentive"`
	Dividends     float64  `json:"dividends"`
	StakeAlpha    uint64   `json:"stake_alpha,string"`    // units of 10^-9
	EmissionAlpha uint64   `json:"emission_alpha,string"` // of the last epoch
	BytesIn       *uint64  `json:"bytes_in"`
	BytesOut      *uint64  `json:"bytes_out"`
	Jobs          *uint64  `json:"jobs"`
}
