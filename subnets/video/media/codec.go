package media

import "fmt"

// Codec is what an answer may be coded in. Its elementary stream is Annex B for H264
// and HEVC, and the low-overhead OBU format for AV1.
type Codec string

// The codecs that answers may be in.
const (
	H264 Codec = "h264"
	HEVC Codec = "hevc"
	AV1  Codec = "av1"
)

// Codecs are all codecs that answers may be in.
func Codecs() []Codec { return []Codec{H264, HEVC, AV1} }

// ParseCodec reads a codec's name as people write it.
func ParseCodec(s string) (Codec, error) {
	switch s {
	case "h264", "avc", "x264":
		return H264, nil
	case "hevc", "h265", "x265":
		return HEVC, nil
	case "av1":
		return AV1, nil
	}
	return "", fmt.Errorf("codec %q is not one of h264, hevc, av1", s)
}

// Check refuses anything but the codecs that answers may be in.
func (c Codec) Check() error {
	switch c {
	case H264, HEVC, AV1:
		return nil
	}
	return fmt.Errorf("codec %q is not one of h264, hevc, av1", string(c))
}

// stream returns ffmpeg's name of the codec's elementary format.
func (c Codec) stream() string {
	if c == AV1 {
		return "obu"
	}
	return string(c)
}

// Elementary returns an answer's file as an input: demuxer and decoder are forced.
func Elementary(path string, c Codec) Input {
	dec := string(c)
	if c == AV1 {
		dec = "libdav1d"
	}
	return Input{Path: path, Format: c.stream(), Decoder: dec}
}

// sourceDecoders are what a source's video may be coded in, and the decoder that reads
// it. The list is short on purpose: every decoder is code that strangers can reach.
var sourceDecoders = map[string]string{
	"h264": "h264", "hevc": "hevc", "av1": "libdav1d", "vp8": "vp8", "vp9": "vp9",
	"mpeg2video": "mpeg2video", "mpeg4": "mpeg4", "mjpeg": "mjpeg", "prores": "prores", "ffv1": "ffv1",
}

// Source returns a segment in Matroska whose video is in the named codec, as an input.
func Source(path, codec string) (Input, error) {
	dec, ok := sourceDecoders[codec]
	if !ok {
		return Input{}, fmt.Errorf("video in %q can't be read: convert it first, for example to h264", codec)
	}
	return Input{Path: path, Format: "matroska", Decoder: dec}, nil
}

// Input is a file to decode. Demuxer and decoder are the caller's choice, never the file's.
type Input struct {
	Path    string
	Format  string // demuxer
	Decoder string // of the stream
	Stream  int    // index of the video stream
	// First and Count select frames by index in display order; Count 0 means all.
	First, Count int64
}

// Shape is what frames must look like.
type Shape struct {
	Width  int    `json:"width"`  // samples
	Height int    `json:"height"` // samples
	PixFmt string `json:"pix_fmt"`
	Frames int64  `json:"frames"`
}

// String writes the shape as 320x180 yuv420p, 25 frames.
func (s Shape) String() string {
	return fmt.Sprintf("%dx%d %s, %d frames", s.Width, s.Height, s.PixFmt, s.Frames)
}

// Bounds of shapes.
const (
	MinSide   = 64   // samples: the least that all encoders take
	MaxSide   = 8192 // samples
	MaxPixels = 3840 * 2160
	MaxFrames = 3000 // in one segment
)

// Check refuses a segment that encoders can't take, in words.
func (s Shape) Check() error {
	if s.Frames < 1 || s.Frames > MaxFrames {
		return fmt.Errorf("%d frames in a segment: it must have 1 to %d", s.Frames, MaxFrames)
	}
	return s.CheckPicture()
}

// CheckPicture is Check for a clip of any length.
func (s Shape) CheckPicture() error {
	switch {
	case s.PixFmt != "yuv420p" && s.PixFmt != "yuv420p10le":
		return fmt.Errorf("pixel format %s: only yuv420p and yuv420p10le in limited range are taken; convert the video first, for example with `ffmpeg -i IN -vf scale=out_range=tv,format=yuv420p OUT`", s.PixFmt)
	case s.Width < MinSide || s.Height < MinSide:
		return fmt.Errorf("pictures of %dx%d: each side must be at least %d", s.Width, s.Height, MinSide)
	case s.Width > MaxSide || s.Height > MaxSide || s.Width*s.Height > MaxPixels:
		return fmt.Errorf("pictures of %dx%d: the limit is %d pixels (3840x2160)", s.Width, s.Height, MaxPixels)
	case s.Width%2 != 0 || s.Height%2 != 0:
		return fmt.Errorf("pictures of %dx%d: both sides must be even", s.Width, s.Height)
	}
	return nil
}

func (s Shape) depth() int {
	if s.PixFmt == "yuv420p10le" {
		return 10
	}
	return 8
}

// frameBytes is the size of a raw frame.
func (s Shape) frameBytes() int64 {
	n := int64(s.Width) * int64(s.Height) * 3 / 2
	if s.depth() > 8 {
		n *= 2
	}
	return n
}

// maxPixels is the decoder's limit: coded sizes are rounded up to the largest block.
func (s Shape) maxPixels() int64 {
	up := func(n int) int64 { return (int64(n) + 127) / 128 * 128 }
	return up(s.Width) * up(s.Height)
}
