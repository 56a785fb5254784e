package api

// response writes a response's answer, as it comes if sse is not nil. Its items follow
// each other: a message, or calls, or a message and calls.
type response struct {
	x        *exchange
	sse      *sse
	shape    responseShape
	logprobs bool

	seq     int
	message *outputMessage // while it is open
	made    *outputCall    // while it is open
	said    []byte         // of what is open
	tokens  []Token
}

// event is one of the stream's: what is not set is left out.
type responseEvent struct {
	Type      string         `json:"type"`
	Seq       int            `json:"sequence_number"`
	Response  *responseShape `json:"response,omitempty"`
	ItemID    string         `json:"item_id,omitempty"`
	Output    *int           `json:"output_index,omitempty"`
	Content   *int           `json:"content_index,omitempty"`
	Item      any            `json:"item,omitempty"`
	Part      any            `json:"part,omitempty"`
	Delta     *string        `json:"delta,omitempty"`
	Text      *string        `json:"text,omitempty"`
	Name      string         `json:"name,omitempty"`
	Arguments *string        `json:"arguments,omitempty"`
	Logprobs  []logprob      `json:"logprobs,omitzero"`
}

func (a *response) send(e responseEvent) error {
	if a.sse == nil {
		return nil
	}
	e.Seq = a.seq
	a.seq++
	return a.sse.send(e.Type, e)
}

// sendAll sends events until one can't be sent.
func (a *response) sendAll(events ...responseEvent) error {
	for _, e := range events {
		if err := a.send(e); err != nil {
			return err
		}
	}
	return nil
}

var zero = 0

// at is the index of the item that is open, or that opens next.
func (a *response) at() *int {
	n := len(a.shape.Output)
	return &n
}

func (a *response) begin(int) error {
	return a.sendAll(
		responseEvent{Type: "response.created", Response: &a.shape},
		responseEvent{Type: "response.in_progress", Response: &a.shape},
	)
}

func (a *response) part() outputText {
	p := outputText{Type: "output_text", Text: string(a.said), Annotations: []any{}, Logprobs: []logprob{}}
	if a.logprobs {
		p.Logprobs = logprobs(a.tokens)
	}
	return p
}

// open opens a message.
func (a *response) open() error {
	if a.message != nil {
		return nil
	}
	a.message = &outputMessage{ID: "msg_" + a.x.NewID(), Type: "message", Status: "in_progress", Role: "assistant", Content: []any{}}
	return a.sendAll(
		responseEvent{Type: "response.output_item.added", Output: a.at(), Item: a.message},
		responseEvent{Type: "response.content_part.added", ItemID: a.message.ID, Output: a.at(), Content: &zero, Part: a.part()},
	)
}

func (a *response) text(_ int, text string, tokens []Token) error {
	if a.made != nil {
		if err := a.close("completed"); err != nil {
			return err
		}
	}
	if err := a.open(); err != nil {
		return err
	}
	a.said = append(a.said, text...)
	a.tokens = append(a.tokens, tokens...)
	e := responseEvent{Type: "response.output_text.delta", ItemID: a.message.ID, Output: a.at(), Content: &zero, Delta: &text, Logprobs: []logprob{}}
	if a.logprobs {
		e.Logprobs = logprobs(tokens)
	}
	return a.send(e)
}

func (a *response) call(_, _ int, name string) error {
	if err := a.close("completed"); err != nil {
		return err
	}
	a.made = &outputCall{ID: "fc_" + a.x.NewID(), Type: "function_call", Status: "in_progress", CallID: "call_" + a.x.NewID(), Name: name}
	return a.send(responseEvent{Type: "response.output_item.added", Output: a.at(), Item: a.made})
}

func (a *response) arguments(_, _ int, piece string) error {
	a.said = append(a.said, piece...)
	return a.send(responseEvent{Type: "response.function_call_arguments.delta", ItemID: a.made.ID, Output: a.at(), Delta: &piece})
}

// close closes what is open.
func (a *response) close(status string) error {
	var err error
	var whole any
	switch {
	case a.message != nil:
		part := a.part()
		a.message.Status = status
		a.message.Content = []any{part}
		whole = *a.message
		err = a.sendAll(
			responseEvent{Type: "response.output_text.done", ItemID: a.message.ID, Output: a.at(), Content: &zero, Text: &part.Text, Logprobs: part.Logprobs},
			responseEvent{Type: "response.content_part.done", ItemID: a.message.ID, Output: a.at(), Content: &zero, Part: part},
			responseEvent{Type: "response.output_item.done", Output: a.at(), Item: whole},
		)
	case a.made != nil:
		a.made.Status, a.made.Arguments = status, string(a.said)
		whole = *a.made
		err = a.sendAll(
			responseEvent{Type: "response.function_call_arguments.done", ItemID: a.made.ID, Output: a.at(), Name: a.made.Name, Arguments: &a.made.Arguments},
			responseEvent{Type: "response.output_item.done", Output: a.at(), Item: whole},
		)
	default:
		return nil
	}
	a.shape.Output = append(a.shape.Output, whole)
	a.message, a.made, a.said, a.tokens = nil, nil, nil, nil
	return err
}

func (a *response) finish(_ int, why finish) error {
	if len(a.shape.Output) == 0 && a.made == nil {
		if err := a.open(); err != nil { // an answer without words is a message, too
			return err
		}
	}
	a.shape.Status = "completed"
	if why.Finish == Length {
		a.shape.Status, a.shape.Incomplete = "incomplete", &incomplete{"max_output_tokens"}
	}
	return a.close(a.shape.Status)
}

func (a *response) end(u Usage) error {
	a.shape.Usage = &responseUsage{Input: u.Prompt, Output: u.Completion, Total: u.Prompt + u.Completion}
	if a.sse == nil {
		return a.x.json(200, a.shape)
	}
	return a.send(responseEvent{Type: "response." + a.shape.Status, Response: &a.shape})
}

// fail tells an error in both ways that clients know: some read one, some the other.
func (a *response) fail(err *Error) error {
	if a.sse == nil || !a.x.begun {
		return err
	}
	told := err.openAI().Error
	e := struct {
		Type    string      `json:"type"`
		Seq     int         `json:"sequence_number"`
		Error   openAIError `json:"error"`
		Code    *string     `json:"code"`
		Message string      `json:"message"`
		Param   *string     `json:"param"`
	}{"error", a.seq, told, told.Code, told.Message, told.Param}
	a.seq++
	if err := a.sse.send("error", e); err != nil {
		return err
	}
	code := told.Type
	if told.Code != nil {
		code = *told.Code
	}
	a.shape.Status, a.shape.Error = "failed", &responseError{code, told.Message}
	return a.send(responseEvent{Type: "response.failed", Response: &a.shape})
}
