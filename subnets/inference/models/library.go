package models

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lodenet/lode/subnets/inference/fidelity"
)

// Errors that callers tell apart.
var (
	// ErrNotFound says that a name is that of no model here.
	ErrNotFound = errors.New("there is no such model")
	// ErrAmbiguous says that a name is that of several.
	ErrAmbiguous = errors.New("several models are called so")
	// ErrChanged says that a file is no longer what its digest says.
	ErrChanged = errors.New("the model's file has changed")
)

// Library is a folder of models. It holds nothing in memory: several processes may use one
// folder.
type Library struct{ dir string }

// Open returns the library of a folder, which need not exist yet.
func Open(dir string) *Library { return &Library{dir} }

// Dir is its folder.
func (l *Library) Dir() string { return l.dir }

// Model is a model's file.
type Model struct {
	Digest string    `json:"digest"` // SHA-256 of the file, in hexadecimal
	Name   string    `json:"name"`   // as the model calls itself, else by its file
	File   string    `json:"file"`   // the file's name when it was added
	Bytes  int64     `json:"bytes"`
	Added  time.Time `json:"added_at"`
	// Modified is the file's time: as long as it holds, its digest is believed.
	Modified time.Time `json:"modified_at"`

	// Path is where the file lies. It is not of the library's if Added is zero.
	Path string `json:"-"`
}

// Short is the beginning of the digest, as people read it.
func (m Model) Short() string { return m.Digest[:min(12, len(m.Digest))] }

// AddOptions say how a model is added.
type AddOptions struct {
	// Link makes a hard link where it can, in place of a copy: it takes no room, but the
	// file must not be changed any more.
	Link bool
	// Progress, if given, is told how much was read.
	Progress func(done, total int64)
}

var (
	digestPattern    = regexp.MustCompile(`^[0-9a-f]{64}$`)
	beginningPattern = regexp.MustCompile(`^[0-9a-f]{6,64}$`)
)

func (l *Library) file(digest string) string   { return filepath.Join(l.dir, digest+".gguf") }
func (l *Library) record(digest string) string { return filepath.Join(l.dir, digest+".json") }

// Add copies a file into the library. It may be a link to one.
func (l *Library) Add(ctx context.Context, path string, o AddOptions) (Model, error) {
	f, m, err := inspect(path)
	if err != nil {
		return Model{}, err
	}
	defer f.Close()
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return Model{}, err
	}
	part, err := os.CreateTemp(l.dir, ".part-*")
	if err != nil {
		return Model{}, err
	}
	defer os.Remove(part.Name()) // it is gone where all went well
	defer part.Close()
	source, err := filepath.EvalSymlinks(path)
	linked := false
	if err == nil && o.Link {
		if err := os.Remove(part.Name()); err != nil {
			return Model{}, err
		}
		linked = os.Link(source, part.Name()) == nil
	}
	var to io.Writer = io.Discard
	if !linked {
		if o.Link { // it can't be linked: copied, then
			if part, err = os.OpenFile(part.Name(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
				return Model{}, err
			}
			defer part.Close()
		}
		to = part
	}
	if m.Digest, err = digest(ctx, f, to, m.Bytes, o.Progress); err != nil {
		return Model{}, err
	}
	if !linked {
		err = errors.Join(part.Chmod(0o400), part.Sync())
	}
	if err == nil {
		err = os.Rename(part.Name(), l.file(m.Digest))
	}
	if err != nil {
		return Model{}, err
	}
	info, err := os.Lstat(l.file(m.Digest))
	if err != nil {
		return Model{}, err
	}
	if info.Size() != m.Bytes {
		return Model{}, errors.Join(fmt.Errorf("%w: %s, while it was read: add it again", ErrChanged, path), os.Remove(l.file(m.Digest)))
	}
	m.Added, m.Modified, m.Path = time.Now().UTC(), info.ModTime().UTC(), l.file(m.Digest)
	return m, l.write(l.record(m.Digest), m)
}

// inspect opens a file and reads its header.
func inspect(path string) (*os.File, Model, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, Model{}, err
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait
		return nil, Model{}, fmt.Errorf("%s: %w: it is no regular file", path, ErrNoModel)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, Model{}, err
	}
	h, err := ReadHeader(f, info.Size())
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, Model{}, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	m := Model{Name: printable(h.Name), File: filepath.Base(path), Bytes: info.Size(), Modified: info.ModTime().UTC(), Path: path}
	if m.Name == "" {
		m.Name = strings.TrimSuffix(m.File, ".gguf")
	}
	return f, m, nil
}

// printable is a name that a terminal may show: a file may say anything.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return -1
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > 100 {
		s = string(runes[:100])
	}
	return strings.TrimSpace(s)
}

// digest hashes a file of so many bytes while it copies it.
func digest(ctx context.Context, from io.Reader, to io.Writer, size int64, progress func(done, total int64)) (string, error) {
	h := sha256.New()
	w := &hashing{ctx: ctx, to: to, hash: h, size: size, progress: progress}
	if _, err := io.CopyBuffer(w, struct{ io.Reader }{from}, make([]byte, 4<<20)); err != nil {
		return "", err
	}
	if w.done != size {
		return "", fmt.Errorf("%w: %d bytes of it were read, it had %d", ErrChanged, w.done, size)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

type hashing struct {
	ctx        context.Context
	to         io.Writer
	hash       hash.Hash
	done, size int64
	progress   func(done, total int64)
}

func (w *hashing) Write(p []byte) (int, error) {
	if err := context.Cause(w.ctx); err != nil {
		return 0, err
	}
	w.hash.Write(p) // it has no error to give
	n, err := w.to.Write(p)
	if w.done += int64(n); w.progress != nil {
		w.progress(w.done, w.size)
	}
	return n, err
}

// write replaces a file by v as JSON, whole or not at all.
func (l *Library) write(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	part, err := os.CreateTemp(l.dir, ".part-*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	_, err = part.Write(append(raw, '\n'))
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}

// maxRecord bounds a record, in bytes.
const maxRecord = 64 << 10

// readJSON reads a file of the library's own; it follows no links.
func readJSON(path string, v any) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > maxRecord {
		return fmt.Errorf("%s is not what Lode writes: remove it", path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s is damaged: remove it, and add or calibrate its model again: %w", path, err)
	}
	return nil
}

// List returns the models by name. Where some can't be read it returns the others, too,
// beside the error.
func (l *Library) List() ([]Model, error) {
	entries, err := os.ReadDir(l.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Model
	var errs error
	for _, e := range entries {
		digest, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok || !digestPattern.MatchString(digest) {
			continue
		}
		m, err := l.load(digest)
		if err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Model) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Bytes, b.Bytes), strings.Compare(a.Digest, b.Digest))
	})
	return out, errs
}

// load reads a model's record and looks whether its file is there.
func (l *Library) load(digest string) (Model, error) {
	var m Model
	if err := readJSON(l.record(digest), &m); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: %s", ErrNotFound, digest)
		}
		return m, err
	}
	m.Path = l.file(digest)
	info, err := os.Lstat(m.Path)
	switch {
	case m.Digest != digest:
		return m, fmt.Errorf("%s is about another model: remove it", l.record(digest))
	case err != nil:
		return m, fmt.Errorf("the file of model %s (%s) is gone: add it again, or `lode model remove %s`: %w", m.Short(), printable(m.Name), m.Short(), err)
	case !info.Mode().IsRegular():
		return m, fmt.Errorf("%w: %s is no regular file: remove it and add the model again", ErrChanged, m.Path)
	}
	m.Name, m.File = printable(m.Name), printable(m.File)
	return m, nil
}

// Find finds a model by its digest or a beginning of it (of 6 characters or more), by the
// path of a file, or by a name: the model's own or its file's. A file outside of the
// library is read whole for its digest. Of one in the library, whose size or time is
// another than when it was added, the digest is computed anew; if it does not fit, the
// error wraps [ErrChanged].
func (l *Library) Find(ctx context.Context, name string) (Model, error) {
	if digestPattern.MatchString(name) {
		m, err := l.load(name)
		if err != nil {
			return m, err
		}
		return l.verified(ctx, m)
	}
	if name == "" || strings.ContainsRune(name, 0) {
		return Model{}, fmt.Errorf("%w: name one", ErrNotFound)
	}
	if info, err := os.Stat(name); strings.ContainsRune(name, filepath.Separator) || err == nil && !info.IsDir() {
		return l.outside(ctx, name)
	}
	m, err := l.byName(name)
	if err != nil {
		return Model{}, err
	}
	return l.verified(ctx, m)
}

// Resolve finds the digest and the name of a model of the library as Find does. By its
// digest, or a beginning of it, it finds one whose file is gone or changed, too.
func (l *Library) Resolve(name string) (digest, called string, err error) {
	if beginningPattern.MatchString(name) {
		paths, err := filepath.Glob(filepath.Join(l.dir, name+"*.json"))
		if err != nil {
			return "", "", err
		}
		var found []string
		for _, path := range paths {
			if digest := strings.TrimSuffix(filepath.Base(path), ".json"); digestPattern.MatchString(digest) {
				found = append(found, digest)
			}
		}
		if len(found) == 1 {
			return found[0], "the model", nil
		}
	}
	m, err := l.byName(name)
	return m.Digest, m.Name, err
}

// byName finds a model by what it is called.
func (l *Library) byName(name string) (Model, error) {
	all, errs := l.List()
	for _, is := range []func(Model) bool{
		func(m Model) bool { return len(name) >= 6 && strings.HasPrefix(m.Digest, strings.ToLower(name)) },
		func(m Model) bool { return strings.EqualFold(m.File, name) || strings.EqualFold(m.File, name+".gguf") },
		func(m Model) bool { return strings.EqualFold(m.Name, name) },
	} {
		var found []Model
		for _, m := range all {
			if is(m) {
				found = append(found, m)
			}
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return found[0], nil
		}
		var names []string
		for _, m := range found {
			names = append(names, fmt.Sprintf("%s (%s)", m.Short(), m.File))
		}
		return Model{}, fmt.Errorf("%w: name one of %s by its digest", ErrAmbiguous, strings.Join(names, ", "))
	}
	err := fmt.Errorf("%w: %.100q: `lode model list` shows those that there are, `lode model add FILE.gguf` adds one", ErrNotFound, name)
	return Model{}, errors.Join(err, errs)
}

// outside describes a file by its path; if the library has it, its record.
func (l *Library) outside(ctx context.Context, path string) (Model, error) {
	f, m, err := inspect(path)
	if err != nil {
		return Model{}, err
	}
	defer f.Close()
	if m.Digest, err = digest(ctx, f, io.Discard, m.Bytes, nil); err != nil {
		return Model{}, err
	}
	if own, err := l.load(m.Digest); err == nil {
		if own, err = l.verified(ctx, own); err == nil {
			return own, nil
		}
	}
	return m, nil
}

// verified makes sure that a file of the library is still what it was.
func (l *Library) verified(ctx context.Context, m Model) (Model, error) {
	info, err := os.Lstat(m.Path)
	if err != nil {
		return m, err
	}
	if info.Size() == m.Bytes && info.ModTime().UTC().Equal(m.Modified) {
		return m, nil
	}
	changed := fmt.Errorf("%w: %s is no longer model %s: `lode model remove %s`, and add it again", ErrChanged, m.Path, m.Short(), m.Short())
	if info.Size() != m.Bytes {
		return m, changed
	}
	f, err := os.Open(m.Path)
	if err != nil {
		return m, err
	}
	defer f.Close()
	is, err := digest(ctx, f, io.Discard, m.Bytes, nil)
	if err != nil {
		return m, err
	}
	if is != m.Digest {
		return m, changed
	}
	m.Modified = info.ModTime().UTC()
	return m, l.write(l.record(m.Digest), m)
}

// Remove takes a model and its thresholds out of the library.
func (l *Library) Remove(digest string) error {
	if !digestPattern.MatchString(digest) {
		return fmt.Errorf("%w: %.100q is no digest", ErrNotFound, digest)
	}
	found := false
	// The record first: without it a file is no model.
	for _, path := range []string{l.record(digest), l.thresholds(digest), l.file(digest)} {
		switch err := os.Remove(path); {
		case err == nil:
			found = true
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	if !found {
		return fmt.Errorf("%w: %s", ErrNotFound, digest)
	}
	return nil
}

func (l *Library) thresholds(digest string) string {
	return filepath.Join(l.dir, digest+".thresholds.json")
}

// Thresholds returns those that a model was calibrated to: here, or by Lode for models that
// it brings along; else [fidelity.Default], which are not measured.
func (l *Library) Thresholds(digest string) (fidelity.Thresholds, error) {
	var t fidelity.Thresholds
	if !digestPattern.MatchString(digest) {
		return t, fmt.Errorf("%w: %.100q is no digest", ErrNotFound, digest)
	}
	switch err := readJSON(l.thresholds(digest), &t); {
	case errors.Is(err, fs.ErrNotExist):
		return Shipped(digest), nil
	case err != nil:
		return t, err
	}
	if t.Digest != digest {
		return t, fmt.Errorf("%s are thresholds of another model: calibrate it again", l.thresholds(digest))
	}
	if err := t.Check(); err != nil {
		return t, fmt.Errorf("%s: %w: calibrate the model again", l.thresholds(digest), err)
	}
	return t, nil
}

// SetThresholds keeps what a calibration has found.
func (l *Library) SetThresholds(t fidelity.Thresholds) error {
	if !digestPattern.MatchString(t.Digest) {
		return fmt.Errorf("%w: %.100q is no digest", ErrNotFound, t.Digest)
	}
	if err := t.Check(); err != nil {
		return err
	}
	return l.write(l.thresholds(t.Digest), t)
}
