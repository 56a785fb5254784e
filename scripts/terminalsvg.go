//go:build ignore

// Terminalsvg draws a terminal's text with its colours as an SVG, for the README:
//
//	tmux capture-pane -e -p | go run scripts/terminalsvg.go > docs/images/up.svg
//
// It knows what our table uses: bold, faint and the eight colours.
package main

import (
	"bufio"
	"fmt"
	"html"
	"log"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	charWidth, lineHeight = 8.4, 18.0 // of a 14 px monospaced font
	margin                = 16.0
)

var (
	escape = regexp.MustCompile(`\x1b\[([0-9;]*)m`)
	colors = map[string]string{"31": "#f38ba8", "32": "#a6e3a1", "33": "#f9e2af", "34": "#89b4fa", "35": "#cba6f7", "36": "#94e2d5"}
)

// style is how text looks from an escape sequence on.
type style struct {
	fill        string
	bold, faint bool
}

func (s *style) apply(codes string) {
	for _, c := range strings.Split(codes, ";") {
		switch c {
		case "", "0":
			*s = style{}
		case "1":
			s.bold = true
		case "2":
			s.faint = true
		case "22":
			s.bold, s.faint = false, false
		case "39":
			s.fill = ""
		default:
			if fill, ok := colors[c]; ok {
				s.fill = fill
			}
		}
	}
}

func (s style) attributes() string {
	a := ""
	if s.fill != "" {
		a += fmt.Sprintf(` fill=%q`, s.fill)
	}
	if s.bold {
		a += ` font-weight="bold"`
	}
	if s.faint {
		a += ` opacity="0.55"`
	}
	return a
}

func main() {
	var lines []string
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		lines = append(lines, in.Text())
	}
	if err := in.Err(); err != nil {
		log.Fatal(err)
	}
	for len(lines) > 0 && strings.TrimSpace(escape.ReplaceAllString(lines[len(lines)-1], "")) == "" {
		lines = lines[:len(lines)-1]
	}
	wide := 0
	for _, l := range lines {
		wide = max(wide, utf8.RuneCountInString(strings.TrimRight(escape.ReplaceAllString(l, ""), " ")))
	}
	width, height := float64(wide)*charWidth+2*margin, float64(len(lines))*lineHeight+2*margin
	fmt.Printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="14" fill="#cdd6f4">`+"\n", width, height)
	fmt.Printf("<rect width=\"100%%\" height=\"100%%\" rx=\"8\" fill=\"#1e1e2e\"/>\n")
	var s style
	for row, l := range lines {
		col := 0
		put := func(text string) {
			if strings.TrimSpace(text) != "" {
				n := utf8.RuneCountInString(text) // textLength keeps the grid in any font
				fmt.Printf("<text x=\"%.1f\" y=\"%.1f\" textLength=\"%.1f\" xml:space=\"preserve\"%s>%s</text>\n",
					margin+float64(col)*charWidth, margin+float64(row)*lineHeight+14, float64(n)*charWidth, s.attributes(), html.EscapeString(text))
			}
			col += utf8.RuneCountInString(text)
		}
		for {
			at := escape.FindStringSubmatchIndex(l)
			if at == nil {
				put(l)
				break
			}
			put(l[:at[0]])
			s.apply(l[at[2]:at[3]])
			l = l[at[1]:]
		}
	}
	fmt.Println("</svg>")
}
