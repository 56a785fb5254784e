package vrf

// frameTag marks the first "transaction" of a block. As protobuf it begins with
// the end of a group that was never begun, so no decoder of transactions takes a
// frame for one.
const frameTag = "lode/vrf"

// FrameSize is the most bytes that a frame has.
const FrameSize = len(frameTag) + ProofSize

// Frame is a proof as it travels in a block: "lode/vrf" ‖ proof. Without a proof it
// is the tag alone.
func Frame(proof []byte) []byte { return append([]byte(frameTag), proof...) }

// Unframe is the proof in a frame, empty where it holds none; ok is false for what
// is no frame.
func Unframe(tx []byte) (proof []byte, ok bool) {
	n := len(frameTag)
	if len(tx) != n && len(tx) != FrameSize || string(tx[:n]) != frameTag {
		return nil, false
	}
	return tx[n:], true
}
