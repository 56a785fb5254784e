package video

import (
	"sync"

	"github.com/lodenet/lode/subnets/video/media"
)

// rates remembers at which rate factors encoders held the gates of the jobs before: a
// good first guess saves half of the encodes. It is safe for concurrent use; the zero
// value knows only what recipes say of themselves.
type rates struct {
	mu sync.Mutex
	by map[string]float64 // recipe → rate factor that would hold a quality of 95
}

// learnedQuality is the quality that rates are kept for.
const learnedQuality = 95

// guess returns the rate factor that should just hold a quality.
func (m *rates) guess(r media.Recipe, quality float64) float64 {
	m.mu.Lock()
	rate, known := m.by[r.String()]
	m.mu.Unlock()
	if !known {
		rate = r.Start
	}
	return r.Clamp(rate - (distance(quality)-distance(learnedQuality))/r.Step)
}

// learn notes an encode of a job with a quality.
func (m *rates) learn(r media.Recipe, quality float64, p ratePoint) {
	if p.slack < -0.3 || p.slack > 0.3 {
		return // too far away to tell
	}
	at := p.rate + (p.slack+distance(quality)-distance(learnedQuality))/r.Step
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, known := m.by[r.String()]; known {
		at = (old + at) / 2
	}
	if m.by == nil {
		m.by = map[string]float64{}
	}
	m.by[r.String()] = at
}
