package indexer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	sdkmath "cosmossdk.io/math"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/cosmos/gogoproto/proto"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// begin makes the state that a chain begins with, out of its genesis: no event tells of
// it.
func (s *state) begin(cdc codec.Codec, doc *cmttypes.GenesisDoc) error {
	s.chainID, s.firstHeight = doc.ChainID, max(doc.InitialHeight, 1)
	// What genesis holds is dated to the block before the first.
	s.block = current{height: s.firstHeight - 1, time: doc.GenesisTime.UTC(), nanos: doc.GenesisTime.UnixNano(), idx: atBegin, touched: map[uint64]bool{}}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(doc.AppState, &parts); err != nil {
		return fmt.Errorf("genesis of %s: %w", doc.ChainID, err)
	}
	g := genesis{state: s, accounts: map[string]string{}}
	for _, p := range []struct {
		name string
		into proto.Message
		read func() error
	}{
		{banktypes.ModuleName, &g.bank, g.readBank},
		{stakingtypes.ModuleName, &g.staking, g.readStaking},
		{alphatypes.ModuleName, &g.alpha, g.readAlpha},
		{subnetstypes.ModuleName, &g.subnets, g.readSubnets},
		{weightstypes.ModuleName, &g.weights, g.readWeights},
		{emissiontypes.ModuleName, &g.emission, g.readEmission},
		{markettypes.ModuleName, &g.market, g.readMarket},
	} {
		raw, ok := parts[p.name]
		if !ok {
			return fmt.Errorf("genesis of %s has nothing of x/%s: it is no chain of Lode", doc.ChainID, p.name)
		}
		if err := cdc.UnmarshalJSON(raw, p.into); err != nil {
			return fmt.Errorf("genesis of %s, x/%s: %w", doc.ChainID, p.name, err)
		}
		if err := p.read(); err != nil {
			return fmt.Errorf("genesis of %s, x/%s: %w", doc.ChainID, p.name, err)
		}
	}
	if err := g.readTxs(cdc, parts[genutiltypes.ModuleName]); err != nil {
		return fmt.Errorf("genesis of %s, gen_txs: %w", doc.ChainID, err)
	}
	g.open()
	return nil
}

type genesis struct {
	*state
	accounts   map[string]string // hotkey by its account, where they differ
	opening    []*opening
	validators []*candidate

	bank     banktypes.GenesisState
	staking  stakingtypes.GenesisState
	alpha    alphatypes.GenesisState
	subnets  subnetstypes.GenesisState
	weights  weightstypes.GenesisState
	emission emissiontypes.GenesisState
	market   markettypes.GenesisState
}

func (g *genesis) readBank() error {
	for _, b := range g.bank.Balances {
		rao := b.Coins.AmountOf(alphatypes.Denom)
		if rao.IsZero() {
			continue
		}
		if !rao.IsUint64() || g.state.bank+rao.Uint64() < rao.Uint64() {
			return fmt.Errorf("the balance of %s has more than 64 bits", b.Address)
		}
		a := g.account(b.Address)
		a.balance = rao.Uint64()
		g.state.bank += rao.Uint64()
		if !a.module {
			g.opening = append(g.opening, &opening{account: a, had: a.balance})
		}
	}
	return nil
}

// opening is what an account begins with: what genesis gives it, less what its own
// transaction there takes.
type opening struct {
	account         *account
	had, spent, fee uint64
}

// open begins the accounts' histories.
func (g *genesis) open() {
	for _, o := range g.opening {
		g.batch.add(tLedger, int64(o.account.id), g.block.height, g.block.idx, put(o.had), put(o.spent), put(o.fee), "genesis", int64(0))
	}
}

// pay takes rao from an account for a module.
func (g *genesis) pay(from, module string, rao uint64, fee bool) error {
	a, to := g.account(from), g.account(authtypes.NewModuleAddress(module).String())
	at := slices.IndexFunc(g.opening, func(o *opening) bool { return o.account == a })
	if at < 0 || rao > a.balance {
		return fmt.Errorf("%s has %d rao and pays %d", from, a.balance, rao)
	}
	a.balance -= rao
	to.balance += rao
	o := g.opening[at]
	o.spent += rao
	if fee {
		o.fee += rao
	}
	return nil
}

// readTxs does what the transactions of genesis do, which create validators: no block
// tells of it.
func (g *genesis) readTxs(cdc codec.Codec, raw json.RawMessage) error {
	var all genutiltypes.GenesisState
	if len(raw) == 0 {
		return nil
	}
	if err := cdc.UnmarshalJSON(raw, &all); err != nil {
		return err
	}
	if len(all.GenTxs) == 0 {
		return nil
	}
	if g.staking.Exported {
		return errors.New("they stand beside the state of a chain that went on: begin with one or the other")
	}
	for i, raw := range all.GenTxs {
		if err := g.readTx(cdc, raw); err != nil {
			return fmt.Errorf("transaction %d: %w", i, err)
		}
	}
	return g.bond()
}

func (g *genesis) readTx(cdc codec.Codec, raw json.RawMessage) error {
	var tx txtypes.Tx
	if err := cdc.UnmarshalJSON(raw, &tx); err != nil {
		return err
	}
	if tx.Body == nil || tx.AuthInfo == nil || tx.AuthInfo.Fee == nil {
		return errors.New("it has no body or no fee")
	}
	payer := tx.AuthInfo.Fee.Payer
	for _, m := range tx.Body.Messages {
		create, ok := m.GetCachedValue().(*stakingtypes.MsgCreateValidator)
		if !ok {
			return fmt.Errorf("%s is none that this index knows in a genesis: only MsgCreateValidator is", m.TypeUrl)
		}
		operator, err := sdk.ValAddressFromBech32(create.ValidatorAddress)
		if err != nil {
			return err
		}
		if create.Value.Denom != alphatypes.Denom || create.Value.Amount.IsNil() || !create.Value.Amount.IsUint64() {
			return fmt.Errorf("validator %s bonds no rao", create.ValidatorAddress)
		}
		from := sdk.AccAddress(operator).String()
		if payer == "" {
			payer = from // the first who signs
		}
		if err := g.pay(from, stakingtypes.NotBondedPoolName, create.Value.Amount.Uint64(), false); err != nil {
			return err
		}
		g.validators = append(g.validators, &candidate{create.ValidatorAddress, create.Value.Amount, false, false})
	}
	fee := tx.AuthInfo.Fee.Amount.AmountOf(alphatypes.Denom)
	switch {
	case fee.IsZero():
		return nil
	case !fee.IsUint64() || tx.AuthInfo.Fee.Granter != "":
		return errors.New("its fee is nobody's own")
	}
	return g.pay(payer, authtypes.FeeCollectorName, fee.Uint64(), true)
}

// candidate is who may be a validator.
type candidate struct {
	operator string
	tokens   sdkmath.Int // rao
	bonded   bool
	last     bool // it was chosen before: the chain may unbond it
}

// readStaking bonds the validators that the chain bonds before its first block.
func (g *genesis) readStaking() error {
	if g.staking.Exported {
		return nil
	}
	for _, v := range g.staking.Validators {
		if !v.Jailed {
			g.validators = append(g.validators, &candidate{v.OperatorAddress, v.Tokens, v.Status == stakingtypes.Bonded, false})
		}
	}
	return g.bond()
}

// bond makes those of the most power validators, and others none any more, as x/staking
// does.
func (g *genesis) bond() error {
	power := func(c *candidate) int64 { return sdk.TokensToConsensusPower(c.tokens, sdk.DefaultPowerReduction) }
	slices.SortStableFunc(g.validators, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(power(b), power(a)), cmp.Compare(a.operator, b.operator))
	})
	out := g.account(authtypes.NewModuleAddress(stakingtypes.NotBondedPoolName).String())
	in := g.account(authtypes.NewModuleAddress(stakingtypes.BondedPoolName).String())
	for i, c := range g.validators {
		chosen := i < int(g.staking.Params.MaxValidators) && power(c) > 0
		from, to := out, in
		switch {
		case chosen && !c.bonded:
		case !chosen && c.last:
			from, to = in, out
		default:
			c.last = chosen
			continue
		}
		rao := c.tokens.Uint64()
		if rao > from.balance {
			return fmt.Errorf("validator %s has %d rao, the pool %d", c.operator, rao, from.balance)
		}
		from.balance -= rao
		to.balance += rao
		c.bonded, c.last = chosen, chosen
	}
	return nil
}

// hot is the hotkey of an account.
func (g *genesis) hot(account string) uint64 {
	if h, ok := g.accounts[account]; ok {
		return g.id(h)
	}
	return g.id(account)
}

func (g *genesis) readAlpha() error {
	for _, p := range g.alpha.Pools {
		g.addSubnet(&subnet{
			id: p.SubnetId, netuid: p.Netuid, trading: p.Trading, tao: p.TaoReserve, reserve: p.AlphaReserve, issued: p.AlphaIssued,
			staked: p.AlphaStaked, protocol: p.AlphaProtocol, pending: p.AlphaPending, burned: p.AlphaBurned, movingPrice: "0",
			createdHeight: g.block.height, createdTime: g.block.nanos,
		})
	}
	for _, r := range g.alpha.Retired {
		g.addSubnet(&subnet{
			id: r.SubnetId, netuid: r.Netuid, removed: max(r.Height, 1), pot: r.Pot, potTotal: r.Total, potPaid: r.Paid, potRecycled: r.Recycled, movingPrice: "0",
		})
	}
	for _, h := range g.alpha.Hotkeys {
		one := g.hotkey(g.id(h.Hotkey))
		one.coldkey, one.take, one.destination, one.bound = g.id(h.Coldkey), int64(h.Take), g.id(h.Destination), h.BoundHeight
		if h.Account != "" {
			g.accounts[h.Account] = h.Hotkey
		}
	}
	for _, p := range g.alpha.StakePools {
		n := g.state.subnets[p.SubnetId]
		if n == nil {
			return fmt.Errorf("a stake pool is in subnet id %d, which has no pool", p.SubnetId)
		}
		at := g.pool(n, g.hot(p.Hotkey))
		at.alpha = p.Alpha
		at.shares.Set(p.Shares.BigInt())
	}
	for _, p := range g.alpha.Positions {
		n := g.state.subnets[p.SubnetId]
		if n == nil {
			return fmt.Errorf("a stake is in subnet id %d, which has no pool", p.SubnetId)
		}
		pool := g.pool(n, g.hot(p.Hotkey))
		at := g.position(pool, g.id(p.Coldkey))
		at.shares.Set(p.Shares.BigInt())
		at.in = pool.value(at) // the first day's rows tell where it comes from
	}
	for _, l := range g.alpha.Locks {
		if n := g.state.subnets[l.SubnetId]; n != nil {
			g.position(g.pool(n, g.hot(l.Hotkey)), g.id(l.Coldkey)).locked = l.Alpha
		}
	}
	return nil
}

func (g *genesis) readSubnets() error {
	for _, r := range g.subnets.Subnets {
		n := g.state.subnets[r.Id]
		if n == nil {
			return fmt.Errorf("subnet id %d has no pool", r.Id)
		}
		n.name, n.description, n.url, n.parameters = r.Name, r.Description, r.Url, r.Parameters
		n.ownerHotkey, n.lock, n.hyper = g.id(r.OwnerHotkey), r.Lock, r.Hyperparameters
		if h := g.hotkeys[n.ownerHotkey]; h != nil {
			n.ownerColdkey = h.coldkey
		}
		n.createdHeight, n.createdTime, n.started = r.CreatedHeight, r.CreatedTime*1e9, r.StartedHeight
		n.neurons = make([]*neuron, r.Neurons)
		g.allHyperparameters(n)
	}
	for _, r := range g.subnets.Neurons {
		n := g.state.subnets[r.SubnetId]
		if n == nil || r.Uid >= uint32(len(n.neurons)) {
			return fmt.Errorf("neuron %d of subnet id %d has no place", r.Uid, r.SubnetId)
		}
		n.neurons[r.Uid] = &neuron{
			hotkey: g.id(r.Hotkey), height: r.RegisteredHeight, time: r.RegisteredTime * 1e9, endpoints: strings.Join(r.Endpoints, " "),
			protocol: r.Protocol, version: r.ProtocolVersion, served: r.ServedHeight,
		}
		n.dirtyNeurons[r.Uid] = true
		cold := uint64(0)
		if h := g.hotkeys[n.neurons[r.Uid].hotkey]; h != nil {
			cold = h.coldkey
		}
		g.batch.add(tRegistrations, g.block.height, g.next(), int64(n.id), int64(r.Uid), int64(n.neurons[r.Uid].hotkey), int64(cold), put(0), put(0), int64(0), int64(0))
	}
	for _, n := range g.state.subnets {
		for uid, one := range n.neurons {
			if one == nil {
				return fmt.Errorf("subnet id %d has no neuron %d", n.id, uid)
			}
		}
	}
	for _, p := range g.subnets.BurnPrices {
		if n := g.state.subnets[p.SubnetId]; n != nil {
			n.burn = p.Burn
		}
	}
	return nil
}

func (g *genesis) readWeights() error {
	for _, r := range g.weights.Rows {
		n := g.state.subnets[r.SubnetId]
		if n == nil || len(r.Uids) != len(r.Values) {
			return fmt.Errorf("a row of subnet id %d can't be read", r.SubnetId)
		}
		row := make([]byte, 0, 4*len(r.Uids))
		for i := range r.Uids {
			row = append(row, byte(r.Uids[i]>>8), byte(r.Uids[i]), byte(r.Values[i]>>8), byte(r.Values[i]))
		}
		n.newWeights[r.Uid] = weightRow{r.SetHeight, row}
	}
	for _, e := range g.weights.Epochs {
		if n := g.state.subnets[e.SubnetId]; n != nil {
			n.epoch, n.epochHeight, n.epochDue = e.Number, e.LastHeight, e.DueHeight
		}
	}
	return nil
}

func (g *genesis) readEmission() error {
	t := g.emission.Totals
	g.issued, g.burned, g.recycled = t.Issued, t.Burned, t.Recycled
	if t.Issued == 0 {
		g.issued = g.state.bank
	}
	for _, e := range g.emission.Subnets {
		if n := g.state.subnets[e.SubnetId]; n != nil {
			n.movingPrice, n.emission = e.MovingPrice.String(), e.TaoTotal
		}
	}
	return nil
}

func (g *genesis) readMarket() error {
	for _, r := range g.market.Services {
		v := g.service(r.Id)
		v.subnet, v.hotkey, v.uid, v.name, v.endpoint, v.unit = r.SubnetId, g.hot(r.Provider), uint64(r.Uid), r.Name, r.Endpoint, strings.ToLower(strings.TrimPrefix(r.Unit.String(), "UNIT_"))
		v.price, v.per, v.description, v.terms, v.listed, v.height = r.Price, r.Per, r.Description, r.Terms, r.Listed, r.UpdatedHeight
	}
	for _, r := range g.market.Plans {
		p := g.plan(r.Id)
		p.service, p.name, p.price, p.period, p.quota, p.offered = r.ServiceId, r.Name, r.Price, r.Period, r.Quota, r.Offered
	}
	for _, r := range g.market.Channels {
		c := g.channel(fmt.Sprintf("%x", r.Id))
		c.payer, c.hotkey, c.service, c.deposit, c.claimed, c.opened = g.id(r.Payer), g.hot(r.Provider), r.ServiceId, r.Deposit, r.Claimed, r.OpenedHeight
		if r.Subscription != nil {
			c.plan = r.Subscription.PlanId
		}
	}
	for _, r := range g.market.Revenues {
		if n := g.state.subnets[r.SubnetId]; n != nil {
			n.revenue = r.Total
		}
	}
	return nil
}
