//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// many is a pool as large as the number of workers.
func many(c *pgxpool.Config) { c.MaxConns = 32 }

// share lets workers do n things together.
func share(n, workers int, do func(worker int)) {
	var taken atomic.Int64
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			for taken.Add(1) <= int64(n) {
				do(worker)
			}
		})
	}
	all.Wait()
}

// A write, which waits for the disk, by one worker and by 32 at once.
func BenchmarkWrite(b *testing.B) {
	for _, workers := range []int{1, 32} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			j := open(b, newSchema(b), many)
			var claims []rotate.Claim
			for i := range workers {
				c, err := j.Claim(b.Context(), fmt.Sprintf("client-%d", i), time.Hour)
				if err != nil {
					b.Fatal(err)
				}
				claims = append(claims, c)
			}
			b.ResetTimer()
			share(b.N, workers, func(worker int) {
				r := record(rotate.Started, "r")
				r.ClientID = fmt.Sprintf("client-%d", worker)
				if err := claims[worker].Write(b.Context(), r); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

// BenchmarkQueue is everything that the database does for a rotation, in a fleet of 100,000: from
// the queue to the end, by 32 workers.
func BenchmarkQueue(b *testing.B) {
	j := open(b, newSchema(b), many)
	clients := make([]string, 100_000)
	for i := range clients {
		clients[i] = fmt.Sprintf("m2m-client-%06d", i)
	}
	began := time.Now()
	if _, err := j.Plan(b.Context(), clients); err != nil {
		b.Fatal(err)
	}
	planned := time.Since(began)
	states := []rotate.State{rotate.Starting, rotate.Started, rotate.Delivered, rotate.Verified, rotate.Completing, rotate.Completed}
	b.ResetTimer()
	share(b.N, 32, func(int) {
		if err := rotateOne(b.Context(), j, states); err != nil {
			b.Error(err)
		}
	})
	b.ReportMetric(planned.Seconds(), "s/plan")
}

func rotateOne(ctx context.Context, j rotate.Queue, states []rotate.State) error {
	c, _, err := j.Next(ctx, time.Hour)
	if errors.Is(err, rotate.ErrNoRotation) {
		return nil // the benchmark asked for more than there are
	}
	if err != nil {
		return err
	}
	for _, state := range states {
		r := c.Record()
		r.State, r.Next = state, key
		if err := c.Write(ctx, r); err != nil {
			return err
		}
	}
	return nil
}
