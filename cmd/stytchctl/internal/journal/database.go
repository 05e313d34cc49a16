package journal

import (
	"context"
	"net/url"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// checkDatabase refuses a password in the address, which everyone on the machine can read in the
// arguments of the process. No error quotes the address.
func (p Place) checkDatabase() error {
	address, err := url.Parse(p.Where)
	if err != nil {
		return cli.Usagef("--journal: the address of the database is not a URL: write postgres://user@host/database. Nothing was done.")
	}
	_, inUser := address.User.Password()
	query, err := url.ParseQuery(address.RawQuery)
	switch {
	case err != nil:
		return cli.Usagef("--journal: the part of the address after ? cannot be read: percent-encode it. Nothing was done.")
	case inUser, query.Has("password"), query.Has("sslpassword"):
		return cli.Usagef("--journal: it holds a password, which everyone on this machine can read: leave it out, and use --journal-password-file, PGPASSFILE or PGPASSWORD. Nothing was done.")
	case len(p.Keys) == 0:
		return cli.Usagef("--journal-key-file: a journal in a database needs a key, because its rows end up in backups and replicas. Nothing was done.")
	}
	return nil
}

// connections suffice for any concurrency: none is held between statements.
const connections = 10

func (p Place) openDatabase(ctx context.Context) (*Opened, error) {
	config, err := pgxpool.ParseConfig(p.Where)
	if err != nil { // it quotes the address, which has no password
		return nil, cli.Errorf(cli.Usage, "--journal: %w. Nothing was done.", err)
	}
	if !p.Password.IsZero() {
		config.ConnConfig.Password = p.Password.Reveal()
	}
	config.MaxConns = max(config.MaxConns, connections)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, cli.Errorf(cli.Unavailable, "--journal: %w: %w", rotate.ErrJournal, err)
	}
	opened, err := p.onPool(ctx, pool)
	if err != nil {
		pool.Close()
		return nil, err
	}
	return opened, nil
}

func (p Place) onPool(ctx context.Context, pool *pgxpool.Pool) (*Opened, error) {
	if p.Create {
		if err := postgres.Migrate(ctx, pool); err != nil {
			return nil, cli.Errorf("", "--journal: %w", err)
		}
	} else if err := pool.Ping(ctx); err != nil {
		return nil, cli.Errorf(cli.Unavailable, "--journal: %w: %w", rotate.ErrJournal, err)
	}
	tables, err := postgres.New(pool, p.ProjectID, p.Keys...)
	if err != nil {
		return nil, cli.Errorf("", "--journal: %w", err)
	}
	return &Opened{Journal: tables, Shared: true, close: pool.Close}, nil
}
