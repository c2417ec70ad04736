#!/usr/bin/env bash
# What the release build costs: size, memory, start-up, and processor time while
# nothing is to be done. Exit status 1 when a bar is missed.
#
# usage: scripts/footprint.sh        (after cargo build --release)
#
# FOOTPRINT_SECONDS: how long each idle state and the session are watched (10).
set -euo pipefail
cd "$(dirname "$0")/.."
# Decimal points, whatever the language.
export LC_ALL=C

readonly HOST=${CARGO_TARGET_DIR:-target}/release/host
readonly WATCH=${FOOTPRINT_SECONDS:-10}
readonly TICKS=$(getconf CLK_TCK)
readonly SIZE="-c scene.width=640 -c scene.height=480"

[ -x "$HOST" ] || { echo "footprint: there is no $HOST; cargo build --release" >&2; exit 2; }
dir=$(mktemp -d)
pids=()
tidy() {
    [ ${#pids[@]} -eq 0 ] || kill -TERM "${pids[@]}" 2>/dev/null || true
    wait
    rm -rf "$dir"
}
trap tidy EXIT
# No other configuration than the defaults.
: >"$dir/config.toml"

failed=0
row() { # what, figure, bar, unit
    local verdict=ok
    if awk -v v="$2" -v bar="$3" 'BEGIN { exit !(v > bar) }'; then
        verdict=FAILED
        failed=1
    fi
    printf '%-44s %9s %9s %-4s %s\n' "$1" "$2" "$3" "$4" "$verdict"
}
memory() { # pid, VmHWM or VmRSS -> MB
    awk -v key="$2:" '$1 == key { printf "%.1f", $2 * 1024 / 1e6 }' "/proc/$1/status"
}
ticks() { # pid -> user and system time in ticks
    local stat
    stat=$(<"/proc/$1/stat")
    # The name of the program, in brackets, may hold spaces.
    awk '{ print $12 + $13 }' <<<"${stat##*) }"
}
cpu() { # earlier, later -> ms
    echo $((($2 - $1) * 1000 / TICKS))
}
start() { # name, arguments...
    local name=$1
    shift
    # Now, and not when the process gets to it: what the one before it said must
    # not be read as its own.
    : >"$dir/$name.out"
    : >"$dir/$name.err"
    "$HOST" --config "$dir/config.toml" "$@" >"$dir/$name.out" 2>"$dir/$name.err" &
    pids+=($!)
    started=$!
}
stop_all() {
    kill -TERM "${pids[@]}" 2>/dev/null || true
    local pid
    for pid in "${pids[@]}"; do wait "$pid" || true; done
    pids=()
}
until_line() { # file, text: waits for it, 30 s at most
    local limit=$((SECONDS + 30))
    until grep -q "$2" "$1"; do
        [ $SECONDS -lt $limit ] || { echo "footprint: no \"$2\" in:" >&2; cat "$1" >&2; exit 1; }
        sleep 0.05
    done
}
start_server() { # arguments...: sets server, address
    start server --role server --listen 127.0.0.1:0 --no-graphics $SIZE "$@"
    server=$started
    until_line "$dir/server.err" 'listening for a client on '
    address=$(sed -n 's/.*listening for a client on \([0-9.:]*\).*/\1/p' "$dir/server.err" | head -n 1)
}
start_client() {
    start client --role client --connect "$address" --no-graphics
    client=$started
}

printf '%-44s %9s %9s\n' "" figure bar
row "host binary, stripped" \
    "$(awk -v b="$(stat -Lc %s "$HOST")" 'BEGIN { printf "%.1f", b / 1e6 }')" 20 MB

# From the start of the process (which starts the client) to the line of the
# first scored frame on standard output; the line before it is the heading. The
# best and the worst of five.
times=()
for _ in 1 2 3 4 5; do
    begun=$EPOCHREALTIME
    exec 3< <("$HOST" demo --config "$dir/config.toml" --no-graphics --frames 3 $SIZE 2>"$dir/demo.err")
    read -r _ <&3 && read -r _ <&3 || { cat "$dir/demo.err" >&2; exit 1; }
    times+=("$(((${EPOCHREALTIME/./} - ${begun/./}) / 1000))")
    cat <&3 >/dev/null
    exec 3<&-
done
mapfile -t times < <(printf '%s\n' "${times[@]}" | sort -n)
row "first scored frame after start, best of 5" "${times[0]}" 1500 ms
row "first scored frame after start, worst of 5" "${times[4]}" 1500 ms

# A client whose server is not there (port 9 is nobody's), a server without a client.
start_server
address_kept=$address
address=127.0.0.1:9
start_client
sleep 2
before_server=$(ticks "$server") before_client=$(ticks "$client")
sleep "$WATCH"
row "server waiting, processor time in $WATCH s" "$(cpu "$before_server" "$(ticks "$server")")" 100 ms
row "client waiting, processor time in $WATCH s" "$(cpu "$before_client" "$(ticks "$client")")" 100 ms
row "server waiting, resident" "$(memory "$server" VmRSS)" 40 MB
row "client waiting, resident" "$(memory "$client" VmRSS)" 40 MB
kill -TERM "$client"
wait "$client" || true
address=$address_kept

# A session at 60 frames a second.
start_client
until_line "$dir/server.out" '('
sleep "$WATCH"
for side in server client; do
    row "$side in session, resident" "$(memory "${!side}" VmRSS)" 40 MB
    row "$side in session, resident at most" "$(memory "${!side}" VmHWM)" 40 MB
done
stop_all

# Connected, and a frame every ten seconds.
start_server --fps 0.1
start_client
until_line "$dir/server.out" '('
sleep 2
before_server=$(ticks "$server") before_client=$(ticks "$client")
sleep "$WATCH"
row "server connected, idle, time in $WATCH s" "$(cpu "$before_server" "$(ticks "$server")")" 100 ms
row "client connected, idle, time in $WATCH s" "$(cpu "$before_client" "$(ticks "$client")")" 100 ms
stop_all

exit $failed
