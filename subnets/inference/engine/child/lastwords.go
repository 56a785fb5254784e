package child

import (
	"regexp"
	"sync"
)

// assertion matches what ggml prints of a failed assertion: a place and a condition of its
// source. All else that a process prints may hold what it works on.
var assertion = regexp.MustCompile(`(?m)^\S+\.(?:c|cpp|h|cu):\d+: GGML_ASSERT\([ -~]{1,200}\) failed$`)

// lastWords keeps the first failed assertion of what is printed.
type lastWords struct {
	mu    sync.Mutex
	tail  []byte
	words string
}

func (l *lastWords) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.words == "" {
		l.tail = append(l.tail, p...)
		l.words = string(assertion.Find(l.tail))
		l.tail = l.tail[max(0, len(l.tail)-512):]
	}
	return len(p), nil
}

func (l *lastWords) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.words
}
