package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// maxLine is the most bytes of a line.
const maxLine = 64 << 10

// Summary is what a log was verified to be.
type Summary struct {
	Lines int
	Last  string // the SHA-256 of the last line, in hexadecimal; "" if there is none
}

// Verify reads a log and checks every line against the one before. The error is [ErrBroken] and
// names the first line that is wrong; the summary is that of the lines before it. What was cut off
// at the end, or changed in the last line, shows by another summary than the one that was kept.
func Verify(log io.Reader) (Summary, error) {
	c := newChain()
	err := c.read(log)
	return Summary{c.lines, c.last}, err
}

// chain is what the lines so far say.
type chain struct {
	lines      int
	last       string // the hash of the last line
	size       int64  // bytes of the lines
	inProgress map[string]entry
	replayed   map[string]rotate.State // what was last replayed for a rotation
}

// entry is a rotation in progress.
type entry struct {
	clientID string
	state    rotate.State
}

func newChain() chain {
	return chain{inProgress: map[string]entry{}, replayed: map[string]rotate.State{}}
}

// errTorn is a last line without its end: it was being written when the process died.
var errTorn = errors.New("it is not complete")

// read adds the lines of a log.
func (c *chain) read(log io.Reader) error {
	lines := bufio.NewReaderSize(log, maxLine)
	for {
		text, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && len(text) == 0:
			return nil
		case errors.Is(err, io.EOF):
			return c.broken(errTorn)
		case errors.Is(err, bufio.ErrBufferFull):
			return c.broken(errors.New("it is too long"))
		case err != nil:
			return fmt.Errorf("audit: read line %d: %w", c.lines+1, err)
		}
		if err := c.add(text[:len(text)-1]); err != nil {
			return err
		}
	}
}

func (c *chain) broken(why error) error {
	return fmt.Errorf("%w: line %d: %w", ErrBroken, c.lines+1, why)
}

// add adds a line, if it is what follows.
func (c *chain) add(text []byte) error {
	l, ok := parse(text)
	switch {
	case !ok:
		return c.broken(errors.New("it is not one of this package"))
	case l.Seq != c.lines+1:
		return c.broken(errors.New("its number is wrong: lines were removed or added"))
	case l.Previous != c.last:
		return c.broken(errors.New("the line before it was changed"))
	}
	c.lines, c.last, c.size = l.Seq, hash(text), c.size+int64(len(text))+1
	if !l.changes() {
		return nil
	}
	delete(c.replayed, l.RotationID)
	if l.Replayed {
		c.replayed[l.RotationID] = l.To
	}
	if l.ends() {
		delete(c.inProgress, l.RotationID)
	} else {
		c.inProgress[l.RotationID] = entry{l.ClientID, l.To}
	}
	return nil
}
