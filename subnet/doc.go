// Package subnet is the SDK for authors of subnets: all that they import.
//
// An author writes two things. A [Miner] is an http.Handler that does the work; by
// the time it sees a request the caller is known ([mesh.Caller]) and a neuron of the
// subnet. A [Validator] measures all miners once per call of Round and returns their
// [Scores]:
//
//	func (v judge) Round(ctx context.Context, n *subnet.Network) (subnet.Scores, error) {
//		scores := subnet.Scores{}
//		for _, m := range n.Miners() {
//			resp, err := n.Client().Get(n.URL(m, "/number"))
//			…
//			scores[m.UID] = …
//		}
//		return scores, nil
//	}
//
// [RunMiner] and [RunValidator] do the rest: register if asked, publish the endpoint,
// keep the metagraph fresh, average the scores, commit and reveal weights at the right
// blocks, survive restarts and chain outages, expose metrics. The guide is
// docs/write-a-subnet.md.
//
// What it guarantees:
//
//   - A Round sees one consistent snapshot of the subnet, and its scores are matched
//     to miners by hotkey: a uid that changed hands starts anew.
//   - Weights are sent at most once an epoch and never earlier than the chain accepts.
//   - A commit is on disk with its salt before it is broadcast, so that whatever
//     happens in between, a restarted validator can reveal it.
//   - A failing round or an unreachable chain is logged once and tried again; it ends
//     neither the process nor the measuring.
package subnet
