#!/usr/bin/env bash
# Regenerates everything and fails if a generated file changes, tracked or not. The new files stay: commit them to fix it.
set -euo pipefail
cd "$(dirname "$0")/../.."
files() { find . \( -name '*.gen.go' -o -name '*.gen_test.go' \) -not -path './bin/*' | sort; }
before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
files | xargs tar -cf - | tar -xf - -C "$before"
go generate ./gen
(cd cmd/stytchctl && go generate ./internal/admin)
status=0
while read -r file; do
	cmp -s "$file" "$before/$file" || { echo "check-generate: $file did not match its contract; it was regenerated: review and commit it" >&2; status=1; }
done < <({ files; cd "$before" && find . -type f; } | sort -u)
exit $status
