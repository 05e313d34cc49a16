package destination

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/contrib/awssecrets"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
)

func parseKubernetes(text string) (*target, error) {
	if err := checkTemplate("k8s", text); err != nil {
		return nil, err
	}
	place, key, hasKey := strings.Cut(text, "#")
	namespace, name, found := strings.Cut(place, "/")
	switch {
	case !found || namespace == "" || name == "" || strings.Contains(name, "/"):
		return nil, cli.Usagef("k8s: %q has no namespace and name: write k8s:NAMESPACE/NAME", place)
	case perClient(namespace):
		return nil, cli.Usagef("k8s: %s cannot be the namespace: put it into the name or the key", clientIDMark)
	case hasKey && key == "":
		return nil, cli.Usagef("k8s: no key follows the #: leave it out for credentials.json")
	}
	cfg, err := deliver.InCluster()
	if err != nil {
		return nil, cli.Usagef("k8s: this works in a pod only: %w", err)
	}
	cfg.Namespace, cfg.Create = namespace, true
	cfg.SecretName = func(clientID string) string { return fill(name, clientID) }
	if hasKey {
		cfg.Key = func(clientID string) string { return fill(key, clientID) }
	}
	secrets, err := deliver.Kubernetes(cfg)
	if err != nil {
		return nil, cli.Usagef("k8s: %w", err)
	}
	return &target{Deliverer: secrets, name: func(clientID string) string { return "k8s:" + fill(text, clientID) }, many: perClient(text)}, nil
}

func parseAWS(text string) (*target, error) {
	if err := checkTemplate("aws", text); err != nil {
		return nil, err
	}
	name, query, _ := strings.Cut(text, "?")
	if name == "" {
		return nil, cli.Usagef("aws: the name of the secret is missing: write aws:NAME")
	}
	settings, err := url.ParseQuery(query)
	region := settings.Get("region")
	if settings.Del("region"); err != nil || len(settings) > 0 || query != "" && region == "" {
		return nil, cli.Usagef("aws: %q is not understood: only ?region=REGION may follow the name", "?"+query)
	}
	return &target{
		Deliverer: &awsSecret{name: name, region: region},
		name:      func(clientID string) string { return "aws:" + fill(name, clientID) }, many: perClient(name),
	}, nil
}

// awsSecret finds the settings of AWS when it is first used: looking for them can ask a server.
type awsSecret struct {
	name, region string

	once sync.Once
	open *awssecrets.Deliverer
	err  error
}

func (a *awsSecret) deliverer(ctx context.Context) (*awssecrets.Deliverer, error) {
	a.once.Do(func() {
		var options []func(*config.LoadOptions) error
		if a.region != "" {
			options = append(options, config.WithRegion(a.region))
		}
		settings, err := config.LoadDefaultConfig(context.WithoutCancel(ctx), options...)
		if err == nil && settings.Region == "" {
			err = errors.New("no region is known: add ?region=REGION or set AWS_REGION")
		}
		if err != nil {
			a.err = cli.Usagef("aws: %w", err)
			return
		}
		a.open, a.err = awssecrets.New(secretsmanager.NewFromConfig(settings),
			func(clientID string) string { return fill(a.name, clientID) },
			awssecrets.WithCreate(secretsmanager.CreateSecretInput{}))
	})
	return a.open, a.err
}

func (a *awsSecret) Deliver(ctx context.Context, d rotate.Delivery) error {
	open, err := a.deliverer(ctx)
	if err != nil {
		return err
	}
	return open.Deliver(ctx, d)
}

func (a *awsSecret) Read(ctx context.Context, clientID string) (rotate.Delivery, error) {
	open, err := a.deliverer(ctx)
	if err != nil {
		return rotate.Delivery{}, err
	}
	return open.Read(ctx, clientID)
}

func (a *awsSecret) Check(ctx context.Context, clientID string) error {
	open, err := a.deliverer(ctx)
	if err != nil {
		return err
	}
	return open.Check(ctx, clientID)
}
