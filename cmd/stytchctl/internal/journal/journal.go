// Package journal opens the journals of rotations, as --journal names them: a folder, or a
// PostgreSQL database.
package journal

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A Journal is what both kinds can do.
type Journal interface {
	rotate.Journal
	Records(ctx context.Context) iter.Seq2[rotate.Record, error]
	Purge(ctx context.Context, olderThan time.Duration) (deleted int, err error)
	Inspect(ctx context.Context) (findings []error, err error)
}

// A Place is where a journal is, and what opens it.
type Place struct {
	Where     string // a folder, or postgres://…
	ProjectID string
	Keys      []secret.String // the first encrypts
	Password  secret.String   // of the database; zero leaves it to PGPASSWORD and PGPASSFILE
	Create    bool            // the folder or the tables, if they do not exist
	Absent    bool            // a folder that does not exist is a journal without records
}

// Opened is a journal in use.
type Opened struct {
	Journal
	Shared bool // among machines: other workers take what is planned
	close  func()
}

// Close ends the connections of the journal.
func (o *Opened) Close() { o.close() }

// Check refuses a place that cannot be one, before anything is opened.
func (p Place) Check() error {
	switch scheme, _, isURL := strings.Cut(p.Where, "://"); {
	case p.Where == "":
		return cli.Usagef("--journal: name the folder of the journal, or its database (postgres://…). Nothing was done.")
	case isURL && scheme != "postgres" && scheme != "postgresql":
		return cli.Usagef("--journal: %q is no kind of journal: name a folder, or postgres://… Nothing was done.", scheme)
	case isURL:
		return p.checkDatabase()
	}
	return nil
}

// Open opens the journal.
func (p Place) Open(ctx context.Context) (*Opened, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if _, err := rotate.NewCodec(p.ProjectID, p.Keys...); err != nil {
		return nil, cli.Errorf(cli.Usage, "--journal-key-file: a key must be a random text of at least 32 bytes, each another one (openssl rand -base64 48 > FILE). Nothing was done: %w", err)
	}
	if strings.Contains(p.Where, "://") {
		return p.openDatabase(ctx)
	}
	if _, err := os.Stat(p.Where); errors.Is(err, fs.ErrNotExist) && !p.Create {
		if p.Absent {
			return &Opened{Journal: absent{}, close: func() {}}, nil
		}
		return nil, cli.Errorf(cli.Usage, "--journal: there is no folder %s: check the name. Nothing was done.", p.Where)
	}
	folder, err := filejournal.New(p.Where, p.ProjectID, p.Keys...)
	if err != nil {
		return nil, cli.Errorf("", "--journal: %w", err)
	}
	return &Opened{Journal: folder, close: func() {}}, nil
}

// Bucket limits the requests of this process or, where the journal is shared, of all workers.
func (o *Opened) Bucket(perSecond float64, burst int) (rotate.Limiter, error) {
	if shared, ok := o.Journal.(interface {
		Bucket(name string, perSecond float64, burst int) (rotate.Limiter, error)
	}); ok {
		return shared.Bucket("stytchctl", perSecond, burst)
	}
	return rotate.NewBucket(perSecond, burst)
}
