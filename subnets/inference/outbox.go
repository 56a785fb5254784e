package inference

import "sync"

// maxWaiting bounds what waits to be sent, in tokens: an engine that is further ahead of
// its caller waits.
const maxWaiting = 256

// outbox sends an answer while the engine works on it. A piece leaves at once; what the
// engine makes while one is on its way leaves together with the next.
type outbox struct {
	send func(Event) error

	mu      sync.Mutex
	changed sync.Cond
	waiting Event
	some    bool // there is something in waiting
	busy    bool // somebody sends
	err     error
}

func (o *outbox) init(send func(Event) error) {
	o.send = send
	o.changed.L = &o.mu
}

// put takes a piece. It returns what went wrong with earlier ones.
func (o *outbox) put(ev Event) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && len(o.waiting.Tokens) >= maxWaiting {
		o.changed.Wait()
	}
	if o.err != nil {
		return o.err
	}
	o.some = true
	o.waiting.Text += ev.Text
	o.waiting.Tokens = append(o.waiting.Tokens, ev.Tokens...)
	o.waiting.Finish, o.waiting.StopString = ev.Finish, ev.StopString
	if !o.busy {
		o.busy = true
		go o.work()
	}
	return nil
}

// work sends until nothing waits.
func (o *outbox) work() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.some && o.err == nil {
		ev := o.waiting
		o.waiting, o.some = Event{}, false
		o.changed.Broadcast()
		o.mu.Unlock()
		err := o.send(ev)
		o.mu.Lock()
		o.err = err
	}
	o.busy = false
	o.changed.Broadcast()
}

// wait waits until all is sent, or can't be.
func (o *outbox) wait() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.busy {
		o.changed.Wait()
	}
	return o.err
}
