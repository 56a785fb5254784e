package api

// gathered is an answer that is kept to be written whole.
type gathered struct {
	newID   func() string
	choices []gatheredChoice
	prompt  int
}

type gatheredChoice struct {
	text   []byte
	tokens []Token
	calls  []call
	why    finish
}

func (g *gathered) at(choice int) *gatheredChoice {
	for len(g.choices) <= choice {
		g.choices = append(g.choices, gatheredChoice{})
	}
	return &g.choices[choice]
}

func (g *gathered) begin(prompt int) error {
	g.prompt = prompt
	return nil
}

func (g *gathered) text(choice int, text string, tokens []Token) error {
	c := g.at(choice)
	c.text = append(c.text, text...)
	c.tokens = append(c.tokens, tokens...)
	return nil
}

func (g *gathered) call(choice, _ int, name string) error {
	c := g.at(choice)
	c.calls = append(c.calls, call{ID: g.newID(), Name: name})
	return nil
}

func (g *gathered) arguments(choice, index int, piece string) error {
	g.at(choice).calls[index].Arguments += piece
	return nil
}

func (g *gathered) finish(choice int, why finish) error {
	g.at(choice).why = why
	return nil
}

func (g *gathered) fail(err *Error) error { return err }
