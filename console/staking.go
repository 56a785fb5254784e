package console

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	sdkmath "cosmossdk.io/math"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	distributiontypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/client"
)

// chainValidatorJSON is one of those that make the chain's blocks.
type chainValidatorJSON struct {
	Operator      string  `json:"operator"`
	Hotkey        string  `json:"hotkey"` // the same key: its root stake is what is delegated
	Consensus     string  `json:"consensus_address"`
	Moniker       string  `json:"moniker"`
	Website       string  `json:"website"`
	Details       string  `json:"details"`
	Status        string  `json:"status"`
	Jailed        bool    `json:"jailed"`
	TokensRao     uint64  `json:"tokens_rao,string"`
	Share         float64 `json:"share"`
	Commission    float64 `json:"commission"`
	MaxCommission float64 `json:"max_commission"`
	MissedBlocks  *int64  `json:"missed_blocks"`
}

// bondStatuses of validators by the chain's.
var bondStatuses = map[stakingtypes.BondStatus]string{stakingtypes.Bonded: "bonded", stakingtypes.Unbonding: "unbonding", stakingtypes.Unbonded: "unbonded"}

// chainValidators are all of them, those with the most TAO first.
func (s *Server) chainValidators(ctx context.Context, a *ask) (any, error) {
	limit, key, err := a.page(ofChainValidators)
	if err != nil {
		return nil, err
	}
	var last *chainValidatorJSON
	if key != nil {
		if len(key) < 10 {
			return nil, badCursor()
		}
		last = &chainValidatorJSON{TokensRao: binary.BigEndian.Uint64(key[1:]), Operator: string(key[9:])}
	}
	ctx, now, err := s.chain.now(ctx)
	if err != nil {
		return nil, err
	}
	pool, err := s.client.Staking().Pool(ctx, &stakingtypes.QueryPoolRequest{})
	if err != nil {
		return nil, err
	}
	bonded, err := raoOf(pool.Pool.BondedTokens)
	if err != nil {
		return nil, err
	}
	params, err := s.client.Staking().Params(ctx, &stakingtypes.QueryParamsRequest{})
	if err != nil {
		return nil, err
	}
	slashing, err := s.client.Slashing().Params(ctx, &slashingtypes.QueryParamsRequest{})
	if err != nil {
		return nil, err
	}
	list, err := s.allChainValidators(ctx, bonded)
	if err != nil {
		return nil, err
	}
	if last != nil {
		list = list[slices.IndexFunc(append(list, nil), func(v *chainValidatorJSON) bool { return v == nil || byTokens(v, last) > 0 }):]
	}
	next := ""
	if len(list) > limit {
		list = list[:limit]
		end := list[limit-1]
		next = cursor(append(binary.BigEndian.AppendUint64([]byte{ofChainValidators}, end.TokensRao), end.Operator...))
	}
	return struct {
		at
		BondedRao        uint64                `json:"bonded_rao,string"`
		MostValidators   uint32                `json:"most_validators"`
		UnbondingSeconds int64                 `json:"unbonding_seconds"`
		SignedBlocks     int64                 `json:"signed_blocks_window"`
		Items            []*chainValidatorJSON `json:"items"`
		Next             string                `json:"next"`
	}{now, bonded, params.Params.MaxValidators, int64(params.Params.UnbondingTime.Seconds()), slashing.Params.SignedBlocksWindow, list, next}, nil
}

func byTokens(a, b *chainValidatorJSON) int {
	return cmp.Or(cmp.Compare(b.TokensRao, a.TokensRao), cmp.Compare(a.Operator, b.Operator))
}

// raoOf is an amount of the SDK's.
func raoOf(n sdkmath.Int) (uint64, error) {
	if n.IsNil() || !n.IsUint64() {
		return 0, fail(500, "bad_data", "", "the chain tells an amount that is none: %s", n)
	}
	return n.Uint64(), nil
}

func (s *Server) allChainValidators(ctx context.Context, bonded uint64) ([]*chainValidatorJSON, error) {
	missed := map[string]int64{}
	for req := (&slashingtypes.QuerySigningInfosRequest{}); ; {
		r, err := s.client.Slashing().SigningInfos(ctx, req)
		if err != nil {
			return nil, err
		}
		for _, i := range r.Info {
			missed[i.Address] = i.MissedBlocksCounter
		}
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			break
		}
	}
	list := []*chainValidatorJSON{}
	for req := (&stakingtypes.QueryValidatorsRequest{}); ; {
		r, err := s.client.Staking().Validators(ctx, req)
		if err != nil {
			return nil, err
		}
		for i := range r.Validators {
			v, err := s.newChainValidator(&r.Validators[i], bonded, missed)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			break
		}
	}
	slices.SortFunc(list, byTokens)
	return list, nil
}

func (s *Server) newChainValidator(of *stakingtypes.Validator, bonded uint64, missed map[string]int64) (*chainValidatorJSON, error) {
	operator, err := sdk.ValAddressFromBech32(of.OperatorAddress)
	if err != nil {
		return nil, err
	}
	tokens, err := raoOf(of.Tokens)
	if err != nil {
		return nil, err
	}
	commission, err := of.Commission.Rate.Float64()
	if err != nil {
		return nil, err
	}
	most, err := of.Commission.MaxRate.Float64()
	if err != nil {
		return nil, err
	}
	v := &chainValidatorJSON{
		Operator: of.OperatorAddress, Hotkey: sdk.AccAddress(operator).String(), Moniker: of.Description.Moniker, Website: of.Description.Website, Details: of.Description.Details,
		Status: bondStatuses[of.Status], Jailed: of.Jailed, TokensRao: tokens, Commission: commission, MaxCommission: most,
	}
	if v.Status == "bonded" && bonded > 0 {
		v.Share = float64(tokens) / float64(bonded)
	}
	var key cryptotypes.PubKey
	if err := s.client.Codec().UnpackAny(of.ConsensusPubkey, &key); err != nil {
		return nil, err
	}
	v.Consensus = fmt.Sprintf("%X", key.Address())
	if n, known := missed[sdk.ConsAddress(key.Address()).String()]; known {
		v.MissedBlocks = &n
	}
	return v, nil
}

// delegationJSON is what an account has with one of the chain's validators.
type delegationJSON struct {
	Operator     string          `json:"operator"`
	Moniker      string          `json:"moniker"`
	Status       string          `json:"status"`
	DelegatedRao uint64          `json:"delegated_rao,string"`
	RewardsRao   uint64          `json:"rewards_rao,string"`
	Unbonding    []unbondingJSON `json:"unbonding"`
}

// unbondingJSON is TAO on its way back.
type unbondingJSON struct {
	Rao  uint64 `json:"rao,string"`
	Ends string `json:"ends"` // RFC 3339
}

// delegations are an account's, by the validators' operators.
func (s *Server) delegations(ctx context.Context, a *ask) (any, error) {
	address, err := a.address()
	if err != nil {
		return nil, err
	}
	limit, key, err := a.page(ofDelegations)
	if err != nil {
		return nil, err
	}
	ctx, now, err := s.chain.now(ctx)
	if err != nil {
		return nil, err
	}
	list, _, err := s.delegationsOf(ctx, address)
	if err != nil {
		return nil, err
	}
	if key != nil {
		list = list[slices.IndexFunc(append(list, nil), func(d *delegationJSON) bool { return d == nil || d.Operator > string(key[1:]) }):]
	}
	next := ""
	if len(list) > limit {
		list = list[:limit]
		next = cursor(append([]byte{ofDelegations}, list[limit-1].Operator...))
	}
	for _, d := range list {
		r, err := s.client.Staking().Validator(ctx, &stakingtypes.QueryValidatorRequest{ValidatorAddr: d.Operator})
		if err != nil {
			return nil, err
		}
		d.Moniker, d.Status = r.Validator.Description.Moniker, bondStatuses[r.Validator.Status]
	}
	return struct {
		at
		Items []*delegationJSON `json:"items"`
		Next  string            `json:"next"`
	}{now, list, next}, nil
}

// delegationsOf are an address's, and what they have earned in all: whole rao, of which
// each validator's may have parts.
func (s *Server) delegationsOf(ctx context.Context, address string) (list []*delegationJSON, rewards uint64, err error) {
	all := map[string]*delegationJSON{}
	with := func(operator string) *delegationJSON {
		d := all[operator]
		if d == nil {
			d = &delegationJSON{Operator: operator, Unbonding: []unbondingJSON{}}
			all[operator] = d
		}
		return d
	}
	for req := (&stakingtypes.QueryDelegatorDelegationsRequest{DelegatorAddr: address}); ; {
		r, err := s.client.Staking().DelegatorDelegations(ctx, req)
		if err != nil {
			return nil, 0, err
		}
		for _, d := range r.DelegationResponses {
			if with(d.Delegation.ValidatorAddress).DelegatedRao, err = raoOf(d.Balance.Amount); err != nil {
				return nil, 0, err
			}
		}
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			break
		}
	}
	for req := (&stakingtypes.QueryDelegatorUnbondingDelegationsRequest{DelegatorAddr: address}); ; {
		r, err := s.client.Staking().DelegatorUnbondingDelegations(ctx, req)
		if err != nil {
			return nil, 0, err
		}
		for _, u := range r.UnbondingResponses {
			d := with(u.ValidatorAddress)
			for _, e := range u.Entries {
				rao, err := raoOf(e.Balance)
				if err != nil {
					return nil, 0, err
				}
				d.Unbonding = append(d.Unbonding, unbondingJSON{rao, rfc3339(e.CompletionTime)})
			}
		}
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			break
		}
	}
	earned, err := s.client.Distribution().DelegationTotalRewards(ctx, &distributiontypes.QueryDelegationTotalRewardsRequest{DelegatorAddress: address})
	if err != nil {
		return nil, 0, err
	}
	for _, r := range earned.Rewards {
		if with(r.ValidatorAddress).RewardsRao, err = raoOf(r.Reward.AmountOf(client.Denom).TruncateInt()); err != nil {
			return nil, 0, err
		}
	}
	if rewards, err = raoOf(earned.Total.AmountOf(client.Denom).TruncateInt()); err != nil {
		return nil, 0, err
	}
	list = make([]*delegationJSON, 0, len(all))
	for _, d := range all {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b *delegationJSON) int { return cmp.Compare(a.Operator, b.Operator) })
	return list, rewards, nil
}
