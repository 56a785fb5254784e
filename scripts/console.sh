#!/bin/sh
# Builds the console's page twice, from two folders, and holds both against the built one
# that the program embeds (console/dist). With --write it replaces that one instead.
#
# First it checks: types (and that a planted type error is found), and the page's own tests.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# a folder of its own, with the repository's shape around it: what the build reads, no more
copy() {
  mkdir -p "$1/console" "$1/pay"
  git ls-files -z -co --exclude-standard console/web console/testdata pay/js | xargs -0 -I{} cp --parents {} "$1"
}
build() {
  (cd "$1/console/web" && npm run --silent build -- --logLevel error)
}

one=$work/one
two=$work/a-second-folder/with/another-depth
copy "$one"
copy "$two"
(cd "$one/console/web" && npm ci --no-audit --no-fund --prefer-offline --ignore-scripts --loglevel=error >/dev/null)
cp -r "$one/console/web/node_modules" "$two/console/web/node_modules"

cd "$one/console/web"
npm run --silent check
echo 'export const planted: number = "a type error";' > src/planted.ts
if npm run --silent check >/dev/null 2>&1; then
  echo "a planted type error was not found: npm run check checks nothing" >&2
  exit 1
fi
rm src/planted.ts
npm test --silent
cd "$root"

build "$one"
build "$two"
diff -r "$one/console/dist" "$two/console/dist" || { echo "two builds from two folders differ" >&2; exit 1; }
if [ "${1:-}" = --write ]; then
  rm -rf console/dist
  cp -r "$one/console/dist" console/dist
  exit 0
fi
diff -r "$one/console/dist" console/dist || { echo "console/dist is not what console/web builds: scripts/console.sh --write" >&2; exit 1; }

# what a browser reads before the first page stands, compressed
first=0
for file in console/dist/index.html $(grep -oE 'assets/[A-Za-z0-9_.-]+\.(js|css)' console/dist/index.html | sort -u | sed 's|^|console/dist/|') $(cd console/dist/assets && ls | grep -E '^(Home|index|router|Change|names|Addr|bytes)' | sed 's|^|console/dist/assets/|'); do
  first=$((first + $(gzip -9c "$file" | wc -c)))
done
[ "$first" -lt 300000 ] || { echo "the first page takes $first bytes compressed; at most 300,000" >&2; exit 1; }
