package cli

import (
	"fmt"
	"strconv"
	"strings"
)

// Lengths of time in seconds. A month has 30 days: periods are lengths, no dates.
const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
	week   = 7 * day
	month  = 30 * day

	// maxPeriod is the longest that the chain knows: 10 years.
	maxPeriod = 10 * 365 * day
)

// periods are the words of lengths, the longest first, and the letters of them.
var periods = []struct {
	word, letter string
	seconds      int64
}{{"month", "", month}, {"week", "w", week}, {"day", "d", day}, {"hour", "h", hour}, {"minute", "m", minute}, {"second", "s", 1}}

// parsePeriod reads a length of time, in seconds: "day", "30d", "12h", "2 weeks".
func parsePeriod(s, what string) (int64, error) {
	rest := strings.TrimLeft(s, "0123456789")
	n, err := int64(1), error(nil)
	if number := s[:len(s)-len(rest)]; number != "" {
		n, err = strconv.ParseInt(number, 10, 32)
	}
	unit := strings.TrimSpace(rest)
	for _, p := range periods {
		if unit == p.word || rest != s && (unit == p.word+"s" || p.letter != "" && unit == p.letter) {
			if err == nil && n > 0 && n <= maxPeriod/p.seconds {
				return n * p.seconds, nil
			}
			return 0, fail("bad_value", "give 1 second to 10 years", "%s: %q is no length of time that there can be", what, s)
		}
	}
	return 0, fail("bad_value", "write it like day, month, 30d, 12h or 90s", "%s: %q is no length of time", what, s)
}

// periodText is a length of time for people, in the largest unit that fits: "30 days".
func periodText(seconds int64) string {
	for _, p := range periods[1:] { // a month is 30 days, as one has said it
		if seconds >= p.seconds && seconds%p.seconds == 0 {
			if n := seconds / p.seconds; n != 1 {
				return fmt.Sprintf("%d %ss", n, p.word)
			}
			return "1 " + p.word
		}
	}
	return fmt.Sprintf("%d seconds", seconds)
}
