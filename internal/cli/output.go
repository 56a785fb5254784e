package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/spf13/cobra"
)

// printJSON prints one value for programs.
func printJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// output prints v with --json, else what human writes. Where that can't be, and v is of a
// transaction, what has happened is said in the error: who takes it for a refusal would
// send it again.
func output(cmd *cobra.Command, v any, human func(w io.Writer)) (err error) {
	if globalsOf(cmd).json {
		err = printJSON(cmd, v)
	} else {
		var b strings.Builder
		human(&b)
		_, err = io.WriteString(cmd.OutOrStdout(), b.String())
	}
	if done, ok := v.(interface{ inBlock() (string, int64) }); err != nil && ok {
		hash, height := done.inBlock()
		return fail("not_shown", "don't send it again", "transaction %s is in block %d, but its result could not be shown: %w", hash, height, err)
	}
	return err
}

// counted is a number of things, in words.
func counted[N int | int64 | uint32 | uint64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// nextPage asks for what follows an answer; nil if nothing does.
func nextPage(r *query.PageResponse) *query.PageRequest {
	if r == nil || len(r.NextKey) == 0 {
		return nil
	}
	return &query.PageRequest{Key: r.NextKey}
}

// columns is a plain table: aligned, greppable, no frames.
type columns struct {
	right map[int]bool // columns of numbers
	rows  [][]string
}

// newColumns starts a table with its head. A name that starts with ">" is a column
// aligned to the right.
func newColumns(head ...string) *columns {
	c := &columns{right: map[int]bool{}}
	for i, h := range head {
		if name, ok := strings.CutPrefix(h, ">"); ok {
			head[i], c.right[i] = name, true
		}
	}
	c.add(head...)
	return c
}

func (c *columns) add(cells ...string) { c.rows = append(c.rows, cells) }

func (c *columns) write(w io.Writer) {
	var width []int
	for _, row := range c.rows {
		for i, cell := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range c.rows {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				b.WriteString("  ")
			}
			if c.right[i] {
				b.WriteString(pad + cell)
			} else {
				b.WriteString(cell + pad)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

// facts writes names and values, aligned.
func facts(w io.Writer, pairs ...string) {
	wide := 0
	for i := 0; i < len(pairs); i += 2 {
		wide = max(wide, utf8.RuneCountInString(pairs[i]))
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		fmt.Fprintf(w, "%s%s  %s\n", pairs[i], strings.Repeat(" ", wide-utf8.RuneCountInString(pairs[i])), pairs[i+1])
	}
}
