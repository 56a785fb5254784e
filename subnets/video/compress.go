package video

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnets/video/media"
	"golang.org/x/sync/errgroup"
)

// Progress is where a compression stands.
type Progress struct {
	// Stage is "read", "cut", "compress", "join" or "check".
	Stage    string
	Segments int // in all; 0 before they are known
	Done     int
	Refused  int   // answers that were not taken
	BytesIn  int64 // of segments done
	BytesOut int64
}

// ErrExists says that the output is there already.
var ErrExists = errors.New("the output exists already")

// Compress has a clip compressed by the miners that gateways know: it cuts the clip at
// key frames, gives the segments to the best miners in parallel, measures every answer
// itself, gives what fails to another miner, joins what passes with the original's audio
// and subtitles, and checks the result. gateways are URLs as [GatewayURL] makes them;
// client reaches them. progress may be nil; it is called by one goroutine at a time.
//
// Where no gateway is free, o.Pay is asked with the price, and segments are paid as their
// answers are handed out: a segment whose answer fails its gate costs nothing.
//
// The output appears when it is whole, or not at all. What can't be carried over is
// refused with an error that says so, before any work is given out.
func Compress(ctx context.Context, tools *media.Tools, client *http.Client, gateways []string, o CompressOptions, progress func(Progress)) (*CompressReport, error) {
	began := time.Now()
	if progress == nil {
		progress = func(Progress) {}
	}
	c := &compression{tools: tools, opts: o, progress: progress}
	if err := c.check(); err != nil {
		return nil, err
	}
	progress(Progress{Stage: "read"})
	if err := c.read(ctx); err != nil {
		return nil, err
	}
	var err error
	if c.pool, err = findMiners(ctx, client, gateways, o.Miners); err != nil {
		return nil, err
	}
	if c.dir, err = os.MkdirTemp("", "lode-compress-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(c.dir)
	progress(Progress{Stage: "cut"})
	if c.segments, err = cutClip(ctx, tools, c.info, c.scan, o.Segment.Seconds(), c.dir); err != nil {
		return nil, fmt.Errorf("cut %s: %w", o.In, err)
	}
	if err := c.money(ctx, client.Transport); err != nil {
		return nil, err
	}
	r, err := c.work(ctx)
	paid, paidErr := c.settle()
	if err != nil {
		return nil, afterPaying(err, paid)
	}
	r.Paid, r.Took = paid, time.Since(began)
	for _, p := range paid {
		r.PaidRao += p.Rao
	}
	return r, paidErr
}

// afterPaying tells beside an error what was paid before it.
func afterPaying(err error, paid []Paid) error {
	for _, p := range paid {
		if p.Jobs > 0 {
			err = fmt.Errorf("%w; %s TAO were paid to gateway %s for %d segments", err, client.FormatTAO(p.Rao), p.Hotkey, p.Jobs)
		}
	}
	return err
}

// work gives the segments out and joins what comes back.
func (c *compression) work(ctx context.Context) (*CompressReport, error) {
	if err := c.compress(ctx); err != nil {
		return nil, err
	}
	return c.finish(ctx)
}

// money finds out what the clip costs, and opens the purse that it is paid from. While a
// gateway is free, nobody is paid.
func (c *compression) money(ctx context.Context, base http.RoundTripper) error {
	var selling []*desk
	for _, d := range c.pool.desks {
		if d.price != nil {
			selling = append(selling, d)
		}
	}
	switch {
	case len(selling) < len(c.pool.desks): // one is free
		for _, d := range selling {
			d.close(fmt.Errorf("gateway %s: %w", d.hotkey, ErrNotFree))
		}
		return nil
	case c.opts.Pay == nil:
		return ErrNotFree
	}
	b, err := bill(selling, c.segments, c.opts.MaxPrice)
	if err != nil {
		return err
	}
	p, err := openPurse(ctx, c.opts.Pay, b, base)
	if err != nil {
		return err
	}
	c.purse = p
	c.pool.client = &http.Client{Transport: c.purse, CheckRedirect: c.pool.client.CheckRedirect}
	return nil
}

// settle closes the purse and says what was paid.
func (c *compression) settle() ([]Paid, error) {
	if c.purse == nil {
		return []Paid{}, nil
	}
	paid, err := c.purse.paid()
	return paid, errors.Join(err, c.purse.close())
}

// compression is one clip on its way.
type compression struct {
	tools    *media.Tools
	opts     CompressOptions
	progress func(Progress)

	codec  media.Codec
	gate   Gate
	format string // of the output
	info   media.Info
	scan   *media.Scan
	carry  []int
	drop   []string
	audio  []string // hashes of what is carried
	dir    string

	pool     *pool
	purse    *purse // nil where nothing is paid
	segments []*segment
	done     []*finished // by segment
}

// finished is a segment with the answer that was taken.
type finished struct {
	judged  *Judged
	units   string // file with the stream
	member  *member
	refused []refusal
}

type refusal struct {
	member *member
	reason string
}

// check looks at what was asked for before anything is read.
func (c *compression) check() error {
	o := c.opts
	var err error
	if c.codec, err = media.ParseCodec(o.Codec); err != nil {
		return err
	}
	c.gate = DefaultGate(media.Measure(o.Measure), o.Quality)
	if err := c.gate.Check(); err != nil {
		return err
	}
	if err := c.tools.Check(c.gate.Measure); err != nil {
		return err
	}
	if o.Segment < time.Second || o.Segment > time.Minute {
		return fmt.Errorf("segments of %v: between 1 s and 1 min", o.Segment)
	}
	if o.Miners < 1 {
		return fmt.Errorf("%d miners: at least 1", o.Miners)
	}
	switch ext := strings.ToLower(filepath.Ext(o.Out)); ext {
	case ".mp4", ".m4v":
		c.format = "mp4"
	case ".mkv":
		c.format = "matroska"
	default:
		return fmt.Errorf("output %q: its name must end in .mp4 or .mkv", o.Out)
	}
	if st, err := os.Stat(o.Out); err == nil {
		if in, err := os.Stat(o.In); err == nil && os.SameFile(st, in) {
			return fmt.Errorf("%s is input and output: name another output", o.In)
		}
		if !o.Force {
			return fmt.Errorf("%w: %s; name another, or overwrite it with --force", ErrExists, o.Out)
		}
	}
	if st, err := os.Stat(filepath.Dir(o.Out)); err != nil || !st.IsDir() {
		return fmt.Errorf("there is no folder %s for the output", filepath.Dir(o.Out))
	}
	return nil
}

// read finds out what the clip really holds, and refuses what would be lost.
func (c *compression) read(ctx context.Context) error {
	info, err := c.tools.Inspect(ctx, c.opts.In)
	if err != nil {
		return err
	}
	if err := info.Shape.CheckPicture(); err != nil {
		return fmt.Errorf("%s: %w", c.opts.In, err)
	}
	if info.Colors.Range == "pc" || info.Colors.Range == "jpeg" {
		return fmt.Errorf("%s: full-range samples: %w; convert it first, for example with `ffmpeg -i IN -vf scale=out_range=tv,format=yuv420p OUT`", c.opts.In, media.ErrCarry)
	}
	if math.IsNaN(info.Rotation) {
		return fmt.Errorf("%s: its pictures are mirrored or turned by a part of 90°: %w; apply it first, for example with `ffmpeg -i IN -c:a copy OUT`", c.opts.In, media.ErrCarry)
	}
	if len(info.SideData) > 0 {
		return fmt.Errorf("%s has %s: %w; remove it first", c.opts.In, strings.Join(info.SideData, ", "), media.ErrCarry)
	}
	if info.Rotation != 0 && c.format != "mp4" {
		return fmt.Errorf("%s is turned by %v°, which %w into Matroska: name an output that ends in .mp4", c.opts.In, info.Rotation, media.ErrCarry)
	}
	c.carry, c.drop = media.Carried(info, c.format)
	if len(c.drop) > 0 && !c.opts.Drop {
		return fmt.Errorf("%s: %s: %w; choose the other container (.mp4, .mkv), or leave it out with --drop", c.opts.In, strings.Join(c.drop, "; "), media.ErrCarry)
	}
	shape := info.Shape
	if shape.Frames <= 0 {
		shape.Frames = int64(max(1, info.Duration) * max(25, info.Rate))
	}
	limits := media.LongLimits(shape, info.Bytes)
	limits.Output *= 4 // headers lie
	const most = 24 * 3600 * 60
	if c.scan, err = c.tools.Scan(ctx, info.Input(), info.Shape, most, limits); err != nil {
		return fmt.Errorf("%s: %w", c.opts.In, err)
	}
	switch {
	case c.scan.Interlaced:
		return fmt.Errorf("%s is interlaced, which %w: convert it first, for example with `ffmpeg -i IN -vf bwdif OUT`", c.opts.In, media.ErrCarry)
	case c.scan.Lossy:
		return fmt.Errorf("%s has HDR or stereo metadata in its frames, which %w: convert it first", c.opts.In, media.ErrCarry)
	}
	if c.audio, err = c.tools.PacketHashes(ctx, info, c.carry, media.HashLimits()); err != nil {
		return fmt.Errorf("%s: %w", c.opts.In, err)
	}
	c.info = info
	return nil
}

// compress gives all segments out and waits for them.
func (c *compression) compress(ctx context.Context) error {
	c.done = make([]*finished, len(c.segments))
	state := Progress{Stage: "compress", Segments: len(c.segments)}
	c.progress(state)
	results := make(chan *finished)
	refused := make(chan refusal)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(gatewayPerCustomer + 1)
	g.Go(func() error { // the only one who calls progress
		for n := 0; n < len(c.segments); {
			select {
			case f := <-results:
				n++
				state.Done = n
				state.BytesOut += f.judged.Stream.Counted
				state.BytesIn += f.segmentSize(c)
			case <-refused:
				state.Refused++
			case <-ctx.Done():
				return ctx.Err()
			}
			c.progress(state)
		}
		return nil
	})
	judges := make(chan struct{}, max(1, runtime.NumCPU()/2)) // measuring takes a core each
	for i, s := range c.segments {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			f, err := c.segment(ctx, s, judges, refused)
			if err != nil {
				return err
			}
			c.done[i] = f
			select {
			case results <- f:
			case <-ctx.Done():
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

func (f *finished) segmentSize(c *compression) int64 {
	if i := slices.Index(c.done, f); i >= 0 {
		return c.segments[i].size
	}
	return 0
}

// job is what miners are asked to do with a segment.
func (c *compression) job(s *segment) Job {
	return Job{Version: Version, Codecs: []media.Codec{c.codec}, Gate: c.gate, Source: s.codec, Shape: s.shape, DeadlineMS: min(Deadline(s.shape), maxDeadline).Milliseconds()}
}

// segment has one segment compressed, by one miner after the other until one's answer
// passes.
func (c *compression) segment(ctx context.Context, s *segment, judges chan struct{}, refused chan<- refusal) (*finished, error) {
	source, err := os.ReadFile(s.file)
	if err != nil {
		return nil, err
	}
	job := c.job(s)
	f := &finished{}
	tried := map[string]bool{}
	waits := 0
	for {
		m, err := c.pool.take(ctx, tried)
		if err != nil {
			return nil, err
		}
		if m == nil {
			var reasons []string
			for _, r := range f.refused {
				reasons = append(reasons, fmt.Sprintf("uid %d: %s", r.member.UID, r.reason))
			}
			return nil, fmt.Errorf("segment %d of %d: no miner did it: %s; try a lower --quality or another --codec", s.index+1, len(c.segments), strings.Join(reasons, "; "))
		}
		err = c.try(ctx, f, m, s, job, source, judges)
		if ctx.Err() != nil {
			c.pool.give(m, false)
			return nil, ctx.Err()
		}
		if err == nil {
			c.pool.give(m, false)
			return f, nil
		}
		var money moneyError
		if errors.As(err, &money) {
			c.pool.give(m, false)
			return nil, money.error
		}
		if busy(err) && waits < busyMost {
			waits++
			pause := time.NewTimer(busyPause)
			select {
			case <-pause.C:
			case <-ctx.Done():
				pause.Stop()
			}
			c.pool.give(m, false)
			continue
		}
		c.pool.give(m, true)
		if !errors.Is(err, ErrAnswer) && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrGate) && !isCall(err) {
			return nil, err // our own fault
		}
		tried[m.Hotkey] = true
		r := refusal{member: m, reason: cut(err.Error(), 300)}
		f.refused = append(f.refused, r)
		select {
		case refused <- r:
		case <-ctx.Done():
		}
	}
}

// try has a segment compressed by one miner and measures the answer.
func (c *compression) try(ctx context.Context, f *finished, m *member, s *segment, job Job, source []byte, judges chan struct{}) error {
	got, err := c.pool.order(ctx, m, job, source)
	if err != nil {
		return callError{err}
	}
	select {
	case judges <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-judges }()
	j, err := judge(ctx, c.tools, job, s.source, got.status.Codec, got.bytes)
	if err == nil {
		err = j.fits(job)
	}
	if err != nil {
		if got.desk.price != nil && (errors.Is(err, ErrAnswer) || errors.Is(err, ErrGate)) {
			got.desk.close(fmt.Errorf("gateway %s: %w: it was paid for an answer that fails: %w", got.desk.hotkey, errCheat, err))
		}
		return err
	}
	f.units = filepath.Join(c.dir, fmt.Sprintf("answer-%05d", s.index))
	if err := os.WriteFile(f.units, j.Stream.Bytes, 0o600); err != nil {
		return err
	}
	j.Stream.Bytes = nil // on disk now
	f.judged, f.member = j, m
	return nil
}

// callError marks what went wrong on the way to a miner.
type callError struct{ error }

func (e callError) Unwrap() error { return e.error }

func isCall(err error) bool {
	var c callError
	return errors.As(err, &c)
}

// profile returns the one profile that segments must have.
func profile(c media.Codec, s media.Shape) int {
	deep := s.PixFmt == "yuv420p10le"
	switch {
	case c == media.H264 && deep:
		return 110
	case c == media.H264:
		return 100
	case c == media.HEVC && deep:
		return 2
	case c == media.HEVC:
		return 1
	}
	return 0
}
