package release

import (
	"os"
	"strings"
	"testing"
)

const (
	gpl = "This program is free software: you can redistribute it and/or modify it under the terms of the GNU General Public License as published by\n" +
		"the Free Software Foundation, either version 3 of the License, or (at your option) any later version.\n"
	mpl = "This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy of the MPL was not distributed with this file,\n" +
		"You can obtain one at https://mozilla.org/MPL/2.0/.\n"
)

func mit(t *testing.T) string {
	data, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestIdentify(t *testing.T) {
	for _, tc := range []struct {
		name, text    string
		shipped       bool
		want, problem string
	}{
		{name: "MIT", text: mit(t), shipped: true, want: "MIT"},
		{name: "GPL", text: gpl, shipped: true, want: "GPL-3.0-or-later", problem: "GPL-3.0-or-later is none of the licenses that are allowed"},
		{name: "MPL in a test", text: mpl, want: "MPL-2.0"},
		{name: "MPL", text: mpl, shipped: true, want: "MPL-2.0", problem: "MPL-2.0 is none"},
		{name: "one of two", text: mit(t) + gpl, shipped: true, want: "MIT GPL-3.0-or-later", problem: "GPL-3.0-or-later is none"},
		{name: "terms of their own", text: "Ask us before you use this.", shipped: true, problem: "0% of it is the text of known licenses"},
		{name: "an addition", text: mit(t) + strings.Repeat("But you may not sell it to anyone. ", 60), shipped: true, want: "MIT", problem: "of known licenses, want 80%"},
		{name: "empty", shipped: true, problem: "0% of it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			found, err := identify([]byte(tc.text), tc.shipped)
			if got := strings.Join(found, " "); got != tc.want {
				t.Errorf("found %q, want %q", got, tc.want)
			}
			if tc.problem == "" {
				wantError(t, err)
			} else {
				wantError(t, err, tc.problem)
			}
		})
	}
}

// TestDependencies has a module of its own for each way of being used, and of being licensed.
func TestDependencies(t *testing.T) {
	dependency := func(name string) string { return "module example.com/" + name + "\n\ngo 1.25.0\n" }
	files := map[string]string{
		"go.mod": root + "\nrequire (\n\texample.com/shipped v1.0.0\n\texample.com/tested v1.0.0\n\texample.com/windows v1.0.0\n)\n\n" +
			"replace (\n\texample.com/shipped => ./shipped\n\texample.com/tested => ./tested\n\texample.com/windows => ./windows\n)\n",
		"m2m.go":                  "package m2m\n\nimport _ \"example.com/shipped/inner/deep\"\n",
		"m2m_windows.go":          "package m2m\n\nimport _ \"example.com/windows\"\n",
		"m2m_test.go":             "package m2m\n\nimport _ \"example.com/tested\"\n",
		"shipped/go.mod":          dependency("shipped"),
		"shipped/LICENSE.md":      mit(t),
		"shipped/license.go":      "package shipped\n", // is code
		"shipped/NOTICE":          "A notice.\n",
		"shipped/other/COPY":      "",
		"shipped/inner/i.go":      "package inner\n",
		"windows/go.mod":          dependency("windows"),
		"windows/w.go":            "package windows\n",
		"windows/LICENCE":         mit(t),
		"tested/go.mod":           dependency("tested"),
		"tested/t.go":             "package tested\n",
		"tested/COPYING":          mpl,
		"shipped/other/o.go":      "package other\n",
		"shipped/other/LICENSE":   gpl, // no package of ours is there
		"shipped/inner/deep/d.go": "package deep\n",
	}
	repository := newRepository(t, files)
	all, err := Dependencies(t.Context(), repository.dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range all {
		got[d.Path] = strings.Join(d.Licenses, " ")
		if d.Shipped == (d.Path == "example.com/tested") {
			t.Errorf("%s: shipped is %t", d.Path, d.Shipped)
		}
	}
	for path, want := range map[string]string{"example.com/shipped": "MIT", "example.com/windows": "MIT", "example.com/tested": "MPL-2.0", "go": "BSD-3-Clause"} {
		if got[path] != want {
			t.Errorf("%s: %q, want %q of %v", path, got[path], want, got)
		}
	}
	text := thirdPartyText(all)
	for _, want := range []string{"example.com/shipped v1.0.0: MIT\n", "A notice.", "example.com/shipped v1.0.0\nexample.com/windows v1.0.0\n\nMIT License"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the text:\n%s", want, text)
		}
	}
	if strings.Contains(text, "example.com/tested") {
		t.Error("what only tests use is in the text")
	}

	commitFiles(t, repository, map[string]string{"shipped/inner/LICENSE": gpl})
	_, err = Dependencies(t.Context(), repository.dir)
	wantError(t, err, "example.com/shipped v1.0.0: LICENSE: GPL-3.0-or-later is none")
	mustRun(t, repository, "git", "rm", "--quiet", "shipped/inner/LICENSE", "windows/LICENCE", "tested/COPYING")
	_, err = Dependencies(t.Context(), repository.dir)
	wantError(t, err, "example.com/windows v1.0.0: it has no file with a license", "example.com/tested v1.0.0: it has no file")
}
