#!/bin/sh
# fuzz.sh [TIME]: runs each fuzz test of the tree for TIME (default 30s).
set -eu
cd "$(dirname "$0")/.."
git grep -ho '^func Fuzz[A-Za-z0-9]*' -- '*_test.go' | sort -u | while read -r _ name; do
  dir=$(dirname "$(git grep -l "^func $name(" -- '*_test.go' | head -1)")
  echo "$name in $dir"
  go test "./$dir" -run '^$' -fuzz "^$name\$" -fuzztime "${1:-30s}"
done
