package video

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/lodenet/lode/mesh"
)

// ErrRefused says that a miner did not take a job or did not finish it.
var ErrRefused = errors.New("the miner did not do the job")

// ErrCommitment says that the bytes are not those that were committed to.
var ErrCommitment = fmt.Errorf("%w: the bytes are not those of the commitment", ErrAnswer)

// caller makes the calls of task.go to one miner.
type caller struct {
	client *http.Client
	base   string // URL without a slash at its end
}

// controlTimeout bounds calls that carry no media.
const controlTimeout = 20 * time.Second

// do makes a call and reads the answer, at most limit bytes.
func (c caller) do(ctx context.Context, method, path string, job *Job, body []byte, limit int64) ([]byte, error) {
	ctx = mesh.WithMaxResponse(ctx, limit)
	var rd io.Reader
	if body != nil {
		rd = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, rd)
	if err != nil {
		return nil, err
	}
	if job != nil {
		if err := job.setHeader(req.Header); err != nil {
			return nil, err
		}
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if err := mesh.ResponseError(resp); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrAnswer, limit)
	}
	return raw, nil
}

// post sends a job and returns its id.
func (c caller) post(ctx context.Context, job Job, source []byte) (string, error) {
	raw, err := c.do(ctx, http.MethodPost, jobPath, &job, source, 4<<10)
	if err != nil {
		return "", err
	}
	var t Ticket
	if err := json.Unmarshal(raw, &t); err != nil || t.ID == "" || len(t.ID) > 64 {
		return "", fmt.Errorf("%w: it gave no ticket", ErrRefused)
	}
	return t.ID, nil
}

// await polls until the job is final or ctx ends.
func (c caller) await(ctx context.Context, id string) (Status, error) {
	wait := maxWait - 5*time.Second
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline))
	}
	for {
		// Asking is bounded by its own clock: a miner that hangs is no miner that works.
		callCtx, cancel := context.WithTimeout(ctx, wait+controlTimeout)
		raw, err := c.do(callCtx, http.MethodGet, jobPath+"/"+id+"?wait_ms="+strconv.FormatInt(max(0, wait.Milliseconds()), 10), nil, nil, 16<<10)
		cancel()
		if err != nil {
			return Status{}, err
		}
		var s Status
		if err := json.Unmarshal(raw, &s); err != nil {
			return Status{}, fmt.Errorf("%w: its status is unreadable", ErrRefused)
		}
		switch {
		case s.State == StateFailed:
			return s, fmt.Errorf("%w: %s", ErrRefused, cut(s.Error, 300))
		case s.State == StateDone && len(s.Commitment) != 64:
			return s, fmt.Errorf("%w: it is done without a commitment", ErrRefused)
		case s.State == StateDone:
			return s, nil
		}
		// A miner that answers at once, again and again, must not keep us spinning.
		pause := time.NewTimer(200 * time.Millisecond)
		select {
		case <-ctx.Done():
			pause.Stop()
			return s, fmt.Errorf("%w: it is %s, and its time is up", ErrRefused, cut(s.State, 20))
		case <-pause.C:
		}
	}
}

// fetch gets the answer that was committed to; more than limit bytes are not read.
func (c caller) fetch(ctx context.Context, id string, s Status, limit int64) ([]byte, error) {
	if s.Bytes < 0 || s.Bytes > limit {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrAnswer, s.Bytes, limit)
	}
	raw, err := c.do(ctx, http.MethodGet, jobPath+"/"+id+"/answer", nil, nil, limit)
	if err != nil {
		return nil, err
	}
	if Commit(s.Codec, raw) != s.Commitment {
		return nil, ErrCommitment
	}
	return raw, nil
}

// forget tells a miner that nobody needs the answer any more. It is a courtesy: the
// miner forgets by itself in time, so what stops does not wait long for one that left.
func (c caller) forget(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, _ = c.do(ctx, http.MethodDelete, jobPath+"/"+id, nil, nil, 4<<10)
}

// maxAnswer is the largest answer worth reading to a source: one that isn't smaller
// saves nothing.
func maxAnswer(source int64) int64 { return source + 64<<10 }

// cut shortens what a stranger wrote.
func cut(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}
