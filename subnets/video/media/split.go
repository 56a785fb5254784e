package media

import (
	"context"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Split cuts a clip's video into files in Matroska without coding it again. cuts are the
// indexes of the frames before which to cut: key frames. How many files come out, and
// whether they stand for themselves, is the caller's to check: pictures may refer to
// others across a key frame.
func (t *Tools) Split(ctx context.Context, info Info, cuts []int64, dir string, l Limits) ([]string, error) {
	in := info.Input()
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+error"}
	args = append(args, in.args(info.Shape)...)
	args = append(args, "-map", in.stream(), "-c", "copy")
	args = append(args, segmentArgs(cuts, filepath.Join(dir, "copy"))...)
	return t.segments(ctx, command{op: "cut the clip", limits: l, line: quiet, args: args}, dir, "copy")
}

// Recode cuts a clip's video into files of H.264 that loses nothing, at any frames.
func (t *Tools) Recode(ctx context.Context, info Info, cuts []int64, dir string, l Limits) ([]string, error) {
	in := info.Input()
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+error", "-xerror", "-filter_threads", "1"}
	args = append(args, in.args(info.Shape)...)
	const rate = 25 // nominal: times are the original's in the end
	args = append(args, "-map", in.stream(), "-vf", "settb=1/"+strconv.Itoa(rate)+",setpts=N", "-fps_mode", "passthrough", "-enc_time_base", "-1",
		"-c:v", "libx264", "-preset", "veryfast", "-qp", "0", "-threads", "1", "-pix_fmt", info.Shape.PixFmt, "-g", "100000",
		"-x264-params", "open-gop=0:scenecut=0:bframes=0")
	if len(cuts) > 0 {
		var times []string
		for _, c := range cuts {
			times = append(times, strconv.FormatFloat((float64(c)-0.5)/rate, 'f', 4, 64))
		}
		args = append(args, "-force_key_frames", strings.Join(times, ","))
	}
	args = append(args, segmentArgs(cuts, filepath.Join(dir, "lossless"))...)
	return t.segments(ctx, command{op: "cut the clip", limits: l, line: quiet, args: args}, dir, "lossless")
}

func segmentArgs(cuts []int64, prefix string) []string {
	args := []string{"-an", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1", "-f", "segment", "-segment_format", "matroska", "-reset_timestamps", "1"}
	var frames []string
	for _, c := range cuts {
		frames = append(frames, strconv.FormatInt(c, 10))
	}
	if len(frames) > 0 {
		args = append(args, "-segment_frames", strings.Join(frames, ","))
	} else {
		args = append(args, "-segment_time", "1000000")
	}
	return append(args, "-y", "file:"+prefix+"-%05d.mkv")
}

func (t *Tools) segments(ctx context.Context, c command, dir, prefix string) ([]string, error) {
	if err := t.run(ctx, t.ffmpeg, c); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, prefix+"-*.mkv"))
	sort.Strings(files)
	return files, err
}

// LongLimits are limits for a whole clip of a customer's own: as LimitsFor, with time for
// its length and files as large as the clip.
func LongLimits(s Shape, bytes int64) Limits {
	mega := float64(s.Width) * float64(s.Height) * float64(s.Frames) / 1e6
	l := LimitsFor(int64(s.Width)*int64(s.Height), 64, 10*time.Minute+time.Duration(mega*2*float64(time.Second)))
	l.File = max(l.File, 2*bytes+64<<20, s.frameBytes()*s.Frames)
	l.Output = s.frameBytes()*s.Frames*2 + 64<<20
	return l
}
