package video

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/lodenet/lode/subnets/video/media"
)

// start runs a job beside the request, which ends now.
func (m *Miner) start(j *minerJob) bool {
	ctx, cancel := context.WithDeadline(m.ctx, j.deadline)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		cancel()
		return false
	}
	j.cancel = cancel
	m.stats.BytesIn += uint64(j.size)
	m.work.Add(1)
	go func() {
		defer m.work.Done()
		defer cancel()
		defer m.clean(j)
		answer, codec, err := m.solve(ctx, j)
		m.finish(j, answer, codec, err)
	}()
	return true
}

// safety is the part of a deadline that is left for the way back.
const safety = 0.1

func (m *Miner) solve(ctx context.Context, j *minerJob) ([]byte, media.Codec, error) {
	source, err := media.Source(filepath.Join(j.dir, "source"), j.job.Source)
	if err != nil {
		return nil, "", err
	}
	s := &solver{
		tools: m.cfg.Tools, job: j.job, source: source, rates: &m.rates, now: time.Now,
		end: j.deadline.Add(-time.Duration(safety * float64(j.job.deadline()))),
		turn: func(ctx context.Context) (func(), error) {
			done, err := m.turns.take(ctx, j.deadline)
			if err == nil {
				m.mu.Lock()
				j.status.State = StateRunning
				m.mu.Unlock()
			}
			return done, err
		},
	}
	best, err := s.solve(ctx, m.cfg.Strategy)
	if err != nil {
		return nil, "", err
	}
	return best.judged.Stream.Bytes, best.recipe.Codec, nil
}

func (m *Miner) finish(j *minerJob, answer []byte, codec media.Codec, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	j.until = time.Now().Add(m.cfg.Keep)
	defer close(j.done)
	if err != nil {
		j.status = Status{State: StateFailed, Error: err.Error()}
		m.stats.Failed++
		if !errors.Is(err, context.Canceled) {
			m.cfg.Logger.Warn("job failed", "caller", j.caller, "shape", j.job.Shape.String(), "err", err)
		}
		return
	}
	j.answer = answer
	j.status = Status{State: StateDone, Codec: codec, Bytes: int64(len(answer)), Commitment: Commit(codec, answer)}
	m.stats.Jobs++
	m.stats.Saved += j.size - int64(len(answer))
	m.cfg.Logger.Debug("job done", "caller", j.caller, "shape", j.job.Shape.String(), "codec", codec, "bytes", len(answer))
}
