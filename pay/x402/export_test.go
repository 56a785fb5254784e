package x402

// ScanSettlement is for tests.
var ScanSettlement = scanSettlement

// Known is how many forms a reader keeps.
func (r *Reader) Known() int { return len(r.known) }
