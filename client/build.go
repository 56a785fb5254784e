package client

import (
	"fmt"
	"math/rand/v2"
	"time"

	sdkmath "cosmossdk.io/math"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"

	"github.com/lodenet/lode/wallet"
)

// draft is a transaction before it is signed.
type draft struct {
	msgs     []*codectypes.Any
	accounts []*account // in the order in which the chain wants the signatures
	payer    string     // of the fee, if it is not the first of accounts
	granter  string     // whose allowance pays the fee instead; empty: nobody's
	feeRao   uint64
	gas      uint64
	// deadline is the last block that may take it.
	deadline int64
	// until is a time at which it is over, too: a century away, and drawn, so that nobody
	// else's transaction has the same bytes. Two processes that send the same with one key
	// and one sequence would otherwise make one transaction, and both be told that theirs
	// is done.
	until time.Time
}

// until draws a [draft]'s.
func until() time.Time {
	return time.Date(2150, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rand.Int64N(1 << 62)))
}

// draft checks that the signers are those whom the messages need. The first pays.
func (c *Client) draft(signers []*wallet.Signer, msgs []sdk.Msg) (*draft, error) {
	if len(msgs) == 0 {
		return nil, fmt.Errorf("a transaction without messages")
	}
	if len(signers) == 0 || signers[0] == nil {
		return nil, fmt.Errorf("a transaction without signers")
	}
	given := map[string]*wallet.Signer{}
	for _, s := range signers {
		if s == nil {
			return nil, fmt.Errorf("a signer of the transaction is nil")
		}
		given[s.Address()] = s
	}
	d := &draft{granter: c.cfg.FeeGranter, until: until()}
	used := map[string]bool{}
	add := func(s *wallet.Signer) {
		if !used[s.Address()] {
			used[s.Address()] = true
			d.accounts = append(d.accounts, c.accountOf(s))
		}
	}
	for _, m := range msgs {
		wrapped, err := codectypes.NewAnyWithValue(m)
		if err != nil {
			return nil, fmt.Errorf("message %s: %w", sdk.MsgTypeURL(m), err)
		}
		d.msgs = append(d.msgs, wrapped)
		needed, _, err := c.codec.GetMsgV1Signers(m)
		if err != nil {
			return nil, fmt.Errorf("message %s: %w", sdk.MsgTypeURL(m), err)
		}
		for _, raw := range needed {
			address := sdk.AccAddress(raw).String()
			s := given[address]
			if s == nil {
				return nil, fmt.Errorf("message %s must be signed by %s, which is not among the signers", sdk.MsgTypeURL(m), address)
			}
			add(s)
		}
	}
	if d.accounts[0].signer.Address() != signers[0].Address() {
		d.payer = signers[0].Address()
		add(signers[0])
	}
	for _, s := range signers {
		if !used[s.Address()] {
			return nil, fmt.Errorf("no message needs the signature of %s", s.Address())
		}
	}
	return d, nil
}

// bytes returns the transaction with the accounts' sequences, signed; without chain id
// it is a simulation's, with empty signatures.
func (d *draft) bytes(chainID string, sequences []uint64) ([]byte, error) {
	body, err := (&txtypes.TxBody{Messages: d.msgs, TimeoutHeight: uint64(d.deadline), TimeoutTimestamp: &d.until}).Marshal()
	if err != nil {
		return nil, err
	}
	auth := txtypes.AuthInfo{Fee: &txtypes.Fee{GasLimit: d.gas, Payer: d.payer}}
	if d.feeRao > 0 {
		auth.Fee.Amount = sdk.NewCoins(sdk.NewCoin(Denom, sdkmath.NewIntFromUint64(d.feeRao)))
		auth.Fee.Granter = d.granter
	}
	for i, a := range d.accounts {
		pub, err := codectypes.NewAnyWithValue(a.signer.PubKey())
		if err != nil {
			return nil, err
		}
		auth.SignerInfos = append(auth.SignerInfos, &txtypes.SignerInfo{
			PublicKey: pub,
			ModeInfo:  &txtypes.ModeInfo{Sum: &txtypes.ModeInfo_Single_{Single: &txtypes.ModeInfo_Single{Mode: signing.SignMode_SIGN_MODE_DIRECT}}},
			Sequence:  sequences[i],
		})
	}
	info, err := auth.Marshal()
	if err != nil {
		return nil, err
	}
	raw := txtypes.TxRaw{BodyBytes: body, AuthInfoBytes: info}
	for _, a := range d.accounts {
		if chainID == "" {
			raw.Signatures = append(raw.Signatures, []byte{})
			continue
		}
		doc, err := (&txtypes.SignDoc{BodyBytes: body, AuthInfoBytes: info, ChainId: chainID, AccountNumber: a.number}).Marshal()
		if err != nil {
			return nil, err
		}
		sig, err := a.signer.Sign(doc)
		if err != nil {
			return nil, fmt.Errorf("sign as %s: %w", a.signer.Address(), err)
		}
		raw.Signatures = append(raw.Signatures, sig)
	}
	return raw.Marshal()
}
