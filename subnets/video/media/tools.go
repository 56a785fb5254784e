package media

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// ErrNoFFmpeg says that the programs which read video are missing.
var ErrNoFFmpeg = errors.New("ffmpeg is not installed: install it with `apt-get install ffmpeg` (Debian, Ubuntu), `dnf install ffmpeg` (Fedora) or `brew install ffmpeg` (macOS)")

// Tools are the local ffmpeg and what it can do. They are made by [Find] and safe for
// concurrent use.
type Tools struct {
	ffmpeg  string
	ffprobe string
	version string // as ffmpeg prints it
	major   int    // 0 for a development version
	filters map[string]bool
	coders  map[string]bool
}

var versionLine = regexp.MustCompile(`^ffmpeg version (\S+)`)

// Find looks for ffmpeg and ffprobe in PATH and asks what they can do. Its error is
// [ErrNoFFmpeg] where one of them is missing.
func Find(ctx context.Context) (*Tools, error) {
	t := &Tools{filters: map[string]bool{}, coders: map[string]bool{}}
	var err error
	if t.ffmpeg, err = exec.LookPath("ffmpeg"); err != nil {
		return nil, ErrNoFFmpeg
	}
	if t.ffprobe, err = exec.LookPath("ffprobe"); err != nil {
		return nil, fmt.Errorf("%w (ffmpeg is there, ffprobe is not)", ErrNoFFmpeg)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx) // ffmpeg takes long to start
	list := func(arg string, read func(string)) {
		g.Go(func() error {
			out, err := exec.CommandContext(ctx, t.ffmpeg, "-hide_banner", arg).Output()
			if err != nil {
				return fmt.Errorf("%s %s does not run: %w", t.ffmpeg, arg, err)
			}
			read(string(out))
			return nil
		})
	}
	list("-version", func(text string) {
		if m := versionLine.FindStringSubmatch(text); m != nil {
			t.version = m[1]
			digits, _, _ := strings.Cut(strings.TrimPrefix(m[1], "n"), ".")
			t.major, _ = strconv.Atoi(digits) // 0 is the answer for "N-12345-g…"
		}
	})
	for arg, set := range map[string]map[string]bool{"-filters": t.filters, "-encoders": t.coders} {
		list(arg, func(text string) {
			for _, line := range strings.Split(text, "\n") {
				if f := strings.Fields(line); len(f) >= 2 {
					set[f[1]] = true
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return t, nil
}

// Version returns the version that ffmpeg prints.
func (t *Tools) Version() string { return t.version }

// HasEncoder says whether the local ffmpeg has an encoder, such as libsvtav1.
func (t *Tools) HasEncoder(name string) bool { return t.coders[name] }

// HasFilter says whether the local ffmpeg has a filter, such as libvmaf.
func (t *Tools) HasFilter(name string) bool { return t.filters[name] }
