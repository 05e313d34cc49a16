package proxy

import (
	"context"
	"errors"
	"syscall"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/readyfile"
	"github.com/stytchkit/m2m/stytch/token"
)

const nothing = " Nothing was started."

func run(ctx context.Context, app *cli.App, f *flags) (err error) {
	file, err := readyfile.Prepare(ctx, f.readyFile)
	if err != nil {
		return err
	}
	config, err := f.config(ctx, app)
	if err != nil {
		return err
	}
	if f.store != "" {
		closeStore, err := f.openStore(app, &config)
		if err != nil {
			return err
		}
		defer closeStore()
	}
	p, err := proxy.New(config)
	if err != nil {
		return configError(err)
	}
	if err := p.Listen(ctx); err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return cli.Errorf(cli.Conflict, "%w.", err)
		}
		return cli.Usagef("%w.", err)
	}
	if f.allowRemote {
		app.Note("Callers need a certificate of --client-ca.")
	}
	defer func() { err = errors.Join(err, file.Remove()) }()
	if err := f.announce(app, p, file); err != nil {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		return errors.Join(err, p.Serve(ended)) // which closes the listeners
	}
	err = p.Serve(ctx)
	if errors.Is(err, proxy.ErrCut) {
		return cli.Errorf(cli.Partial, "%w: give a longer --drain-timeout", err)
	}
	return err
}

// configError names the flag instead of the field.
func configError(err error) error {
	var config *proxy.ConfigError
	if !errors.As(err, &config) {
		if errors.Is(err, token.ErrInvalidArgument) {
			return cli.Usagef("%w.", err)
		}
		return err
	}
	flag, ok := flagOf[config.Field]
	if !ok {
		return cli.Usagef("%w", err)
	}
	return cli.Usagef("%s: %s."+nothing, flag, config.Rule)
}

// flagOf are the flags that set the fields of a proxy.Config.
var flagOf = map[string]string{
	"Listen": "--listen", "Admin": "--admin", "TokenSocket": "--token-socket", "AllowRemote": "--allow-remote", "ClientCAs": "--client-ca",
	"Hosts": "--host", "Routes": "--upstream and --route", "MaxBodyReplay": "--max-body-replay", "UpstreamTimeout": "--upstream-timeout",
	"DrainTimeout": "--drain-timeout", "Budget": "--budget", "StoreKeys": "--store-key-file",
}

// announcement is what the proxy prints, and what --ready-file holds.
type announcement struct {
	URL         string `json:"url"`
	AdminURL    string `json:"admin_url,omitempty"`
	TokenSocket string `json:"token_socket,omitempty"`
}

// announce shows that the proxy accepts requests.
func (f *flags) announce(app *cli.App, p *proxy.Proxy, file *readyfile.File) error {
	scheme := "http://"
	if f.tlsCert != "" {
		scheme = "https://"
	}
	a := announcement{URL: scheme + p.Addr().String(), TokenSocket: f.socket}
	if admin := p.AdminAddr(); admin != nil {
		a.AdminURL = scheme + admin.String()
	}
	if err := file.Write(a); err != nil {
		return err
	}
	if app.Machine() {
		return cli.PrintOne(app, a)
	}
	line := "proxy at " + a.URL
	if a.AdminURL != "" {
		line += ", admin at " + a.AdminURL
	}
	if a.TokenSocket != "" {
		line += ", tokens at " + a.TokenSocket
	}
	return cli.PrintText(app, []byte(line+"\n"))
}
