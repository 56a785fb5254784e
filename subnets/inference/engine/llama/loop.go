package llama

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hybridgroup/yzma/pkg/llama"

	"github.com/lodenet/lode/subnets/inference/engine"
)

const (
	// prefillBeside is how many tokens of prompts a step reads while answers are in the
	// making: it bounds by how much a long prompt slows others' streams.
	prefillBeside = 128
	// logitBytes bounds the logits that a step copies out for scoring.
	logitBytes = 64 << 20
	// scoredTogether is how many tokens of an answer one goroutine scores at least.
	scoredTogether = 8
)

// loop owns a context of llama.cpp.
type loop struct {
	model   *model
	ctx     llama.Context
	memory  llama.Memory
	batch   llama.Batch
	size    int    // tokens of a step
	outputs int    // logits of a step
	threads int    // most of a step
	slots   []*job // by sequence; nil: free
	turn    int    // whose prompt is read first
	rows    [][]row
}

// row is a place of the batch whose logits are wanted.
type row struct {
	at     int32 // in the batch
	logits []float32
}

func newLoop(m *model, o Options) (*loop, error) {
	p := llama.ContextDefaultParams()
	p.NCtx = uint32(o.Context * o.Slots)
	p.NSeqMax = uint32(o.Slots)
	p.NBatch, p.NUbatch = uint32(o.Batch), uint32(o.Batch)
	p.NThreads, p.NThreadsBatch = int32(max(o.Threads, 1)), int32(max(o.Threads, 1))
	p.KVUnified = 0 // each sequence has its own: a step's cost grows with what is used
	p.NoPerf = 1
	ctx, err := llama.InitFromModel(m.handle, p)
	if err != nil {
		return nil, fmt.Errorf("llama.cpp can't hold %d requests of %d tokens: give fewer slots or less context", o.Slots, o.Context)
	}
	l := &loop{model: m, ctx: ctx, size: o.Batch, threads: o.Threads, slots: make([]*job, o.Slots), rows: make([][]row, o.Slots)}
	if got := int(llama.NCtxSeq(ctx)); got < o.Context {
		l.free()
		return nil, fmt.Errorf("llama.cpp holds %d tokens a request, %d were asked for", got, o.Context)
	}
	if l.memory, err = llama.GetMemory(ctx); err != nil {
		l.free()
		return nil, err
	}
	l.batch = llama.BatchInit(int32(o.Batch), 0, 1)
	l.outputs = min(o.Batch, max(o.Slots, logitBytes/4/len(m.pieces)))
	switch {
	case l.threads == 0:
		err = l.tryThreads()
	case o.GPULayers != 0:
		// What a GPU can't run ends the process: before it is said to be ready.
		_, err = l.took(1)
	}
	if err != nil {
		l.free()
		return nil, err
	}
	return l, nil
}

func (l *loop) free() {
	if l.batch.Token != nil {
		_ = llama.BatchFree(l.batch) // it has no error to give
	}
	_ = llama.Free(l.ctx) // its one error is a context that is not there
}

// decode runs the batch.
func (l *loop) decode() error {
	code, err := llama.Decode(l.ctx, l.batch)
	if err == nil && code != 0 {
		err = fmt.Errorf("llama.cpp's decode says %d", code)
	}
	if err != nil {
		return fmt.Errorf("%w (%w)", engine.ErrGone, err)
	}
	return nil
}

// Trials of how many threads are fastest.
const (
	triedTogether = 16 // tokens of a step that stands for many requests, or a prompt
	tries         = 4
	triesTime     = 500 * time.Millisecond // after which a number of threads is not tried again
)

// tryThreads keeps the numbers of threads with which a token alone takes least, and with
// which a step of many does: more are slower where cores are virtual or busy, as llama.cpp's
// threads wait for each other in a spin. A token alone waits for the weights to come from
// memory, which a few threads may do as well as all; a step of many computes, and gains by
// each more.
func (l *loop) tryThreads() error {
	alone, err := l.fastest(1, 1)
	if err != nil {
		return err
	}
	many, err := l.fastest(min(triedTogether, l.size), alone)
	if err != nil {
		return err
	}
	l.threads = max(alone, many)
	llama.SetNThreads(l.ctx, int32(alone), int32(many))
	return nil
}

// fastest is the number of threads, from least on, with which a step of so many tokens takes
// least time.
func (l *loop) fastest(tokens, least int) (best int, err error) {
	fastest := time.Duration(math.MaxInt64)
	for n := least; n == least || n <= runtime.NumCPU(); n *= 2 {
		llama.SetNThreads(l.ctx, int32(n), int32(n))
		took := time.Duration(math.MaxInt64)
		began := time.Now()
		for i := 0; i < tries && (i == 0 || time.Since(began) < triesTime); i++ {
			once, err := l.took(tokens)
			if err != nil {
				return 0, err
			}
			took = min(took, once)
		}
		if took >= fastest {
			break
		}
		fastest, best = took, n
	}
	return best, nil
}

// took is how long a step of so many tokens takes, which it forgets again.
func (l *loop) took(tokens int) (time.Duration, error) {
	if err := l.batch.Clear(); err != nil {
		return 0, err
	}
	for k := range tokens {
		if err := l.batch.Add(0, llama.Pos(k), []llama.SeqId{0}, k == tokens-1); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	if err := l.decode(); err != nil {
		return 0, err
	}
	took := time.Since(start)
	return took, l.forget(0)
}

func (l *loop) forget(slot int) error {
	_, err := llama.MemorySeqRm(l.memory, llama.SeqId(slot), -1, -1)
	return err
}

// run works until the engine ends or llama.cpp fails, and returns why.
func (l *loop) run(e *Engine) (err error) {
	defer func() {
		for _, j := range l.slots {
			if j != nil {
				j.end(engine.FinishCancelled, err)
			}
		}
	}()
	for {
		free := 0
		for i, j := range l.slots {
			if j != nil && j.ctx.Err() != nil {
				j.end(engine.FinishCancelled, context.Cause(j.ctx))
			}
			if j != nil && j.ended {
				if err := l.forget(i); err != nil {
					return fmt.Errorf("%w (%w)", engine.ErrGone, err)
				}
				l.slots[i] = nil
			}
			if l.slots[i] == nil {
				free++
			}
		}
		jobs, err := e.next(free)
		if err != nil {
			return err
		}
		for i := 0; len(jobs) > 0; i++ {
			if l.slots[i] == nil {
				l.slots[i], jobs[0].slot = jobs[0], i
				jobs = jobs[1:]
				free--
			}
		}
		if free == len(l.slots) {
			<-e.wake
			continue
		}
		if err := l.step(); err != nil {
			return err
		}
	}
}

// step decodes one batch and deals with what comes of it.
func (l *loop) step() error {
	if err := l.gather(); err != nil {
		return fmt.Errorf("%w (%w)", engine.ErrGone, err)
	}
	if l.batch.NTokens == 0 {
		return nil
	}
	if err := l.decode(); err != nil {
		return err
	}
	logits := 0
	for i := range l.rows {
		for k := range l.rows[i] {
			r := &l.rows[i][k]
			var err error
			// They lie in llama.cpp's memory, and hold until the next decode.
			if r.logits, err = llama.GetLogitsIth(l.ctx, r.at, len(l.model.pieces)); err != nil || r.logits == nil {
				return fmt.Errorf("%w (llama.cpp has no logits)", engine.ErrGone)
			}
			logits += len(r.logits)
		}
	}
	l.deal(logits)
	return nil
}

// deal lets each job take its rows: side by side where there is enough to do, and the rows
// of a long answer that is scored, too.
func (l *loop) deal(logits int) {
	workers := runtime.GOMAXPROCS(0)
	if logits < 1<<15 {
		workers = 1
	}
	var work []func()
	var scored []*job
	for i, rows := range l.rows {
		j := l.slots[i]
		switch {
		case len(rows) == 0:
		case j.answer == nil || j.mask != nil || workers == 1:
			work = append(work, func() {
				for _, r := range rows {
					j.take(l.model, r.logits)
				}
			})
		default:
			at := len(j.scores)
			j.scores = append(j.scores, make([]engine.TokenScore, len(rows))...)
			scored = append(scored, j)
			for part := range slices.Chunk(rows, scoredTogether) {
				first := at
				at += len(part)
				work = append(work, func() {
					sampler := j.sampler.Clone()
					for k, r := range part {
						j.scores[first+k] = j.scoreOf(l.model, sampler, first+k, r.logits)
					}
				})
			}
		}
	}
	if workers = min(workers, len(work)); workers < 2 {
		for _, do := range work {
			do()
		}
	} else {
		var next atomic.Int64
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for n := next.Add(1); int(n) <= len(work); n = next.Add(1) {
					work[n-1]()
				}
			})
		}
		wg.Wait()
	}
	for _, j := range scored {
		j.endScored()
	}
}

// gather fills the batch: first a token for each answer in the making, then prompts.
func (l *loop) gather() error {
	if err := l.batch.Clear(); err != nil {
		return err
	}
	outputs, reading := l.outputs, 0
	for i, j := range l.slots {
		l.rows[i] = l.rows[i][:0]
		switch {
		case j == nil || j.ended:
		case len(j.made) == 0:
			reading++
		default:
			if err := l.add(j, &outputs); err != nil {
				return err
			}
		}
	}
	budget := l.size - int(l.batch.NTokens)
	if l.batch.NTokens > 0 {
		budget = min(budget, prefillBeside)
	}
	if reading == 0 {
		return nil
	}
	share := max(budget/reading, 16)
	l.turn++
	for k := range l.slots {
		j := l.slots[(l.turn+k)%len(l.slots)]
		if j == nil || j.ended || len(j.made) > 0 {
			continue
		}
		for n := min(share, budget, len(j.input)-j.fed); n > 0 && outputs > 0; n-- {
			if err := l.add(j, &outputs); err != nil {
				return err
			}
			budget--
		}
	}
	return nil
}

// add puts a job's next token into the batch.
func (l *loop) add(j *job, outputs *int) error {
	wanted := j.fed == len(j.input)-1 || j.answer != nil && j.fed >= j.prompt-1
	if wanted {
		l.rows[j.slot] = append(l.rows[j.slot], row{at: l.batch.NTokens})
		*outputs--
	}
	err := l.batch.Add(llama.Token(j.input[j.fed]), llama.Pos(j.fed), []llama.SeqId{llama.SeqId(j.slot)}, wanted)
	j.fed++
	return err
}

// take deals with the logits of the job's next token.
func (j *job) take(m *model, logits []float32) {
	if j.ended {
		return
	}
	if j.answer != nil {
		j.score(m, logits)
		return
	}
	var k engine.Mask
	if j.mask != nil {
		k = j.mask
	}
	id := j.sampler.Pick(len(j.made), logits, k)
	if id < 0 {
		j.flush()
		j.end(engine.FinishCancelled, fmt.Errorf("%w: it leaves the model no way to go on", engine.ErrGrammar))
		return
	}
	j.made = append(j.made, id)
	j.left--
	if m.ends[id] {
		j.flush()
		j.end(engine.FinishStop, nil)
		return
	}
	if j.mask != nil {
		j.mask.accept(id)
	}
	c, stop := j.text.Add(m.token(id, engine.NewLogProbs(logits), j.top))
	j.emit(c)
	switch {
	case stop != "":
		j.stop = stop
		j.end(engine.FinishStop, nil)
	case j.left <= 0:
		j.flush()
		j.end(engine.FinishLength, nil)
	default:
		j.input = append(j.input, id)
	}
}

// score scores the next token of the answer.
func (j *job) score(m *model, logits []float32) {
	j.scores = append(j.scores, j.scoreOf(m, j.sampler, len(j.scores), logits))
	j.endScored()
}

func (j *job) endScored() {
	if len(j.scores) == len(j.answer) {
		j.end(engine.FinishStop, nil)
	}
}

// scoreOf scores the answer's token at a place. With a grammar tokens must come in order.
func (j *job) scoreOf(m *model, sampler *engine.Sampler, at int, logits []float32) engine.TokenScore {
	id := j.answer[at]
	s := engine.TokenScore{LogProb: engine.NewLogProbs(logits).Of(id), Margin: engine.MaxMargin, Bytes: m.pieces[id], End: m.ends[id]}
	switch {
	case j.broken:
	case j.mask == nil:
		s.Margin = sampler.Margin(at, logits, id, nil)
	default:
		s.Margin = sampler.Margin(at, logits, id, j.mask)
		if j.mask.Allows(id) {
			j.mask.accept(id)
		} else {
			j.broken = true
		}
	}
	return s
}

func (j *job) emit(c engine.Chunk) {
	if c.Text != "" || len(c.Tokens) > 0 {
		j.out.Put(event{chunk: c})
	}
}

func (j *job) flush() { j.emit(j.text.Flush()) }
