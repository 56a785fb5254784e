package sim

import (
	"crypto/sha256"
	"fmt"

	libp2pcrypto "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	sdk "github.com/cosmos/cosmos-sdk/types"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

func (t table) subnets() {
	t.add(&subnetstypes.MsgCreateSubnet{}, 8, createSubnet)
	t.add(&subnetstypes.MsgStartSubnet{}, 8, startSubnet)
	t.add(&subnetstypes.MsgUpdateSubnet{}, 8, updateSubnet)
	t.add(&subnetstypes.MsgSetHyperparameter{}, 14, setHyperparameter)
	t.add(&subnetstypes.MsgRegister{}, 80, register)
	t.add(&subnetstypes.MsgServe{}, 40, serve)
	t.add(&subnetstypes.MsgTransferOwnership{}, 3, transferOwnership)
	t.add(&subnetstypes.MsgPublish{}, 20, publish)
	t.add(&subnetstypes.MsgPublishSealed{}, 20, publishSealed)
	t.add(&subnetstypes.MsgRevealPublished{}, 30, revealPublished)
	t.add(&subnetstypes.MsgSwapHotkey{}, 12, swapHotkey)
}

func createSubnet(s *sim) sdk.Msg {
	cost := must1(s.nodes[0].Subnets.LockCost(s.view.ctx))
	if len(s.view.nets) == 5 && s.n(3) > 0 {
		return nil
	}
	hot, cold := s.binding()
	if hot == nil || s.balance(cold) < int64(cost) {
		return nil
	}
	return &subnetstypes.MsgCreateSubnet{
		Coldkey: cold.text, Hotkey: hot.text, MaxLock: cost * 2, Name: fmt.Sprintf("net %d", s.comet.height), Description: "of a simulation", Parameters: `{"a": 1}`,
	}
}

func startSubnet(s *sim) sdk.Msg {
	n := s.net(func(n *net) bool { return !n.Started() })
	if n == nil {
		return nil
	}
	return &subnetstypes.MsgStartSubnet{Coldkey: n.owner, Netuid: n.Netuid}
}

func updateSubnet(s *sim) sdk.Msg {
	n := s.net(nil)
	if n == nil {
		return nil
	}
	return &subnetstypes.MsgUpdateSubnet{Coldkey: n.owner, Netuid: n.Netuid, Name: fmt.Sprintf("name %d", s.n(100)), Url: "https://lode.example/x", Parameters: "{}"}
}

// hyperparameterValues are what is set: mostly within what keeps a subnet working,
// and also what stops registrations or switches modes.
var hyperparameterValues = []struct {
	name   string
	values []uint64
}{
	{"tempo", []uint64{10, 10, 11, 12}},
	{"max_uids", []uint64{14, 14, 15, 16, 20}},
	{"max_validators", []uint64{3, 6, 8}},
	{"immunity_period", []uint64{25, 30, 40}},
	{"kappa", []uint64{32_767, 20_000, 65_535, 0}},
	{"bonds_moving_average", []uint64{900_000, 0, 975_000, 500_000}},
	{"bonds_penalty", []uint64{65_535, 0, 30_000}},
	{"yuma_version", []uint64{2, 3, 3}},
	{"liquid_alpha", []uint64{0, 1}},
	{"alpha_low", []uint64{700_000, 100_000, 1}},
	{"alpha_high", []uint64{900_000, 999_999, 750_000}},
	{"alpha_sigmoid_steepness", []uint64{1_000, 0, 10_000}},
	{"activity_cutoff", []uint64{60, 40, 200}},
	{"min_allowed_weights", []uint64{1, 1, 1, 3}},
	{"max_weight_limit", []uint64{65_535, 65_535, 40_000}},
	{"weights_rate_limit", []uint64{1, 3, 5}},
	{"weights_version", []uint64{0, 0, 1}},
	{"commit_reveal", []uint64{1, 0}},
	{"reveal_period", []uint64{1, 1, 2}},
	{"registration_allowed", []uint64{1, 1, 1, 0}},
	{"min_burn", []uint64{500_000, 1_000_000}},
	{"max_burn", []uint64{100 * tao, 10 * tao}},
	{"burn_half_life", []uint64{10, 20}},
	{"burn_increase", []uint64{126, 101, 200}},
	{"owner_cut_enabled", []uint64{1, 0}},
	{"min_stake_to_validate", []uint64{0, 0, tao}},
	{"min_collateral", []uint64{0, 0, tao / 100, tao}},
	{"collateral_unbond", []uint64{4, 12, 30}},
	{"max_slash", []uint64{100_000, 200_000, 0}},
}

func setHyperparameter(s *sim) sdk.Msg {
	n := s.net(nil)
	if n == nil {
		return nil
	}
	h := hyperparameterValues[s.n(len(hyperparameterValues))]
	if s.n(4) == 0 { // what is closed is opened again
		h = hyperparameterValues[17+2*s.n(2)]
		return &subnetstypes.MsgSetHyperparameter{Signer: n.owner, Netuid: n.Netuid, Name: h.name, Value: h.values[0]}
	}
	return &subnetstypes.MsgSetHyperparameter{Signer: n.owner, Netuid: n.Netuid, Name: h.name, Value: h.values[s.n(len(h.values))]}
}

func register(s *sim) sdk.Msg {
	n := s.net(func(n *net) bool { return n.Started() && (n.Hyperparameters.RegistrationAllowed || s.n(10) == 0) })
	if n == nil {
		return nil
	}
	for range 10 {
		hot, cold := s.binding()
		if hot == nil || n.has(hot.text) {
			continue
		}
		return &subnetstypes.MsgRegister{Coldkey: cold.text, Hotkey: hot.text, Netuid: n.Netuid, MaxBurn: 40 * tao}
	}
	return nil
}

func serve(s *sim) sdk.Msg {
	n, x, ok := s.neuron(all)
	if !ok || s.comet.height-x.ServedHeight < 3 && s.n(10) > 0 {
		return nil
	}
	pub := must1(libp2pcrypto.UnmarshalSecp256k1PublicKey(s.byText[x.Hotkey].key.PubKey().Bytes()))
	id := must1(peer.IDFromPublicKey(pub))
	return &subnetstypes.MsgServe{
		Hotkey: x.Hotkey, Netuid: n.Netuid, Endpoints: []string{fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1/p2p/%s", 1_000+s.n(60_000), id)},
		Protocol: "video/miner", ProtocolVersion: "1",
	}
}

func transferOwnership(s *sim) sdk.Msg {
	n := s.net(nil)
	if n == nil {
		return nil
	}
	return &subnetstypes.MsgTransferOwnership{Coldkey: n.owner, Netuid: n.Netuid, Hotkey: n.neurons[s.n(len(n.neurons))].Hotkey}
}

func publish(s *sim) sdk.Msg {
	n, x, ok := s.neuron(all)
	if !ok {
		return nil
	}
	return &subnetstypes.MsgPublish{Hotkey: x.Hotkey, Netuid: n.Netuid, Data: s.bytes(1 + s.n(300))}
}

// seal is what was sealed and is to be revealed.
type seal struct {
	subnet uint64
	reveal *subnetstypes.MsgRevealPublished
}

func publishSealed(s *sim) sdk.Msg {
	n, x, ok := s.neuron(all)
	if !ok {
		return nil
	}
	r := &subnetstypes.MsgRevealPublished{Hotkey: x.Hotkey, Netuid: n.Netuid, Data: s.bytes(1 + s.n(100)), Salt: s.bytes(sha256.Size)}
	hash := subnetstypes.PublishHash(chainID, uint16(n.Netuid), s.byText[x.Hotkey].addr, r.Data, r.Salt)
	s.seals = append(s.seals, seal{n.Id, r})
	return &subnetstypes.MsgPublishSealed{Hotkey: x.Hotkey, Netuid: n.Netuid, Hash: hash[:]}
}

func revealPublished(s *sim) sdk.Msg {
	if len(s.seals) < 4 {
		return nil
	}
	x := s.seals[0]
	s.seals = s.seals[1:]
	if n := s.netOf(x.subnet); n == nil || !n.has(x.reveal.Hotkey) {
		return nil
	}
	return x.reveal
}

// swapHotkey gives a hotkey's place to another of the same coldkey.
func swapHotkey(s *sim) sdk.Msg {
	_, x, ok := s.neuron(all)
	if !ok {
		return nil
	}
	cold := s.view.coldkey[x.Hotkey]
	for range 30 {
		h := s.view.alpha.Hotkeys[s.n(len(s.view.alpha.Hotkeys))]
		if h.Coldkey != cold || h.Hotkey == x.Hotkey || s.net(func(n *net) bool { return n.has(h.Hotkey) }) != nil {
			continue
		}
		return &subnetstypes.MsgSwapHotkey{Coldkey: cold, Hotkey: x.Hotkey, NewHotkey: h.Hotkey}
	}
	return nil
}
