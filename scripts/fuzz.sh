#!/bin/sh
# fuzz.sh [TIME [WORD]]: runs each fuzz test of the tree for TIME (default 30s), or
# those whose folder or name has the WORD. FUZZ_PARALLEL is how many run at once of one
# test (default: a worker a core). All are run; it fails if one did, and says which.
set -eu
cd "$(dirname "$0")/.."
time=${1:-30s}
list=$(git grep -o '^func Fuzz[A-Za-z0-9_]*' -- '*_test.go' | sed 's|^\(.*\)/[^/]*:func \(.*\)$|\1 \2|' | grep -- "${2:-}" | sort -u)
[ -n "$list" ] || { echo "no fuzz test has \"$2\" in its folder or name"; exit 1; }
count=$(echo "$list" | wc -l)
n=0
failed=
while read -r dir name; do
  n=$((n + 1))
  echo "== $n of $count: $name in $dir, $time"
  # A test's name alone: packages may have tests of one name.
  # Making a finding smaller takes a minute otherwise, longer than all the rest.
  go test "./$dir" -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 10x ${FUZZ_PARALLEL:+-parallel "$FUZZ_PARALLEL"} || failed="$failed $dir.$name"
done <<LIST
$list
LIST
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
