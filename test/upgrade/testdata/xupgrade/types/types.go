// Package types is the SDK's x/upgrade/types.
package types

import "github.com/cosmos/cosmos-sdk/x/upgrade/types"

// UpgradeInfoFilename is the SDK's.
const UpgradeInfoFilename = types.UpgradeInfoFilename

// Plan is the SDK's.
type Plan = types.Plan
