package proxy_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
	"github.com/stytchkit/m2m/stytch/emulator"
)

func TestAdmin(t *testing.T) {
	f := start(t, nil, nil)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/": 404, "/other": 404} {
		if status, text := f.probe(path); status != want {
			t.Errorf("%s: %d %q, want %d", path, status, text, want)
		}
	}
	f.do("GET", "/some/path", "")
	f.do("GET", "/../x", "", "Host", "evil.test")
	f.wantMetric(`stytchctl_proxy_requests_total{code_class="2xx",route="/"} 1`)
	f.wantMetric(`stytchctl_proxy_requests_total{code_class="4xx",route="none"} 1`)
	f.wantMetric(`stytchctl_proxy_upstream_seconds_count{route="/"} 1`)
	f.wantMetric("stytchctl_proxy_token_minted_total 1")
	f.wantMetric("stytchctl_proxy_token_requests_total 1")
	f.wantMetric("# TYPE stytchctl_proxy_token_minted_total counter")
	f.wantMetric("stytchctl_proxy_requests_in_progress 0")
	if _, text := f.probe("/metrics"); strings.Contains(text, "some") || strings.Contains(text, "evil") {
		t.Error("the metrics have what a caller chose")
	}
	req := get(t, "http://"+f.AdminAddr().String()+"/metrics")
	req.Host = "evil.test"
	resp, err := client.Do(req)
	if err != nil || resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another host name: %v %v", resp, err)
	}
}

// A proxy is ready when it has a token, and becomes ready without the callers that it does not get.
func TestReady(t *testing.T) {
	f := prepare(t, nil)
	remove := f.stytch.Inject(emulator.Status("", 503))
	f.start(nil)
	waitFor(t, "it knows that there is no token", func() bool { return strings.Contains(f.log.String(), "no token") })
	if status, text := f.probe("/readyz"); status != 503 || text != "no token\n" {
		t.Errorf("%d %q", status, text)
	}
	if status, _ := f.probe("/healthz"); status != 200 {
		t.Errorf("healthz: %d", status)
	}
	remove()
	waitFor(t, "it is ready", func() bool { status, _ := f.probe("/readyz"); return status == 200 })
	if n := f.stytch.TokensMinted(clientID); n != 1 {
		t.Errorf("%d tokens", n)
	}
}

// What was in progress when the proxy was stopped ends as it would have; nothing new begins.
func TestDrain(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	f := start(t, func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		_, _ = io.WriteString(w, "complete")
	}, nil)
	result := make(chan reply, 1)
	go func() {
		r, err := f.try("GET", "/", nil)
		if err != nil {
			t.Error(err)
		}
		result <- r
	}()
	<-arrived
	f.end()
	waitFor(t, "it drains", func() bool {
		status, text := f.probe("/readyz")
		return status == 503 && text == "draining\n"
	})
	waitFor(t, "it accepts no more", func() bool { _, err := f.try("GET", "/", nil); return err != nil })
	close(release)
	if r := <-result; r.text != "complete" {
		t.Errorf("%q", r.text)
	}
	if err := f.stop(); err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestDrainIsLimited(t *testing.T) {
	arrived := make(chan struct{})
	f := start(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}, func(c *proxy.Config) { c.DrainTimeout = 50 * time.Millisecond })
	failed := make(chan error, 1)
	go func() {
		_, err := f.try("GET", "/", nil)
		failed <- err
	}()
	<-arrived
	if err := f.stop(); !errors.Is(err, proxy.ErrCut) {
		t.Errorf("Serve: %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("the request that was cut looks complete")
	}
}

func TestAddressInUse(t *testing.T) {
	f := start(t, nil, nil)
	for _, change := range []func(*proxy.Config){
		func(c *proxy.Config) { c.Listen = f.Addr().String() },
		func(c *proxy.Config) { c.Admin = f.Addr().String() },
	} {
		p, err := proxy.New(f.config(change))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Serve(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "proxy: listen: ") || !strings.Contains(err.Error(), "Nothing was served") {
			t.Errorf("%v", err)
		}
		if p.Addr() != nil || p.AdminAddr() != nil {
			t.Error("a listener is open")
		}
	}
}
