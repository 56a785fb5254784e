// Package lab tries an incentive mechanism before anybody pays for it. Today it
// runs scenarios of Yuma Consensus: stakes and weights, epoch by epoch, through
// the very code that the chain runs. What attacks gain over many seeds is in the
// package attack below it.
//
// [Parse] reads a scenario from JSON, [Run] computes its epochs, [Result] is
// what they give, as JSON or, by [Result.Table], for people:
//
//	{
//	  "name": "two agree, one does not",
//	  "params": {"kappa": 32767, "bonds_penalty": 65535, "yuma_version": 3},
//	  "stakes": [60, 30, 10, 0, 0],
//	  "epochs": [
//	    {"weights": {"0": [[3, 65535]], "1": [[3, 65535]], "2": [[4, 65535]]}},
//	    {},
//	    {"weights": {"2": [[3, 65535]]}}
//	  ]
//	}
//
// Params are hyperparameters of a subnet under the names of protocol.md §3, each
// its default there if left out; alpha_low and alpha_high are fractions, the
// others in their units. Those that an epoch does not read are accepted and
// listed in [Scenario.Unread]; any other name is refused. Stakes are whole
// units, numbers or decimal strings, one for each uid.
//
// Every neuron is there from the start and none is the owner. Before the first
// epoch one without weights grants the permits; it isn't part of the result. An
// epoch's weights are set in its own block: a validator's row is a list of [uid,
// value up to 65535], and replaces its last one; [] takes all weight away. A
// validator that is left out keeps its row, which ages by a tempo each epoch and
// ends with activity_cutoff. An epoch without weights is one in which everybody
// sets what they had set last.
//
// Parse refuses what breaks a rule, and says where; a scenario that it returns
// always runs.
package lab
