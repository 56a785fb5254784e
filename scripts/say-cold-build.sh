#!/bin/sh
# Says so when the dependencies of the chain are not compiled yet: the first
# build takes minutes and would look stuck.
set -eu
cache=$(go env GOCACHE)
[ -e "$cache/lode-warm" ] && exit 0
echo "The first build compiles the chain's dependencies: about 6 minutes on 2 cores, once."
echo "(After that a build takes seconds.)"
(cd "$(dirname "$0")/.." && go build -o /dev/null ./cmd/lode) && touch "$cache/lode-warm"
