package video

import "time"

// sizes are the probes that a validator chooses from, the cheapest first.
var sizes = []ProbeSize{
	{Width: 160, Height: 90, Seconds: 1},
	{Width: 192, Height: 108, Seconds: 1},
	{Width: 256, Height: 144, Seconds: 1},
	{Width: 320, Height: 180, Seconds: 1},
	{Width: 320, Height: 180, Seconds: 1.4},
	{Width: 320, Height: 180, Seconds: 2},
}

// budget keeps a round's length near a goal on whatever machine it runs: a slow one gets
// smaller probes. The first round is small, so that the first weights come soon.
type budget struct {
	goal  time.Duration
	level int
}

func newBudget(goal time.Duration) *budget { return &budget{goal: goal} }

// size returns the next probe's.
func (b *budget) size() ProbeSize { return sizes[b.level] }

// took notes how long a round was.
func (b *budget) took(d time.Duration) {
	switch {
	case d > b.goal && b.level > 0:
		b.level--
	case d < b.goal/2 && b.level < len(sizes)-1:
		b.level++
	}
}
