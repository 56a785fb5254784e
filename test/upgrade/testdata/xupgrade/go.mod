// Stands in for cosmossdk.io/x/upgrade, which has moved into the SDK: what cosmovisor
// uses of it, as the SDK of this chain has it.
module cosmossdk.io/x/upgrade

go 1.26.5
