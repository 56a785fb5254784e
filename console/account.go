package console

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"

	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/lodenet/lode/client"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// maxHotkeys bounds how many hotkeys an account's answer lists.
const maxHotkeys = 500

// signing is what an account's next signature needs.
type signing struct {
	exists           bool
	number, sequence uint64
	keyType          *string
	publicKey        *string // base64
}

// keyTypes by the end of a public key's type URL.
var keyTypes = map[string]string{
	"/cosmos.crypto.secp256k1.PubKey": "secp256k1", "/cosmos.crypto.ed25519.PubKey": "ed25519",
	"/cosmos.crypto.mldsa65.PubKey": "mldsa65", "/cosmos.crypto.multisig.LegacyAminoPubKey": "multisig",
}

func (s *Server) signing(ctx context.Context, address string) (signing, error) {
	r, err := s.client.Auth().Account(ctx, &authtypes.QueryAccountRequest{Address: address})
	if errors.Is(err, client.ErrNotFound) {
		return signing{}, nil
	}
	if err != nil {
		return signing{}, err
	}
	acc, ok := r.Account.GetCachedValue().(sdk.AccountI)
	if !ok {
		return signing{}, fail(500, "bad_data", "", "account %s is of a kind that this program does not know: %s", address, r.Account.TypeUrl)
	}
	v := signing{exists: true, number: acc.GetAccountNumber(), sequence: acc.GetSequence()}
	kind := ""
	if _, ok := acc.(sdk.ModuleAccountI); ok {
		kind = "module"
	} else if key := acc.GetPubKey(); key != nil {
		if kind = keyTypes[sdk.MsgTypeURL(key)]; kind == "" {
			kind = "other"
		}
		if kind != "multisig" {
			v.publicKey = publicKey(key)
		}
	}
	v.keyType = orNone(kind)
	return v, nil
}

func publicKey(k cryptotypes.PubKey) *string {
	text := base64.StdEncoding.EncodeToString(k.Bytes())
	return &text
}

// holdings are what an address has in all.
type holdings struct {
	BalanceRao     uint64 `json:"balance_rao,string"`
	DelegatedRao   uint64 `json:"delegated_rao,string"`
	UnbondingRao   uint64 `json:"unbonding_rao,string"`
	RewardsRao     uint64 `json:"rewards_rao,string"`
	StakesValueRao uint64 `json:"stakes_value_rao,string"`
	ClaimsRao      uint64 `json:"claims_rao,string"`
	ChannelsRao    uint64 `json:"channels_rao,string"`
	DepositsRao    uint64 `json:"deposits_rao,string"`
	TotalRao       uint64 `json:"total_rao,string"`

	stakes []alphatypes.StakeInfo
	claims []alphatypes.ClaimInfo
}

// holdings asks the chain for all that an address has at the block that ctx is pinned to.
func (s *Server) holdings(ctx context.Context, address string) (h holdings, err error) {
	if h.BalanceRao, err = s.client.Balance(ctx, address); err != nil {
		return h, err
	}
	delegations, rewards, err := s.delegationsOf(ctx, address)
	if err != nil {
		return h, err
	}
	h.RewardsRao = rewards
	for _, d := range delegations {
		h.DelegatedRao = sum(h.DelegatedRao, d.DelegatedRao)
		for _, u := range d.Unbonding {
			h.UnbondingRao = sum(h.UnbondingRao, u.Rao)
		}
	}
	if h.stakes, err = s.allStakes(ctx, address); err != nil {
		return h, err
	}
	if h.claims, err = s.allClaims(ctx, address); err != nil {
		return h, err
	}
	if h.ChannelsRao, err = s.inChannels(ctx, address); err != nil {
		return h, err
	}
	if h.DepositsRao, err = s.client.ProposalDeposits(ctx, address); err != nil {
		return h, err
	}
	for _, st := range h.stakes {
		h.StakesValueRao = sum(h.StakesValueRao, st.ValueTao)
	}
	for _, c := range h.claims {
		h.ClaimsRao = sum(h.ClaimsRao, c.Tao)
	}
	h.TotalRao = sum(h.BalanceRao, h.DelegatedRao, h.UnbondingRao, h.RewardsRao, h.StakesValueRao, h.ClaimsRao, h.ChannelsRao, h.DepositsRao)
	return h, nil
}

// inChannels is what is left of an address's deposits in payment channels.
func (s *Server) inChannels(ctx context.Context, payer string) (rao uint64, err error) {
	for req := (&markettypes.QueryChannelsRequest{Payer: payer}); ; {
		r, err := s.client.Market().Channels(ctx, req)
		if err != nil {
			return 0, err
		}
		for _, c := range r.Channels {
			rao = sum(rao, c.Deposit-min(c.Claimed, c.Deposit))
		}
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			return rao, nil
		}
	}
}

// nextPage asks for what follows an answer; nil if nothing does.
func nextPage(r *query.PageResponse) *query.PageRequest {
	if r == nil || len(r.NextKey) == 0 {
		return nil
	}
	return &query.PageRequest{Key: r.NextKey}
}

func (s *Server) allStakes(ctx context.Context, coldkey string) (all []alphatypes.StakeInfo, err error) {
	for req := (&alphatypes.QueryStakesRequest{Coldkey: coldkey}); ; {
		r, err := s.client.Alpha().Stakes(ctx, req)
		if err != nil {
			return nil, err
		}
		all = append(all, r.Stakes...)
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			return all, nil
		}
	}
}

func (s *Server) allClaims(ctx context.Context, coldkey string) (all []alphatypes.ClaimInfo, err error) {
	for req := (&alphatypes.QueryClaimsRequest{Coldkey: coldkey}); ; {
		r, err := s.client.Alpha().Claims(ctx, req)
		if err != nil {
			return nil, err
		}
		all = append(all, r.Claims...)
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			return all, nil
		}
	}
}

type accountHotkeyJSON struct {
	Hotkey      string  `json:"hotkey"`
	Take        float64 `json:"take"`
	BoundHeight int64   `json:"bound_height"`
	Destination string  `json:"destination"`
}

type accountRegistrationJSON struct {
	Netuid uint32 `json:"netuid"`
	UID    uint32 `json:"uid"`
	Hotkey string `json:"hotkey"`
	Permit bool   `json:"permit"`
}

type coldkeySwapJSON struct {
	NewColdkey      string `json:"new_coldkey"`
	AnnouncedHeight int64  `json:"announced_height"`
	DueHeight       int64  `json:"due_height"`
	DueTime         string `json:"due_time"`
	Executing       bool   `json:"executing"`
}

type accountJSON struct {
	at
	Address       string  `json:"address"`
	Exists        bool    `json:"exists"`
	AccountNumber *string `json:"account_number"`
	Sequence      *string `json:"sequence"`
	KeyType       *string `json:"key_type"`
	holdings
	Coldkey       *string                   `json:"coldkey"`
	Take          *float64                  `json:"take"`
	Hotkeys       []accountHotkeyJSON       `json:"hotkeys"`
	Registrations []accountRegistrationJSON `json:"registrations"`
	ColdkeySwap   *coldkeySwapJSON          `json:"coldkey_swap"`
	RecoveryKey   *string                   `json:"recovery_key"`
	NextRecovery  *nextRecoveryJSON         `json:"next_recovery"`
	SwapBarred    *swapBarredJSON           `json:"swap_barred"`
}

// nextRecoveryJSON is a change of the recovery key that waits.
type nextRecoveryJSON struct {
	Key       *string `json:"key"`
	DueHeight int64   `json:"due_height"`
	DueTime   string  `json:"due_time"`
}

type swapBarredJSON struct {
	UntilHeight int64  `json:"until_height"`
	UntilTime   string `json:"until_time"`
}

func (s *Server) account(ctx context.Context, a *ask) (any, error) {
	address, err := a.address()
	if err != nil {
		return nil, err
	}
	ctx, t, err := s.table(ctx)
	if err != nil {
		return nil, err
	}
	v := accountJSON{at: t.at, Address: address, Hotkeys: []accountHotkeyJSON{}, Registrations: []accountRegistrationJSON{}}
	sign, err := s.signing(ctx, address)
	if err != nil {
		return nil, err
	}
	if v.Exists, v.KeyType = sign.exists, sign.keyType; sign.exists {
		number, sequence := strconv.FormatUint(sign.number, 10), strconv.FormatUint(sign.sequence, 10)
		v.AccountNumber, v.Sequence = &number, &sequence
	}
	if v.holdings, err = s.holdings(ctx, address); err != nil {
		return nil, err
	}
	if err := s.addKeys(ctx, &v, t); err != nil {
		return nil, err
	}
	swap, err := s.client.Alpha().ColdkeySwap(ctx, &alphatypes.QueryColdkeySwapRequest{Coldkey: address})
	if err != nil {
		return nil, err
	}
	if w := swap.Swap; w != nil {
		v.ColdkeySwap = &coldkeySwapJSON{w.NewColdkey, w.AnnouncedHeight, w.DueHeight, unix(w.DueTime), w.Executing}
	}
	if r := swap.Recovery; r != nil {
		v.RecoveryKey = orNone(r.Key)
		if r.DueHeight != 0 {
			v.NextRecovery = &nextRecoveryJSON{orNone(r.Next), r.DueHeight, unix(r.DueTime)}
		}
	}
	if b := swap.Bar; b != nil {
		v.SwapBarred = &swapBarredJSON{b.UntilHeight, unix(b.UntilTime)}
	}
	return v, nil
}

// addKeys says what keys belong to an address, and where they are registered.
func (s *Server) addKeys(ctx context.Context, v *accountJSON, t *table) error {
	bound, err := s.client.Alpha().Hotkey(ctx, &alphatypes.QueryHotkeyRequest{Hotkey: v.Address})
	switch {
	case err == nil:
		take := share(bound.Hotkey.Take)
		v.Coldkey, v.Take = orNone(bound.Hotkey.Coldkey), &take
	case !errors.Is(err, client.ErrNotFound):
		return err
	}
	own := map[string]bool{v.Address: true}
	for req := (&alphatypes.QueryHotkeysRequest{Coldkey: v.Address}); len(v.Hotkeys) < maxHotkeys; {
		r, err := s.client.Alpha().Hotkeys(ctx, req)
		if err != nil {
			return err
		}
		for _, h := range r.Hotkeys[:min(len(r.Hotkeys), maxHotkeys-len(v.Hotkeys))] {
			to := h.Destination
			if to == "" {
				to = h.Hotkey
			}
			v.Hotkeys, own[h.Hotkey] = append(v.Hotkeys, accountHotkeyJSON{h.Hotkey, share(h.Take), h.BoundHeight, to}), true
		}
		if req.Pagination = nextPage(r.Pagination); req.Pagination == nil {
			break
		}
	}
	for _, r := range t.rows {
		for i := range r.members.neurons {
			if n := &r.members.neurons[i]; own[n.Hotkey] {
				v.Registrations = append(v.Registrations, accountRegistrationJSON{r.subnet.Netuid, n.Uid, n.Hotkey, n.Permit})
			}
		}
	}
	return nil
}

type stakeJSON struct {
	Netuid      uint32  `json:"netuid"`
	SubnetID    uint64  `json:"subnet_id"`
	SubnetName  string  `json:"subnet_name"`
	Removed     bool    `json:"removed"`
	Hotkey      string  `json:"hotkey"`
	Registered  bool    `json:"registered"`
	Alpha       uint64  `json:"alpha,string"`
	LockedAlpha uint64  `json:"locked_alpha,string"`
	ValueRao    uint64  `json:"value_rao,string"`
	Price       *string `json:"price"`
}

func newStake(t *table, s alphatypes.StakeInfo) stakeJSON {
	v := stakeJSON{Netuid: s.Netuid, SubnetID: s.SubnetId, Hotkey: s.Hotkey, Alpha: s.Alpha, LockedAlpha: s.Locked, ValueRao: s.ValueTao}
	r := t.byID[s.SubnetId]
	if r == nil {
		v.Removed = true
		return v
	}
	v.SubnetName, v.Price = r.subnet.Name, &r.price
	for i := range r.members.neurons {
		if r.members.neurons[i].Hotkey == s.Hotkey {
			v.Registered = true
			break
		}
	}
	return v
}

func newClaim(c alphatypes.ClaimInfo) stakeJSON {
	return stakeJSON{Netuid: c.Netuid, SubnetID: c.SubnetId, Removed: true, Hotkey: c.Hotkey, Alpha: c.Alpha, ValueRao: c.Tao}
}

func (s *Server) stakes(ctx context.Context, a *ask) (any, error) {
	address, err := a.address()
	if err != nil {
		return nil, err
	}
	limit, key, err := a.page(ofStakes, ofClaims)
	if err != nil {
		return nil, err
	}
	ctx, t, err := s.table(ctx)
	if err != nil {
		return nil, err
	}
	list, next := []stakeJSON{}, ""
	if len(key) == 0 || key[0] == ofStakes {
		r, err := s.client.Alpha().Stakes(ctx, &alphatypes.QueryStakesRequest{Coldkey: address, Pagination: pageRequest(key, limit)})
		if err != nil {
			return nil, err
		}
		for _, st := range r.Stakes {
			list = append(list, newStake(t, st))
		}
		next = pageAfter(r.Pagination, ofStakes)
		if next == "" && len(list) == limit {
			next = cursor([]byte{ofClaims})
		}
		key = []byte{ofClaims}
	}
	if next == "" {
		r, err := s.client.Alpha().Claims(ctx, &alphatypes.QueryClaimsRequest{Coldkey: address, Pagination: pageRequest(key, limit-len(list))})
		if err != nil {
			return nil, err
		}
		for _, c := range r.Claims {
			list = append(list, newClaim(c))
		}
		next = pageAfter(r.Pagination, ofClaims)
	}
	if err := s.nameRemoved(ctx, list); err != nil {
		return nil, err
	}
	return struct {
		at
		Items []stakeJSON `json:"items"`
		Next  string      `json:"next"`
	}{t.at, list, next}, nil
}

// pageAfter is the cursor of what follows a page of the chain's; empty where nothing does.
func pageAfter(p *query.PageResponse, of byte) string {
	if p == nil || len(p.NextKey) == 0 {
		return ""
	}
	return cursor(append([]byte{of}, p.NextKey...))
}

// pageRequest asks the chain for a page from a cursor's key, whose first byte is ours.
func pageRequest(key []byte, limit int) *query.PageRequest {
	p := &query.PageRequest{Limit: uint64(limit)}
	if len(key) > 1 {
		p.Key = key[1:]
	}
	return p
}
