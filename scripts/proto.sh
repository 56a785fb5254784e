#!/bin/sh
# Writes the Go of proto/ beside each user. Needs protoc (Debian: protobuf-compiler)
# and the module cache; the Go plugins are pinned in go.mod (go tool).
set -eu
cd "$(dirname "$0")/.."
command -v protoc >/dev/null || { echo "protoc is missing: apt-get install protobuf-compiler (make tools does it)" >&2; exit 1; }
dir() { go list -m -f '{{.Dir}}' "$1"; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
go build -o "$tmp/protoc-gen-gocosmos" github.com/cosmos/gogoproto/protoc-gen-gocosmos
go build -o "$tmp/protoc-gen-grpc-gateway" github.com/grpc-ecosystem/grpc-gateway/protoc-gen-grpc-gateway
mkdir "$tmp/out"
gw=$(dir github.com/grpc-ecosystem/grpc-gateway)
gogo=$(dir github.com/cosmos/gogoproto)
for d in proto/lode/*/v1; do
  PATH="$tmp:$PATH" protoc -I proto -I "$(dir github.com/cosmos/cosmos-sdk)/proto" -I "$(dir github.com/cosmos/cosmos-proto)/proto" \
    -I "$gogo" -I "$gogo/protobuf" -I "$gw/third_party/googleapis" \
    --gocosmos_out=plugins=grpc,Mgoogle/protobuf/any.proto=github.com/cosmos/gogoproto/types/any:"$tmp/out" \
    --grpc-gateway_out=logtostderr=true,allow_colon_final_segments=true:"$tmp/out" "$d"/*.proto
done
cp -r "$tmp/out/github.com/lodenet/lode/." .
