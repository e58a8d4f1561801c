#!/bin/sh
# Runs the W3C web-platform-tests against this package and compares with what passed before.
#   Tests/Conformance/run.sh [OPTIONS OF run.mjs]      e.g. --area 'Data channels', --only RTCDataChannel-close, --record
# WPT_DIR: where the tests are kept, outside the repository. Default: ~/.cache/swift-webrtc/wpt. Fetched when it is empty (root, Debian).
# WPT_BRIDGE: a wpt-bridge already built. WPT_CONFIGURATION: debug (default) or release, in which
# listeners and replies do not keep the order that the bridge counts on. Needs Node 18 or later (Debian: nodejs).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
package=$(cd "$here/../.." && pwd)
WPT_DIR=${WPT_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/swift-webrtc/wpt}
export WPT_DIR
command -v node >/dev/null || { echo "Node is missing: install Debian's nodejs" >&2; exit 2; }
[ -f "$WPT_DIR/resources/testharness.js" ] || sh "$here/get-wpt.sh" "$WPT_DIR"
if [ -z "${WPT_BRIDGE:-}" ]; then
  configuration=${WPT_CONFIGURATION:-debug}
  swift build --package-path "$package" -c "$configuration" --product wpt-bridge
  WPT_BRIDGE=$(swift build --package-path "$package" -c "$configuration" --show-bin-path)/wpt-bridge
fi
# A namespace per file keeps every packet on the machine; without the right to make one the tests run as they are.
isolate=
if unshare -n true 2>/dev/null && command -v ip >/dev/null; then isolate=--isolate; fi
exec node "$here/run.mjs" --wpt "$WPT_DIR" --baseline "$here/baseline.json" $isolate "$@" -- "$WPT_BRIDGE"
