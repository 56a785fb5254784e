package media

import (
	"bytes"
	"strconv"
	"strings"
)

// frameInfo is what ffmpeg's showinfo filter says about a decoded frame.
type frameInfo struct {
	PTS         int64 // in units of the branch's time base
	HasPTS      bool
	Pos         int64 // byte in the file at which its packet begins; -1 unknown
	Width       int
	Height      int
	PixFmt      string
	Interlaced  bool
	Key         bool
	Colors      Colors
	HDR         bool // carries HDR or other side data that encoders would lose
	SampleShape string
}

// Colors are the tags that say how samples become light; "" where unknown.
type Colors struct {
	Range     string `json:"range,omitempty"`
	Matrix    string `json:"matrix,omitempty"`
	Primaries string `json:"primaries,omitempty"`
	Transfer  string `json:"transfer,omitempty"`
}

// Agree says whether two sets of tags contradict each other nowhere.
func (c Colors) Agree(o Colors) bool {
	same := func(a, b string) bool { return a == "" || b == "" || a == b }
	return same(c.Range, o.Range) && same(c.Matrix, o.Matrix) && same(c.Primaries, o.Primaries) && same(c.Transfer, o.Transfer)
}

// infoReader collects the frames of the showinfo filters in one graph, by their names.
type infoReader struct {
	branches map[string]*branch
}

type branch struct {
	timebase string // "1/12800"
	frames   []frameInfo
	limit    int // frames kept at most; more are counted only
	count    int64
}

func newInfoReader(limit int64, names ...string) *infoReader {
	r := &infoReader{branches: map[string]*branch{}}
	for _, n := range names {
		r.branches[n] = &branch{limit: int(limit)}
	}
	return r
}

// line takes a line of ffmpeg's log at `-loglevel level+info`. It reports true for all
// that isn't an error: only errors are told to people.
func (r *infoReader) line(line []byte) bool {
	text := string(line)
	if r != nil && strings.HasPrefix(text, "[showinfo@") {
		name, rest, ok := strings.Cut(text[len("[showinfo@"):], " ")
		if b := r.branches[name]; ok && b != nil {
			_, rest, _ = strings.Cut(rest, "[info] ")
			b.line(rest)
		}
		return true
	}
	return !isError(line)
}

// quiet takes everything but errors.
func quiet(line []byte) bool { return !isError(line) }

// isError looks for the first level that a line names.
func isError(line []byte) bool {
	best, bad := len(line), false
	for _, l := range []struct {
		name string
		bad  bool
	}{{"[error]", true}, {"[fatal]", true}, {"[panic]", true}, {"[warning]", false}, {"[info]", false}, {"[verbose]", false}} {
		if i := bytes.Index(line, []byte(l.name)); i >= 0 && i < best {
			best, bad = i, l.bad
		}
	}
	return bad
}

func (b *branch) line(text string) {
	text = strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, "config in time_base: "):
		b.timebase, _, _ = strings.Cut(strings.TrimPrefix(text, "config in time_base: "), ",")
	case strings.HasPrefix(text, "n:"):
		b.count++
		if len(b.frames) < b.limit {
			b.frames = append(b.frames, parseFrame(text))
		}
	case len(b.frames) == 0 || b.count > int64(b.limit):
	case strings.HasPrefix(text, "color_range:"):
		b.frames[len(b.frames)-1].Colors = parseColors(text)
	case strings.HasPrefix(text, "side data - "):
		if lossySideData(strings.TrimPrefix(text, "side data - ")) {
			b.frames[len(b.frames)-1].HDR = true
		}
	}
}

// lossySideData says whether a kind of side data changes the picture that people see
// and would be lost.
func lossySideData(kind string) bool {
	kind = strings.ToLower(kind)
	for _, k := range []string{"mastering display", "content light level", "hdr", "dolby vision", "dovi", "stereo", "spherical"} {
		if strings.HasPrefix(kind, k) {
			return true
		}
	}
	return false
}

func parseFrame(text string) frameInfo {
	f := frameInfo{Pos: -1}
	words := strings.Fields(text)
	for i := 0; i < len(words); i++ {
		key, value, ok := strings.Cut(words[i], ":")
		if !ok {
			continue
		}
		if value == "" && i+1 < len(words) {
			i++
			value = words[i]
		}
		switch key {
		case "pts":
			v, err := strconv.ParseInt(value, 10, 64)
			f.PTS, f.HasPTS = v, err == nil
		case "pos":
			if v, err := strconv.ParseInt(value, 10, 64); err == nil {
				f.Pos = v
			}
		case "fmt":
			f.PixFmt = value
		case "sar":
			f.SampleShape = value
		case "s":
			w, h, _ := strings.Cut(value, "x")
			f.Width, _ = strconv.Atoi(w) // what isn't a number is 0, which fits no shape
			f.Height, _ = strconv.Atoi(h)
		case "i":
			f.Interlaced = value != "P"
		case "iskey":
			f.Key = value == "1"
		}
	}
	return f
}

func parseColors(text string) Colors {
	var c Colors
	for _, w := range strings.Fields(text) {
		key, value, _ := strings.Cut(w, ":")
		if value == "unknown" || value == "unspecified" {
			value = ""
		}
		switch key {
		case "color_range":
			c.Range = value
		case "color_space":
			c.Matrix = value
		case "color_primaries":
			c.Primaries = value
		case "color_trc":
			c.Transfer = value
		}
	}
	return c
}
