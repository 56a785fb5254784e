#!/bin/sh
# Fetches llama.cpp's libraries for the embedded engine from npm's registry, pinned by hash,
# into $XDG_CACHE_HOME/lode or ~/.cache/lode: without an argument those for processors (11 MB,
# 23 MB unpacked), with the argument cuda those that use NVIDIA's GPUs too (143 MB, 185 MB
# unpacked). Where they are already, it needs no network and does nothing.
set -eu
version=v0.5.0 # of llama.cpp; subnets/inference/engine/llama/libs.go checks it
package=3.22.1 # of @node-llama-cpp, which is built from it
case ${1:-} in
"")
  name=linux-x64 mark='' size='11 MB'
  sha512=e6e0820cda9608d7da026f1a47f533c5ba381c1a4a80d17dd640873dea4a86032057638099ab6879f6ce94c8a1b2a0a21f639ddf913f7941d00856df44126e3a
  ;;
cuda)
  name=linux-x64-cuda mark=cuda. size='143 MB'
  sha512=f2b4028f234d2d9254162b7e6298f0942e21c242a038c224076c2ec9c2817fc354d8edf248a6e259943c6b0f64bb69d44d78d29d422b13a281f3c8ad76e4c1b8
  ;;
*)
  echo "engine.sh knows no libraries for '$1': give nothing, or cuda" >&2
  exit 1
  ;;
esac
to=${XDG_CACHE_HOME:-$HOME/.cache}/lode/llama.cpp-$version${1:+-$1}
[ -e "$to/complete" ] && exit 0
[ "$(uname -sm)" = "Linux x86_64" ] || {
  echo "there are no pinned libraries of llama.cpp for $(uname -sm): run models on a server and name its URL" >&2
  exit 1
}
echo "fetching llama.cpp $version's libraries ($size) to $to"
mkdir -p "$(dirname "$to")"
tmp=$(mktemp -d "$to.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
(cd "$tmp" && npm pack --silent "@node-llama-cpp/$name@$package" >/dev/null && mv ./*.tgz package.tgz)
echo "$sha512  $tmp/package.tgz" | sha512sum -c - >/dev/null 2>&1 || {
  echo "what came is not @node-llama-cpp/$name $package: its hash differs" >&2
  exit 1
}
tar -xzf "$tmp/package.tgz" -C "$tmp" --strip-components=3 "package/bins/$name"
rm -f "$tmp/package.tgz" "$tmp/llama-addon.node" "$tmp/libllama-common.so"
ln -s "libggml.$mark$version.so" "$tmp/libggml.so"
ln -s "libllama.$mark$version.so" "$tmp/libllama.so"
chmod 755 "$tmp"
touch "$tmp/complete"
# Two that fetch at once both succeed: the first to rename wins.
mv -T "$tmp" "$to" 2>/dev/null || [ -e "$to/complete" ]
