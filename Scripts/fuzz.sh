#!/bin/bash
# Scripts/fuzz.sh SECONDS [TARGET...]: fuzzes each target for that long.
# Targets: sdp stun turn candidate mdns dcep sctp srtp rtp rtcp payloads fec ivf ogg annexb wav rtpdump whip websocket
# stomp sockjs session socketio polling mailbox filetransfer rooms turnclient.
#
# What was learnt is kept in .build-fuzz/corpus; an input that fails is kept in Fuzz/FailCases/TARGET, where tests replay
# it. The exit status is that of the worst target. WRAP=command runs the build under a command.
set -uo pipefail
cd "$(dirname "$0")/.."

readonly ALL='sdp stun turn candidate mdns dcep sctp srtp rtp rtcp payloads fec ivf ogg annexb wav rtpdump whip websocket stomp sockjs session socketio polling mailbox filetransfer rooms turnclient'
readonly BUILD=$PWD/.build-fuzz

seconds=${1:-60}
[[ $seconds =~ ^[0-9]+$ ]] || { echo "usage: $0 SECONDS [TARGET...]   targets: $ALL" >&2; exit 2; }
shift || true
read -ra targets <<< "${*:-$ALL}"

product() {
    case $1 in
        sdp) echo FuzzSDP ;;
        stun) echo FuzzSTUN ;;
        turn) echo FuzzTURN ;;
        candidate) echo FuzzCandidate ;;
        mdns) echo FuzzMDNS ;;
        dcep) echo FuzzDCEP ;;
        sctp) echo FuzzSCTP ;;
        srtp) echo FuzzSRTP ;;
        rtp) echo FuzzRTP ;;
        rtcp) echo FuzzRTCP ;;
        payloads) echo FuzzPayloads ;;
        fec) echo FuzzFEC ;;
        ivf) echo FuzzIVF ;;
        ogg) echo FuzzOgg ;;
        annexb) echo FuzzAnnexB ;;
        wav) echo FuzzWAV ;;
        rtpdump) echo FuzzRTPDump ;;
        whip) echo FuzzWHIP ;;
        websocket) echo FuzzWebSocket ;;
        stomp) echo FuzzSTOMP ;;
        sockjs) echo FuzzSockJS ;;
        session) echo FuzzSession ;;
        socketio) echo FuzzSocketIO ;;
        polling) echo FuzzPolling ;;
        mailbox) echo FuzzMailbox ;;
        filetransfer) echo FuzzFileTransfer ;;
        rooms) echo FuzzRooms ;;
        turnclient) echo FuzzTURNClient ;;
        *) echo "no fuzz target '$1'; there are: $ALL" >&2; return 1 ;;
    esac
}

# The longest input of a target, in bytes.
longest() {
    case $1 in
        sdp) echo 16384 ;;
        session) echo 8192 ;;
        *) echo 2048 ;;
    esac
}

seed() {
    local target=$1 corpus=$BUILD/corpus/$1
    mkdir -p "$corpus"
    [[ -d Fuzz/Seeds/$target ]] && cp -n Fuzz/Seeds/"$target"/* "$corpus"/
    case $target in
        sdp) cp -n Tests/RTCSDPTests/Samples/*.sdp "$corpus"/ ;;
        candidate)
            grep -h '^a=candidate:' Tests/RTCSDPTests/Samples/*.sdp | tr -d '\r' | sort -u | cut -c3- \
                | split -l 1 - "$corpus/sample-" ;;
    esac
    [[ -d Fuzz/FailCases/$target ]] && cp -n Fuzz/FailCases/"$target"/* "$corpus"/
    return 0
}

for target in "${targets[@]}"; do product "$target" > /dev/null || exit 2; done

# Where a target puts files.
FUZZ_FOLDER=$(mktemp -d -p "$([[ -w /dev/shm ]] && echo /dev/shm || echo /tmp)" rtc-fuzz.XXXXXX) || exit 1
export FUZZ_FOLDER
trap 'rm -rf "$FUZZ_FOLDER"' EXIT

# A process that fails must not be handed to the crash backtracer: the fuzzer reports it.
export SWIFT_BACKTRACE=enable=no
# The C libraries under the session keep what they allocated for the process's life.
export ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=64:${ASAN_OPTIONS:-}

# Fuzzing sees release code, with internals within reach and the address sanitizer watching.
build() {
    ${WRAP:-} swift build --package-path Fuzz --scratch-path "$BUILD" -c release "$@" \
        -Xswiftc -sanitize=fuzzer,address -Xswiftc -parse-as-library -Xswiftc -enable-testing || exit 1
}

if [[ ${targets[*]} == "$ALL" ]]; then
    echo "building all targets"
    build
else
    for target in "${targets[@]}"; do
        echo "building $target"
        build --product "$(product "$target")"
    done
fi
bin=$(swift build --package-path Fuzz --scratch-path "$BUILD" -c release --show-bin-path)

worst=0
for target in "${targets[@]}"; do
    seed "$target"
    failures=Fuzz/FailCases/$target
    mkdir -p "$failures"
    echo "fuzzing $target for $seconds s"
    "$bin/$(product "$target")" -max_total_time="$seconds" -max_len="$(longest "$target")" -rss_limit_mb=1024 \
        -malloc_limit_mb=256 -timeout=10 -artifact_prefix="$failures/" -print_final_stats=1 -verbosity=1 \
        "$BUILD/corpus/$target" > "$BUILD/$target.log" 2>&1
    status=$?
    rmdir --ignore-fail-on-non-empty "$failures" 2> /dev/null
    if [[ $status -ne 0 ]]; then
        echo "$target FAILED ($status); the end of $BUILD/$target.log:"
        tail -40 "$BUILD/$target.log"
        worst=1
    else
        grep -E 'number_of_executed_units|peak_rss_mb' "$BUILD/$target.log"
        grep -E 'cov:' "$BUILD/$target.log" | tail -1
    fi
done
rmdir --ignore-fail-on-non-empty Fuzz/FailCases 2> /dev/null
exit $worst
