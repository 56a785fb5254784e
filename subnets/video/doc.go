// Package video is the subnet that compresses video: fewer bytes at equal quality earn
// more.
//
// A miner is a [Miner], which answers jobs with a [Strategy]; a validator is a
// [Validator], which measures miners in rounds and lets customers in through its
// [Gateway]; a customer calls [Compress]. [MineOptions], [ValidateOptions] and
// [CompressOptions] are their flags. The guides are docs/mine-video.md,
// docs/validate-video.md and docs/compress-video.md.
//
// # The job
//
// A [Job] is a source (a second or more of video in Matroska), the codecs that the answer
// may be in, a [Gate] that its quality must hold, and a deadline. The answer is an
// elementary stream: Annex B or AV1's OBUs, without a container, whose overhead would
// be a tenth of a short answer and whose headers can lie. The miner first commits to the
// hash of its answer, and hands the bytes out afterwards. Probes of validators and
// segments of customers are the same calls with the same fields, made by the same caller.
//
// # The measure
//
// A validator draws a window, at a random place and time of its corpus, or makes a new
// clip from a secret seed. Everything is computed from the bytes that it receives:
// the stream is stripped to what a decoder needs, decoded in a sandbox, counted, and
// compared with the source frame by frame, paired by index. The gate has a bound for
// each way to be bad that the others hide: the mean of luma quality; the 5th percentile
// and the worst frame, since a mean hides ruined frames; each chroma plane, since luma
// hides grey; and the fit of light and colour of every frame, since structural measures
// hardly see a drift of tone, and don't see colour that is pale but flat.
//
// Luma quality is behind one interface, 0 to 100; the subnet's parameters ([Params]) name
// the measure. A validator whose ffmpeg lacks it refuses to start.
//
// # The score
//
// Below the gate an answer is worth 0, else (baseline/bytes)^k.
//
// The baseline is what x264 at its medium preset needs to just hold the same gate, tuned
// for the measure and interpolated between encodes to the exact target. Untuned, a flag
// alone would earn a tenth; at whatever quality a rate factor happens to give, chance
// would decide more than skill does.
//
// A ratio, because clips differ tenfold in how hard they are; positive for all who pass,
// because paying the savings alone would pay a miner that equals the baseline nothing,
// and one that is a little worse as much as one that does not work. k (2 unless the
// subnet says otherwise) is how steeply better work is paid: with incentive in proportion
// to scores, a twentieth fewer bytes earns a tenth more. The ratio is capped at 8, so
// that a hole in the gate, should there be one, is not worth the whole subnet. Nothing
// that a miner says about itself counts.
//
// Answers that are copies of each other share one reward ([Share]): the same decoded
// frames, or nearly the same size *and* nearly the same quality frame by frame. They share
// and do not fall to zero, because honest miners with equal tools give equal answers.
// Results that customers got are measured like probes, some of them, and can only lower
// a score ([Combine]): a customer may be the miner itself.
//
// # The money
//
// A validator may sell what its gateway does, by the picture ([Price], [Service]); package
// pay takes the money. Ordering is free and needs a channel that could pay; the answer is
// what is paid for, when it is handed out, and only one that holds its job's gate by the
// gateway's own measure is. A customer that says less of its source than is in it is
// refused, since sources are decoded before answers are handed out; times, which a file
// can say as it likes, cost nothing. A customer ([Compress]) measures again, pays no more
// than it was told before, and leaves a gateway that charged for what falls short.
//
// # Cheats that it withstands
//
// Each is a test, with the score that it gets (cheats_test.go).
//
//   - Decoder bombs: the number of pixels and of frames is the job's, whatever the
//     stream says; time, memory, file size, demuxer, decoder and protocols are the
//     validator's.
//   - Hidden frames, edit lists, lies about speed: answers have no container; frames are
//     counted by decoding them.
//   - Padding, filler, SEI, metadata: taken out before anything is counted, compared or
//     delivered.
//   - Copies and sybils: share one reward, also with other bytes or a nudged rate.
//   - Copying from another miner: answers go to who asked alone, and no answer is fetched
//     before all miners have committed to theirs or run out of time.
//   - Prepared answers: seed, place, size, target and grain of every probe are drawn anew
//     and kept secret.
//   - Telling probes from customers: same calls, fields, caller, deadlines; what
//     customers got is measured.
//   - Ruined frames, grey or pale chroma, drift of tone: each has its own bound.
//   - Film-grain synthesis: loses under a full-reference measure.
//   - Sharpening for the measure: SSIM does not reward it, and VMAF is only offered
//     without enhancement gain.
//
// What it does not withstand: a miner whose customers are its own validator's can tell by
// the time of day; and a miner that does better than its share of the network's probes
// ask for is paid no more for it.
package video
