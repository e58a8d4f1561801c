#!/usr/bin/env bash
# install-dependencies.sh toolchain|build|test
#
# Installs the Debian or Ubuntu packages that building (build) or building and testing (test) needs and that the
# machine lacks; does nothing, and asks for no privileges, when all are there. `toolchain` only checks for Swift.
set -euo pipefail

mode=${1:-build}

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# Each line is a package, and optionally a command whose presence makes the package unnecessary.
build_packages=(
    "libssl-dev"
    "libsrtp2-dev"
    "libusrsctp-dev"
    "libavformat-dev"
    "libavcodec-dev"
    "libavutil-dev"
    "zlib1g-dev"
    "pkg-config pkg-config"
    "make make"
)
test_packages=(
    "chromium chromium"
    "chromium-driver chromedriver"
    "golang-go go"
    "golang-github-pion-webrtc.v3-dev"
    "python3 python3"
    "util-linux setarch"
    "nodejs node"
    "iproute2 ip"
    "nftables nft"
    "ffmpeg ffmpeg"
    "coturn turnserver"
    "openssl openssl"
    "node-sockjs-client"
    "node-sockjs"
    "rabbitmq-server rabbitmq-server"
    "python3-gst-1.0"
    "gir1.2-gst-plugins-bad-1.0"
    "gstreamer1.0-nice"
    "gstreamer1.0-plugins-base"
    "gstreamer1.0-plugins-good"
    "gstreamer1.0-plugins-bad"
)

case $mode in
    toolchain) wanted=() ;;
    build) wanted=("${build_packages[@]}") ;;
    test) wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
    *) fail "usage: $0 toolchain|build|test" ;;
esac

check_swift() {
    command -v swift >/dev/null 2>&1 || fail \
        "Swift is not installed, or not in PATH." \
        "This package needs Swift 6.2 or newer; install it from https://www.swift.org/install/ and try again."
    local version
    version=$(swift --version 2>&1 | sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1 \2/p' | head -n 1)
    local major=${version% *} minor=${version#* }
    if [[ -n $version ]] && ((major < 6 || (major == 6 && minor < 2))); then
        fail "Swift $major.$minor is too old: this package needs Swift 6.2 or newer (https://www.swift.org/install/)."
    fi
}

is_installed() {
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

check_swift

missing=()
if ((${#wanted[@]})) && ! command -v dpkg-query >/dev/null 2>&1; then
    # Not Debian's family: say what is missing rather than guess how to install it.
    for module in openssl libsrtp2 usrsctp libavformat libavcodec libavutil zlib; do
        pkg-config --exists "$module" 2>/dev/null || missing+=("$module")
    done
    if ((${#missing[@]})); then
        fail "These libraries were not found by pkg-config: ${missing[*]}" \
            "This script installs packages on Debian and Ubuntu only. Elsewhere install OpenSSL 3, libsrtp 2," \
            "usrsctp and FFmpeg 5.1 or newer with their headers (macOS: brew install openssl@3 srtp libusrsctp ffmpeg" \
            "pkg-config) and try again."
    fi
    exit 0
fi

for entry in ${wanted[@]+"${wanted[@]}"}; do
    read -r package program <<<"$entry"
    if [[ -n $program ]] && command -v "$program" >/dev/null 2>&1; then
        continue
    fi
    is_installed "$package" || missing+=("$package")
done
if [[ $mode == test ]] && ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
    missing+=("python3-venv")
fi

((${#missing[@]})) || exit 0

as_root=()
if [[ $(id -u) != 0 ]]; then
    if ! command -v sudo >/dev/null 2>&1; then
        fail "These packages are missing: ${missing[*]}" \
            "Installing them needs root. Run as root: apt-get install ${missing[*]}"
    fi
    as_root=(sudo)
    # Without a terminal nobody can type a password.
    [[ -t 0 ]] || as_root=(sudo -n)
fi

apt() {
    ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive \
        apt-get -y -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

echo "Installing ${missing[*]}"

# Package lists are refreshed only where they do not know a package, or know a version that is gone.
unknown=0
for package in "${missing[@]}"; do
    candidate=$(LC_ALL=C apt-cache policy "$package" 2>/dev/null | sed -nE 's/^ *Candidate: (.*)/\1/p')
    [[ -n $candidate && $candidate != "(none)" ]] || unknown=1
done
if ((unknown)); then
    apt update
fi
if ! apt install --no-install-recommends "${missing[@]}"; then
    if ((unknown)); then
        fail "Could not install: ${missing[*]}"
    fi
    apt update
    apt install --no-install-recommends "${missing[@]}" || fail "Could not install: ${missing[*]}"
fi
