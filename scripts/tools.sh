#!/bin/sh
# Installs the Debian packages that Lode needs and this machine lacks.
set -eu
need=""
command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null || need="$need ffmpeg"
command -v protoc >/dev/null || need="$need protobuf-compiler"
command -v prlimit >/dev/null || need="$need util-linux"
command -v cc >/dev/null || need="$need gcc libc6-dev"
command -v npm >/dev/null || need="$need nodejs npm"
command -v chromium >/dev/null || need="$need chromium" # the console's tests
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need="$need postgresql" # the index's tests
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || need="$need postgresql" # tests of indexer start a server of their own
if [ "$(uname -sm)" = "Linux x86_64" ]; then # what llama.cpp's libraries need
  ls /usr/lib/x86_64-linux-gnu/libffi.so.8 /usr/lib64/libffi.so.8 2>/dev/null | grep -q . || need="$need libffi8"
  ls /usr/lib/x86_64-linux-gnu/libstdc++.so.6 /usr/lib64/libstdc++.so.6 2>/dev/null | grep -q . || need="$need libstdc++6"
fi
[ -z "$need" ] && exit 0
run=""
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "missing:$need. Install them as root: apt-get install$need" >&2; exit 1; }
  run=sudo
fi
echo "installing$need (Debian)"
$run apt-get update -qq
DEBIAN_FRONTEND=noninteractive $run apt-get install -y -qq --no-install-recommends $need >/dev/null
