package main

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// TestHarness compares work with twice and four times the work. Only the order is judged: how much
// is the machine's business.
func TestHarness(t *testing.T) {
	data := make([]byte, 4096)
	hash := func(times int) func(int) {
		return func(int) {
			for range times {
				sha256.Sum256(data)
			}
		}
	}
	h := harness{chunk: 200 * time.Microsecond, rounds: 31, threads: 1}
	for _, h.threads = range []int{1, 2} {
		results := h.compare(contestant{"floor", hash(4)}, []contestant{{"much", hash(32)}, {"little", hash(1)}})
		if results["floor"].ratio != 1 || results["little"].ratio >= 1 || results["much"].ratio <= 1 {
			t.Errorf("%d threads: %v", h.threads, results)
		}
	}
}

// TestCalls checks that the threads of a contestant share out its calls: each number is called
// once.
func TestCalls(t *testing.T) {
	const calls, chunks = 10, 3
	seen := make([]int, 2*calls*chunks)
	r := run{contestant: contestant{op: func(i int) { seen[i]++ }}, threads: 2, calls: calls}
	for range chunks {
		r.chunk()
	}
	for i, n := range seen {
		if n != 1 {
			t.Fatalf("call %d was made %d times", i, n)
		}
	}
}

// TestSigner holds the signer's own arithmetic against crypto/rsa.
func TestSigner(t *testing.T) {
	s := newSigner()
	signed := "header.payload"
	digest := sha256.Sum256([]byte(signed))
	if err := rsa.VerifyPKCS1v15(&s.public, crypto.SHA256, digest[:], s.signature(signed)); err != nil {
		t.Error(err)
	}
	if n := len(s.sign(issuer, time.Now(), 0)); n < 850 || n > 950 {
		t.Errorf("a token has %d characters, not about 900", n)
	}
}

// TestPeers checks that no contestant skips a check that the others make.
func TestPeers(t *testing.T) {
	s, at := newSigner(), time.Now()
	good := s.sign(issuer, at, 0)
	bad := map[string]string{
		"signature": strings.TrimSuffix(good, good[len(good)-20:]) + strings.Repeat("A", 20),
		"issuer":    s.sign("stytch.com/another", at, 0),
		"expired":   s.sign(issuer, at.Add(-2*time.Hour), 0),
		"algorithm": s.signText(strings.Replace(goodHeader, "RS256", "RS512", 1), "{}"),
		"audience":  s.signText(goodHeader, `{"iss":"`+issuer+`","aud":["x"],"sub":"x","scope":"read:users","iat":1,"nbf":1,"exp":9999999999}`),
		"scope":     s.signText(goodHeader, `{"iss":"`+issuer+`","aud":["`+project+`"],"sub":"x","scope":"x","iat":1,"nbf":1,"exp":9999999999}`),
	}
	for name, verify := range newPeers(s) {
		if err := verify(good); err != nil {
			t.Errorf("%s: a good token: %v", name, err)
		}
		for what, token := range bad {
			if verify(token) == nil {
				t.Errorf("%s: accepted in spite of its %s", name, what)
			}
		}
	}
}

// TestMeasure runs all of it, as short as can be.
func TestMeasure(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	n := short
	n.rounds, n.distinct, n.chunk = 1, 500, 50*time.Microsecond
	r, bars := measure(n)
	for _, row := range *r {
		if len(row.values) == 0 {
			t.Errorf("%s: no value", row.what)
		}
	}
	lines := strings.Split(strings.TrimSpace(r.markdown()), "\n")
	for _, line := range lines {
		if strings.Count(line, "|") != len(columns)+4 {
			t.Errorf("not a line of the table: %s", line)
		}
	}
	if len(lines) != len(*r)+2 {
		t.Errorf("%d lines for %d rows", len(lines), len(*r))
	}
	d := xml.NewDecoder(bytes.NewReader(draw(bars)))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the chart is not XML: %v", err)
		}
	}
}
