//go:build unix

package filejournal_test

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// BenchmarkWrite is one durable write of a record. The folder is below TMPDIR, so that decides
// which disk it is.
func BenchmarkWrite(b *testing.B) {
	for _, goroutines := range []int{1, 32} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			j := openJournal(b, journalDir(b), secret.Generate())
			work := make(chan struct{})
			var group sync.WaitGroup
			for i := range goroutines {
				r := startedRecord("")
				r.ClientID = fmt.Sprintf("client-%d", i)
				c, err := j.Claim(b.Context(), r.ClientID, time.Hour)
				if err != nil {
					b.Fatal(err)
				}
				group.Go(func() {
					for range work {
						if err := c.Write(b.Context(), r); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ResetTimer()
			for range b.N {
				work <- struct{}{}
			}
			close(work)
			group.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
		})
	}
}

// BenchmarkSync is what the disk itself costs: a file and its folder, each synced once.
func BenchmarkSync(b *testing.B) {
	dir, err := os.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer dir.Close()
	for i := range b.N {
		f, err := os.CreateTemp(dir.Name(), "file")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Write(make([]byte, 700)); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		if err := os.Rename(f.Name(), fmt.Sprintf("%s/%d", dir.Name(), i%32)); err != nil {
			b.Fatal(err)
		}
		if err := dir.Sync(); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}

// BenchmarkClaim is a claim of a client without a record, and its release.
func BenchmarkClaim(b *testing.B) {
	var j rotate.Journal = openJournal(b, journalDir(b))
	for b.Loop() {
		if err := claim(b, j).Release(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
