package bench_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	sdkmath "cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
	"github.com/lodenet/lode/yuma"
)

// scale says how large a chain's state is.
type scale struct {
	subnets    int
	neurons    int // of each subnet
	validators int // of them: the first uids, each with a dense row
	nominators int // of each validator, beside its own coldkey
	crowd      int // nominators of validator 0 in subnet 1 besides
}

// full is the chain that the targets are of: 128 subnets of 256 neurons.
var full = scale{subnets: 128, neurons: 256, validators: 64, nominators: 8}

func (s scale) String() string {
	out := fmt.Sprintf("%dx%d", s.subnets, s.neurons)
	if s.crowd > 0 {
		out += fmt.Sprintf("/crowd=%d", s.crowd)
	}
	return out
}

const (
	chainValidators = 100 // the staking module's most

	taoReserve   = 1_000 * tao     // of each pool
	alphaReserve = 100_000 * tao   // a price of 0.01: 128 of them sum to more than 1, so root's part is sold
	alphaStaked  = 3_000_000 * tao // on each subnet's hotkeys
	alphaStart   = 1_000           // block at which subnets started, and neurons registered
	tao          = 1_000_000_000
)

// account is an address that nobody signs for.
func account(words ...any) sdk.AccAddress {
	sum := sha256.Sum256(fmt.Append(nil, words...))
	return sum[:20]
}

// validatorKey signs for the hotkey of a subnets' validator, who is a chain
// validator too, the same in all subnets.
func validatorKey(i int) *secp256k1.PrivKey {
	return secp256k1.GenPrivKeyFromSecret(fmt.Append(nil, "validator ", i))
}

func validatorHotkey(i int) sdk.AccAddress {
	return sdk.AccAddress(validatorKey(i).PubKey().Address())
}

// hotkey is who holds a uid.
func (s scale) hotkey(subnet, uid int) sdk.AccAddress {
	if uid < s.validators {
		return validatorHotkey(uid)
	}
	return account("miner ", subnet, " ", uid)
}

// owner is the uid of a subnet's owner, the first that is no validator.
func (s scale) owner() int { return s.validators }

// stake is how much alpha is on a hotkey: a validator's is a hundred times a miner's.
func (s scale) stake(uid int) uint64 {
	parts := uint64(100*s.validators + s.neurons - s.validators)
	if uid < s.validators {
		return alphaStaked / parts * 100
	}
	return alphaStaked / parts
}

// alpha is x/alpha's state.
func (s scale) alpha(params alphatypes.Params) alphatypes.GenesisState {
	g := alphatypes.GenesisState{Params: params, NextSubnetId: uint64(s.subnets) + 1}
	for uid := range s.validators {
		g.Hotkeys = append(g.Hotkeys, alphatypes.Hotkey{
			Hotkey: s.hotkey(0, uid).String(), Coldkey: account("coldkey of validator ", uid).String(), Take: params.DefaultTake, BoundHeight: 1,
		})
	}
	for subnet := 1; subnet <= s.subnets; subnet++ {
		p := alphatypes.Pool{
			SubnetId: uint64(subnet), Netuid: uint32(subnet), Trading: true, TaoReserve: taoReserve, AlphaReserve: alphaReserve,
		}
		for uid := range s.neurons {
			hotkey, coldkey := s.hotkey(subnet, uid).String(), account("coldkey of miner ", subnet, " ", uid)
			var coldkeys []sdk.AccAddress
			if uid < s.validators {
				coldkey = account("coldkey of validator ", uid)
				for n := range s.nominators {
					coldkeys = append(coldkeys, account("nominator ", uid, " ", n))
				}
			} else {
				g.Hotkeys = append(g.Hotkeys, alphatypes.Hotkey{Hotkey: hotkey, Coldkey: coldkey.String(), Take: params.DefaultTake, BoundHeight: 1})
			}
			if uid == 0 && subnet == 1 {
				for n := range s.crowd {
					coldkeys = append(coldkeys, account("one of the crowd ", n))
				}
			}
			p.AlphaStaked += addStakes(&g, subnet, hotkey, append(coldkeys, coldkey), s.stake(uid))
		}
		p.AlphaIssued = p.AlphaReserve + p.AlphaStaked
		g.Pools = append(g.Pools, p)
	}
	return g
}

// addStakes divides alpha among the coldkeys of a hotkey. It returns what was staked.
func addStakes(g *alphatypes.GenesisState, subnet int, hotkey string, coldkeys []sdk.AccAddress, alpha uint64) uint64 {
	each := alpha / uint64(len(coldkeys))
	unit := sdkmath.NewInt(1_000_000_000_000_000_000)
	alpha = each * uint64(len(coldkeys))
	g.StakePools = append(g.StakePools, alphatypes.StakePool{
		SubnetId: uint64(subnet), Hotkey: hotkey, Alpha: alpha, Shares: sdkmath.NewIntFromUint64(alpha).Mul(unit),
	})
	for _, c := range coldkeys {
		g.Positions = append(g.Positions, alphatypes.Position{
			SubnetId: uint64(subnet), Hotkey: hotkey, Coldkey: c.String(), Shares: sdkmath.NewIntFromUint64(each).Mul(unit),
		})
	}
	return alpha
}

// registry is x/subnets' state.
func (s scale) registry(params subnetstypes.Params, lastSubnetReveals bool) (subnetstypes.GenesisState, error) {
	g := subnetstypes.GenesisState{Params: params}
	for subnet := 1; subnet <= s.subnets; subnet++ {
		h, err := params.Defaults()
		if err != nil {
			return g, err
		}
		h.CommitReveal = lastSubnetReveals && subnet == s.subnets
		h.MaxUids, h.MaxValidators = uint32(s.neurons), uint32(s.validators)
		g.Subnets = append(g.Subnets, subnetstypes.Subnet{
			Id: uint64(subnet), Netuid: uint32(subnet), OwnerHotkey: s.hotkey(subnet, s.owner()).String(), Name: fmt.Sprint("subnet ", subnet),
			Description: "a subnet whose seats are all taken", Url: "https://example.org", Parameters: "{}", Lock: taoReserve,
			CreatedHeight: 1, StartedHeight: alphaStart, Neurons: uint32(s.neurons), Hyperparameters: h,
		})
		g.BurnPrices = append(g.BurnPrices, subnetstypes.BurnPrice{SubnetId: uint64(subnet), Burn: tao / 10})
		for uid := range s.neurons {
			g.Neurons = append(g.Neurons, subnetstypes.Neuron{
				SubnetId: uint64(subnet), Uid: uint32(uid), Hotkey: s.hotkey(subnet, uid).String(), RegisteredHeight: alphaStart,
				Endpoints: []string{fmt.Sprintf("/ip4/203.0.113.%d/udp/4001/quic-v1/p2p/16Uiu2HAmE7XsFAvCF1hq8GyVYVvqGT5oSgdXuzRwtzzUxyNrWP%02dX", uid%256, uid%100)},
				Protocol:  "video/miner", ProtocolVersion: "1", ServedHeight: alphaStart,
			})
		}
	}
	return g, g.Validate()
}

// row are a validator's weights: all neurons by their quality, with noise of a tenth
// that is another in every round.
func (s scale) row(subnet, uid, round int) (uids, values []uint32) {
	quality, noise := rand.New(rand.NewPCG(1, uint64(subnet))), rand.New(rand.NewPCG(uint64(subnet), uint64(uid)<<32|uint64(round)))
	for to := range s.neurons {
		q := 1_000 + quality.IntN(50_000)
		uids = append(uids, uint32(to))
		values = append(values, uint32(q-q/10+noise.IntN(q/5+1)))
	}
	return uids, values
}

// weights is x/weights' state: bonds are those of three epochs.
func (s scale) weights(params weightstypes.Params, registry subnetstypes.GenesisState, due int64) (weightstypes.GenesisState, error) {
	g := weightstypes.GenesisState{Params: params}
	var engine yuma.Engine
	for subnet := 1; subnet <= s.subnets; subnet++ {
		id := uint64(subnet)
		for round := range 3 {
			in := s.input(registry.Subnets[subnet-1].Hyperparameters, subnet, round)
			if round > 0 {
				in.Bonds = bondsOf(g.Bonds[len(g.Bonds)-s.validators:], s.neurons)
				g.Bonds = g.Bonds[:len(g.Bonds)-s.validators]
			}
			out, err := engine.Run(in)
			if err != nil {
				return g, err
			}
			for uid := range s.validators {
				b := weightstypes.Bonds{SubnetId: id, Uid: uint32(uid)}
				for _, e := range out.Bonds[uid] {
					b.Uids, b.Values = append(b.Uids, uint32(e.UID)), append(b.Values, uint32(e.Value))
				}
				g.Bonds = append(g.Bonds, b)
			}
		}
		for uid := range s.validators {
			g.Rows = append(g.Rows, s.storedRow(subnet, uid, 3, alphaStart))
			g.Permits = append(g.Permits, weightstypes.Permit{SubnetId: id, Uid: uint32(uid)})
		}
		g.Results = append(g.Results, s.result(subnet))
		g.Epochs = append(g.Epochs, weightstypes.EpochState{SubnetId: id, Number: 3, LastHeight: alphaStart + 720, DueHeight: due})
	}
	return g, g.Validate()
}

// result stands in for the last epoch's until there is one.
func (s scale) result(subnet int) weightstypes.EpochResult {
	none := make([]uint64, s.neurons)
	return weightstypes.EpochResult{
		SubnetId: uint64(subnet), Number: 3, Height: alphaStart + 720, Stake: none, Incentive: none, Dividends: none, Consensus: none,
		ValidatorTrust: none, Rank: none, Active: make([]bool, s.neurons), MaxValidators: uint32(s.validators),
	}
}

func (s scale) storedRow(subnet, uid, round int, height int64) weightstypes.Row {
	r := weightstypes.Row{SubnetId: uint64(subnet), Uid: uint32(uid), Height: height, SetHeight: height}
	r.Uids, r.Values = s.row(subnet, uid, round)
	return r
}

// input is a subnet as the epoch of a round finds it, for building up bonds.
func (s scale) input(h subnetstypes.Hyperparameters, subnet, round int) *yuma.Input {
	in := &yuma.Input{
		Params: yuma.Params{
			Kappa: uint16(h.Kappa), BondsPenalty: uint16(h.BondsPenalty), BondsMovingAverage: h.BondsMovingAverage,
			YumaVersion: h.YumaVersion, MaxValidators: h.MaxValidators, ActivityCutoff: uint64(h.ActivityCutoff),
		},
		Block: alphaStart + 360*uint64(round+1), LastEpoch: alphaStart + 360*uint64(round), Owner: s.owner(),
		Stake: make([]uint64, s.neurons), Rows: make([]yuma.Row, s.neurons),
		Registered: make([]uint64, s.neurons), Permits: make([]bool, s.neurons),
	}
	for uid := range s.neurons {
		in.Stake[uid], in.Registered[uid] = s.stake(uid), alphaStart
		if uid >= s.validators {
			continue
		}
		uids, values := s.row(subnet, uid, round)
		row := yuma.Row{Set: true, Block: alphaStart}
		for i := range uids {
			row.Entries = append(row.Entries, yuma.Entry{UID: uint16(uids[i]), Value: uint16(values[i])})
		}
		in.Rows[uid], in.Permits[uid] = row, true
	}
	return in
}

func bondsOf(stored []weightstypes.Bonds, n int) [][]yuma.Entry {
	out := make([][]yuma.Entry, n)
	for _, b := range stored {
		for i := range b.Uids {
			out[b.Uid] = append(out[b.Uid], yuma.Entry{UID: uint16(b.Uids[i]), Value: uint16(b.Values[i])})
		}
	}
	return out
}

// emission is x/emission's state: prices that have come to rest.
func (s scale) emission(g emissiontypes.GenesisState) emissiontypes.GenesisState {
	price := alphatypes.Pool{TaoReserve: taoReserve, AlphaReserve: alphaReserve}.Price()
	for subnet := 1; subnet <= s.subnets; subnet++ {
		g.Subnets = append(g.Subnets, emissiontypes.SubnetEmission{SubnetId: uint64(subnet), MovingPrice: price})
	}
	return g
}

// secret is 32 bytes that a key is made of.
func secret(what string, i int) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(what), uint64(i)))
	return sum[:]
}
