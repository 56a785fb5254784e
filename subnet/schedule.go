package subnet

// maxOpenCommits is how many commits of a hotkey the chain keeps open (protocol.md §8).
const maxOpenCommits = 10

// revealDue says whether a commit is to be revealed now, and whether it is too late.
func revealDue(c Commit, meta *Metagraph) (now, late bool) {
	return meta.Epoch == c.Reveal, meta.Epoch > c.Reveal
}

// sendDue says whether it is time to send weights: once an epoch, never before the rate
// limit lets it. The first ones, and those after a gap, go out as soon as they can;
// later ones wait for the second half of the epoch, so that they carry fresh scores and
// leave half a tempo to try again in. last is the epoch of the last ones that are known
// to have been sent, nil if none are.
func sendDue(meta *Metagraph, commits Commits, last *uint64) bool {
	if meta.Height+1 < commits.NextHeight { // what is sent now comes in the next block at the earliest
		return false
	}
	if meta.Hyperparameters.CommitReveal && len(commits.Open) >= maxOpenCommits {
		return false
	}
	for _, c := range commits.Open {
		if last == nil || c.Epoch > *last {
			last = &c.Epoch
		}
	}
	switch {
	case last == nil || *last+1 < meta.Epoch:
		return true
	case *last >= meta.Epoch:
		return false
	}
	return meta.NextEpoch-meta.Height <= (meta.Hyperparameters.Tempo+1)/2
}
