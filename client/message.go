package client

import (
	"encoding/base64"
	"encoding/json"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// MessageJSON is a message as the chain's REST gives it. Of one that c does not know it is
// the type and the bytes: {"@type": "/…", "value": base64}.
func MessageJSON(c codec.Codec, m *codectypes.Any) json.RawMessage {
	if m == nil {
		return json.RawMessage(`{"@type":""}`)
	}
	var msg sdk.Msg
	if err := c.UnpackAny(m, &msg); err == nil {
		if raw, err := c.MarshalInterfaceJSON(msg); err == nil {
			return raw
		}
	}
	raw, err := json.Marshal(map[string]string{"@type": m.TypeUrl, "value": base64.StdEncoding.EncodeToString(m.Value)})
	if err != nil {
		return json.RawMessage(`{"@type":""}`) // strings always marshal
	}
	return raw
}
