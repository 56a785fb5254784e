package video

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/lodenet/lode/subnets/video/media"
)

// Name is the subnet's name in protocols: video/miner, video/validator.
const Name = "video"

// Version is the version of the wire format and of the measure.
const Version = 1

// The calls that a miner answers, relative to its mount point. A probe and a customer's
// segment are the same calls.
//
//	POST   /job               the source as body, the Job as header → 202 Ticket
//	GET    /job/ID?wait_ms=N  → Status, at once when it is final, else after the wait
//	GET    /job/ID/answer     → the bytes, to who posted the job alone
//	DELETE /job/ID            forgets it
const (
	jobPath   = "/job"
	jobHeader = "Lode-Video-Job"
)

// MaxSource is the largest source in bytes: what the mesh carries in one request.
const MaxSource = 64 << 20

// maxWait bounds one long poll.
const maxWait = 25 * time.Second

// Job says what a caller wants done with a source.
type Job struct {
	Version int `json:"version"`
	// Codecs are those that the answer may be in.
	Codecs []media.Codec `json:"codecs"`
	// Gate is what the answer must hold.
	Gate Gate `json:"gate"`
	// Source is the codec of the source's video; its container is Matroska.
	Source string `json:"source"`
	// Shape is what the source decodes to, and what the answer must.
	Shape media.Shape `json:"shape"`
	// DeadlineMS is the time from the request's arrival to the commitment, in
	// milliseconds.
	DeadlineMS int64 `json:"deadline_ms"`
}

// Deadline returns the time that a job of a shape is given. It is one formula for probes
// and customers.
func Deadline(s media.Shape) time.Duration {
	mega := float64(s.Width) * float64(s.Height) * float64(s.Frames) / 1e6
	return 25*time.Second + time.Duration(mega*6*float64(time.Second))
}

// maxDeadline bounds what a caller may ask a miner to keep in mind.
const maxDeadline = time.Hour

// Check refuses a job that no honest caller sends.
func (j Job) Check() error {
	if j.Version != Version {
		return fmt.Errorf("job of version %d, this program speaks %d", j.Version, Version)
	}
	if len(j.Codecs) == 0 || len(j.Codecs) > len(media.Codecs()) {
		return fmt.Errorf("%d codecs to choose from; give 1 to %d", len(j.Codecs), len(media.Codecs()))
	}
	for _, c := range j.Codecs {
		if err := c.Check(); err != nil {
			return err
		}
	}
	if err := j.Gate.Check(); err != nil {
		return err
	}
	if _, err := media.Source("", j.Source); err != nil {
		return err
	}
	if err := j.Shape.Check(); err != nil {
		return err
	}
	if d := j.deadline(); d < time.Second || d > maxDeadline {
		return fmt.Errorf("deadline of %d ms: it must be between 1 s and %v", j.DeadlineMS, maxDeadline)
	}
	return nil
}

func (j Job) deadline() time.Duration { return time.Duration(j.DeadlineMS) * time.Millisecond }

func (j Job) allows(c media.Codec) bool { return slices.Contains(j.Codecs, c) }

// setHeader writes the job beside its source.
func (j Job) setHeader(h http.Header) error {
	raw, err := json.Marshal(j)
	if err != nil {
		return err
	}
	h.Set(jobHeader, string(raw))
	return nil
}

// readJob reads and checks a request's job.
func readJob(h http.Header) (Job, error) {
	var j Job
	if err := json.Unmarshal([]byte(h.Get(jobHeader)), &j); err != nil {
		return j, fmt.Errorf("header %s is no job: %w", jobHeader, err)
	}
	return j, j.Check()
}

// Ticket names an accepted job.
type Ticket struct {
	ID string `json:"id"`
}

// States of a job.
const (
	StateQueued  = "queued"
	StateRunning = "running"
	StateDone    = "done"
	StateFailed  = "failed"
)

// Status is where a job stands. A done one carries the commitment to its answer, which
// binds the miner before anyone else's answer is out.
type Status struct {
	State string `json:"state"`
	// Codec and Bytes are the answer's codec and size.
	Codec media.Codec `json:"codec,omitempty"`
	Bytes int64       `json:"bytes,omitempty"`
	// Commitment is [Commit] of the answer, in hexadecimal.
	Commitment string `json:"commitment,omitempty"`
	// Error says why a job failed.
	Error string `json:"error,omitempty"`
}

// Final says whether the status will not change any more.
func (s Status) Final() bool { return s.State == StateDone || s.State == StateFailed }

// Commit is the hash that a miner shows before its answer.
func Commit(c media.Codec, answer []byte) string {
	h := sha256.New()
	h.Write([]byte("lode/video/1\x00" + string(c) + "\x00"))
	h.Write(answer)
	return hex.EncodeToString(h.Sum(nil))
}
