package media

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrShape says that an answer's frames are not those of the reference: another number,
// size, pixel format, field order or colour.
var ErrShape = errors.New("its frames are not the reference's")

// FrameQuality is how close a frame is to its reference.
type FrameQuality struct {
	Luma float64 // by the measure, 0..100
	U, V float64 // a hundred times SSIM
	Tone [3]Tone // of the planes Y, U, V
}

// Comparison is what [Tools.Compare] found.
type Comparison struct {
	Frames []FrameQuality // in display order
	// Hash names the answer's decoded frames, whatever bytes they came from.
	Hash [32]byte
	// Answer and Reference are the hashes of the frames of both.
	Answer, Reference [][32]byte
	// Positions are where each displayed frame's access unit begins in the answer's
	// file; -1 where the demuxer doesn't say.
	Positions []int64
	// Colors are the answer's tags, of its first frame.
	Colors Colors
}

// Compare decodes an answer and its reference in one sandboxed child and compares them
// frame by frame, paired by index. want is the reference's shape: an answer of any other
// gives [ErrShape]. An error that is neither [ErrShape] nor an [*Error] is our own.
func (t *Tools) Compare(ctx context.Context, m Measure, answer, ref Input, want Shape, l Limits) (*Comparison, error) {
	if err := t.Check(m); err != nil {
		return nil, err
	}
	if err := want.CheckPicture(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "lode-compare-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	graph := answer.pad(0) + answer.window() + "settb=1/1000,setpts=N,showinfo@ans=checksum=0,split=3[a1][a2][qa];" +
		ref.pad(1) + ref.window() + "settb=1/1000,setpts=N,showinfo@ref=checksum=0,split=3[r1][r2][qr];" +
		"[a1][r1]ssim=stats_file=ssim.txt[o1];[a2][r2]vstack[o2];"
	if f := m.filter(); f != "" {
		graph += f + ",nullsink"
	} else {
		graph += "[qa]nullsink;[qr]nullsink"
	}
	// One frame more than there should be: enough to see that there are too many.
	frames := strconv.FormatInt(want.Frames+1, 10)
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info", "-xerror", "-filter_complex_threads", "1"}
	args = append(args, answer.args(want)...)
	args = append(args, ref.args(want)...)
	args = append(args, "-filter_complex", graph,
		"-map", "[o2]", "-fps_mode", "passthrough", "-frames:v", frames, "-f", "rawvideo", "pipe:1",
		"-map", "[o1]", "-fps_mode", "passthrough", "-frames:v", frames, "-f", "null", "-")

	info := newInfoReader(want.Frames+1, "ans", "ref")
	pairs := &pairSink{shape: want}
	err = t.run(ctx, t.ffmpeg, command{op: "compare", limits: l, dir: dir, stdout: pairs, line: info.line, args: args})
	ans, reference := info.branches["ans"], info.branches["ref"]
	if err := checkFrames("the reference", reference, want, err == nil, Colors{}); err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	var colors Colors
	if len(reference.frames) > 0 {
		colors = reference.frames[0].Colors
	}
	if err := checkFrames("the answer", ans, want, err == nil, colors); err != nil {
		return nil, err
	}
	if err != nil {
		if text := err.Error(); strings.Contains(text, "input videos must be same") || strings.Contains(text, "does not match") {
			return nil, fmt.Errorf("%w: its pictures are not %dx%d", ErrShape, want.Width, want.Height)
		}
		return nil, err
	}
	if pairs.count != want.Frames {
		return nil, fmt.Errorf("%w: %d pairs of frames, not %d", ErrShape, pairs.count, want.Frames)
	}
	c := &Comparison{Answer: pairs.ans, Reference: pairs.ref, Colors: ans.frames[0].Colors}
	c.Frames, err = readQuality(dir, m, pairs.tones)
	if err != nil {
		return nil, err
	}
	whole := sha256.New()
	for _, h := range pairs.ans {
		whole.Write(h[:])
	}
	c.Hash = [32]byte(whole.Sum(nil))
	for _, f := range ans.frames {
		c.Positions = append(c.Positions, f.Pos)
	}
	return c, nil
}

// checkFrames looks at what was decoded of one side. The number is only judged where
// decoding came to its end.
func checkFrames(who string, b *branch, want Shape, complete bool, colors Colors) error {
	for i, f := range b.frames {
		switch {
		case f.Width != want.Width || f.Height != want.Height:
			return fmt.Errorf("%w: frame %d of %s is %dx%d, not %dx%d", ErrShape, i, who, f.Width, f.Height, want.Width, want.Height)
		case f.PixFmt != want.PixFmt:
			return fmt.Errorf("%w: frame %d of %s is %s, not %s", ErrShape, i, who, f.PixFmt, want.PixFmt)
		case f.Interlaced:
			return fmt.Errorf("%w: frame %d of %s is interlaced", ErrShape, i, who)
		case !f.Colors.Agree(colors):
			return fmt.Errorf("%w: frame %d of %s has the colour tags %+v, not %+v", ErrShape, i, who, f.Colors, colors)
		}
	}
	if b.count > want.Frames {
		return fmt.Errorf("%w: %s has more than %d", ErrShape, who, want.Frames)
	}
	if complete && b.count != want.Frames {
		return fmt.Errorf("%w: %s has %d, not %d", ErrShape, who, b.count, want.Frames)
	}
	return nil
}

// window selects frames by index, before anything else sees them.
func (in Input) window() string {
	if in.Count == 0 {
		return ""
	}
	return fmt.Sprintf("trim=start_frame=%d:end_frame=%d,", in.First, in.First+in.Count)
}

// pad names the input's video in a filter graph.
func (in Input) pad(n int) string { return fmt.Sprintf("[%d:%d]", n, in.Stream) }

// stream names the video of the first input for -map.
func (in Input) stream() string { return "0:" + strconv.Itoa(in.Stream) }

// args are the options of an input with the picture size that it may have.
func (in Input) args(s Shape) []string {
	return []string{
		"-protocol_whitelist", "file,pipe", "-max_pixels", strconv.FormatInt(s.maxPixels(), 10),
		// No other decoder is opened either, to find out what other streams are.
		"-codec_whitelist", in.Decoder, "-err_detect", "explode", "-noautorotate", "-threads", "1",
		"-f", in.Format, "-c:v", in.Decoder, "-i", "file:" + in.Path,
	}
}

// readQuality reads the per-frame files that the filters wrote.
func readQuality(dir string, m Measure, tones [][3]Tone) ([]FrameQuality, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "ssim.txt"))
	if err != nil {
		return nil, err
	}
	frames, err := parseSSIM(string(raw))
	if err != nil {
		return nil, err
	}
	if m == VMAFNEG {
		if raw, err = os.ReadFile(filepath.Join(dir, "vmaf.json")); err != nil {
			return nil, err
		}
		luma, err := parseVMAF(raw)
		if err != nil {
			return nil, err
		}
		if len(luma) != len(frames) {
			return nil, fmt.Errorf("libvmaf wrote %d frames, ssim %d", len(luma), len(frames))
		}
		for i := range frames {
			frames[i].Luma = luma[i]
		}
	}
	if len(tones) != len(frames) {
		return nil, fmt.Errorf("the ssim filter wrote %d frames of %d", len(frames), len(tones))
	}
	for i := range frames {
		frames[i].Tone = tones[i]
	}
	return frames, nil
}

// parseSSIM reads the ssim filter's stats_file: "n:1 Y:0.94 U:0.95 V:0.96 All:0.95 (13.0)".
func parseSSIM(text string) ([]FrameQuality, error) {
	var out []FrameQuality
	for line := range strings.Lines(text) {
		var f FrameQuality
		var n int
		var all float64
		if _, err := fmt.Sscanf(line, "n:%d Y:%f U:%f V:%f All:%f", &n, &f.Luma, &f.U, &f.V, &all); err != nil {
			return nil, fmt.Errorf("the ssim filter wrote %q: %w", strings.TrimSpace(line), err)
		}
		f.Luma, f.U, f.V = f.Luma*100, f.U*100, f.V*100
		out = append(out, f)
	}
	return out, nil
}

// parseVMAF reads libvmaf's JSON log.
func parseVMAF(raw []byte) ([]float64, error) {
	var log struct {
		Frames []struct {
			Metrics map[string]float64 `json:"metrics"`
		} `json:"frames"`
	}
	if err := json.Unmarshal(raw, &log); err != nil {
		return nil, fmt.Errorf("libvmaf's log: %w", err)
	}
	var out []float64
	for i, f := range log.Frames {
		v, ok := f.Metrics["vmaf"]
		if !ok {
			return nil, fmt.Errorf("libvmaf's log has no vmaf for frame %d", i)
		}
		out = append(out, v)
	}
	return out, nil
}
