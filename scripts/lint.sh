#!/bin/sh
# gofmt, go vet and staticcheck on Lode's own packages. What is found in generated
# files does not count: it is their generator's to mend. Before that the console's page:
# its types, its tests, and that what is embedded is what it builds.
set -eu
cd "$(dirname "$0")/.."
files=$(git ls-files '*.go' | grep -vE '\.pb(\.gw)?\.go$')
bad=$(gofmt -l $files)
[ -z "$bad" ] || { echo "not gofmt'd:"; echo "$bad"; exit 1; }
./scripts/console.sh
own=$(go list ./...)
go vet $own
found=$(go tool staticcheck $own) && exit 0
[ -n "$found" ] || exit 1 # it did not run, and has said why
! echo "$found" | grep -vE '^[^:]*\.pb(\.gw)?\.go:'
