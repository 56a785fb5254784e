package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrCarry says that something of a clip can't be carried into its compressed version.
var ErrCarry = errors.New("can't be carried over")

// Joining is what [Tools.Join] puts together.
type Joining struct {
	// Video is a file by [MatroskaWriter]. Its first picture is shown Shift after 0, and
	// the last one lasts Lasts, in microseconds.
	Video        string
	Shift, Lasts int64
	Codec        Codec
	// Original is where all else comes from: the times' beginning, audio, subtitles,
	// chapters, tags.
	Original Info
	// First is when the original's first picture is shown, in seconds from its beginning.
	First float64
	// Carry are indexes of the original's streams to copy beside the video.
	Carry []int
	// Format is the container: mp4 or matroska.
	Format string
}

// colour codes of ITU-T H.273, by ffmpeg's names.
var (
	primaries = map[string]int{"bt709": 1, "bt470m": 4, "bt470bg": 5, "smpte170m": 6, "smpte240m": 7, "film": 8, "bt2020": 9, "smpte428": 10, "smpte431": 11, "smpte432": 12, "ebu3213": 22}
	transfers = map[string]int{"bt709": 1, "bt470m": 4, "gamma22": 4, "bt470bg": 5, "gamma28": 5, "smpte170m": 6, "smpte240m": 7, "linear": 8, "log100": 9, "log316": 10, "iec61966-2-4": 11, "bt1361e": 12, "iec61966-2-1": 13, "bt2020-10": 14, "bt2020-12": 15, "smpte2084": 16, "smpte428": 17, "arib-std-b67": 18}
	matrices  = map[string]int{"gbr": 0, "bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 6, "smpte240m": 7, "ycgco": 8, "bt2020nc": 9, "bt2020c": 10, "smpte2085": 11, "chroma-derived-nc": 12, "chroma-derived-c": 13, "ictcp": 14}
)

// metadataFilter writes the original's colour tags into the stream itself, whatever
// encoders wrote there.
func metadataFilter(codec Codec, c Colors) (string, error) {
	names := [3]string{"colour_primaries", "transfer_characteristics", "matrix_coefficients"}
	filter := string(codec) + "_metadata"
	if codec == AV1 {
		names[0] = "color_primaries"
	}
	var opts []string
	for i, tag := range []struct {
		what, value string
		codes       map[string]int
	}{{"colour primaries", c.Primaries, primaries}, {"transfer characteristics", c.Transfer, transfers}, {"colour matrix", c.Matrix, matrices}} {
		if tag.value == "" {
			continue
		}
		code, ok := tag.codes[tag.value]
		if !ok {
			return "", fmt.Errorf("%w: the %s %q", ErrCarry, tag.what, tag.value)
		}
		opts = append(opts, names[i]+"="+strconv.Itoa(code))
	}
	if c.Range == "tv" || c.Range == "mpeg" {
		if codec == AV1 {
			opts = append(opts, "color_range=tv")
		} else {
			opts = append(opts, "video_full_range_flag=0")
		}
	}
	if len(opts) == 0 {
		return "", nil
	}
	return filter + "=" + strings.Join(opts, ":"), nil
}

// Join puts a video and what is carried of its original into one file. It leaves a file
// beside the video.
func (t *Tools) Join(ctx context.Context, j Joining, out string, l Limits) error {
	filter, err := metadataFilter(j.Codec, j.Original.Colors)
	if err != nil {
		return err
	}
	head := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+error", "-xerror", "-copyts"}
	// First the times alone: filters count in the unit of their output.
	timed := j.Video + ".mp4"
	args := append(slices.Clone(head), "-protocol_whitelist", "file,pipe", "-f", "matroska", "-i", "file:"+j.Video, "-map", "0:v:0", "-c", "copy",
		"-bsf:v", timeFilter(j.Shift, j.Lasts), "-video_track_timescale", "1000000", "-f", "mp4", "-y", "file:"+timed)
	if err := t.run(ctx, t.ffmpeg, command{op: "set the times", limits: l, line: quiet, args: args}); err != nil {
		return err
	}
	args = slices.Clone(head)
	turn := int(j.Original.Rotation)
	if turn != 0 && (t.major == 0 || t.major >= 6) {
		args = append(args, "-display_rotation", strconv.Itoa(turn))
	}
	args = append(args, "-protocol_whitelist", "file,pipe", "-itsoffset", strconv.FormatFloat(j.Original.Start+j.First, 'f', 6, 64), "-f", "mov", "-i", "file:"+timed,
		"-protocol_whitelist", "file,pipe", "-f", j.Original.Format, "-i", "file:"+j.Original.Path,
		"-map", "0:v:0")
	for _, s := range j.Carry {
		args = append(args, "-map", "1:"+strconv.Itoa(s))
	}
	args = append(args, "-c", "copy", "-map_metadata", "1", "-map_chapters", "1",
		"-output_ts_offset", strconv.FormatFloat(-j.Original.Start, 'f', 6, 64))
	if filter != "" {
		args = append(args, "-bsf:v", filter)
	}
	if a := j.Original.Aspect; a[0] != a[1] {
		args = append(args, "-aspect", fmt.Sprintf("%d:%d", a[0]*int64(j.Original.Shape.Width), a[1]*int64(j.Original.Shape.Height)))
	}
	if turn != 0 && t.major > 0 && t.major < 6 {
		args = append(args, "-metadata:s:v:0", "rotate="+strconv.Itoa(turn))
	}
	if j.Format == "mp4" {
		args = append(args, "-movflags", "+faststart")
		// The original's own unit of time, so that no picture's time is rounded.
		if tb := j.Original.TimeBase; tb[0] == 1 && tb[1] >= 1000 && tb[1] <= 1_000_000 {
			args = append(args, "-video_track_timescale", strconv.FormatInt(tb[1], 10))
		} else {
			args = append(args, "-video_track_timescale", "90000")
		}
		if j.Codec == HEVC {
			args = append(args, "-tag:v", "hev1") // parameter sets lie in the stream
		}
	}
	args = append(args, "-f", j.Format, "-y", "file:"+out)
	return t.run(ctx, t.ffmpeg, command{op: "join the segments", limits: l, line: quiet, args: args})
}

// PacketHashes returns the SHA-256 of the packets of a clip's streams, in the order of
// indexes.
func (t *Tools) PacketHashes(ctx context.Context, info Info, indexes []int, l Limits) ([]string, error) {
	if len(indexes) == 0 {
		return nil, nil
	}
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+error", "-protocol_whitelist", "file,pipe",
		"-f", info.Format, "-i", "file:" + info.Path}
	for _, i := range indexes {
		args = append(args, "-map", "0:"+strconv.Itoa(i))
	}
	args = append(args, "-c", "copy", "-f", "streamhash", "-hash", "SHA256", "pipe:1")
	var out bytes.Buffer
	if err := t.run(ctx, t.ffmpeg, command{op: "hash the packets", limits: l, stdout: &out, line: quiet, args: args}); err != nil {
		return nil, err
	}
	var hashes []string
	for line := range strings.Lines(out.String()) {
		if _, hash, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			hashes = append(hashes, hash)
		}
	}
	if len(hashes) != len(indexes) {
		return nil, fmt.Errorf("ffmpeg hashed %d of %d streams", len(hashes), len(indexes))
	}
	return hashes, nil
}

// What containers take of streams beside the video.
var (
	mp4Audio    = []string{"aac", "mp3", "mp2", "ac3", "eac3", "opus", "flac", "alac"}
	mp4Subtitle = []string{"mov_text", "dvd_subtitle"}
	mkvSubtitle = []string{"subrip", "ass", "ssa", "webvtt", "dvd_subtitle", "hdmv_pgs_subtitle"}
)

// Carried divides the streams beside the video into those that a container takes as they
// are, and those that it doesn't. Why, in words, comes with the latter.
func Carried(info Info, format string) (carry []int, left []string) {
	for _, o := range info.Others {
		name := fmt.Sprintf("stream %d (%s, %s)", o.Index, o.Kind, o.Codec)
		switch {
		case o.Kind == "audio" && (format == "matroska" || slices.Contains(mp4Audio, o.Codec)):
			carry = append(carry, o.Index)
		case o.Kind == "audio":
			left = append(left, name+": MP4 can't hold it bit for bit, Matroska can")
		case o.Kind == "subtitle" && (format == "matroska" && slices.Contains(mkvSubtitle, o.Codec) || format == "mp4" && slices.Contains(mp4Subtitle, o.Codec)):
			carry = append(carry, o.Index)
		case o.Kind == "subtitle" && format == "mp4" && slices.Contains(mkvSubtitle, o.Codec):
			left = append(left, name+": MP4 can't hold it, Matroska can")
		case o.Kind == "subtitle" && format == "matroska" && slices.Contains(mp4Subtitle, o.Codec):
			left = append(left, name+": Matroska can't hold it, MP4 can")
		case o.Cover:
			left = append(left, fmt.Sprintf("stream %d (a cover picture)", o.Index))
		default:
			left = append(left, name)
		}
	}
	return carry, left
}

// Seconds returns when frame i is shown, in seconds from the clip's beginning.
func (s *Scan) Seconds(i int) float64 {
	return float64(s.Frames[i].PTS) * float64(s.TimeBase[0]) / float64(s.TimeBase[1])
}

// hashTime bounds hashing the packets of a clip.
const hashTime = 10 * time.Minute

// HashLimits are limits for [Tools.PacketHashes].
func HashLimits() Limits { return Limits{Wall: hashTime, CPU: hashTime} }
