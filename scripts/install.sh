#!/usr/bin/env bash
# Lays out an installation from the release build:
#
#   PREFIX/bin/host
#   PREFIX/lib/plumbline/plugins/*.so       found by the host from where its binary is
#   PREFIX/share/doc/plumbline/             configuration with comments, documents, licences
#
# usage: scripts/install.sh PREFIX
# DESTDIR is put in front of PREFIX, as packagers expect.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -ne 1 ] || [ -z "$1" ]; then
    echo "usage: $0 PREFIX" >&2
    exit 2
fi
to=${DESTDIR:-}$1
built=${CARGO_TARGET_DIR:-target}/release

if [ ! -x "$built/host" ]; then
    echo "install: there is no $built/host; build it first: cargo build --release" >&2
    exit 1
fi

install -d "$to/bin" "$to/lib/plumbline/plugins" "$to/share/doc/plumbline"
install -m 755 "$built/host" "$to/bin/host"
# Whatever was built: the OpenCV plugins only after `cargo build --release --workspace`.
install -m 644 "$built"/libplumbline_*.so "$to/lib/plumbline/plugins/"
for document in config.toml README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE docs/*.md; do
    if [ -f "$document" ]; then
        install -m 644 "$document" "$to/share/doc/plumbline/"
    fi
done
