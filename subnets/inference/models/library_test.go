package models

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/fidelity"
)

const (
	q8       = "../testdata/models/lode-mini-Q8_0.gguf"
	q4       = "../testdata/models/lode-mini-Q4_0.gguf"
	q8Digest = "f8270e7285aa71c63e6ca277b398f21ff47f7306791f9f2498b6df7e0cceefad"
	q4Digest = "cb5947773388515e08908e7bdaa9c962e01d553c12a8db4be3064844708fa744"
)

func library(t *testing.T) *Library { return Open(filepath.Join(t.TempDir(), "models")) }

func add(t *testing.T, l *Library, path string) Model {
	t.Helper()
	m, err := l.Add(t.Context(), path, AddOptions{})
	require.NoError(t, err)
	return m
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return raw
}

func TestAModelIsFoundByWhateverItIsCalled(t *testing.T) {
	l := library(t)
	path, err := filepath.Abs(q8)
	require.NoError(t, err)
	all, err := l.List()
	require.NoError(t, err, "a folder that is not there yet")
	require.Empty(t, all)
	_, err = l.Find(t.Context(), "lode-mini")
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorContains(t, err, "lode model add")

	var last int64
	m, err := l.Add(t.Context(), q8, AddOptions{Progress: func(done, total int64) {
		require.Greater(t, done, last)
		require.EqualValues(t, 6340480, total)
		last = done
	}})
	require.NoError(t, err)
	require.Equal(t, q8Digest, m.Digest)
	require.Equal(t, "lode-mini", m.Name)
	require.Equal(t, "lode-mini-Q8_0.gguf", m.File)
	require.EqualValues(t, 6340480, last)
	require.Equal(t, read(t, q8), read(t, m.Path))

	for _, name := range []string{q8Digest, q8Digest[:6], strings.ToUpper(q8Digest[:9]), "lode-mini", "LODE-mini", "lode-mini-Q8_0", "lode-mini-Q8_0.gguf", q8, m.Path} {
		found, err := l.Find(t.Context(), name)
		require.NoError(t, err, name)
		require.Equal(t, m, found, name)
	}
	other := add(t, l, q4)
	all, err = l.List()
	require.NoError(t, err)
	require.Equal(t, []Model{other, m}, all)
	_, err = l.Find(t.Context(), "lode-mini")
	require.ErrorIs(t, err, ErrAmbiguous)
	require.ErrorContains(t, err, "f8270e7285aa (lode-mini-Q8_0.gguf)")
	for _, name := range []string{"", "f827", "nothing", "a/b.gguf", "x\x00y", strings.Repeat("0", 64), "../models"} {
		_, err := l.Find(t.Context(), name)
		require.Error(t, err, "%q", name)
		require.Less(t, len(err.Error()), 400)
	}

	for _, name := range []string{q4Digest, q4Digest[:7], "lode-mini-Q4_0"} {
		digest, _, err := l.Resolve(name)
		require.NoError(t, err)
		require.Equal(t, q4Digest, digest)
	}
	_, _, err = l.Resolve("lode-mini")
	require.ErrorIs(t, err, ErrAmbiguous)
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("lode-mini-Q4_0", 0o700))
	_, err = l.Find(t.Context(), "lode-mini-Q4_0")
	require.NoError(t, err, "a folder of that name is no model")
	require.NoError(t, l.Remove(q8Digest))
	require.ErrorIs(t, l.Remove(q8Digest), ErrNotFound)
	require.ErrorIs(t, l.Remove("../"+q4Digest), ErrNotFound)
	found, err := l.Find(t.Context(), "lode-mini")
	require.NoError(t, err)
	require.Equal(t, other, found)
	outside, err := l.Find(t.Context(), path)
	require.NoError(t, err, "a path needs no library")
	require.Equal(t, q8Digest, outside.Digest)
	require.Equal(t, path, outside.Path)
	require.Zero(t, outside.Added)
}

func TestWhatIsNoWholeModelIsRefused(t *testing.T) {
	l, dir := library(t), t.TempDir()
	whole := read(t, q8)
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	require.NoError(t, os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "dangling.gguf")))
	for name, path := range map[string]string{
		"text":                      file("text.gguf", []byte("hello")),
		"nothing":                   file("empty.gguf", nil),
		"a cut header":              file("head.gguf", whole[:1000]),
		"a cut tensor":              file("cut.gguf", whole[:len(whole)-1]),
		"a header alone":            file("headonly.gguf", whole[:200_000]),
		"a folder":                  dir,
		"a device":                  "/dev/zero",
		"a link to nowhere":         filepath.Join(dir, "dangling.gguf"),
		"nowhere":                   filepath.Join(dir, "none.gguf"),
		"a version of the future":   file("v9.gguf", append([]byte("GGUF\x09\x00\x00\x00"), whole[8:]...)),
		"as many tensors as can be": file("many.gguf", append([]byte("GGUF\x03\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"), whole[16:]...)),
	} {
		_, err := l.Add(t.Context(), path, AddOptions{})
		require.Error(t, err, name)
		_, err = l.Find(t.Context(), path)
		require.Error(t, err, name)
	}
	_, err := l.Add(t.Context(), filepath.Join(dir, "cut.gguf"), AddOptions{})
	require.ErrorIs(t, err, ErrNoModel)
	require.ErrorContains(t, err, "cut off")
	_, err = os.Stat(l.Dir())
	require.ErrorIs(t, err, fs.ErrNotExist, "nothing was made")
}

func TestAnAdditionThatIsBrokenOffLeavesNothing(t *testing.T) {
	l := library(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := l.Add(ctx, q8, AddOptions{Progress: func(int64, int64) { cancel() }})
	require.ErrorIs(t, err, context.Canceled)
	left, err := os.ReadDir(l.Dir())
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestManyAddTheSameModelAtOnce(t *testing.T) {
	l := library(t)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = Open(l.Dir()).Add(t.Context(), []string{q8, q4}[i%2], AddOptions{Link: i%4 < 2})
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	all, err := l.List()
	require.NoError(t, err)
	require.Len(t, all, 2)
	for _, m := range all {
		require.Equal(t, m.Bytes, int64(len(read(t, m.Path))))
		_, err := l.Find(t.Context(), m.Digest)
		require.NoError(t, err)
	}
	left, err := filepath.Glob(filepath.Join(l.Dir(), ".part-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestALinkTakesNoRoom(t *testing.T) {
	l := library(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "model.gguf")
	require.NoError(t, os.WriteFile(path, read(t, q8), 0o600))
	through := filepath.Join(dir, "link.gguf")
	require.NoError(t, os.Symlink(path, through))
	m, err := l.Add(t.Context(), through, AddOptions{Link: true})
	require.NoError(t, err)
	a, err := os.Stat(path)
	require.NoError(t, err)
	b, err := os.Lstat(m.Path)
	require.NoError(t, err)
	require.True(t, os.SameFile(a, b))
	require.True(t, b.Mode().IsRegular())
}

func TestAFileThatChangesIsNoLongerTheModel(t *testing.T) {
	l := library(t)
	m := add(t, l, q8)
	require.NoError(t, os.Chtimes(m.Path, time.Now(), time.Now().Add(time.Hour)))
	again, err := l.Find(t.Context(), q8Digest)
	require.NoError(t, err, "another time, the same bytes")
	require.NotEqual(t, m.Modified, again.Modified)

	change := func(f func(path string)) {
		require.NoError(t, l.Remove(q8Digest))
		m := add(t, l, q8)
		require.NoError(t, os.Chmod(m.Path, 0o600))
		f(m.Path)
	}
	raw := read(t, q8)
	changed := bytes.Clone(raw)
	changed[len(changed)-100]++
	change(func(path string) { require.NoError(t, os.WriteFile(path, changed, 0o600)) })
	_, err = l.Find(t.Context(), q8Digest)
	require.ErrorIs(t, err, ErrChanged)
	require.ErrorContains(t, err, "lode model remove f8270e7285aa")
	outside, err := l.Find(t.Context(), q8)
	require.NoError(t, err, "the original is still good")
	require.Equal(t, q8, outside.Path)

	change(func(path string) { require.NoError(t, os.Truncate(path, 1000)) })
	_, err = l.Find(t.Context(), q8Digest)
	require.ErrorIs(t, err, ErrChanged)

	change(func(path string) {
		require.NoError(t, os.Remove(path))
		target, err := filepath.Abs(q8)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(target, path))
	})
	_, err = l.Find(t.Context(), q8Digest)
	require.ErrorIs(t, err, ErrChanged, "a link in the library is not followed")

	change(func(path string) { require.NoError(t, os.Remove(path)) })
	_, err = l.Find(t.Context(), q8Digest)
	require.ErrorContains(t, err, "is gone")
	gone, _, err := l.Resolve(q8Digest[:6])
	require.NoError(t, err, "it can still be removed")
	require.Equal(t, q8Digest, gone)
	_, _, err = l.Resolve("lode-mini")
	require.ErrorIs(t, err, ErrNotFound)
	all, err := l.List()
	require.Error(t, err)
	require.Empty(t, all)
}

func TestRecordsThatLodeDidNotWrite(t *testing.T) {
	l := library(t)
	add(t, l, q8)
	good := add(t, l, q4)
	for name, content := range map[string]string{
		"not JSON":      "{",
		"another model": `{"digest":"` + q4Digest + `"}`,
		"enormous":      `{"name":"` + strings.Repeat("x", maxRecord) + `"}`,
	} {
		require.NoError(t, os.WriteFile(l.record(q8Digest), []byte(content), 0o600))
		all, err := l.List()
		require.Error(t, err, name)
		require.Equal(t, []Model{good}, all, name)
		_, err = l.Find(t.Context(), q8Digest)
		require.ErrorContains(t, err, "remove it", name)
		found, err := l.Find(t.Context(), q8)
		require.NoError(t, err, name)
		require.Equal(t, q8, found.Path, name)
	}
	add(t, l, q8)
	_, err := l.Find(t.Context(), q8Digest)
	require.NoError(t, err, "adding mends it")
	require.Equal(t, "ab", printable("\x1b\u202ea\n\x07b\x7f"))
	require.Len(t, printable(strings.Repeat("x", 1000)), 100)
}

func TestThresholdsAreKeptByDigest(t *testing.T) {
	l := library(t)
	unknown := strings.Repeat("ab", 32)
	th, err := l.Thresholds(unknown)
	require.NoError(t, err)
	require.Equal(t, fidelity.Default(unknown), th)

	th.Flag = 0.05
	require.NoError(t, l.SetThresholds(th))
	again, err := l.Thresholds(unknown)
	require.NoError(t, err)
	require.Equal(t, th, again)

	bad := th
	bad.Flag = -1
	require.Error(t, l.SetThresholds(bad))
	bad = th
	bad.Digest = "../x"
	require.ErrorIs(t, l.SetThresholds(bad), ErrNotFound)
	_, err = l.Thresholds("../x")
	require.ErrorIs(t, err, ErrNotFound)
	for name, content := range map[string]string{
		"nothing": "", "zero": `{"digest":"` + unknown + `"}`, "another's": `{"digest":"` + q8Digest + `","flag":0.1}`,
	} {
		require.NoError(t, os.WriteFile(l.thresholds(unknown), []byte(content), 0o600))
		_, err = l.Thresholds(unknown)
		require.Error(t, err, name)
	}
	all, err := l.List()
	require.NoError(t, err)
	require.Empty(t, all, "thresholds alone are no model")
	require.NoError(t, l.Remove(unknown))
	_, err = l.Thresholds(unknown)
	require.NoError(t, err)
}

func TestWhatLodeBringsAlongIsWhole(t *testing.T) {
	files, err := shipped.ReadDir("shipped")
	require.NoError(t, err)
	for _, f := range files {
		digest, ok := strings.CutSuffix(f.Name(), ".json")
		if !ok {
			continue
		}
		th := Shipped(digest)
		require.NoError(t, th.Check())
		require.NotNil(t, th.Measured, digest)
	}
}

func TestHeadersSayWhatIsInAModel(t *testing.T) {
	raw := read(t, q8)
	h, err := ReadHeader(bytes.NewReader(raw), int64(len(raw)))
	require.NoError(t, err)
	require.Equal(t, "lode-mini", h.Name)
	require.Equal(t, "llama", h.Architecture)
	require.EqualValues(t, len(raw), h.End)
	types := map[uint32]int{}
	for _, tensor := range h.Tensors {
		types[tensor.Type]++
	}
	require.Equal(t, map[uint32]int{0: 13, 8: len(h.Tensors) - 13}, types)
}

// gguf writes a header of one pair and one tensor.
func gguf(kind uint32, value []byte, dimension uint64, offset uint64) []byte {
	le := binary.LittleEndian
	b := append([]byte("GGUF"), 3, 0, 0, 0)
	b = le.AppendUint64(b, 1)
	b = le.AppendUint64(b, 1)
	b = le.AppendUint64(b, 1)
	b = append(b, 'k')
	b = le.AppendUint32(b, kind)
	b = append(b, value...)
	b = le.AppendUint64(b, 1)
	b = append(b, 't')
	b = le.AppendUint32(b, 1)
	b = le.AppendUint64(b, dimension)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint64(b, offset)
	return append(b, make([]byte, 256)...)
}

func FuzzReadHeader(f *testing.F) {
	f.Add(gguf(4, []byte{1, 2, 3, 4}, 8, 0))
	f.Add(gguf(8, []byte{1, 0, 0, 0, 0, 0, 0, 0, 'x'}, 8, 32))
	f.Add(gguf(9, []byte{8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 'x'}, 8, 32))
	f.Add(gguf(9, []byte{9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, 8, 32))
	f.Add(gguf(4, []byte{1, 2, 3, 4}, 1<<62, 1<<63))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := ReadHeader(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			require.ErrorIs(t, err, ErrNoModel)
			return
		}
		require.LessOrEqual(t, h.End, int64(len(raw)))
		_, err = ReadHeader(io.LimitReader(bytes.NewReader(raw), h.End-1), h.End-1)
		require.Error(t, err)
	})
}
