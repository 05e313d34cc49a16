package stytch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch"
)

// shelf is an endless fake search: page n holds the item n and names the cursor n+1. Each page
// takes a second.
type shelf struct {
	list     string
	started  atomic.Int32
	inFlight atomic.Int32
	canceled atomic.Int32
	last     int                                            // number of the last page; 0 means none
	block    map[int]bool                                   // pages that never get a response
	each     func(w http.ResponseWriter, n int) (done bool) // instead of the page
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.started.Add(1)
	s.inFlight.Add(1)
	defer s.inFlight.Add(-1)
	var request struct{ Cursor string }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		writeJSON(w, 500, `{}`)
		return
	}
	n := 1
	_, _ = fmt.Sscan(request.Cursor, &n)
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	expired := timer.C
	if s.block[n] {
		expired = nil
	}
	select {
	case <-expired:
	case <-r.Context().Done():
		s.canceled.Add(1)
		return
	}
	if s.each != nil && s.each(w, n) {
		return
	}
	next := fmt.Sprintf(`"%d"`, n+1)
	if n == s.last {
		next = "null"
	}
	w.Header().Set("Page", fmt.Sprint(n))
	writeJSON(w, 200, pageBody(s.list, []string{fmt.Sprint(n)}, next, -1))
}

// eachWayInBubble runs a test in virtual time; the bubble fails if a goroutine outlives it.
func eachWayInBubble(t *testing.T, test func(t *testing.T, f family, prefetch bool)) {
	eachWay(t, func(t *testing.T, f family, prefetch bool) {
		synctest.Test(t, func(t *testing.T) { test(t, f, prefetch) })
	})
}

// Reading ahead is what it is for: the waits for pages and the work on them overlap.
func TestPrefetchOverlaps(t *testing.T) {
	eachWayInBubble(t, func(t *testing.T, f family, prefetch bool) {
		s := &shelf{list: f.list, last: 10}
		begin := time.Now()
		for _, err := range f.search(clientInMemory(t, s.ServeHTTP), t.Context(), paging{Prefetch: prefetch}) {
			if err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Second)
		}
		want := 20 * time.Second
		if prefetch {
			want = 11 * time.Second
		}
		if took := time.Since(begin); took != want {
			t.Errorf("ten pages took %v of virtual time, want %v", took, want)
		}
	})
}

// At every item, no more requests have been started than the pages up to it, and one more with
// prefetch.
func TestSearchStartsNoMoreThanItMay(t *testing.T) {
	eachWayInBubble(t, func(t *testing.T, f family, prefetch bool) {
		s := &shelf{list: f.list, last: 5}
		page := int32(0)
		for _, err := range f.search(clientInMemory(t, s.ServeHTTP), t.Context(), paging{Prefetch: prefetch}) {
			if err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Hour)
			synctest.Wait()
			page++
			want := page
			if prefetch && page < 5 {
				want++
			}
			if got := s.started.Load(); got != want {
				t.Errorf("%d requests at page %d, want %d", got, page, want)
			}
		}
	})
}

// A loop that ends early, however it ends, starts nothing more, cancels what is in progress and
// leaves no goroutine.
func TestSearchEndsWithItsLoop(t *testing.T) {
	ends := map[string]func(t *testing.T, loop func(atItem func())){
		"break": func(t *testing.T, loop func(func())) { loop(nil) },
		"panic": func(t *testing.T, loop func(func())) {
			defer func() {
				if p := recover(); p != "the consumer's" {
					t.Errorf("recovered %v", p)
				}
			}()
			loop(func() { panic("the consumer's") })
		},
		"Goexit": func(t *testing.T, loop func(func())) { // t.FailNow ends like this
			done := make(chan struct{})
			go func() {
				defer close(done)
				loop(runtime.Goexit)
			}()
			<-done
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			eachWayInBubble(t, func(t *testing.T, f family, prefetch bool) {
				s := &shelf{list: f.list, block: map[int]bool{3: true}}
				client := clientInMemory(t, s.ServeHTTP)
				begin := time.Now()
				end(t, func(atItem func()) {
					for id, err := range f.search(client, t.Context(), paging{Prefetch: prefetch}) {
						if err != nil {
							t.Errorf("%v", err)
						}
						if id != "2" {
							continue
						}
						synctest.Wait() // page 3 is in progress, if anything is
						if atItem != nil {
							atItem()
						}
						break
					}
				})
				requests, canceled := int32(2), int32(0)
				if prefetch {
					requests, canceled = 3, 1
				}
				if got := s.inFlight.Load(); got != 0 {
					t.Errorf("%d requests are in progress after the loop", got)
				}
				if a, b := s.started.Load(), s.canceled.Load(); a != requests || b != canceled {
					t.Errorf("%d requests, %d canceled; want %d and %d", a, b, requests, canceled)
				}
				if took := time.Since(begin); took != 2*time.Second {
					t.Errorf("two pages took %v of virtual time: the end waited for something", took)
				}
			})
		})
	}
}

// OnPage is the caller's code as well. Its panic is an error, and ends the search.
func TestSearchSurvivesAPanicOfOnPage(t *testing.T) {
	eachWayInBubble(t, func(t *testing.T, f family, prefetch bool) {
		s := &shelf{list: f.list, block: map[int]bool{2: true}}
		onPage := func(stytch.PageInfo) { panic("of the page, " + canarySecret) }
		items, err := collect(t, f.search(clientInMemory(t, s.ServeHTTP), t.Context(), paging{Prefetch: prefetch, OnPage: onPage}))
		if len(items) > 0 || err == nil || !strings.Contains(err.Error(), "OnPage panicked: of the page") || quotes(err.Error()) {
			t.Errorf("got %q, or the error quotes a secret", items)
		}
		if got := s.inFlight.Load(); got != 0 {
			t.Errorf("%d requests are in progress", got)
		}
	})
}

func TestSearchContext(t *testing.T) {
	t.Run("canceled before", func(t *testing.T) {
		eachWayInBubble(t, func(t *testing.T, f family, prefetch bool) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			s := &shelf{list: f.list}
			items, err := collect(t, f.search(clientInMemory(t, s.ServeHTTP), ctx, paging{Prefetch: prefetch}))
			if len(items) > 0 || !errors.Is(err, context.Canceled) {
				t.Errorf("got %q, %v", items, err)
			}
		})
	})
	t.Run("canceled on page 2", func(t *testing.T) {
		eachWayInBubble(t, func(t *testing.T, f family, prefetch bool) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			time.AfterFunc(1500*time.Millisecond, cancel) // half way through it
			s := &shelf{list: f.list, block: map[int]bool{2: true}}
			items, err := collect(t, f.search(clientInMemory(t, s.ServeHTTP), ctx, paging{Prefetch: prefetch}))
			if !slices.Equal(items, []string{"1"}) || !errors.Is(err, context.Canceled) {
				t.Errorf("got %q, %v", items, err)
			}
			if got := s.started.Load(); got != 2 {
				t.Errorf("%d requests, want 2", got)
			}
		})
	})
	t.Run("canceled by the consumer", func(t *testing.T) {
		eachWayInBubble(t, func(t *testing.T, f family, prefetch bool) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s := &shelf{list: f.list}
			var items []string
			var last error
			for id, err := range f.search(clientInMemory(t, s.ServeHTTP), ctx, paging{Prefetch: prefetch}) {
				if last = err; err == nil {
					items = append(items, id)
				}
				cancel()
			}
			if !slices.Equal(items, []string{"1"}) || !errors.Is(last, context.Canceled) {
				t.Errorf("got %q, %v", items, last)
			}
		})
	})
	t.Run("deadline on page 4", func(t *testing.T) {
		eachWayInBubble(t, func(t *testing.T, f family, prefetch bool) {
			ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
			defer cancel()
			items, err := collect(t, f.search(clientInMemory(t, (&shelf{list: f.list}).ServeHTTP), ctx, paging{Prefetch: prefetch}))
			if !slices.Equal(items, []string{"1", "2", "3"}) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %q, %v", items, err)
			}
		})
	})
}

// An error of a page that was read ahead comes after the items before it, and is tried like any
// other call.
func TestSearchErrorOfALaterPage(t *testing.T) {
	eachWayInBubble(t, func(t *testing.T, f family, prefetch bool) {
		failures := 0
		s := &shelf{list: f.list, each: func(w http.ResponseWriter, n int) bool {
			if n == 3 {
				failures++
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(http.StatusBadGateway)
				_, _ = io.WriteString(w, "<h1>Bad Gateway</h1>")
			}
			return n == 3
		}}
		items, err := collect(t, f.search(clientInMemory(t, s.ServeHTTP), t.Context(), paging{Prefetch: prefetch}))
		var e *stytch.Error
		if !slices.Equal(items, []string{"1", "2"}) || !errors.As(err, &e) || e.StatusCode != 502 || failures != 3 {
			t.Errorf("got %q, %v after %d tries", items, err, failures)
		}
	})
}

// One iterator value may be ranged over by many at once.
func TestSearchConcurrentRanges(t *testing.T) {
	eachWay(t, func(t *testing.T, f family, prefetch bool) {
		b := &book{list: f.list, pages: threePages()}
		seq := f.search(clientInMemory(t, b.ServeHTTP), t.Context(), paging{Prefetch: prefetch})
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				var items []string
				for id, err := range seq {
					if err != nil {
						t.Error(err)
						return
					}
					items = append(items, id)
					if i%2 == 0 && id == "c" {
						break
					}
				}
				want := []string{"a", "b", "c", "d", "e"}
				if i%2 == 0 {
					want = want[:3]
				}
				if !slices.Equal(items, want) {
					t.Errorf("got %q, want %q", items, want)
				}
			})
		}
		wg.Wait()
	})
}

// With prefetch too, the Response of a context is that of the page whose items come, and is written
// where the loop reads it.
func TestSearchWithResponse(t *testing.T) {
	eachWayInBubble(t, func(t *testing.T, f family, prefetch bool) {
		var response stytch.Response
		s := &shelf{list: f.list, last: 4}
		ctx := stytch.WithResponse(t.Context(), &response)
		for id, err := range f.search(clientInMemory(t, s.ServeHTTP), ctx, paging{Prefetch: prefetch}) {
			if err != nil {
				t.Fatal(err)
			}
			if got := response.Header.Get("Page"); got != id || response.StatusCode != 200 || response.RequestID != "request-id-test-page" {
				t.Errorf("the response is that of page %s at page %s", got, id)
			}
			<-time.After(2 * time.Second)
		}
	})
}
