package app

// thisRelease is the chain as this program has it. An upgrade is an entry of its list
// (docs/upgrade.md); entries stay for ever, since a program must know the last upgrade
// that a chain has done.
var thisRelease = release{stores: storeNames, upgrades: []Upgrade{}}
