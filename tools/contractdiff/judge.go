package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/oasdiff/oasdiff/load"
	"go.yaml.in/yaml/v3"

	"github.com/stytchkit/m2m/internal/contractdiff"
)

// compare compares the working tree with a revision, or the default one.
func (t tree) compare(ctx context.Context, base string) (r result, err error) {
	accepted, err := readAccepted(filepath.Join(t.root, acceptedFile))
	if err != nil {
		return r, err
	}
	if base == "" {
		if base, err = t.defaultBase(ctx, accepted.Base); err != nil {
			return r, err
		}
	}
	old, err := t.at(ctx, base)
	if err != nil {
		return r, err
	}
	next, err := t.working()
	if err != nil {
		return r, err
	}
	before, err := old.load()
	if err != nil {
		return r, fmt.Errorf("the contract of %s: %w", base, err)
	}
	after, err := next.load()
	if err != nil {
		return r, err
	}
	changes, err := judge(before, after)
	if err != nil {
		return r, err
	}
	if err := accepted.apply(changes); err != nil {
		return r, err
	}
	r = result{Base: base, Changes: changes}
	for _, c := range changes {
		if c.isBreak() && c.Accepted == "" {
			r.Breaks++
		}
	}
	return r, nil
}

// loaded is a contract as each judge reads it.
type loaded struct {
	version
	document any            // for internal/contractdiff
	spec     *load.SpecInfo // for oasdiff
	code     surface        // for Go
}

func (v version) load() (l loaded, err error) {
	l.version = v
	if err := yaml.Unmarshal(v.openAPI, &l.document); err != nil {
		return l, fmt.Errorf("%s: %w", openAPIFile, err)
	}
	if l.spec, err = spec(l.document); err != nil {
		return l, err
	}
	l.code, err = parseSurface(v.code...)
	return l, err
}

// judge returns what changed between two versions, the worst first.
func judge(old, next loaded) ([]change, error) {
	changes := []change{}
	for _, c := range contractdiff.Compare(old.document, next.document) {
		changes = append(changes, change{Change: c})
	}
	document := func(path, why string) {
		changes = append(changes, change{Change: contractdiff.Change{Kind: contractdiff.Documentation, Rule: "layout", Change: "changed", Path: path, Why: why}})
	}
	if len(changes) == 0 && !bytes.Equal(old.openAPI, next.openAPI) {
		document(openAPIFile, "both versions say the same in another form")
	}
	if !bytes.Equal(old.overlay, next.overlay) {
		document(overlayFile, "what it changes for Go, the generated code says")
	}
	findings, err := wireBreaks(old.spec, next.spec)
	if err != nil {
		return nil, err
	}
	changes = merge(changes, append(findings, goBreaks(old.code, next.code)...))
	kinds := []contractdiff.Kind{contractdiff.Break, contractdiff.Addition, contractdiff.Documentation}
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)) })
	return changes, nil
}
