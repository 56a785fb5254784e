#!/bin/sh
# proto.sh [DIR]: writes the Go of proto/ beside each user (or below DIR).
# Needs protoc (Debian: protobuf-compiler) and the module cache, no network; the
# Go plugins are pinned in go.mod.
set -eu
cd "$(dirname "$0")/.."
to=${1:-.}
command -v protoc >/dev/null || { echo "protoc is missing: run 'make tools', or apt-get install protobuf-compiler" >&2; exit 1; }
dir() { go list -m -f '{{.Dir}}' "$1"; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/out"
for tool in protoc-gen-gocosmos protoc-gen-grpc-gateway; do
  cp "$(go tool -n $tool)" "$tmp/$tool"
done
gw=$(dir github.com/grpc-ecosystem/grpc-gateway)
gogo=$(dir github.com/cosmos/gogoproto)
for d in proto/lode/*/v1; do
  PATH="$tmp:$PATH" protoc -I proto -I "$(dir github.com/cosmos/cosmos-sdk)/proto" -I "$(dir github.com/cosmos/cosmos-proto)/proto" \
    -I "$gogo" -I "$gogo/protobuf" -I "$gw/third_party/googleapis" \
    --gocosmos_out=plugins=grpc,Mgoogle/protobuf/any.proto=github.com/cosmos/gogoproto/types/any:"$tmp/out" \
    --grpc-gateway_out=logtostderr=true,allow_colon_final_segments=true:"$tmp/out" "$d"/*.proto
done
mkdir -p "$to"
cp -r "$tmp/out/github.com/lodenet/lode/." "$to"
