#!/bin/sh
# Makes the pictures of docs/console-pages.md out of those that the tests keep:
#
#   LODE_SHOTS=/tmp/shots go test -count=1 ./test/console && test/console/shots.sh /tmp/shots
#
# Few colours, and phones four in a row, so that they stay small. It takes ffmpeg.
set -eu
from=$1
to=$(dirname "$0")/../../docs/images/console
mkdir -p "$to"
rm -f "$to"/*.png

# small FILTER OUT IN...: pictures through a filter, to few colours without dithering
small() {
  filter=$1 out=$2
  shift 2
  set -- $(for name in "$@"; do printf -- '-i %s ' "$from/$name.png"; done)
  ffmpeg -v error -y "$@" -filter_complex "$filter,split[a][b];[a]palettegen=max_colors=48:stats_mode=full[p];[b][p]paletteuse=dither=none" -frames:v 1 "$to/$out.png"
}

for pair in home:home-1280-light subnets:subnets-1280-light subnet:subnets-1-1280-light subnet-metagraph:subnets-1-tab-metagraph-1280-light \
  subnet-weights:subnets-1-tab-weights-1280-light subnet-parameters:subnets-1-tab-parameters-1280-light \
  subnet-registrations:subnets-1-tab-registrations-1280-light subnet-join:subnets-1-tab-join-1280-light \
  validators:validators-1280-light validators-chain:validators-chain-1280-light blocks:blocks-1280-light block:blocks-2-1280-light transactions:transactions-1280-light \
  transaction:transaction-1280-light proposals:proposals-1280-light proposal:proposal-1280-light account:accounts-1280-light search:search-q-1-1280-light market:market-1280-light \
  chat:chat-1280-light video:video-1280-light plan:plan-1280-light wallet-welcome:wallet-welcome-1280-light \
  wallet-portfolio:wallet-portfolio-1280-dark wallet-send:wallet-send-1280-light wallet-receive:wallet-receive-1280-light \
  wallet-stake:wallet-stake-1280-light wallet-unstake-all:wallet-unstake-all-1280-light wallet-delegate:wallet-delegate-1280-light wallet-keys:wallet-keys-1280-dark \
  wallet-several:wallet-several-1280-light wallet-allow:wallet-allow-1280-light wallet-recovery:wallet-recovery-1280-light \
  wallet-book:wallet-book-1280-light review:review look-alike:look-alike unknown:unknown node-down:node-down; do
  small "[0]crop=iw:'min(ih,1000)':0:0,scale=1000:-1" "${pair%%:*}" "${pair#*:}"
done

row() {
  out=$1
  shift
  filter='' all=''
  for i in 0 1 2 3; do
    filter="$filter[$i]crop=390:'min(ih,800)':0:0,pad=400:800:5:0:white[v$i];"
    all="$all[v$i]"
  done
  small "$filter${all}hstack=4,scale=1000:-1" "$out" "$@"
}
row phone-explorer home-390-dark subnets-390-dark subnets-1-390-dark subnets-1-tab-metagraph-390-dark
row phone-subnet subnets-1-tab-weights-390-dark subnets-1-tab-parameters-390-dark subnets-1-tab-registrations-390-dark subnets-1-tab-join-390-dark
row phone-chain validators-390-dark blocks-390-dark blocks-2-390-dark transactions-390-dark
row phone-found transaction-390-dark accounts-390-dark search-q-1-390-dark market-390-dark
row phone-market market-1-390-dark chat-390-dark video-390-dark plan-390-dark
row phone-wallet wallet-welcome-390-dark wallet-portfolio-390-light wallet-send-390-light wallet-receive-390-light
row phone-stake wallet-stake-390-light wallet-unstake-all-390-dark wallet-delegate-390-light wallet-keys-390-light
row phone-safety wallet-allow-390-light wallet-recovery-390-light wallet-book-390-light wallet-several-390-dark
