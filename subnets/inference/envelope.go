package inference

import "errors"

// Envelope is what everything between a client and a miner goes through: nobody on the
// way, and with a better one than [Plain] not the miner's owner either, reads what is in
// it. One value serves many calls at once.
type Envelope interface {
	// Name is what cards call it.
	Name() string
	// Seal seals a call to the miner of a card. What it returns is one line of text
	// without a line's end; opener opens the pieces of the answer.
	Seal(to Card, plain []byte) (sealed []byte, opener Opener, err error)
}

// Opener opens the pieces of one answer, in their order. A piece that is missing, comes
// twice or was changed is an error.
type Opener interface {
	Open(sealed []byte) (plain []byte, err error)
}

// Unsealer is a miner's end of an [Envelope].
type Unsealer interface {
	// Name is what the miner's card says, Key what is in it.
	Name() string
	Key() []byte
	// Unseal opens a call; sealer seals the pieces of its answer.
	Unseal(sealed []byte) (plain []byte, sealer Sealer, err error)
}

// Sealer seals the pieces of one answer, in their order, each to one line of text without
// a line's end.
type Sealer interface {
	Seal(plain []byte) (sealed []byte, err error)
}

// Plain is no envelope: the miner reads everything, the mesh encrypts what is on the way.
type Plain struct{}

// plainName is what cards call it.
const plainName = "plain"

var errLine = errors.New("a sealed piece is one line of text")

// Name is plain.
func (Plain) Name() string { return plainName }

// Key is nothing.
func (Plain) Key() []byte { return nil }

// Seal changes nothing.
func (Plain) Seal(_ Card, plain []byte) ([]byte, Opener, error) {
	sealed, err := line(plain)
	return sealed, plainPieces{}, err
}

// Unseal changes nothing.
func (Plain) Unseal(sealed []byte) ([]byte, Sealer, error) {
	plain, err := line(sealed)
	return plain, plainPieces{}, err
}

type plainPieces struct{}

func (plainPieces) Open(sealed []byte) ([]byte, error) { return line(sealed) }
func (plainPieces) Seal(plain []byte) ([]byte, error)  { return line(plain) }

// line refuses what would break an event stream. JSON as Go writes it never does.
func line(b []byte) ([]byte, error) {
	for _, c := range b {
		if c == '\n' || c == '\r' {
			return nil, errLine
		}
	}
	return b, nil
}
