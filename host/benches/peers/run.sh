#!/bin/sh
# Throughput over loopback of our transport, beside aiortc and libdatachannel
# in the same run. Needs python3 (with venv), node and npm; what is missing
# otherwise is installed into target/. Arguments are handed on, for example
# `--rounds 5` or `--bytes 67108864`; see --help.
set -eu

peers=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$peers/../../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}

python=$("$root/tests/python/setup.sh")

node=$target/node-peers
mkdir -p "$node"
cp "$peers/package.json" "$peers/libdatachannel_pair.js" "$node/"
(cd "$node" && npm install --silent --no-fund --no-audit >&2)

cd "$root"
# aiortc moves some 5 MiB/s, so it gets a sixteenth of the volume.
# The bars: 4 times libdatachannel, 25 times aiortc.
exec cargo bench --quiet -p plumbline-host --bench throughput -- \
    --peer "libdatachannel=node $node/libdatachannel_pair.js" \
    --peer "aiortc/16=$python $peers/aiortc_pair.py" \
    --require libdatachannel=4 --require aiortc=25 \
    "$@"
