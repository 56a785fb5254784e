package types

import sdk "github.com/cosmos/cosmos-sdk/types"

// Bech32Prefix begins every address of the network.
const Bech32Prefix = "lode"

// The SDK keeps one global prefix a process, and parts of it use it even where
// codecs are given. It must be set before genesis is read: else accounts end up
// under an empty address.
func init() {
	c := sdk.GetConfig()
	c.SetBech32PrefixForAccount(Bech32Prefix, Bech32Prefix+"pub")
	c.SetBech32PrefixForValidator(Bech32Prefix+"valoper", Bech32Prefix+"valoperpub")
	c.SetBech32PrefixForConsensusNode(Bech32Prefix+"valcons", Bech32Prefix+"valconspub")
}
