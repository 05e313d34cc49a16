package rotate

import (
	"context"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/journal"
)

const (
	journalVariable = "STYTCHCTL_JOURNAL"
	keyVariable     = "STYTCHCTL_JOURNAL_KEY_FILE"
)

// journalFlags name the journal, and what opens it.
type journalFlags struct {
	where        string
	keyFiles     []string
	passwordFile string
}

func (f *journalFlags) register(set *pflag.FlagSet) {
	set.StringVar(&f.where, "journal", "", "`place` of the journal: a folder, or postgres://user@host/database ("+journalVariable+")")
	set.StringArrayVar(&f.keyFiles, "journal-key-file", nil, "`file` with a key of the journal; the first one encrypts, all decrypt ("+keyVariable+")")
	set.StringVar(&f.passwordFile, "journal-password-file", "", "`file` with the password of the database; - is stdin")
}

// open opens the journal of a project.
func (f *journalFlags) open(ctx context.Context, app *cli.App, place journal.Place) (*journal.Opened, error) {
	place, err := f.complete(app, place)
	if err != nil {
		return nil, err
	}
	opened, err := place.Open(ctx)
	return opened, stopped(ctx, err, f.stopContext(""))
}

// complete reads what the flags name.
func (f *journalFlags) complete(app *cli.App, place journal.Place) (journal.Place, error) {
	place.Where = f.where
	if place.Where == "" {
		place.Where = app.Getenv(journalVariable)
	}
	files := f.keyFiles
	if len(files) == 0 {
		files = filepath.SplitList(app.Getenv(keyVariable))
	}
	for _, file := range files {
		key, err := app.ReadSecret("--journal-key-file", file)
		if err != nil {
			return journal.Place{}, err
		}
		place.Keys = append(place.Keys, key)
	}
	if f.passwordFile != "" {
		password, err := app.ReadSecret("--journal-password-file", f.passwordFile)
		if err != nil {
			return journal.Place{}, err
		}
		place.Password = password
	}
	return place, place.Check()
}

// onJournal opens the journal for a command that sends nothing to Stytch, and passes it to do. The
// secret of the project is not read.
func (f *journalFlags) onJournal(ctx context.Context, app *cli.App, do func(context.Context, *journal.Opened) error) error {
	ctx, cancel := app.Context(ctx)
	defer cancel()
	project, err := app.Project(ctx)
	if err != nil {
		return err
	}
	j, err := f.open(ctx, app, journal.Place{ProjectID: project.ProjectID})
	if err != nil {
		return err
	}
	defer j.Close()
	return do(ctx, j)
}

// words are the flags again, for a command that a person is advised to run.
func (f *journalFlags) words() (words []string) {
	if f.where != "" {
		words = append(words, "--journal", f.where)
	}
	for _, file := range f.keyFiles {
		words = append(words, "--journal-key-file", file)
	}
	if f.passwordFile != "" {
		words = append(words, "--journal-password-file", f.passwordFile)
	}
	return words
}

// auditFlags name the log of what was done.
type auditFlags struct {
	path  string
	actor string
}

func (f *auditFlags) register(set *pflag.FlagSet) {
	set.StringVar(&f.path, "audit", "", "`file` of the audit log, which is continued")
	set.StringVar(&f.actor, "actor", "", "who or what runs this, for the audit log, such as \"job 4711\"")
}

func (f *auditFlags) words() (words []string) {
	if f.path != "" {
		words = append(words, "--audit", f.path)
	}
	return words
}

// check refuses what cannot be a log before anything is done.
func (f *auditFlags) check() error {
	if f.path == "" {
		if f.actor != "" {
			return cli.Usagef("--actor: it is for the audit log: give --audit too. Nothing was sent.")
		}
		return nil
	}
	if info, err := os.Stat(filepath.Dir(f.path)); err != nil || !info.IsDir() {
		return cli.Usagef("--audit: there is no folder %s. Nothing was sent.", filepath.Dir(f.path))
	}
	return nil
}
