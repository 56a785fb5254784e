package client

import (
	"context"
	"fmt"

	txv1beta1 "cosmossdk.io/api/cosmos/tx/v1beta1"
	"github.com/cosmos/cosmos-sdk/crypto/keys/mldsa65"
	"github.com/cosmos/cosmos-sdk/crypto/keys/multisig"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	txsigning "github.com/cosmos/cosmos-sdk/x/tx/signing"
	"github.com/cosmos/cosmos-sdk/x/tx/signing/aminojson"
	protov2 "google.golang.org/protobuf/proto"

	"github.com/lodenet/lode/wallet"
)

// mode is how a key signs transactions.
func mode(s *wallet.Signer) signing.SignMode {
	if s.SignsAmino() {
		return signing.SignMode_SIGN_MODE_LEGACY_AMINO_JSON
	}
	return signing.SignMode_SIGN_MODE_DIRECT
}

// amino is whether one of the keys signs amino JSON.
func (d *draft) amino() bool {
	for _, a := range d.accounts {
		if a.signer.SignsAmino() {
			return true
		}
	}
	return false
}

// AccountData is what a signature covers beside the transaction.
type AccountData struct {
	ChainID          string
	Number, Sequence uint64
}

// AminoSignBytes are the bytes that an address signs of a transaction as amino JSON:
// the messages, the fee, the memo, and its own number and sequence, but nothing of
// other signers, so that each can sign by itself. files describe the messages: a codec's
// interface registry does. A transaction that is unordered has none here: Ledgers and
// browsers' wallets don't know the word.
func AminoSignBytes(files txsigning.ProtoFileResolver, address string, a AccountData, body, authInfo []byte) ([]byte, error) {
	data := txsigning.TxData{Body: &txv1beta1.TxBody{}, AuthInfo: &txv1beta1.AuthInfo{}, BodyBytes: body, AuthInfoBytes: authInfo}
	if err := protov2.Unmarshal(body, data.Body); err != nil {
		return nil, fmt.Errorf("the transaction's body: %w", err)
	}
	if err := protov2.Unmarshal(authInfo, data.AuthInfo); err != nil {
		return nil, fmt.Errorf("the transaction's fee and signers: %w", err)
	}
	if data.Body.Unordered {
		return nil, ErrUnordered
	}
	h := aminojson.NewSignModeHandler(aminojson.SignModeHandlerOptions{FileResolver: files})
	return h.GetSignBytes(context.Background(), txsigning.SignerData{
		Address: address, ChainID: a.ChainID, AccountNumber: a.Number, Sequence: a.Sequence,
	}, data)
}

// stand is how a key signs in a simulation: with signatures as long as the real ones
// where the chain would guess them too short.
func stand(s *wallet.Signer) (*txtypes.ModeInfo, []byte, error) {
	single := func(m signing.SignMode) *txtypes.ModeInfo {
		return &txtypes.ModeInfo{Sum: &txtypes.ModeInfo_Single_{Single: &txtypes.ModeInfo_Single{Mode: m}}}
	}
	switch pub := s.PubKey().(type) {
	case *mldsa65.PubKey:
		return single(mode(s)), make([]byte, mldsaSignature), nil
	case *multisig.LegacyAminoPubKey:
		multi := &txtypes.ModeInfo_Multi{Bitarray: cryptotypes.NewCompactBitArray(len(pub.PubKeys))}
		var sigs cryptotypes.MultiSignature
		for i, member := range pub.GetPubKeys() {
			if i == int(pub.Threshold) {
				break
			}
			length := secp256k1Signature
			if _, ok := member.(*mldsa65.PubKey); ok {
				length = mldsaSignature
			}
			multi.Bitarray.SetIndex(i, true)
			multi.ModeInfos = append(multi.ModeInfos, single(signing.SignMode_SIGN_MODE_LEGACY_AMINO_JSON))
			sigs.Signatures = append(sigs.Signatures, make([]byte, length))
		}
		raw, err := sigs.Marshal()
		return &txtypes.ModeInfo{Sum: &txtypes.ModeInfo_Multi_{Multi: multi}}, raw, err
	}
	return single(mode(s)), []byte{}, nil
}

// Lengths of signatures.
const (
	secp256k1Signature = 64
	mldsaSignature     = 3309
)
