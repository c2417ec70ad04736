#!/bin/sh
# Builds hough-rust and plugin-api for aarch64 and runs their tests, on an x86-64
# machine in emulation (qemu-user), on an aarch64 machine as they are.
#
# Compiler with the standard library for both, linker, C library and emulator are
# Debian packages. They are unpacked below target/check-aarch64 (1 GB) the first
# time, and nothing is installed: no root. It needs a Rust toolchain for its
# cargo, apt-get, Debian's keyring, a Debian mirror and crates.io within reach.
#
# usage: scripts/check-aarch64.sh [--clean] [arguments for cargo test, such as -- NAME]
#   --clean   forget what was unpacked and built, and end
#
# DEBIAN_MIRROR and DEBIAN_SECURITY_MIRROR name other mirrors.
set -eu
cd "$(dirname "$0")/.."

# The oldest release whose Rust is new enough: its programs run on what is newer.
SUITE=bookworm
MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
SECURITY_MIRROR=${DEBIAN_SECURITY_MIRROR:-http://deb.debian.org/debian-security}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
TARGET=aarch64-unknown-linux-gnu
CRATES="-p plumbline-plugin-api -p plumbline-hough-rust"
# rustc-web is the Rust that Debian keeps recent, for browsers.
PACKAGES="rustc-web libstd-rust-web-dev:arm64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"

say() { printf '== %s\n' "$*"; }
die() { printf 'check-aarch64: %s\n' "$*" >&2; exit 1; }

mkdir -p "${CARGO_TARGET_DIR:-target}/check-aarch64"
dir=$(cd "${CARGO_TARGET_DIR:-target}/check-aarch64" && pwd)
root=$dir/root

if [ "${1:-}" = --clean ]; then
    rm -rf "$dir"
    exit
fi

unpack() {
    command -v apt-get >/dev/null || die "there is no apt-get; this needs Debian or its like"
    [ -f $KEYRING ] || die "there is no $KEYRING; apt-get install debian-archive-keyring"
    say "fetching the tools from $MIRROR ($SUITE)"
    rm -rf "$dir/apt" "$root" "$dir/root.new"
    mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" "$dir/apt/debs" "$dir/root.new"
    # An apt of its own, which knows nothing installed and touches nothing outside.
    : >"$dir/apt/status"
    for place in "$MIRROR $SUITE" "$MIRROR $SUITE-updates" "$SECURITY_MIRROR $SUITE-security"; do
        echo "deb [signed-by=$KEYRING] $place main"
    done >"$dir/apt/sources.list"
    cat >"$dir/apt/apt.conf" <<END
Dir::State "$dir/apt";
Dir::State::lists "lists";
Dir::State::status "$dir/apt/status";
Dir::Cache "$dir/apt/cache";
Dir::Etc "$dir/apt";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist "$dir/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "amd64";
APT::Architectures { "amd64"; "arm64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Update::Error-Mode "any";
Debug::NoLocking "true";
END
    export APT_CONFIG="$dir/apt/apt.conf"
    apt-get -qq update || die "the package lists cannot be fetched"
    # With all they depend on, but for what is never used: the C library and the
    # compiler for this machine are the machine's own, and of aarch64 as such
    # only Rust's standard library is needed.
    apt-get -s install $PACKAGES >"$dir/apt/plan" || die "no set of packages has it all: $PACKAGES"
    wanted=$(awk '$1 == "Inst" { print $2 }' "$dir/apt/plan" |
        grep -Ev '^(libc6|gcc-12|cpp-12)$|:arm64$')
    (cd "$dir/apt/debs" && apt-get -qq download $wanted libstd-rust-web-dev:arm64) ||
        die "the packages cannot be fetched"
    say "unpacking $(ls "$dir/apt/debs" | wc -l) packages"
    for deb in "$dir"/apt/debs/*.deb; do
        dpkg-deb -x "$deb" "$dir/root.new"
    done
    rm -rf "$dir/apt"
    echo "$PACKAGES" >"$dir/root.new/packages"
    mv "$dir/root.new" "$root"
}

# Programs that find their libraries in $root, below names that cargo looks for.
wrap() {
    mkdir -p "$dir/bin"
    libraries=$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu
    # By the loader, and not by a variable that the linker of this machine or the
    # emulated program would inherit. The cross compiler's parts must inherit it.
    loader="/lib64/ld-linux-x86-64.so.2 --library-path \"$libraries\""
    wrapper rustc "exec $loader \"$root/usr/bin/rustc\" --sysroot \"$root/usr\""
    wrapper qemu-aarch64 "exec $loader \"$root/usr/bin/qemu-aarch64\" -L \"$root/usr/aarch64-linux-gnu\""
    wrapper aarch64-linux-gnu-gcc \
        "LD_LIBRARY_PATH=\"$libraries\" exec \"$root/usr/bin/aarch64-linux-gnu-gcc\" --sysroot=\"$root\""
}
wrapper() { # name, command
    printf '#!/bin/sh\n%s "$@"\n' "$2" >"$dir/bin/$1"
    chmod 755 "$dir/bin/$1"
}

case $(uname -m) in
    aarch64) ;;
    x86_64)
        [ "$(cat "$root/packages" 2>/dev/null)" = "$PACKAGES" ] || unpack
        wrap
        PATH=$dir/bin:$PATH
        export RUSTC="$dir/bin/rustc"
        export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
        export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=qemu-aarch64
        # What is set for this machine (target-cpu, another linker) is not for that one.
        unset RUSTFLAGS
        say "$("$RUSTC" --version), $("$dir/bin/qemu-aarch64" --version | head -n 1)"
        ;;
    *) die "only x86-64 and aarch64 machines can do this" ;;
esac

say "building and testing for $TARGET"
# The detector as in a release, which is where loops become vectors; the rest
# quickly. libm is where the time of the tests goes without optimisation.
cargo test --locked $CRATES --lib --tests --no-fail-fast \
    --target $TARGET --target-dir "$dir/build" \
    --config profile.dev.debug=0 \
    --config 'profile.dev.package."*".opt-level=0' \
    --config profile.dev.package.libm.opt-level=2 \
    --config profile.dev.package.plumbline-hough-rust.opt-level=3 \
    "$@" || die "failed"
say "done"
