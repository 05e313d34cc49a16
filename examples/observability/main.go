// Command observability logs the attempts of the SDK with log/slog and records its requests as
// OpenTelemetry spans. The local Stytch fails once, so there are two of each.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
)

func main() {
	if err := run(context.Background()); err != nil {
		slog.Error("failed", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	local, err := emulator.Start(
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "billing", Scopes: []string{"read:users"}}),
		emulator.WithFaults(emulator.HTML("GetM2MClient", http.StatusBadGateway).Times(1)))
	if err != nil {
		return err
	}
	defer local.Close()

	spans := tracetest.NewInMemoryExporter() // in a service: its own exporter
	tracing := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelDebug}))

	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL),
		stytch.WithHTTPClient(&http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport, otelhttp.WithTracerProvider(tracing))}),
		stytch.WithObserver(func(ctx context.Context, a stytch.Attempt) {
			logger.DebugContext(ctx, "stytch", "operation", a.Operation, "attempt", a.Number, "status", a.StatusCode,
				"request_id", a.RequestID, "duration", a.Duration)
		}))
	if err != nil {
		return err
	}
	client, err := api.M2M.Get(ctx, "billing")
	if err != nil {
		return err
	}
	fmt.Printf("got %s, in %d spans\n", client.ClientID, len(spans.GetSpans()))
	return nil
}
