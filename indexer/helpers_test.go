package indexer_test

import (
	"encoding/base64"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/gogoproto/proto"
)

// unknownTx is a transaction with a message of some type and some bytes.
func unknownTx(typeURL, value string) []byte {
	body, err := proto.Marshal(&txtypes.TxBody{Messages: []*codectypes.Any{{TypeUrl: typeURL, Value: []byte(value)}}})
	if err != nil {
		panic(err)
	}
	auth, err := proto.Marshal(&txtypes.AuthInfo{})
	if err != nil {
		panic(err)
	}
	raw, err := proto.Marshal(&txtypes.TxRaw{BodyBytes: body, AuthInfoBytes: auth, Signatures: [][]byte{{1}}})
	if err != nil {
		panic(err)
	}
	return raw
}

func base64Of(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
