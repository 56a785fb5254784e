package media

import (
	"errors"
	"fmt"
)

// Measure says how close a frame is to its reference, from 0 to 100. A subnet's
// parameters name it.
type Measure string

// The measures.
const (
	// SSIM is a hundred times the luma's structural similarity, by ffmpeg's ssim filter.
	SSIM Measure = "ssim"
	// VMAFNEG is VMAF without enhancement gain (model vmaf_v0.6.1neg), by ffmpeg's
	// libvmaf filter: sharpening does not raise it.
	VMAFNEG Measure = "vmaf-neg"
)

// ErrMeasure says that the local ffmpeg can't compute a measure.
var ErrMeasure = errors.New("the quality measure isn't available")

// Check refuses a measure that the local ffmpeg can't compute, and says how to get it.
func (t *Tools) Check(m Measure) error {
	switch m {
	case SSIM:
		if !t.HasFilter("ssim") {
			return fmt.Errorf("%w: ffmpeg %s has no ssim filter; install a complete ffmpeg", ErrMeasure, t.version)
		}
		return nil
	case VMAFNEG:
		if !t.HasFilter("libvmaf") {
			return fmt.Errorf("%w: %s needs an ffmpeg with libvmaf, and ffmpeg %s has none (Debian's hasn't); put a build made with --enable-libvmaf first in PATH, for example a static one from https://ffmpeg.org/download.html", ErrMeasure, m, t.version)
		}
		return nil
	}
	return fmt.Errorf("%w: %q is not one of ssim, vmaf-neg", ErrMeasure, string(m))
}

// Tune returns x264's -tune for the measure: what a baseline must use to be fair.
func (m Measure) Tune() string {
	if m == SSIM {
		return "ssim"
	}
	return "" // x264's default tuning is the closest to VMAF
}

// filter is the graph's part that computes luma quality from the pads [qa] and [qr]
// (answer, reference), and the file that it writes per frame. SSIM is always computed
// as well, for the chroma planes, and needs no part of its own.
func (m Measure) filter() string {
	if m == VMAFNEG {
		return "[qa][qr]libvmaf=model=version=vmaf_v0.6.1neg:n_threads=1:log_fmt=json:log_path=vmaf.json"
	}
	return ""
}
