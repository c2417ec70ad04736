#!/usr/bin/env bash
# Installs what the tests need on Debian and its like, and nothing that is there
# already: called by `make test` and quick when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

# What is looked for -> the package that has it. Programs and files are asked
# rather than dpkg, so that what came in another way counts, too.
packages=()
need() { # package, test...
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || packages+=("$package")
}
on_path() { command -v "$1"; }
some_file() { compgen -G "$1"; }

# The OpenCV plugins: the library, and libclang for its bindings.
need libopencv-dev some_file '/usr/*/opencv4/opencv2/imgproc.hpp'
need clang on_path clang
need libclang-dev some_file '/usr/lib/llvm-*/lib/libclang*.so*'
need pkg-config on_path pkg-config
# The window display, on a screen that nobody sees.
need xvfb on_path Xvfb
need xdotool on_path xdotool
need imagemagick on_path convert
# The terminal display.
need tmux on_path tmux
# Peers in Python.
need python3 on_path python3
need python3-venv python3 -c 'import ensurepip, venv'
# A network between namespaces.
need iproute2 on_path ip

if [ ${#packages[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        echo "setup: this is not Debian; please install what these packages have: ${packages[*]}" >&2
        exit 1
    fi
    sudo=()
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "setup: neither root nor sudo; please have this run by root:" >&2
            echo "    apt-get install ${packages[*]}" >&2
            exit 1
        fi
        sudo=(sudo)
    fi
    echo "setup: installing ${packages[*]}"
    # env, because sudo does not pass the variable on.
    "${sudo[@]}" apt-get update -q
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qy --no-install-recommends "${packages[@]}"
fi

if [ -x tests/python/setup.sh ]; then
    tests/python/setup.sh >/dev/null
fi
