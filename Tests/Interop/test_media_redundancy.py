"""What is sent ahead of loss, with a real browser over a network that loses packets: redundant sound and repair packets, both ways."""

import json
import subprocess
import sys

import pytest
from harness import PEERS, bad_network, swift_binary
from test_echo import Server
from test_media import needs_namespaces

SECONDS = 20
FIELD_TRIALS = "WebRTC-FlexFEC-03-Advertised/Enabled/WebRTC-FlexFEC-03/Enabled/"


def protected_call(tmp_path, *link: str) -> dict:
    """A browser's call to the echo server over such a link; gives what the browser counted."""
    with bad_network("fec", *link) as (near, far):
        server = Server([*far, *swift_binary("echo"), "serve", "--http", "10.77.0.2:0", "--udp", "10.77.0.2:0"])
        call = subprocess.run(
            [*near, sys.executable, str(PEERS / "browser_call.py"), server.url,
             f"await protectedCall({{seconds: {SECONDS}}})", str(tmp_path),
             "--unsafely-treat-insecure-origin-as-secure=" + server.url.rstrip("/"),
             "--force-fieldtrials=" + FIELD_TRIALS],
            capture_output=True, text=True, timeout=SECONDS + 240,
        )
        assert server.stop() == 0
    assert call.returncode == 0, call.stderr
    outcome = json.loads(call.stdout)
    print(json.dumps(outcome))
    assert "error" not in outcome, outcome["error"]
    return outcome["value"]


def is_protected(seen: dict) -> bool:
    """Whether what was lost was hardly missed."""
    heard = seen["heard"]
    # Chromium counts no redundant sound; that its gaps are filled shows in what it had to conceal.
    lost = heard["packetsLost"] / (heard["packetsLost"] + heard["packetsReceived"])
    assert lost > 0.02, heard
    return (
        heard["concealedSamples"] < 0.5 * lost * heard["totalSamplesReceived"]
        and seen["framesDecoded"] > 0.95 * seen["framesSent"] - 15
    )


@needs_namespaces
@pytest.mark.timeout(900)
def test_sound_and_pictures_are_protected_against_loss_both_ways(tmp_path):
    # A browser on a busy machine conceals, and skips frames, for want of time as well. Without protection no call is whole.
    for attempt in range(3):
        seen = protected_call(tmp_path / str(attempt), "delay=60", "loss=5")
        assert seen["connected"] and abs(seen["pitch"] - 440) < 12, seen
        assert seen["hasFlexFEC"] and seen["seen"]["fecPacketsReceived"] > 50, seen
        if is_protected(seen):
            return
    pytest.fail(f"what was lost is missing: {seen}")
