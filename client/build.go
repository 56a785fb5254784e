package client

import (
	"fmt"
	"math/rand/v2"
	"time"

	sdkmath "cosmossdk.io/math"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	txsigning "github.com/cosmos/cosmos-sdk/x/tx/signing"

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
	changes  []Change // of balances, when it was run last
	// deadline is the last block that may take it.
	deadline int64
	// until is a time at which it is over, too: a century away, and drawn, so that nobody
	// else's transaction has the same bytes. Two processes that send the same with one key
	// and one sequence would otherwise make one transaction, and both be told that theirs
	// is done.
	until time.Time
	files txsigning.ProtoFileResolver // that describe the messages
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
	d := &draft{granter: c.cfg.FeeGranter, until: until(), files: c.codec.InterfaceRegistry()}
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
// it is a simulation's, with signatures that stand for the real ones.
func (d *draft) bytes(chainID string, sequences []uint64) ([]byte, error) {
	txBody := txtypes.TxBody{Messages: d.msgs, TimeoutHeight: uint64(d.deadline), TimeoutTimestamp: &d.until}
	if d.amino() {
		txBody.TimeoutTimestamp = nil // devices don't know the word
	}
	body, err := txBody.Marshal()
	if err != nil {
		return nil, err
	}
	auth := txtypes.AuthInfo{Fee: &txtypes.Fee{GasLimit: d.gas, Payer: d.payer}}
	if d.feeRao > 0 {
		auth.Fee.Amount = sdk.NewCoins(sdk.NewCoin(Denom, sdkmath.NewIntFromUint64(d.feeRao)))
		auth.Fee.Granter = d.granter
	}
	var stands [][]byte
	for i, a := range d.accounts {
		info := &txtypes.SignerInfo{Sequence: sequences[i]}
		if pub := a.signer.PubKey(); pub != nil { // that of an address alone is not known
			if info.PublicKey, err = codectypes.NewAnyWithValue(pub); err != nil {
				return nil, err
			}
		}
		var sig []byte
		if info.ModeInfo, sig, err = stand(a.signer); err != nil {
			return nil, err
		}
		stands = append(stands, sig)
		auth.SignerInfos = append(auth.SignerInfos, info)
	}
	info, err := auth.Marshal()
	if err != nil {
		return nil, err
	}
	raw := txtypes.TxRaw{BodyBytes: body, AuthInfoBytes: info}
	for i, a := range d.accounts {
		if chainID == "" {
			raw.Signatures = append(raw.Signatures, stands[i])
			continue
		}
		var doc []byte
		if a.signer.SignsAmino() {
			doc, err = AminoSignBytes(d.files, a.signer.Address(), AccountData{chainID, a.number, sequences[i]}, body, info)
		} else {
			doc, err = (&txtypes.SignDoc{BodyBytes: body, AuthInfoBytes: info, ChainId: chainID, AccountNumber: a.number}).Marshal()
		}
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
