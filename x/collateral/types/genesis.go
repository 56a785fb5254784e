package types

import "math/bits"

// DefaultGenesis is a chain without collateral, of the mainnet profile.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams(), NextClaimId: 1} }

// place is a hotkey's account in a subnet.
type place struct {
	subnet  uint64
	account string
}

// Validate checks that no record is there twice, and that collaterals, claims and
// their voters fit each other. Whether stake is locked and deposits are held is
// known to x/alpha and the bank.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	totals := map[place]uint64{}
	for _, c := range g.Collaterals {
		at := place{c.SubnetId, c.Hotkey}
		if _, twice := totals[at]; twice {
			return ErrInvalidGenesis.Wrapf("the collateral of %s in subnet id %d is there twice", c.Hotkey, c.SubnetId)
		}
		total, err := c.check()
		if err != nil {
			return err
		}
		totals[at] = total
	}
	waits := map[place]bool{}
	for _, w := range g.Waits {
		at := place{w.SubnetId, w.Author}
		if waits[at] || w.UntilHeight <= 0 || w.ClaimId < 1 || w.ClaimId >= g.NextClaimId {
			return ErrInvalidGenesis.Wrapf("%s waits in subnet id %d until block %d after claim %d: there twice, or of no claim before %d",
				w.Author, w.SubnetId, w.UntilHeight, w.ClaimId, g.NextClaimId)
		}
		waits[at] = true
	}
	return g.validateClaims(totals)
}

// check returns what is at stake in all.
func (c Collateral) check() (uint64, error) {
	total, over := c.Bonded, uint64(0)
	for i, u := range c.Unbondings {
		if u.Alpha == 0 || u.DueHeight < 0 || u.DueTime < 0 {
			return 0, ErrInvalidGenesis.Wrapf("unbonding %d of %s in subnet id %d: %d alpha units, due at block %d and second %d",
				i, c.Hotkey, c.SubnetId, u.Alpha, u.DueHeight, u.DueTime)
		}
		if total, over = bits.Add64(total, u.Alpha, 0); over != 0 {
			return 0, ErrInvalidGenesis.Wrapf("the collateral of %s in subnet id %d is over 64 bits", c.Hotkey, c.SubnetId)
		}
	}
	if total == 0 || c.LookHeight < 0 {
		return 0, ErrInvalidGenesis.Wrapf("the collateral of %s in subnet id %d is %d alpha units, to be looked at in block %d", c.Hotkey, c.SubnetId, total, c.LookHeight)
	}
	return total, nil
}

func (g GenesisState) validateClaims(totals map[place]uint64) error {
	claims, accused := map[uint64]Claim{}, map[place]bool{}
	for _, c := range g.Claims {
		at := place{c.SubnetId, c.Accused}
		_, twice := claims[c.Id]
		switch {
		case c.Id < 1 || c.Id >= g.NextClaimId || twice:
			return ErrInvalidGenesis.Wrapf("claim %d: there twice, or not from 1 to below next_claim_id %d", c.Id, g.NextClaimId)
		case accused[at]:
			return ErrInvalidGenesis.Wrapf("claim %d is the second against %s in subnet id %d", c.Id, c.Accused, c.SubnetId)
		case c.Share < 1 || c.Share > Million || c.Frozen < 1 || c.Frozen > c.Collateral || c.Frozen > totals[at]:
			return ErrInvalidGenesis.Wrapf("claim %d froze %d alpha units, a share of %d per million of %d, and %d are there", c.Id, c.Frozen, c.Share, c.Collateral, totals[at])
		case c.Deposit == 0 || c.OpenedHeight < 0 || c.LastHeight < c.OpenedHeight || c.EndHeight < c.LastHeight:
			return ErrInvalidGenesis.Wrapf("claim %d: a deposit of %d rao, opened in block %d, until block %d, ends in block %d", c.Id, c.Deposit, c.OpenedHeight, c.LastHeight, c.EndHeight)
		}
		if err := CheckEvidence(c.EvidenceHash, c.EvidenceUrl, MaxURL); err != nil {
			return ErrInvalidGenesis.Wrapf("claim %d: %s", c.Id, err)
		}
		if len(c.AnswerHash) > 0 || c.AnswerUrl != "" {
			if err := CheckEvidence(c.AnswerHash, c.AnswerUrl, MaxURL); err != nil {
				return ErrInvalidGenesis.Wrapf("the answer to claim %d: %s", c.Id, err)
			}
		}
		claims[c.Id], accused[at] = c, true
	}
	type voter struct {
		claim   uint64
		account string
	}
	voters, active, confirmed := map[voter]bool{}, map[uint64]uint64{}, map[uint64]uint64{}
	for _, v := range g.Voters {
		key := voter{v.ClaimId, v.Hotkey}
		if _, ok := claims[v.ClaimId]; !ok || voters[key] || v.Weight == 0 {
			return ErrInvalidGenesis.Wrapf("voter %s of claim %d with weight %d: there twice, of no claim, or of no weight", v.Hotkey, v.ClaimId, v.Weight)
		}
		sum, over := bits.Add64(active[v.ClaimId], v.Weight, 0)
		if over != 0 {
			return ErrInvalidGenesis.Wrapf("the stake that can confirm claim %d is over 64 bits", v.ClaimId)
		}
		voters[key], active[v.ClaimId] = true, sum
		if v.ConfirmedHeight != 0 {
			confirmed[v.ClaimId] += v.Weight
		}
	}
	for _, c := range g.Claims {
		// A subnet's removal deletes the voters first.
		if active[c.Id] > c.Active || confirmed[c.Id] > c.Confirmed || c.Confirmed > c.Active {
			return ErrInvalidGenesis.Wrapf("claim %d: %d of %d confirmed, its voters sum to %d of %d", c.Id, c.Confirmed, c.Active, confirmed[c.Id], active[c.Id])
		}
	}
	return nil
}
