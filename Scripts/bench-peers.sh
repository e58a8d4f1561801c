#!/usr/bin/env bash
# bench-peers.sh [MODE...]
#
# Measures rtc-bench and other WebRTC stacks in turn, in the same run and on the same machine, and prints a Markdown
# table of the ratios. Absolute figures differ from machine to machine and from minute to minute; ratios of runs that
# alternate do not.
#
# MODE: bulk64k bulk16k bulk1k bulk64 ping setup setup16 idle; all of them by default.
#
# Environment:
#   PEERS_BENCH   bench.py of the peer lab (required)
#   PEERS_HOME    folder with the lab's agents.json (required)
#   PEERS         the stacks to compare with, by their names there; default "ldc"
#   ROUNDS        how often each is measured; the median counts; default 3
#   SECS          how long a bulk measurement sends; default 5
#   RAW           a file to which each result is appended as a line of JSON
#   BENCH_BINARY  an rtc-bench to use instead of building one
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

: "${PEERS_BENCH:?the path of the bench.py that relays between two agents}"
: "${PEERS_HOME:?the folder with agents.json}"
export PEERS_HOME

binary=${BENCH_BINARY:-}
if [[ -z $binary ]]; then
    swift build -c release --product rtc-bench >&2
    binary=$(swift build -c release --show-bin-path)/rtc-bench
fi

exec python3 - "$binary" "$@" <<'PYTHON'
import json, os, statistics, subprocess, sys

BINARY, MODES = sys.argv[1], sys.argv[2:]
BENCH = os.environ["PEERS_BENCH"]
PEERS = os.environ.get("PEERS", "ldc").split()
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECS = os.environ.get("SECS", "5")
OURS = f"{BINARY} agent"

SETTINGS = {
    "bulk64k": ("bulk", ["size=65536", f"seconds={SECS}"]),
    "bulk16k": ("bulk", ["size=16384", f"seconds={SECS}"]),
    "bulk1k": ("bulk", ["size=1024", f"seconds={SECS}"]),
    "bulk64": ("bulk", ["size=64", f"seconds={SECS}"]),
    "ping": ("ping", ["size=64", "seconds=3"]),
    "setup": ("setup", ["n=100"]),
    "setup16": ("setup", ["n=200", "conc=16"]),
    "idle": ("idle", ["n=200", "conc=8"]),
}


def per_byte(r):
    return r["send_cpu_ns_per_B"] + r["recv_cpu_ns_per_B"]


BULK = [("MB/s", lambda r: r["MBps"]), ("CPU ns per byte", per_byte)]
SMALL = [("messages/s", lambda r: r["msgs_per_s"]), ("CPU us per message", lambda r: r["cpu_us_per_msg"])]
SETUP = [
    ("p50 ms", lambda r: r["p50_ms"]),
    ("connections/s", lambda r: r["per_s"]),
    ("CPU ms", lambda r: r["cpu_ms_per_conn"] + r["answer_cpu_ms_per_conn"]),
]
FIGURES = {
    "bulk64k": BULK,
    "bulk16k": BULK,
    "bulk1k": BULK,
    "bulk64": SMALL,
    "ping": [("p50 us", lambda r: r["p50_us"]), ("p99 us", lambda r: r["p99_us"])],
    "setup": SETUP,
    "setup16": SETUP,
    "idle": [("KB per connection", lambda r: (r["rss_per_conn"] + r["answer_rss_per_conn"]) / 2e3)],
}


def run(agent, mode):
    kind, options = SETTINGS[mode]
    output = subprocess.run(
        [sys.executable, BENCH, agent, agent, kind, *options], stdout=subprocess.PIPE, text=True, timeout=300
    ).stdout
    result = json.loads(output.strip().splitlines()[-1])
    if "RAW" in os.environ:
        with open(os.environ["RAW"], "a") as raw:
            print(json.dumps(result), file=raw)
    if not result["ok"] or result.get("failed"):
        raise RuntimeError(f"{agent} {mode}: {output}")
    return result


print(f"| | | rtc-bench | {' | '.join(f'{p} | ratio' for p in PEERS)} |")
print("|---|---|" + "---|" * (1 + 2 * len(PEERS)))
for mode in MODES or SETTINGS:
    results = {agent: [] for agent in [OURS, *PEERS]}
    for _ in range(ROUNDS):
        for agent, measured in results.items():
            try:
                measured.append(run(agent, mode))
            except (RuntimeError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
                print(error, file=sys.stderr)
    for name, figure in FIGURES[mode]:
        medians = {agent: statistics.median(map(figure, found)) for agent, found in results.items() if found}
        ours = medians.get(OURS)
        cells = ["-" if ours is None else f"{ours:.4g}"]
        for peer in PEERS:
            theirs = medians.get(peer)
            cells.append("-" if theirs is None else f"{theirs:.4g}")
            cells.append("-" if not theirs or ours is None else f"{ours / theirs:.2f}")
        print(f"| {mode} | {name} | {' | '.join(cells)} |", flush=True)
PYTHON
