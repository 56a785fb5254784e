package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal asks the user. Where standard input is no terminal, answers are its lines,
// in the order of the questions, and questions are not printed.
type terminal struct {
	file  *os.File // nil if input is no terminal
	lines *bufio.Reader
	out   io.Writer
}

// maxAnswers bounds what is read for answers, in bytes: input need not have lines.
const maxAnswers = 1 << 20

func newTerminal(in io.Reader, out io.Writer) *terminal {
	t := &terminal{lines: bufio.NewReader(io.LimitReader(in, maxAnswers)), out: out}
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		t.file = f
	}
	return t
}

// errNoAnswer says that input ended before a question was answered.
var errNoAnswer = errors.New("standard input ended without an answer")

// ask asks for a line. A secret one is not shown while it is typed.
func (t *terminal) ask(ctx context.Context, question string, secret bool) (string, error) {
	if t.file == nil {
		return t.line()
	}
	fmt.Fprint(t.out, question)
	type answer struct {
		text string
		err  error
	}
	// The read can't be interrupted: on ctx's end it is left behind, the process ends
	// soon anyway, but the terminal must show what is typed again.
	fd := int(t.file.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	got := make(chan answer, 1)
	go func() {
		if !secret {
			text, err := t.line()
			got <- answer{text, err}
			return
		}
		raw, err := term.ReadPassword(fd)
		if errors.Is(err, io.EOF) {
			err = errNoAnswer
		}
		got <- answer{string(raw), err}
	}()
	select {
	case a := <-got:
		if secret {
			fmt.Fprintln(t.out)
		}
		return a.text, a.err
	case <-ctx.Done():
		fmt.Fprintln(t.out)
		return "", errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}

func (t *terminal) line() (string, error) {
	text, err := t.lines.ReadString('\n')
	if errors.Is(err, io.EOF) {
		if text == "" {
			return "", errNoAnswer
		}
		err = nil // the last line needs no end
	}
	return strings.TrimRight(text, "\r\n"), err
}
