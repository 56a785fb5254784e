// Package plan is the SDK's x/upgrade/plan.
package plan

import "github.com/cosmos/cosmos-sdk/x/upgrade/plan"

// BinaryDownloadURLMap is the SDK's.
type BinaryDownloadURLMap = plan.BinaryDownloadURLMap

// What cosmovisor calls.
var (
	EnsureBinary               = plan.EnsureBinary
	DownloadUpgrade            = plan.DownloadUpgrade
	ParseInfo                  = plan.ParseInfo
	ParseOptionEnforceChecksum = plan.ParseOptionEnforceChecksum
)
