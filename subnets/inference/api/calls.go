package api

import (
	"encoding/json"
	"strings"
)

// Bounds on what is kept of a call that can't be passed on yet: up to where its arguments
// begin, and of one that is read whole.
const (
	maxHead  = 1 << 10
	maxWhole = 256 << 10
)

// caller finds tool calls in a choice's text as it comes. What looks like a call and is
// none stays text.
type caller struct {
	names  map[string]bool
	bare   bool // a call has no tags
	must   bool // there is nothing but a call
	single bool // what comes after a call is dropped
	out    interface {
		text(string)
		call(name string)
		arguments(string)
	}

	state state
	buf   string // not yet decided on
	tag   string // what came before the call, if it turns out to be text
	scan  scanner
	seen  int  // bytes of a whole call that were scanned
	after bool // a call, with nothing but space since
	made  int  // calls
}

type state int

const (
	inText state = iota
	inHead       // from { to where the arguments begin
	inArguments
	inRest  // from the arguments' end to the call's
	inWhole // a call in an order of its own, read whole
	inTag   // where the closing tag is expected
	plain   // there will be no more calls
	dropped // nothing more is wanted
)

func newCaller(r *Request, t toolset) *caller {
	c := &caller{names: map[string]bool{}, bare: t.bare(r), must: t.must, single: t.single}
	for _, f := range t.tools {
		c.names[f.Name] = t.only == "" || t.only == f.Name
	}
	switch {
	case !t.any():
		c.state = plain
	case c.bare:
		c.single = true
		c.state = inHead
	}
	return c
}

// push takes text.
func (c *caller) push(text string, last bool) {
	c.buf += text
	for c.step(last) {
	}
}

// step decides on some of what has come, and tells whether there may be more to decide.
func (c *caller) step(last bool) bool {
	switch c.state {
	case plain:
		return c.say(len(c.buf))
	case dropped:
		c.buf = ""
		return false
	case inText:
		if c.after {
			c.buf = strings.TrimLeft(c.buf, " \t\r\n")
			c.after = c.buf == ""
		}
		i := strings.Index(c.buf, callOpen)
		if i < 0 {
			n := len(c.buf)
			if !last {
				n -= overlap(c.buf, callOpen)
				n = len(strings.TrimRight(c.buf[:n], " \t\r\n"))
			}
			c.say(n)
			return false
		}
		c.say(len(strings.TrimRight(c.buf[:i], " \t\r\n")))
		i = strings.Index(c.buf, callOpen) + len(callOpen)
		c.tag, c.buf, c.state = c.buf[:i], c.buf[i:], inHead
		return true
	case inHead:
		name, at, ok := head(c.buf)
		switch {
		case ok && c.names[name]:
			c.begin(name)
			c.buf, c.state, c.scan = c.buf[at:], inArguments, scanner{}
		case ok:
			return c.deny()
		case at < 0 && c.bare && !c.must:
			return c.deny() // it is the other thing that the schema allows
		case at < 0 || len(c.buf) > maxHead:
			c.state, c.scan, c.seen = inWhole, scanner{}, 0
		default:
			return last && c.deny()
		}
		return true
	case inArguments:
		n, done := c.scan.until(c.buf)
		if n > 0 {
			c.out.arguments(c.buf[:n])
		}
		c.buf = c.buf[n:]
		if done {
			c.state, c.scan = inRest, scanner{depth: 1}
		}
		return done
	case inRest:
		n, done := c.scan.until(c.buf)
		c.buf = c.buf[n:]
		if done {
			c.state = inTag
		}
		return done
	case inWhole:
		if c.seen == 0 {
			c.buf = strings.TrimLeft(c.buf, " \t\r\n")
		}
		if c.buf != "" && c.buf[0] != '{' {
			return c.deny()
		}
		n, done := c.scan.until(c.buf[c.seen:])
		n += c.seen
		c.seen = n
		if !done {
			return (last || n > maxWhole) && c.deny()
		}
		var whole struct {
			Name       string          `json:"name"`
			Arguments  json.RawMessage `json:"arguments"`
			Parameters json.RawMessage `json:"parameters"`
		}
		err := json.Unmarshal([]byte(c.buf[:n]), &whole)
		if whole.Arguments == nil {
			whole.Arguments = whole.Parameters
		}
		if err != nil || !c.names[whole.Name] || !object(whole.Arguments) {
			return c.deny()
		}
		c.begin(whole.Name)
		c.out.arguments(string(whole.Arguments))
		c.buf, c.state = c.buf[n:], inTag
		return true
	default: // inTag
		if c.single {
			c.state = dropped
			return true
		}
		rest := strings.TrimLeft(c.buf, " \t\r\n")
		if !last && strings.HasPrefix(callClose, rest) && rest != callClose {
			return false
		}
		c.buf = strings.TrimPrefix(rest, callClose)
		c.state, c.after = inText, true
		return true
	}
}

// say passes n bytes on as text.
func (c *caller) say(n int) bool {
	if n > 0 {
		c.out.text(c.buf[:n])
		c.buf = c.buf[n:]
	}
	return false
}

func (c *caller) begin(name string) {
	c.tag = ""
	c.made++
	c.out.call(name)
}

// deny finds that what looked like a call is text.
func (c *caller) deny() bool {
	if c.tag != "" {
		c.out.text(c.tag)
	}
	c.tag, c.state = "", inText
	if c.bare {
		c.state = plain
	}
	return true
}

// done tells whether a call has ended after which nothing counts.
func (c *caller) done() bool { return c.state == dropped }

// overlap is how many bytes at the end of s may be the beginning of what.
func overlap(s, what string) int {
	for n := min(len(what)-1, len(s)); n > 0; n-- {
		if strings.HasSuffix(s, what[:n]) {
			return n
		}
	}
	return 0
}

// head reads {"name": NAME, "arguments": up to the brace that opens the arguments, which
// is at. Where the text goes another way at is −1; where it is too short yet, 0.
func head(s string) (name string, at int, ok bool) {
	rest := s
	for _, want := range []string{"{", `"name"`, ":", "", ",", `"arguments"`, ":"} {
		rest = strings.TrimLeft(rest, " \t\r\n")
		if want == "" {
			end := quoted(rest)
			if end <= 0 {
				return "", end, false
			}
			if json.Unmarshal([]byte(rest[:end]), &name) != nil {
				return "", -1, false
			}
			rest = rest[end:]
			continue
		}
		if want == `"arguments"` && strings.HasPrefix(rest, `"p`) {
			want = `"parameters"`
		}
		if !strings.HasPrefix(rest, want) {
			if strings.HasPrefix(want, rest) {
				return "", 0, false
			}
			return "", -1, false
		}
		rest = rest[len(want):]
	}
	rest = strings.TrimLeft(rest, " \t\r\n")
	switch {
	case rest == "":
		return "", 0, false
	case rest[0] != '{':
		return "", -1, false
	}
	return name, len(s) - len(rest), true
}

// quoted is where a JSON string ends: −1 if s is none, 0 if it is too short yet.
func quoted(s string) int {
	if s != "" && s[0] != '"' {
		return -1
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// scanner follows braces.
type scanner struct {
	depth   int
	quoted  bool
	escaped bool
}

// until is how much of s belongs to the value, and whether it has ended.
func (c *scanner) until(s string) (int, bool) {
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case c.escaped:
			c.escaped = false
		case c.quoted && b == '\\':
			c.escaped = true
		case b == '"':
			c.quoted = !c.quoted
		case c.quoted:
		case b == '{' || b == '[':
			c.depth++
		case b == '}' || b == ']':
			if c.depth--; c.depth <= 0 {
				return i + 1, true
			}
		}
	}
	return len(s), false
}
