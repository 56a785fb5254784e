package video

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/lodenet/lode/subnets/video/media"
)

// CompressReport says what came of a clip, and who did it.
type CompressReport struct {
	In       string      `json:"in"`
	Out      string      `json:"out"`
	Codec    media.Codec `json:"codec"`
	BytesIn  int64       `json:"bytes_in"`  // of the file
	BytesOut int64       `json:"bytes_out"` // of the file
	// Saved is the share of the file's bytes that is gone; negative if it grew.
	Saved   float64       `json:"saved"`
	Frames  int64         `json:"frames"`
	Measure media.Measure `json:"measure"`
	// Asked is the quality that every segment had to have.
	Asked float64 `json:"asked"`
	// Quality was measured over the whole clip.
	Quality  Quality         `json:"quality"`
	Segments []SegmentReport `json:"segments"`
	Workers  []WorkerReport  `json:"workers"` // the most work first
	// Carried is the number of streams that were copied beside the video.
	Carried int `json:"carried"`
	// Dropped are those that were left out, as was asked for.
	Dropped []string `json:"dropped"`
	// Paid is what gateways were paid, and PaidRao its sum; nothing where one was free.
	PaidRao uint64        `json:"paid_rao,string"`
	Paid    []Paid        `json:"paid"`
	Took    time.Duration `json:"took_ns"`
}

// SegmentReport is a piece of the clip.
type SegmentReport struct {
	First    int64    `json:"first"` // frame
	Frames   int64    `json:"frames"`
	BytesIn  int64    `json:"bytes_in"`
	BytesOut int64    `json:"bytes_out"`
	Quality  Quality  `json:"quality"`
	Hotkey   string   `json:"hotkey"` // of the miner whose answer was taken
	UID      uint16   `json:"uid"`
	Refused  []string `json:"refused"` // what others did wrong before, in words
}

// WorkerReport is what a miner did for the clip.
type WorkerReport struct {
	Hotkey   string `json:"hotkey"`
	UID      uint16 `json:"uid"`
	Segments int    `json:"segments"` // taken
	Failed   int    `json:"failed"`   // not taken
	BytesIn  int64  `json:"bytes_in"`
	BytesOut int64  `json:"bytes_out"`
}

// report says what came of it.
func (c *compression) report(q Quality) *CompressReport {
	r := &CompressReport{
		In: c.opts.In, Out: c.opts.Out, Codec: c.codec, BytesIn: c.info.Bytes, Frames: c.scan.Shape.Frames,
		Measure: c.gate.Measure, Asked: c.gate.Quality, Quality: q, Carried: len(c.carry), Dropped: append([]string{}, c.drop...),
	}
	workers := map[string]*WorkerReport{}
	worker := func(m *member) *WorkerReport {
		w := workers[m.Hotkey]
		if w == nil {
			w = &WorkerReport{Hotkey: m.Hotkey, UID: m.UID}
			workers[m.Hotkey] = w
		}
		return w
	}
	for i, s := range c.segments {
		f := c.done[i]
		seg := SegmentReport{
			First: s.first, Frames: s.shape.Frames, BytesIn: s.size, BytesOut: f.judged.Stream.Counted,
			Quality: f.judged.Quality, Hotkey: f.member.Hotkey, UID: f.member.UID, Refused: []string{},
		}
		for _, x := range f.refused {
			seg.Refused = append(seg.Refused, fmt.Sprintf("uid %d: %s", x.member.UID, x.reason))
			worker(x.member).Failed++
		}
		r.Segments = append(r.Segments, seg)
		w := worker(f.member)
		w.Segments++
		w.BytesIn += seg.BytesIn
		w.BytesOut += seg.BytesOut
	}
	for _, w := range workers {
		r.Workers = append(r.Workers, *w)
	}
	slices.SortFunc(r.Workers, func(a, b WorkerReport) int {
		return cmp.Or(cmp.Compare(b.Segments, a.Segments), cmp.Compare(a.UID, b.UID))
	})
	return r
}
