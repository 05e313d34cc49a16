package torture

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
)

func journalRows() []badInput {
	restore := func(b *bad) { b.must(os.WriteFile(b.record(), b.kept, 0o600)) }
	edited := func(name string, want error, change func([]byte) []byte) badInput {
		return badInput{name: name, want: []error{want}, mend: restore, spoil: func(b *bad) {
			b.begin()
			b.edit(b.record(), change)
		}}
	}
	return []badInput{
		edited("corrupt record", rotate.ErrCorrupt, func(d []byte) []byte { d[len(d)/2] ^= 4; return d }),
		edited("truncated record", rotate.ErrCorrupt, func(d []byte) []byte { return d[:len(d)/2] }),
		edited("empty record", rotate.ErrCorrupt, func([]byte) []byte { return nil }),
		edited("record of a newer version", rotate.ErrNewerVersion, func(d []byte) []byte {
			return regexp.MustCompile(`"version":\d+`).ReplaceAll(d, []byte(`"version":99`))
		}),
		{name: "record of another project", want: []error{rotate.ErrOtherProject}, mend: restore, spoil: func(b *bad) {
			b.begin()
			b.edit(b.record(), func([]byte) []byte { return nil })
			other := b.order
			other.Journal, other.Project = filepath.Join(b.dir, "other"), "project-test-other"
			journal, err := other.journal()
			b.must(err)
			r, err := rotate.New(b.secrets, b.place, journal)
			b.must(err)
			b.must(r.Plan(b.Context(), b.Client))
			b.must(os.Rename(filepath.Join(other.Journal, b.Client+".json"), b.record()))
			b.must(os.RemoveAll(other.Journal))
		}},
		{name: "wrong key", want: []error{rotate.ErrWrongKey}, mend: func(b *bad) { b.Key = strings.Repeat("a", 32) }, spoil: func(b *bad) {
			b.Key = strings.Repeat("a", 32)
			b.begin()
			b.Key = strings.Repeat("b", 32)
		}},
		{name: "journal that others may read", want: []error{rotate.ErrJournal, fs.ErrPermission}, mend: func(b *bad) { b.must(os.Chmod(b.Journal, 0o700)) }, spoil: func(b *bad) {
			b.begin()
			b.must(os.Chmod(b.Journal, 0o755))
		}},
		{name: "file in place of the journal", want: []error{rotate.ErrJournal}, mend: func(b *bad) { b.must(os.Remove(b.Journal)) }, spoil: func(b *bad) {
			b.must(os.WriteFile(b.Journal, nil, 0o600))
		}},
	}
}

func serverRows() []badInput {
	replace := variant{emulator.Replace, emulator.Refuse}
	canceled := func(b *bad) {
		b.must(b.api.M2M.Secrets.Cancel(b.Context(), b.Client))
		b.place = deliver.File(b.File)
	}
	// The place starts another rotation.
	interfering := func(b *bad, interfere func()) {
		place := b.place
		b.place = &oddPlace{place, func(ctx context.Context, d rotate.Delivery) error {
			interfere()
			return place.Deliver(ctx, d)
		}}
	}
	return []badInput{
		{name: "unknown client", want: []error{stytch.ErrNotFound, rotate.ErrGone}, stage: rotate.Gone, spoil: func(b *bad) {
			b.Client = "newcomer"
			b.must(os.Remove(b.File))
		}, mend: func(b *bad) {
			_, err := b.api.M2M.Create(b.Context(), stytch.M2MCreate{ClientID: b.Client, ClientSecret: secret.Outgoing(b.initial), Scopes: []string{"read"}})
			b.must(err)
			b.must(b.place.Deliver(b.Context(), rotate.Delivery{ClientID: b.Client, Secret: b.initial}))
		}},
		{name: "client id that is none", want: []error{rotate.ErrInvalidArgument}, spoil: func(b *bad) { b.Client = "" }},
		{name: "inactive client", want: []error{stytch.ErrInactive}, stage: rotate.Planned,
			spoil: func(b *bad) { b.status(stytch.Inactive) }, mend: func(b *bad) { b.status(stytch.Active) }},
		{name: "public app", want: []error{stytch.ErrNoSecret, rotate.ErrGone}, stage: rotate.Gone, spoil: func(b *bad) {
			app, err := b.api.ConnectedApps.Create(b.Context(), stytch.ConnectedAppCreate{ClientType: "first_party_public", ClientName: "page", RedirectURLs: []string{"https://example.com/back"}})
			b.must(err)
			b.Client, b.secrets, b.prober = app.ClientID, b.api.ConnectedApps.Secrets, rotate.ByLastFour(b.api.ConnectedApps.Secrets)
			b.options = append(b.options, rotate.WithUnknownCurrent())
			b.must(os.Remove(b.File))
		}},
		{name: "somebody else's rotation", want: []error{rotate.ErrOtherRotation}, stage: rotate.Planned, mend: canceled, spoil: func(b *bad) {
			_, err := b.secrets.Start(b.Context(), b.Client)
			b.must(err)
		}},
		{name: "somebody else's rotation in place of ours", variant: replace, want: []error{rotate.ErrOtherRotation}, stage: rotate.Completing,
			working: rotate.Working{Current: rotate.Accepted, Next: rotate.Refused}, mend: canceled, spoil: func(b *bad) {
				interfering(b, func() {
					_, err := b.secrets.Start(b.Context(), b.Client)
					b.must(err)
				})
			}},
		{name: "somebody else's completed rotation in place of ours", variant: replace, want: []error{rotate.ErrNoWorkingSecret}, stage: rotate.NeedsHuman,
			working: rotate.Working{Current: rotate.Refused, Next: rotate.Refused}, spoil: func(b *bad) {
				interfering(b, func() {
					_, err := b.secrets.Start(b.Context(), b.Client)
					b.must(err)
					b.must(b.secrets.Complete(b.Context(), b.Client))
				})
			}, mend: func(b *bad) { // by hand, as the advice is
				b.must(os.Remove(b.record()))
				b.place = deliver.File(b.File)
				all := b.service.secrets()
				b.must(b.place.Deliver(b.Context(), rotate.Delivery{ClientID: b.Client, Secret: all[len(all)-1]}))
			}},
	}
}

func placeRows() []badInput {
	mended := func(b *bad) { b.place = deliver.File(b.File) }
	odd := func(deliver func(*bad) func(context.Context, rotate.Delivery) error) func(*bad) {
		return func(b *bad) { b.place = &oddPlace{b.place, deliver(b)} }
	}
	folder := func(change, mend func(b *bad, dir string)) (spoil, back func(*bad)) {
		return func(b *bad) {
			dir := filepath.Join(b.dir, "place")
			b.must(os.Mkdir(dir, 0o700))
			b.must(os.Rename(b.File, filepath.Join(dir, "credentials.json")))
			b.File = filepath.Join(dir, "credentials.json")
			b.place = deliver.File(b.File)
			change(b, dir)
		}, func(b *bad) { mend(b, filepath.Dir(b.File)) }
	}
	writable, private := folder(func(b *bad, dir string) { b.must(os.Chmod(dir, 0o777)) }, func(b *bad, dir string) { b.must(os.Chmod(dir, 0o700)) }) //nolint:gosec // on purpose
	return []badInput{
		{name: "place that hangs", want: []error{rotate.ErrDelivery, context.DeadlineExceeded}, stage: rotate.Started, working: both, mend: mended,
			spoil: func(b *bad) {
				ended := make(chan struct{})
				b.Cleanup(func() { close(ended) })
				b.options = []rotate.Option{rotate.WithDeliveryTimeout(10 * time.Millisecond)}
				b.place = &oddPlace{b.place, func(context.Context, rotate.Delivery) error { <-ended; return nil }}
			}},
		{name: "place that stores nothing", want: []error{rotate.ErrDelivery}, stage: rotate.Started, working: both, mend: mended,
			spoil: odd(func(*bad) func(context.Context, rotate.Delivery) error {
				return func(context.Context, rotate.Delivery) error { return nil }
			})},
		{name: "place that stores another secret", want: []error{rotate.ErrDelivery}, stage: rotate.Started, working: both, mend: mended,
			spoil: odd(func(b *bad) func(context.Context, rotate.Delivery) error {
				return func(ctx context.Context, d rotate.Delivery) error {
					d.Secret = secret.Generate()
					return deliver.File(b.File).Deliver(ctx, d)
				}
			})},
		{name: "place that holds an old secret", want: []error{rotate.ErrCurrentRefused}, stage: rotate.Planned,
			working: rotate.Working{Current: rotate.Refused}, spoil: func(b *bad) {
				b.must(b.place.Deliver(b.Context(), rotate.Delivery{ClientID: b.Client, Secret: secret.Generate()}))
			}, mend: func(b *bad) {
				b.must(b.place.Deliver(b.Context(), rotate.Delivery{ClientID: b.Client, Secret: b.initial}))
			}},
		{name: "place of another service", want: []error{rotate.ErrCurrentUnknown}, stage: rotate.Planned, mend: mended,
			spoil: func(b *bad) { b.place = deliver.File(filepath.Join(b.dir, "wrong.json")) }},
		{name: "place that panics", want: []error{rotate.ErrDelivery}, stage: rotate.Started, working: both, mend: mended,
			spoil: odd(func(b *bad) func(context.Context, rotate.Delivery) error {
				return func(ctx context.Context, d rotate.Delivery) error {
					b.must(deliver.File(b.File).Deliver(ctx, d)) // whether it took effect is not known
					panic("the place panics about " + d.Secret.Reveal())
				}
			})},
		{name: "place of another client", want: []error{rotate.ErrDelivery, deliver.ErrOtherClient}, stage: rotate.Planned,
			spoil: func(b *bad) {
				b.edit(b.File, func(d []byte) []byte { return bytes.Replace(d, []byte(clientID), []byte("another"), 1) })
			}, mend: func(b *bad) { b.must(os.WriteFile(b.File, b.kept, 0o600)) }},
		{name: "place that anybody may change", want: []error{rotate.ErrDelivery, fs.ErrPermission}, stage: rotate.Planned, spoil: writable, mend: private},
		{name: "place without its folder", want: []error{rotate.ErrDelivery, fs.ErrNotExist}, stage: rotate.Started, working: both,
			spoil: func(b *bad) {
				b.place = &oddPlace{b.place, deliver.File(filepath.Join(b.dir, "absent", "credentials.json")).Deliver}
			}, mend: mended},
	}
}
