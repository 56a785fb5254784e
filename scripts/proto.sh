#!/bin/sh
# proto.sh [DIR]: writes what comes of proto/ beside each user (or below DIR): the Go,
# the OpenAPI document of REST, and the words that `lode tx` and `lode query` show.
# Needs protoc (Debian: protobuf-compiler) and the module cache, no network; the
# plugins are pinned in go.mod.
set -eu
cd "$(dirname "$0")/.."
to=${1:-.}
command -v protoc >/dev/null || { echo "protoc is missing: run 'make tools', or apt-get install protobuf-compiler" >&2; exit 1; }
dir() { go list -m -f '{{.Dir}}' "$1"; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/out"
for tool in protoc-gen-gocosmos protoc-gen-grpc-gateway protoc-gen-openapiv2; do
  cp "$(go tool -n $tool)" "$tmp/$tool"
done
gw=$(dir github.com/grpc-ecosystem/grpc-gateway)
gogo=$(dir github.com/cosmos/gogoproto)
sdk=$(dir github.com/cosmos/cosmos-sdk)/proto
comet=$(dir github.com/cometbft/cometbft)/proto
run() {
  PATH="$tmp:$PATH" protoc -I proto -I "$sdk" -I "$(dir github.com/cosmos/cosmos-proto)/proto" \
    -I "$gogo" -I "$gogo/protobuf" -I "$gw/third_party/googleapis" -I "$comet" "$@"
}
for d in proto/lode/*/v1; do
  run --gocosmos_out=plugins=grpc,Mgoogle/protobuf/any.proto=github.com/cosmos/gogoproto/types/any:"$tmp/out" \
    --grpc-gateway_out=logtostderr=true,allow_colon_final_segments=true:"$tmp/out" "$d"/*.proto
done

# What the chain serves beside our own: a test compares it with the application.
theirs=""
for d in auth/v1beta1 authz/v1beta1 bank/v1beta1 base/node/v1beta1 base/tendermint/v1beta1 consensus/v1 distribution/v1beta1 \
  evidence/v1beta1 feegrant/v1beta1 gov/v1 slashing/v1beta1 staking/v1beta1 tx/v1beta1 upgrade/v1beta1; do
  theirs="$theirs $(echo "$sdk/cosmos/$d"/*.proto)"
done
# A person can send these, too, but nothing is asked in their terms.
messages=$(echo "$sdk"/cosmos/gov/v1beta1/*.proto)
run --openapiv2_out=allow_merge=true,merge_file_name=all,openapi_naming_strategy=fqn,json_names_for_fields=false,include_package_in_tags=true:"$tmp" \
  proto/lode/*/v1/*.proto $theirs
run --include_source_info --descriptor_set_out="$tmp/all.binpb" proto/lode/*/v1/*.proto $theirs $messages
module=$tmp/out/github.com/lodenet/lode
mkdir -p "$module/docs/openapi" "$module/internal/cli"
go run scripts/protodocs.go "$tmp/all.swagger.json" "$tmp/all.binpb" "$module/docs/openapi/lode.json" "$module/internal/cli/protodocs.json"
mkdir -p "$to"
cp -r "$module/." "$to"
