// Package roster is what a next release of the chain might bring, for the tests of
// upgrades: a module of its own, with its own store, that lists every neuron by its
// hotkey, and a second form of x/subnets, whose migration fills the list with the
// neurons that there are. No program that is shipped has it.
package roster
