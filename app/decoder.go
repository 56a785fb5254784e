package app

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"
)

// newTxDecoder reads transactions as the SDK does, but refuses two kinds that it
// lets pass:
//
// Those that whoever asks for a part of them panics on: without a fee, with a payer or
// granter of fees that is no address, with an amount that is no number, with a public
// key of a wrong size. Mempool, proposals and blocks are safe from them in one place.
//
// Those with their body, or what was signed beside it, in them twice. The last one
// counts, and the signature doesn't cover the first: anybody on the way could make
// another's transaction longer by it, until its gas is too little for its message.
func newTxDecoder(cdc codec.Codec) sdk.TxDecoder {
	decode := authtx.DefaultTxDecoder(cdc)
	return func(raw []byte) (tx sdk.Tx, err error) {
		defer func() {
			if r := recover(); r != nil {
				tx, err = nil, sdkerrors.ErrTxDecode.Wrapf("a part of it is missing, or can't be read: %v", r)
			}
		}()
		if tx, err = decode(raw); err != nil {
			return nil, err
		}
		if err := partsOnce(raw); err != nil {
			return nil, sdkerrors.ErrTxDecode.Wrap(err.Error())
		}
		if err := wholeTx(tx); err != nil {
			return nil, sdkerrors.ErrTxDecode.Wrap(err.Error())
		}
		return tx, nil
	}
}

// wholeTx asks for all that handlers ask for.
func wholeTx(tx sdk.Tx) error {
	t, ok := tx.(interface {
		sdk.FeeTx
		authsigning.SigVerifiableTx
	})
	if !ok {
		return fmt.Errorf("%T has no fee or no signers", tx)
	}
	for _, m := range t.GetMsgs() {
		if err := (publicKeys{}).of(m); err != nil {
			return err
		}
	}
	signing, err := t.GetPubKeys()
	if err != nil {
		return err
	}
	for _, key := range signing {
		if key != nil {
			key.Address()
		}
	}
	t.GetGas()
	if t.GetFee().IsAnyNil() {
		return fmt.Errorf("a fee has no amount")
	}
	signers, err := t.GetSigners()
	if err != nil {
		return err
	}
	if len(signers) == 0 {
		return fmt.Errorf("it has no signer")
	}
	t.FeePayer()
	t.FeeGranter()
	return nil
}

// publicKeys asks all keys in a message for their address, as handlers do.
type publicKeys struct{}

func (k publicKeys) of(value any) error {
	switch v := value.(type) {
	case cryptotypes.PubKey:
		v.Address()
	case codectypes.UnpackInterfacesMessage:
		return v.UnpackInterfaces(k)
	}
	return nil
}

// UnpackAny looks at what the codec has unpacked.
func (k publicKeys) UnpackAny(packed *codectypes.Any, _ any) error {
	if packed == nil {
		return nil
	}
	return k.of(packed.GetCachedValue())
}

// partsOnce tells whether body and what is signed beside it are there at most once,
// in bytes that were decoded already.
func partsOnce(raw []byte) error {
	seen := map[protowire.Number]bool{}
	for len(raw) > 0 {
		number, _, n := protowire.ConsumeField(raw)
		if n < 0 {
			return protowire.ParseError(n)
		}
		if number < 3 && seen[number] { // 3 are the signatures
			return fmt.Errorf("part %d of it is there twice", number)
		}
		seen[number] = true
		raw = raw[n:]
	}
	return nil
}
