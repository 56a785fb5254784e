package inference

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// receiptDays is how long receipts are kept.
const receiptDays = 90

// receiptSuffix ends the names of a day's receipts.
const receiptSuffix = ".jsonl"

// Receipts keeps receipts in a folder: a file a day, each line one in JSON, readable by
// their owner alone, for 90 days. Several processes may use it at once.
type Receipts struct {
	dir string
	now func() time.Time

	mu   sync.Mutex
	day  string
	file *os.File
}

// OpenReceipts makes the folder, and removes what is older than 90 days.
func OpenReceipts(dir string, now func() time.Time) (*Receipts, error) {
	if now == nil {
		now = time.Now
	}
	r := &Receipts{dir: dir, now: now}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return r, r.prune()
}

// Keep writes a receipt.
func (r *Receipts) Keep(receipt Receipt) error {
	line, err := json.Marshal(receipt)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.turn(); err != nil {
		return err
	}
	_, err = r.file.Write(append(line, '\n')) // at once, so that lines of processes don't mix
	return err
}

// turn opens the file of the day.
func (r *Receipts) turn() error {
	day := r.now().UTC().Format(time.DateOnly)
	if r.file != nil && r.day == day {
		return nil
	}
	if r.file != nil {
		if err := errors.Join(r.file.Close(), r.prune()); err != nil {
			return err
		}
		r.file = nil
	}
	f, err := os.OpenFile(filepath.Join(r.dir, day+receiptSuffix), os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := endLine(f); err != nil {
		return errors.Join(err, f.Close())
	}
	r.file, r.day = f, day
	return nil
}

// endLine ends a line that a killed process has left half.
func endLine(f *os.File) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, size-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = f.Write([]byte{'\n'})
	return err
}

// days are those that have receipts, the oldest first.
func (r *Receipts) days() ([]string, error) {
	entries, err := os.ReadDir(r.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var days []string
	for _, e := range entries {
		day, ok := strings.CutSuffix(e.Name(), receiptSuffix)
		if _, err := time.Parse(time.DateOnly, day); ok && err == nil {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	return days, err
}

func (r *Receipts) prune() error {
	days, err := r.days()
	if err != nil {
		return err
	}
	oldest := r.now().UTC().AddDate(0, 0, -receiptDays).Format(time.DateOnly)
	for _, day := range days {
		if day >= oldest {
			break
		}
		if err := os.Remove(filepath.Join(r.dir, day+receiptSuffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Each visits the receipts of a time and later, the oldest first, until visit says stop.
// Lines that can't be read, half written ones, are left out.
func (r *Receipts) Each(from time.Time, visit func(Receipt) (more bool)) error {
	days, err := r.days()
	if err != nil {
		return err
	}
	for _, day := range days {
		if day < from.UTC().Format(time.DateOnly) {
			continue
		}
		more, err := r.each(day, func(x Receipt) bool { return x.Time.Before(from) || visit(x) })
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func (r *Receipts) each(day string, visit func(Receipt) bool) (more bool, err error) {
	f, err := os.Open(filepath.Join(r.dir, day+receiptSuffix))
	if err != nil {
		return false, err
	}
	defer f.Close()
	in := bufio.NewReader(f)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return false, err
		}
		var x Receipt
		if line = bytes.TrimSpace(line); len(line) > 0 && json.Unmarshal(line, &x) == nil && x.Version == ReceiptVersion {
			if !visit(x) {
				return false, nil
			}
		}
		if err == io.EOF {
			return true, nil
		}
	}
}

// ErrNoReceipt says that there is no receipt of an answer.
var ErrNoReceipt = errors.New("there is no such receipt")

// Find returns the receipts of an answer: one for each choice, of each prompt.
func (r *Receipts) Find(id string) ([]Receipt, error) {
	var out []Receipt
	err := r.Each(time.Time{}, func(x Receipt) bool {
		if x.ID == id {
			out = append(out, x)
		}
		return true
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("%w: %.80q; they are kept for %d days", ErrNoReceipt, id, receiptDays)
	}
	return out, err
}

// Close closes the file that is open.
func (r *Receipts) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}
