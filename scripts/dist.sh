#!/usr/bin/env bash
# Packs the release build into target/dist/plumbline-VERSION-TARGET.tar.gz. The
# archive runs from wherever it is unpacked. Same build, same archive byte for byte.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
target=$(rustc -vV | sed -n 's/^host: //p')
name=plumbline-$version-$target
out=${CARGO_TARGET_DIR:-target}/dist

rm -rf "${out:?}/$name"
DESTDIR='' scripts/install.sh "$out/$name"
tar --directory "$out" --sort=name --owner=0 --group=0 --numeric-owner \
    --mtime="@$(git log -1 --format=%ct 2>/dev/null || echo 0)" \
    --create "$name" | gzip -9n >"$out/$name.tar.gz"
rm -r "${out:?}/$name"
echo "$out/$name.tar.gz: $(stat -c %s "$out/$name.tar.gz") bytes"
