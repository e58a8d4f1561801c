#!/usr/bin/env bash
# echo.sh [--once] [serve options]
#
# Builds echo in release mode, starts it, lets a second process connect to it through its HTTP interface
# and checks that every message comes back unaltered. Then it prints the page's address and keeps serving until
# interrupted; with --once it ends after the check. Other options go to `echo serve`.
#
# Exit status: 0 only if the check passed and the server stopped cleanly.
# ECHO_BINARY names an echo to use instead of building one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

once=0
serve_options=()
http_given=0
for option in "$@"; do
    case $option in
        --once) once=1 ;;
        *)
            [[ $option == --http || $option == --http=* ]] && http_given=1
            serve_options+=("$option")
            ;;
    esac
done

binary=${ECHO_BINARY:-}
if [[ -z $binary ]]; then
    echo "Building echo (release). The first build takes a few minutes."
    swift build -c release --product echo
    binary=$(swift build -c release --show-bin-path)/echo
fi

work=$(mktemp -d)
server=
forwarder=

stop_server() {
    # Returns the server's exit status.
    local status=0
    if [[ -n $server ]]; then
        kill -TERM "$server" 2>/dev/null || true
        wait "$server" || status=$?
        server=
        if [[ -n $forwarder ]]; then
            wait "$forwarder" 2>/dev/null || true
            forwarder=
        fi
    fi
    return "$status"
}
trap 'stop_server || true; rm -rf "$work"' EXIT

# Starts the server and sets $url from the line it prints when it is ready.
start_server() {
    url=
    rm -f "$work/out"
    mkfifo "$work/out"
    # In a process group of its own, so that Ctrl-C reaches it once: as this script's SIGTERM.
    set -m
    "$binary" serve ${serve_options[@]+"${serve_options[@]}"} "$@" >"$work/out" 2>&1 </dev/null &
    server=$!
    set +m
    exec 3<"$work/out"
    local line
    while IFS= read -r -t 30 line <&3; do
        printf '%s\n' "$line"
        if [[ $line =~ http://[^[:space:]]+ ]]; then
            url=${BASH_REMATCH[0]}
            cat <&3 &
            forwarder=$!
            return 0
        fi
    done
    stop_server || true
    return 1
}

if ((http_given)); then
    start_server || { echo "The echo server did not start." >&2; exit 1; }
elif ((once)); then
    start_server --http 127.0.0.1:0 || { echo "The echo server did not start." >&2; exit 1; }
elif ! start_server --http 127.0.0.1:8080; then
    echo "Port 8080 is not to be had; taking a free one."
    start_server --http 127.0.0.1:0 || { echo "The echo server did not start." >&2; exit 1; }
fi

# A server that listens on every address is reached here through loopback.
call_url=${url/0.0.0.0/127.0.0.1}
call_url=${call_url/\[::\]/[::1]}

echo
echo "A Swift client connects to $call_url:"
"$binary" call "$call_url" --messages 100 --size 1024 || {
    echo "The check failed: not every message came back unaltered." >&2
    exit 1
}
echo "Every message came back unaltered."

if ((once)); then
    stop_server || { echo "The server did not stop cleanly." >&2; exit 1; }
    exit 0
fi

echo
echo "Open $call_url in a browser. Ctrl-C ends the server."
interrupted=0
trap 'interrupted=1' INT TERM
status=0
wait "$server" || status=$?
if ((interrupted)); then
    echo
    stop_server || { echo "The server did not stop cleanly." >&2; exit 1; }
    exit 0
fi
server=
echo "The server ended by itself with status $status." >&2
exit 1
