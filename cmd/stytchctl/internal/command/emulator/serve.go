package emulator

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/instance"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/readyfile"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/server"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/store"
	"github.com/stytchkit/m2m/stytch/emulator"
)

// serveFlags are the flags of serve, besides --project-id and --project-secret-file.
type serveFlags struct {
	listen, seed, data, issuer, signingKey string
	tlsSelfSigned, tlsCert, tlsKey         string
	adminTokenFile, clock, readyFile       string
	hosts                                  []string
	memory, strict, noAdmin                bool
}

func newServe(app *cli.App) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use: "serve", Short: "Run a local Stytch",
		Long: `Serves the API of Stytch for one project, an admin API and a console, until it is interrupted or
--timeout is over. It then finishes what is in progress, for at most five seconds, and exits with 0.

One line on stdout shows the address and what to put into the environment of clients; with
-o json it is one line of JSON. The secret of the project is that of the seed. If it is random,
it goes to --ready-file, a JSON file that only its owner can read and that exists while the
server is ready.

Without --seed, ` + seed.FileName + ` in the working folder is the seed. Without a seed the project is
` + seed.DefaultProjectID + ` with the secret ` + seed.DefaultSecret + `.

With --data, every change is in the file before its response is sent, so that a crash loses
nothing. The file is for one server at a time (exit code 5). Otherwise everything is in memory.

It listens on a loopback address unless another one is given. Then anyone who reaches it can use
it: the admin API and the console need --admin-token-file, or --no-admin.`,
		Example: `  stytchctl emulator serve
  stytchctl emulator serve --data stytch.db --seed seed.yaml
  stytchctl emulator serve --listen :0 -o json --ready-file ready.json`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), app, &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:4010", "`address` to listen on; without a host, 127.0.0.1; port 0 chooses a free one")
	flags.StringVar(&f.seed, "seed", "", "`file` with what the project begins with")
	flags.StringVar(&f.data, "data", "", "`file` that keeps the project")
	flags.BoolVar(&f.memory, "memory", false, "keep everything in memory, the default")
	flags.StringVar(&f.issuer, "issuer", "", "`address` in the iss claim of tokens, such as that of a custom domain")
	flags.StringVar(&f.signingKey, "signing-key", "", "`file` with the first signing key, an RSA key in PEM; - is stdin")
	flags.BoolVar(&f.strict, "strict", false, "refuse what Stytch may tolerate: unknown fields, and JSON with another Content-Type")
	flags.StringVar(&f.tlsSelfSigned, "tls-self-signed", "", "serve HTTPS with a certificate of its own; `folder` for its files, with ca.pem for clients")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "serve HTTPS; `file` with the certificate chain in PEM")
	flags.StringVar(&f.tlsKey, "tls-key", "", "`file` with the key of --tls-cert in PEM")
	flags.StringVar(&f.adminTokenFile, "admin-token-file", "", "`file` with the token that the admin API and the console need; - is stdin")
	flags.BoolVar(&f.noAdmin, "no-admin", false, "serve neither the admin API nor the console")
	flags.StringVar(&f.clock, "clock", "", "`time` that the clock shows first, such as 2030-01-01T00:00:00Z; it ticks from there")
	flags.StringVar(&f.readyFile, "ready-file", "", "`file` for address and credentials, written once the server is ready and removed at the end")
	flags.StringSliceVar(&f.hosts, "host", nil, "`name` under which clients reach the server, besides loopback and local names")
	return cmd
}

func (f *serveFlags) check(app *cli.App) error {
	switch {
	case f.data != "" && f.memory:
		return cli.Usagef("--memory: leave it out, or leave out --data. Nothing was started.")
	case (f.tlsCert == "") != (f.tlsKey == ""):
		return cli.Usagef("--tls-cert and --tls-key belong together: give both. Nothing was started.")
	case f.tlsCert != "" && f.tlsSelfSigned != "":
		return cli.Usagef("--tls-self-signed: leave it out, or leave out --tls-cert. Nothing was started.")
	case f.noAdmin && f.adminTokenFile != "":
		return cli.Usagef("--no-admin: leave it out, or leave out --admin-token-file. Nothing was started.")
	case app.Flags.Output == cli.TSV:
		return cli.Usagef("-o: serve prints table or json. Nothing was started.")
	}
	return nil
}

func serve(ctx context.Context, app *cli.App, f *serveFlags) (err error) {
	if err := f.check(app); err != nil {
		return err
	}
	ctx, cancel := app.Context(ctx)
	defer cancel()
	file, err := readyfile.Prepare(ctx, f.readyFile)
	if err != nil {
		return err
	}
	config, err := f.serverConfig(app)
	if err != nil {
		return err
	}
	project, err := f.instanceConfig(app)
	if err != nil {
		return err
	}
	if f.data != "" {
		if project.Store, err = openStore(f.data); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, project.Store.Close()) }()
	}
	shown, err := f.identify(app, &project)
	if err != nil {
		return err
	}
	config.Console = newConsole(f.storage(), f.caFile())
	i, err := instance.Open(project)
	if err != nil {
		return startError(err)
	}
	s, err := server.Listen(ctx, i, config)
	if errors.Is(err, server.ErrNeedsToken) {
		return cli.Usagef("--listen: %s can be reached from other machines: give --admin-token-file or --no-admin. Nothing was started.", f.listen)
	}
	if err != nil {
		return listenError(err)
	}
	if !s.Loopback() {
		app.Warn("%s can be reached from other machines: anyone who knows the project's secret can use it", f.listen)
	}
	defer func() { err = errors.Join(err, file.Remove()) }()
	if err := f.announce(app, s, file, shown); err != nil {
		return errors.Join(err, s.Close())
	}
	return s.Serve(ctx)
}

// instanceConfig reads what describes the project, except its id and secret.
func (f *serveFlags) instanceConfig(app *cli.App) (config instance.Config, err error) {
	if config.Seed, err = f.readSeed(app); err != nil {
		return config, err
	}
	if config.Issuer = f.issuer; config.Issuer == "" && config.Seed != nil {
		config.Issuer = config.Seed.Project.Issuer
	}
	if f.issuer != "" {
		if _, err := emulator.New(emulator.WithIssuer(f.issuer)); err != nil {
			return config, cli.Usagef("--issuer: it must be a URL without user, query, fragment or trailing slash. Nothing was started.")
		}
	}
	if f.clock != "" {
		if config.Start, err = time.Parse(time.RFC3339, f.clock); err != nil {
			return config, cli.Usagef("--clock: it must be a time such as 2030-01-01T00:00:00Z. Nothing was started.")
		}
	}
	if f.strict {
		config.Options = append(config.Options, emulator.WithStrict())
	}
	if f.signingKey != "" {
		key, err := readSigningKey(app, f.signingKey)
		if err != nil {
			return config, err
		}
		config.Options = append(config.Options, emulator.WithSigningKey(key))
	}
	if app.Flags.Verbose {
		config.OnRequest = logRequest(app)
	}
	return config, nil
}

func (f *serveFlags) serverConfig(app *cli.App) (config server.Config, err error) {
	config = server.Config{Address: f.listen, Hosts: f.hosts, NoAdmin: f.noAdmin, OnBug: func(stack []byte) {
		app.Warn("a bug of the server ended a request: please report it with these lines\n%s", stack)
	}}
	for _, name := range f.hosts {
		if _, err := emulator.New(emulator.WithHosts(name)); err != nil || name == "" {
			return config, cli.Usagef("--host: %q must be a host name or an IP address, without a port. Nothing was started.", name)
		}
	}
	if f.adminTokenFile != "" {
		if config.AdminToken, err = app.ReadSecret("--admin-token-file", f.adminTokenFile); err != nil {
			return config, err
		}
		if len(config.AdminToken.Reveal()) < minToken {
			return config, cli.Usagef("--admin-token-file: the token must have at least %d characters. Nothing was started.", minToken)
		}
	}
	config.TLS, err = f.tls(app)
	return config, err
}

// storage says where the project is kept.
func (f *serveFlags) storage() string {
	if f.data != "" {
		return "The project is kept in " + f.data + "."
	}
	return "The project is kept in memory, and gone when the server ends."
}

// caFile is what clients have to trust, or "".
func (f *serveFlags) caFile() string {
	if f.tlsSelfSigned == "" {
		return ""
	}
	return filepath.Join(f.tlsSelfSigned, "ca.pem")
}

// minToken keeps a word from being a token.
const minToken = 16

// openStore opens the data file, and says what to do if that is not possible.
func openStore(name string) (*store.Store, error) {
	s, err := store.Open(name)
	if err == nil {
		return s, nil
	}
	class := cli.Internal
	switch {
	case errors.Is(err, store.ErrInUse), errors.Is(err, store.ErrNewer):
		class = cli.Conflict
	case errors.Is(err, store.ErrUnreadable):
	default:
		class = cli.Usage // the path, or its permissions
	}
	return nil, cli.Errorf(class, "--data: %w. Nothing was started.", err)
}

// startError describes what keeps a project from starting.
func startError(err error) error {
	switch {
	case errors.Is(err, instance.ErrInvalid):
		return cli.Usagef("--clock: %s", instance.Message(err))
	case errors.Is(err, emulator.ErrInvalidArgument):
		return cli.Usagef("%w. Nothing was started.", err)
	}
	return cli.Errorf("", "--data: %w. Nothing was started.", err)
}
