package video

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/lodenet/lode/subnets/video/media"
)

// segment is a piece of a customer's clip: what one miner gets.
type segment struct {
	index  int
	first  int64 // frame of the clip, in display order
	shape  media.Shape
	file   string // Matroska
	source media.Input
	codec  string // of the source
	size   int64
}

// Sizes of segments.
const (
	segmentBytes  = 24 << 20 // aimed at
	segmentFrames = 900      // at most between two cuts
	losslessStep  = 48       // frames of a segment that was coded anew
)

// planCuts chooses the key frames to cut before: about every so many frames, never more
// than segmentFrames apart where there are key frames.
func planCuts(keys []int64, frames, every int64) []int64 {
	var cuts []int64
	last := int64(0)
	for i, k := range keys {
		if k == 0 {
			continue
		}
		next := frames
		if i+1 < len(keys) {
			next = keys[i+1]
		}
		due := k-last >= every || next-last > segmentFrames
		crumb := frames-k < every/4 && frames-last <= segmentFrames
		if due && !crumb {
			cuts = append(cuts, k)
			last = k
		}
	}
	return cuts
}

// cutClip cuts a clip into segments, at key frames and without coding it anew where what
// comes out shows the very same frames, else losslessly.
func cutClip(ctx context.Context, tools *media.Tools, info media.Info, scan *media.Scan, seconds float64, dir string) ([]*segment, error) {
	frames := scan.Shape.Frames
	every := frames
	if span := scan.Seconds(int(frames)-1) - scan.Seconds(0); span > 0 {
		every = int64(seconds * float64(frames) / span)
	}
	if info.Bytes > 0 {
		every = min(every, max(8, frames*segmentBytes/info.Bytes))
	}
	every = min(max(8, every), segmentFrames)
	var keys []int64
	for i, f := range scan.Frames {
		if f.Key {
			keys = append(keys, int64(i))
		}
	}
	limits := media.LongLimits(scan.Shape, info.Bytes)
	cuts := planCuts(keys, frames, every)
	if files, err := tools.Split(ctx, info, cuts, dir, limits); err == nil {
		if segs, err := checkCut(ctx, tools, files, info.Codec, cuts, scan); err == nil {
			return segs, nil
		} else if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for _, f := range files {
			if err := os.Remove(f); err != nil {
				return nil, err
			}
		}
	} else if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	// Pictures refer to others across key frames, or key frames are too far apart.
	for step := min(every, losslessStep); ; step /= 2 {
		cuts = nil
		for c := step; c < frames; c += step {
			cuts = append(cuts, c)
		}
		files, err := tools.Recode(ctx, info, cuts, dir, limits)
		if err != nil {
			return nil, err
		}
		segs, err := checkCut(ctx, tools, files, "h264", cuts, scan)
		if err == nil || step < 8 || ctx.Err() != nil {
			return segs, err
		}
		for _, f := range files {
			if err := os.Remove(f); err != nil {
				return nil, err
			}
		}
	}
}

// checkCut makes segments of files, and compares them with the clip frame by frame.
func checkCut(ctx context.Context, tools *media.Tools, files []string, codec string, cuts []int64, scan *media.Scan) ([]*segment, error) {
	if len(files) != len(cuts)+1 {
		return nil, fmt.Errorf("cutting gave %d segments, not %d", len(files), len(cuts)+1)
	}
	var out []*segment
	bounds := append(slices.Clone(cuts), scan.Shape.Frames)
	first := int64(0)
	for i, file := range files {
		s := &segment{index: i, first: first, file: file, codec: codec, shape: scan.Shape}
		s.shape.Frames = bounds[i] - first
		if err := s.shape.Check(); err != nil {
			return nil, err
		}
		st, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		if s.size = st.Size(); s.size > MaxSource {
			return nil, fmt.Errorf("a segment of %d frames has %d bytes, the limit is %d", s.shape.Frames, s.size, int64(MaxSource))
		}
		if s.source, err = media.Source(file, codec); err != nil {
			return nil, err
		}
		limits := media.LimitsFor(int64(s.shape.Width)*int64(s.shape.Height), s.shape.Frames, time.Minute+judgeTime(s.shape))
		got, err := tools.Scan(ctx, s.source, s.shape, s.shape.Frames, limits)
		if err != nil {
			return nil, fmt.Errorf("segment %d: %w", i, err)
		}
		if !slices.Equal(got.Hashes(0, got.Shape.Frames), scan.Hashes(first, bounds[i])) {
			return nil, fmt.Errorf("segment %d shows other frames than the clip", i)
		}
		out = append(out, s)
		first = bounds[i]
	}
	return out, nil
}
