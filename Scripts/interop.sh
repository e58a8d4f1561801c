#!/usr/bin/env bash
# interop.sh [pytest options]
#
# Runs Tests/Interop: builds the Swift programs under test and the Pion agent, sets up the Python environment once
# and starts pytest. Up to five tests that fail are tried once more by themselves; two failures are a failure.
#   SWIFT_BIN_DIR           folder with the programs; they are built when it is not set
#   INTEROP_CONFIGURATION   debug (default) or release
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

interop=Tests/Interop
configuration=${INTEROP_CONFIGURATION:-debug}

if [[ -z ${SWIFT_BIN_DIR:-} ]]; then
    swift build -c "$configuration" --product interop-agent
    for product in socketio-agent echo media-send media-record turn-server signaling-server signaling-client whip-server file-transfer mesh-peer; do
        swift build -c "$configuration" --product "$product"
    done
    SWIFT_BIN_DIR=$(swift build -c "$configuration" --show-bin-path)
fi
export SWIFT_BIN_DIR

mkdir -p "$interop/_build"
if [[ ! -x $interop/_build/pion-agent || $interop/peers/pion/main.go -nt $interop/_build/pion-agent ]]; then
    echo "Building the Pion agent"
    GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= go build -o "$interop/_build/pion-agent" \
        ./"$interop"/peers/pion/main.go
fi
if [[ ! -x $interop/_build/pion-turn || $interop/peers/pionturn/main.go -nt $interop/_build/pion-turn ]]; then
    echo "Building Pion's relayed peers"
    GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= go build -o "$interop/_build/pion-turn" \
        ./"$interop"/peers/pionturn/main.go
fi

venv=$interop/.venv
if ! cmp -s "$interop/requirements.txt" "$venv/installed.txt"; then
    echo "Setting up the Python environment"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$interop/requirements.txt"
    cp "$interop/requirements.txt" "$venv/installed.txt"
fi

cache=$PWD/$interop/_build/pytest
rm -rf "$cache"
run() { "$venv/bin/python" -m pytest "$interop" -o cache_dir="$cache" "$@"; }

run "$@" && exit 0 || status=$?
# 1: tests failed. Anything else is no matter of theirs.
[[ $status == 1 ]] || exit "$status"
mapfile -t failed < <("$venv/bin/python" -c 'import json, sys; print(*json.load(open(sys.argv[1])), sep="\n")' \
    "$cache/v/cache/lastfailed")
((${#failed[@]} <= 5)) || exit "$status"
echo "Once more, by themselves, what failed beside the others:"
printf '  %s\n' "${failed[@]}"
run "$@" --last-failed --last-failed-no-failures none
echo "PASSED ONLY ALONE, after failing beside the others (their reports are above); see CONTRIBUTING.md:"
printf '  %s\n' "${failed[@]}"
