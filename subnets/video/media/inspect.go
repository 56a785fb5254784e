package media

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// ErrNotVideo says that a file is no video that Lode reads.
var ErrNotVideo = errors.New("not a video")

// ErrDamaged says that a file is a video, but damaged or cut off.
var ErrDamaged = errors.New("the video is damaged or cut off")

// Info is what a clip's headers say. Nothing of it is proof: [Tools.Scan] counts.
type Info struct {
	Path     string
	Format   string // demuxer, found by the file's first bytes
	Codec    string // of the first video stream
	Shape    Shape  // Frames is 0 where the header doesn't say
	Duration float64
	Start    float64 // when it begins, in seconds; often not 0
	Rate     float64 // nominal frames a second
	TimeBase [2]int64
	Stream   int // index of the video stream
	Colors   Colors
	Field    string // field order; "progressive" or "" for frames
	// Aspect is the shape of a sample, 1:1 where unknown.
	Aspect [2]int64
	// Rotation is how far players turn the picture against the clock: 0, 90, 180 or 270
	// degrees; NaN if it is no quarter.
	Rotation float64
	// SideData are kinds that the stream's header carries, apart from the rotation.
	SideData []string
	Bytes    int64
	Others   []Other // streams beside the video
}

// Other is a stream beside the video.
type Other struct {
	Index int
	Kind  string // audio, subtitle, data, attachment, video
	Codec string
	Cover bool // an attached picture
}

// Input returns the clip as an input.
func (i Info) Input() Input {
	return Input{Path: i.Path, Format: i.Format, Decoder: sourceDecoders[i.Codec], Stream: i.Stream}
}

// magics tell containers by their first bytes.
var magics = []struct {
	format string
	at     int
	bytes  string
}{
	{"mov", 4, "ftyp"}, {"mov", 4, "moov"}, {"mov", 4, "mdat"}, {"mov", 4, "wide"}, {"mov", 4, "free"},
	{"matroska", 0, "\x1a\x45\xdf\xa3"},
	{"avi", 0, "RIFF"},
	{"ogg", 0, "OggS"},
	{"flv", 0, "FLV\x01"},
	{"nut", 0, "nut/multimedia container"},
}

// sniff finds the container by the file's first bytes.
func sniff(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil {
		return "", err
	} else if !st.Mode().IsRegular() {
		return "", fmt.Errorf("%w: %s is no regular file", ErrNotVideo, path)
	}
	head := make([]byte, 188*3)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", err
	}
	head = head[:n]
	if n == 0 {
		return "", fmt.Errorf("%w: %s is empty", ErrNotVideo, path)
	}
	for _, m := range magics {
		if len(head) >= m.at+len(m.bytes) && string(head[m.at:m.at+len(m.bytes)]) == m.bytes {
			return m.format, nil
		}
	}
	if n == len(head) && n == 188*3 && head[0] == 0x47 && head[188] == 0x47 && head[376] == 0x47 {
		return "mpegts", nil
	}
	what := "its first bytes belong to no format that is read"
	if !bytes.ContainsFunc(head, func(r rune) bool { return r < 9 || r == 0xfffd }) {
		what = "it looks like a text file"
	}
	return "", fmt.Errorf("%w: %s: %s; give an MP4, MOV, Matroska, WebM, AVI, MPEG-TS, FLV or Ogg file", ErrNotVideo, path, what)
}

type probeStream struct {
	Index        int    `json:"index"`
	Kind         string `json:"codec_type"`
	Codec        string `json:"codec_name"`
	Width        int    `json:"width"`
	Height       int    `json:"height"`
	PixFmt       string `json:"pix_fmt"`
	Frames       string `json:"nb_frames"`
	Rate         string `json:"avg_frame_rate"`
	TimeBase     string `json:"time_base"`
	Aspect       string `json:"sample_aspect_ratio"`
	Range        string `json:"color_range"`
	Matrix       string `json:"color_space"`
	Primaries    string `json:"color_primaries"`
	Transfer     string `json:"color_transfer"`
	Field        string `json:"field_order"`
	Duration     string `json:"duration"`
	Dispositions struct {
		Cover int `json:"attached_pic"`
	} `json:"disposition"`
	SideData []struct {
		Kind     string   `json:"side_data_type"`
		Rotation *float64 `json:"rotation"`
		Matrix   string   `json:"displaymatrix"`
	} `json:"side_data_list"`
}

// Inspect reads a clip's headers. Its error is [ErrNotVideo] or [ErrDamaged] where the
// file is to blame.
func (t *Tools) Inspect(ctx context.Context, path string) (Info, error) {
	format, err := sniff(path)
	if err != nil {
		return Info{}, err
	}
	var out bytes.Buffer
	err = t.run(ctx, t.ffprobe, command{
		op: "read the headers", limits: Limits{Wall: 30 * time.Second, CPU: 30 * time.Second}, stdout: &out, line: quiet,
		args: []string{"-hide_banner", "-loglevel", "level+error", "-protocol_whitelist", "file,pipe",
			"-max_pixels", strconv.Itoa(MaxSide * MaxSide), "-threads", "1", "-f", format,
			"-show_streams", "-show_format", "-of", "json", "file:" + path},
	})
	var bad *Error
	if errors.As(err, &bad) && errors.Is(err, ErrMedia) {
		if strings.Contains(bad.Detail, "moov atom not found") {
			return Info{}, fmt.Errorf("%w: %s has no index (moov): it was cut off while it was written or copied; get it again", ErrDamaged, path)
		}
		return Info{}, fmt.Errorf("%w: %s: %s", ErrNotVideo, path, strings.ReplaceAll(bad.Detail, "file:"+path, "it"))
	}
	if err != nil {
		return Info{}, err
	}
	var p struct {
		Streams []probeStream `json:"streams"`
		Format  struct {
			Duration string `json:"duration"`
			Start    string `json:"start_time"`
			Size     string `json:"size"`
		} `json:"format"`
	}
	if err := json.Unmarshal(out.Bytes(), &p); err != nil {
		return Info{}, fmt.Errorf("ffprobe's answer: %w", err)
	}
	info := Info{Path: path, Format: format, Stream: -1}
	info.Duration = number(p.Format.Duration)
	info.Start = number(p.Format.Start)
	info.Bytes = int64(number(p.Format.Size))
	for _, s := range p.Streams {
		if s.Kind == "video" && s.Dispositions.Cover == 0 && info.Stream < 0 {
			info.video(s)
			continue
		}
		info.Others = append(info.Others, Other{Index: s.Index, Kind: s.Kind, Codec: s.Codec, Cover: s.Dispositions.Cover != 0})
	}
	if info.Stream < 0 {
		return Info{}, fmt.Errorf("%w: %s has no video stream", ErrNotVideo, path)
	}
	if sourceDecoders[info.Codec] == "" {
		return Info{}, fmt.Errorf("%w that is read: %s is coded in %s; convert it first, for example with `ffmpeg -i IN -c:v libx264 -crf 10 OUT.mp4`", ErrNotVideo, path, info.Codec)
	}
	return info, nil
}

func (i *Info) video(s probeStream) {
	i.Stream, i.Codec = s.Index, s.Codec
	i.Shape = Shape{Width: s.Width, Height: s.Height, PixFmt: s.PixFmt, Frames: int64(number(s.Frames))}
	num, den := ratio(s.Rate, "/")
	if den > 0 {
		i.Rate = float64(num) / float64(den)
	}
	i.TimeBase[0], i.TimeBase[1] = ratio(s.TimeBase, "/")
	i.Aspect[0], i.Aspect[1] = ratio(s.Aspect, ":")
	if i.Aspect[0] <= 0 || i.Aspect[1] <= 0 {
		i.Aspect = [2]int64{1, 1}
	}
	tag := func(v string) string {
		if v == "unknown" || v == "unspecified" || v == "reserved" {
			return ""
		}
		return v
	}
	i.Colors = Colors{Range: tag(s.Range), Matrix: tag(s.Matrix), Primaries: tag(s.Primaries), Transfer: tag(s.Transfer)}
	i.Field = s.Field
	for _, d := range s.SideData {
		switch {
		case d.Rotation != nil:
			i.Rotation = quarter(*d.Rotation, d.Matrix)
		case d.Kind != "":
			i.SideData = append(i.SideData, d.Kind)
		}
	}
	if v := number(s.Duration); v > 0 {
		i.Duration = v
	}
}

// quarter returns a rotation by quarters, or NaN for what is no plain rotation: a flip, a
// slant or a scale.
func quarter(degrees float64, matrix string) float64 {
	if math.Abs(degrees/90-math.Round(degrees/90)) > 1e-9 {
		return math.NaN()
	}
	// Rows of "00000000:            0       65536           0".
	var m []float64
	for line := range strings.Lines(matrix) {
		_, row, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		for _, w := range strings.Fields(row) {
			m = append(m, number(w))
		}
	}
	if len(m) >= 5 {
		if det := m[0]*m[4] - m[1]*m[3]; math.Abs(det-65536*65536) > 65536 {
			return math.NaN()
		}
	}
	return math.Mod(degrees+720, 360)
}

// number reads what ffprobe writes, 0 for what is missing.
func number(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return v
}

func ratio(s, sep string) (int64, int64) {
	a, b, _ := strings.Cut(s, sep)
	return int64(number(a)), int64(number(b))
}
