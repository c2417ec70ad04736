#!/usr/bin/env bash
# Builds both images, runs them as two machines, and shows the score.
#
# With a Docker engine: `docker compose`. Without one: the same Dockerfile by
# buildah, on base images made here (Debian by debootstrap, Rust from the
# installed toolchain), and the two containers in two network namespaces with a
# cable (veth) between them. That way needs root, buildah, debootstrap, ip, and
# a Debian mirror and crates.io within reach; nothing else, not even a registry.
#
# usage: scripts/container.sh [--install] [--buildah] [--frames N] [--clean]
#   --install   install with apt what is missing (it is only named otherwise)
#   --buildah   take the second way even if there is a Docker engine
#   --frames N  length of the session (300)
#   --clean     forget the images and caches of the second way, and end
#
# DEBIAN_MIRROR names another mirror, CONTAINER_DIR another place for images and
# caches (target/container; some 5 GB).
set -euo pipefail
cd "$(dirname "$0")/.."

readonly SUITE=bookworm
readonly RUNTIME_IMAGE=localhost/debian:bookworm-slim
readonly RUST_IMAGE=localhost/rust:1-slim-bookworm
readonly MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
# RFC 2544: addresses for tests between machines, which nobody's network uses.
readonly SERVER_IP=198.18.77.1 CLIENT_IP=198.18.77.2
readonly SERVER_NS=plumbline-server-$$ CLIENT_NS=plumbline-client-$$

say() { printf '== %s\n' "$*"; }
die() { printf 'container: %s\n' "$*" >&2; exit 1; }

install=no engine=yes frames=300 clean=no
while [ $# -gt 0 ]; do
    case $1 in
        --install) install=yes ;;
        --buildah) engine=no ;;
        --frames) frames=${2:?--frames needs a number}; shift ;;
        --clean) clean=yes ;;
        *) sed -n '2,/^set /s/^# \{0,1\}//p' "$0"; [ "$1" = --help ] && exit 0 || exit 2 ;;
    esac
    shift
done

# ---------------------------------------------------------------- with Docker

has_engine() { docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; }

with_docker() {
    trap 'docker compose down --timeout 5 >/dev/null 2>&1' EXIT
    say "building both images with docker compose"
    docker compose build
    docker image ls --format '{{.Repository}}: {{.Size}}' | grep '^plumbline-'
    say "running them"
    docker compose up --detach
    local codes
    codes=$(docker compose ps --all --quiet | xargs timeout 300 docker wait) ||
        die "the containers did not end within 300 s"
    docker compose logs --no-log-prefix server | tail -n 40
    [ "$(sort -u <<<"$codes")" = 0 ] || die "exit statuses: $(xargs <<<"$codes")"
    say "done: both ended by themselves with a score"
}

if [ $clean = no ] && [ $engine = yes ] && has_engine; then
    [ "$frames" = 300 ] || die "--frames needs --buildah; with Docker, compose.yaml says how many"
    with_docker
    exit
fi

# ------------------------------------------------------------- without Docker

work=$(realpath -m "${CONTAINER_DIR:-target/container}")

# The vfs driver works on any file system, chroot isolation without any rights
# beyond root's. TMPDIR holds the build's caches.
buildah() {
    BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs TMPDIR=$work/tmp \
        command buildah --root "$work/store" --runroot "$work/run" "$@"
}

if [ $clean = yes ]; then
    [ -d "$work/store" ] && buildah rm --all >/dev/null && buildah rmi --all --force >/dev/null
    rm -rf "$work"
    exit
fi

check_needs() {
    [ "$(id -u)" = 0 ] || die "without a Docker engine this needs root: sudo $0"
    local missing=() pair
    for pair in buildah:buildah debootstrap:debootstrap ip:iproute2; do
        type -P "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    if [ ${#missing[@]} -gt 0 ] && [ $install = yes ]; then
        say "installing ${missing[*]}"
        apt-get update -q
        DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
    elif [ ${#missing[@]} -gt 0 ]; then
        die "no Docker engine, so this is needed: ${missing[*]} (--install gets it with apt)"
    fi
    command -v rustc >/dev/null || die "the installed Rust toolchain goes into the build image; there is none"
    mkdir -p "$work/tmp"
}

# Debian as small as debian:bookworm-slim, which is made the same way.
make_runtime_image() {
    buildah inspect --type image "$RUNTIME_IMAGE" >/dev/null 2>&1 && return
    say "making $RUNTIME_IMAGE"
    local root=$work/tmp/debian container mount
    rm -rf "$root"
    debootstrap --variant=minbase "$SUITE" "$root" "$MIRROR" >"$work/debootstrap.log" ||
        die "debootstrap failed, see $work/debootstrap.log"
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* \
        "$root"/usr/share/{doc,man,info,locale,lintian}/*
    container=$(buildah from scratch)
    mount=$(buildah mount "$container")
    cp -a "$root/." "$mount/"
    buildah umount "$container" >/dev/null
    buildah config --cmd bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
    buildah commit --quiet --rm "$container" "$RUNTIME_IMAGE" >/dev/null
    rm -rf "$root"
}

# A C compiler on top; the toolchain itself is mounted while building, which
# saves a copy of it in every layer.
make_rust_image() {
    buildah inspect --type image "$RUST_IMAGE" >/dev/null 2>&1 && return
    say "making $RUST_IMAGE"
    local container
    container=$(buildah from "$RUNTIME_IMAGE")
    buildah run "$container" sh -ec "
        echo 'deb $MIRROR $SUITE main' >/etc/apt/sources.list
        apt-get update -q
        DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends gcc libc6-dev
        rm -rf /var/lib/apt/lists/*" >"$work/rust-image.log" 2>&1 ||
        die "installing the compiler failed, see $work/rust-image.log"
    buildah config --env CARGO_HOME=/usr/local/cargo \
        --env PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
    buildah commit --quiet --rm "$container" "$RUST_IMAGE" >/dev/null
}

build() { # target
    say "building plumbline-$1"
    # The certificates are this machine's, so that a network with its own
    # authority works. --layers: both targets share one build stage.
    buildah bud --layers --target "$1" --tag "localhost/plumbline-$1" \
        --build-arg RUST_IMAGE="$RUST_IMAGE" --build-arg RUNTIME_IMAGE="$RUNTIME_IMAGE" \
        --volume "$(rustc --print sysroot):/opt/rust:ro" \
        --volume /etc/ssl/certs:/etc/ssl/certs:ro \
        --file Dockerfile . >"$work/build-$1.log" 2>&1 ||
        { tail -n 30 "$work/build-$1.log" >&2; die "the build failed, see $work/build-$1.log"; }
}

size() { # image
    buildah images --format '{{.Size}}' "$1"
}

pids=() containers=()
tidy() {
    local namespace pid container
    for namespace in "$SERVER_NS" "$CLIENT_NS"; do
        # Only what this script started lives in there.
        for pid in $(ip netns pids "$namespace" 2>/dev/null); do
            kill -KILL "$pid" 2>/dev/null || true
        done
    done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    for container in "${containers[@]}"; do buildah rm "$container" >/dev/null 2>&1 || true; done
    # The cable goes with the namespaces.
    ip netns delete "$SERVER_NS" 2>/dev/null || true
    ip netns delete "$CLIENT_NS" 2>/dev/null || true
}

lay_cable() {
    ip netns add "$SERVER_NS"
    ip netns add "$CLIENT_NS"
    ip link add eth0 netns "$SERVER_NS" type veth peer name eth0 netns "$CLIENT_NS"
    local namespace
    ip -n "$SERVER_NS" address add "$SERVER_IP/30" dev eth0
    ip -n "$CLIENT_NS" address add "$CLIENT_IP/30" dev eth0
    for namespace in "$SERVER_NS" "$CLIENT_NS"; do
        ip -n "$namespace" link set lo up
        ip -n "$namespace" link set eth0 up
    done
}

start() { # role namespace arguments...
    local role=$1 namespace=$2 image=localhost/plumbline-$1 container entry
    shift 2
    container=$(buildah from --add-host "server:$SERVER_IP" --add-host "client:$CLIENT_IP" "$image")
    containers+=("$container")
    mapfile -t entry < <(buildah inspect --type image \
        --format '{{range .OCIv1.Config.Entrypoint}}{{println .}}{{end}}' "$image" | sed '/^$/d')
    # As `docker run` would: the image's entry point, user and directory, the
    # given arguments, and the names of the two machines.
    BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs TMPDIR=$work/tmp \
        ip netns exec "$namespace" \
        buildah --root "$work/store" --runroot "$work/run" run \
        --volume "$work/$role:/data" \
        "$container" -- "${entry[@]}" "$@" >"$work/$role/out.log" 2>"$work/$role/err.log" &
    pids+=($!)
}

run_both() {
    trap tidy EXIT
    local role status=0 pid limit
    for role in server client; do
        rm -rf "${work:?}/$role"
        install -d -o 10001 -g 10001 "$work/$role"
    done
    lay_cable
    say "running both: client at $CLIENT_IP, server at $SERVER_IP, $frames frames"
    # The client first: it waits for its server.
    start client "$CLIENT_NS" --connect server:8080 --no-graphics
    start server "$SERVER_NS" --no-graphics --frames "$frames" --summary /data/summary.json
    # As many seconds as frames would take at 5 a second, and a minute.
    limit=$((SECONDS + 60 + frames / 5))
    for pid in "${pids[@]}"; do
        while kill -0 "$pid" 2>/dev/null; do
            [ $SECONDS -lt $limit ] || { show; die "not over in time"; }
            sleep 0.2
        done
        wait "$pid" || status=$?
    done
    show
    [ $status = 0 ] || die "a container ended with status $status"
    local scored
    scored=$(grep -o '"scored": *[0-9]*' "$work/server/summary.json" | grep -o '[0-9]*$')
    [ "${scored:-0}" -gt 0 ] || die "no frame was scored"
    say "done: $scored of $frames frames scored"
}

show() {
    local role
    say "server, the last frames"
    tail -n 3 "$work/server/out.log"
    for role in client server; do
        say "$role"
        cat "$work/$role/err.log"
    done
}

check_needs
make_runtime_image
make_rust_image
build server
build client
say "sizes: server $(size localhost/plumbline-server), client $(size localhost/plumbline-client)," \
    "of which Debian $(size "$RUNTIME_IMAGE")"
run_both
