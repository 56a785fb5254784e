package inference

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/engine"
)

func TestWhatIsMadeWhileAPieceIsOnItsWayLeavesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o outbox
		var sent []Event
		way := make(chan error)
		o.init(func(ev Event) error {
			sent = append(sent, ev)
			return <-way
		})
		for n := range 5 {
			require.NoError(t, o.put(Event{Text: fmt.Sprint(n), Tokens: []Token{{ID: int32(n)}}}))
			if n == 0 {
				synctest.Wait()
				require.Equal(t, []Event{{Text: "0", Tokens: []Token{{ID: 0}}}}, sent, "the first one leaves at once")
			}
		}
		require.NoError(t, o.put(Event{Finish: engine.FinishStop, StopString: "x", Tokens: []Token{{ID: 5}}}))
		way <- nil
		way <- nil
		require.NoError(t, o.wait())
		require.Equal(t, Event{Text: "1234", Tokens: []Token{{ID: 1}, {ID: 2}, {ID: 3}, {ID: 4}, {ID: 5}}, Finish: engine.FinishStop, StopString: "x"}, sent[1])
		require.Len(t, sent, 2)
	})
}

func TestAnEngineThatIsFarAheadWaitsForItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o outbox
		way := make(chan error)
		o.init(func(Event) error { return <-way })
		var mu sync.Mutex
		put := 0
		ended := make(chan error, 1)
		go func() {
			for {
				if err := o.put(Event{Text: "x", Tokens: []Token{{}}}); err != nil {
					ended <- err
					return
				}
				mu.Lock()
				put++
				mu.Unlock()
			}
		}()
		synctest.Wait()
		mu.Lock()
		require.GreaterOrEqual(t, put, maxWaiting)
		require.LessOrEqual(t, put, 2*maxWaiting, "what is on its way, and what waits")
		mu.Unlock()
		gone := errors.New("the caller is gone")
		way <- gone
		require.ErrorIs(t, <-ended, gone, "and is told that nobody waits any more")
		require.ErrorIs(t, o.wait(), gone)
		require.ErrorIs(t, o.put(Event{}), gone)
	})
}
