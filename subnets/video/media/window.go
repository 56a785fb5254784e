package media

import (
	"context"
	"fmt"
	"strconv"
)

// Crop is a part of the picture, in samples of the source.
type Crop struct{ X, Y, Width, Height int }

// Window is a piece of a clip: some frames, some part of the picture.
type Window struct {
	Start  float64 // seconds
	Frames int64
	Crop   Crop
	Rate   float64 // x264's rate factor; low enough that the result stands for itself
}

// Cut makes a segment in Matroska out of a window of a clip. What it decodes to is the
// reference from then on: like a customer's clip it is an ordinary lossy H.264 file.
func (t *Tools) Cut(ctx context.Context, info Info, w Window, out string, l Limits) error {
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning", "-filter_threads", "1",
		"-ss", strconv.FormatFloat(w.Start, 'f', 3, 64)}
	in := info.Input()
	args = append(args, in.args(info.Shape)...)
	graph := fmt.Sprintf("crop=%d:%d:%d:%d,format=yuv420p", w.Crop.Width, w.Crop.Height, w.Crop.X, w.Crop.Y)
	args = append(args, "-map", in.stream(), "-frames:v", strconv.FormatInt(w.Frames, 10), "-vf", graph)
	args = append(args, finish(w.Rate, out)...)
	return t.run(ctx, t.ffmpeg, command{op: "cut a window", limits: l, line: quiet, args: args})
}

// Generate makes a segment from ffmpeg's own sources: graph is a filter graph without
// inputs. seed feeds nothing here: what should differ is in the graph.
func (t *Tools) Generate(ctx context.Context, graph string, frames int64, rate float64, out string, l Limits) error {
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning", "-filter_complex_threads", "1",
		"-filter_complex", graph, "-frames:v", strconv.FormatInt(frames, 10)}
	args = append(args, finish(rate, out)...)
	return t.run(ctx, t.ffmpeg, command{op: "generate a clip", limits: l, line: quiet, args: args})
}

// finish writes H.264 with B-frames off: quick, and every frame stands close to its own.
func finish(rate float64, out string) []string {
	return []string{"-an", "-sn", "-dn", "-map_metadata", "-1", "-threads", "1", "-c:v", "libx264", "-preset", "veryfast",
		"-crf", strconv.FormatFloat(rate, 'f', 2, 64), "-pix_fmt", "yuv420p", "-x264-params", "open-gop=0:keyint=240", "-f", "matroska", "-y", "file:" + out}
}
