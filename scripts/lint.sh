#!/bin/sh
# gofmt, go vet and staticcheck on Lode's own packages.
set -eu
cd "$(dirname "$0")/.."
files=$(git ls-files '*.go' | grep -vE '\.pb(\.gw)?\.go$')
bad=$(gofmt -l $files)
[ -z "$bad" ] || { echo "not gofmt'd:"; echo "$bad"; exit 1; }
own=$(go list ./...)
go vet $own
go tool staticcheck $own
