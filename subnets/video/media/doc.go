// Package media runs ffmpeg on files that strangers sent, and measures what comes out.
//
// [Find] looks for ffmpeg and ffprobe and returns [Tools]. With them one looks at a
// clip ([Tools.Inspect], [Tools.Scan]), encodes it ([Tools.Encode]), compares an answer
// with its reference frame by frame ([Tools.Compare]), and joins segments
// ([Tools.Join]). [Strip] parses what encoders write, without ffmpeg: it leaves in an
// elementary stream what a decoder needs and counts it.
//
// What it guarantees:
//
//   - Media is read by a child process only, never by this one, under limits on CPU
//     time, memory, file size, picture size and frames, with the protocols file and
//     pipe, and with the demuxer and the decoder that the caller named: a file cannot
//     choose the code that reads it.
//   - The child is niced, single-threaded, in a process group of its own; when the
//     context ends the whole group is killed.
//   - Nothing is believed that a header says: frames are counted by decoding them, and
//     paired by their index in display order, so that edit lists and timestamps of a
//     container change nothing.
//   - What a child printed is bounded, and reaches a person only as an [Error].
package media
