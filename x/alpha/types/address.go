package types

import (
	"os"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Bech32Prefix begins every address of the network.
const Bech32Prefix = "lode"

// The SDK keeps one global prefix a process, and parts of it use it even where
// codecs are given. It must be set before genesis is read: else accounts end up
// under an empty address.
//
// The SDK finds the prefix anew for every address that it reads or writes, by the names
// of host and program, which it asks the system for each time, unless the environment
// names the scope: three system calls less, a tenth of what a transaction costs.
func init() {
	if os.Getenv(sdk.EnvConfigScope) == "" {
		if err := os.Setenv(sdk.EnvConfigScope, Bech32Prefix); err != nil {
			panic(err) // the name and the value are constants that are allowed
		}
	}
	c := sdk.GetConfig()
	c.SetBech32PrefixForAccount(Bech32Prefix, Bech32Prefix+"pub")
	c.SetBech32PrefixForValidator(Bech32Prefix+"valoper", Bech32Prefix+"valoperpub")
	c.SetBech32PrefixForConsensusNode(Bech32Prefix+"valcons", Bech32Prefix+"valconspub")
}
