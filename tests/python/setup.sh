#!/bin/sh
# Makes the virtual environment that the Python peers need, once for each
# content of requirements.txt, and prints the path of its interpreter.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
venv=${CARGO_TARGET_DIR:-$here/../../target}/python-venv
mkdir -p "$(dirname "$venv")"
venv=$(cd "$(dirname "$venv")" && pwd)/python-venv

# Tests run side by side; one installs, the others wait.
exec 9>"$venv.lock"
flock 9

if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    python3 -m venv --clear "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check \
        -r "$here/requirements.txt" >&2
    # Last, so that an interrupted installation is not taken for a whole one.
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi
echo "$venv/bin/python"
