"""file-transfer over relays: where there is no other way, and where what they carry is altered."""

from __future__ import annotations

import contextlib

import pytest
from coturn import PASSWORD, USER, Certificates
from harness import DEADLINE, swift_binary
from meddlers import FlippingDatagrams, FlippingStream
from nat.lab import SERVER, Lab
from nat.namespaces import unavailable
from test_echo import Server
from test_file_transfer import CODE, Program, digest, make_tree, receive, sender
from turn_server import Relay, TURNServer

without_namespaces = pytest.mark.skipif((reason := unavailable()) is not None, reason=reason or "")


@without_namespaces
@pytest.mark.timeout(600)
@pytest.mark.parametrize("knowing", ["both", "receiver"])
@pytest.mark.parametrize("kind", ["public", "symmetric"])
def test_without_a_direct_path_a_relay_is_chosen_and_both_say_so(tmp_path, kind, knowing):
    """Hosts that drop what comes from each other, and hosts behind NATs that let nobody through."""
    make_tree(tmp_path / "out" / "tree", 31, large=1_000_000)
    (tmp_path / "certificates").mkdir()
    with contextlib.ExitStack() as stack:
        lab = Lab()
        stack.callback(lab.close)
        sites = [lab.add(kind), lab.add(kind)]
        if kind == "public":
            for site, other in zip(sites, reversed(sites)):
                site.host.rules(
                    "table inet apart { chain in { type filter hook input priority 0; "
                    f"ip saddr {other.address} meta l4proto {{ tcp, udp }} drop; }}; }}"
                )
        relay = Relay(Certificates(tmp_path / "certificates", SERVER), lab.server, SERVER)
        stack.callback(relay.kill)
        server = Server([*lab.server.command, *swift_binary("signaling-server"), "--http", f"{SERVER}:0"])
        stack.callback(server.stop)
        url = server.url.rstrip("/")
        turn = ["--turn", relay.url("udp"), "--turn-user", USER, "--turn-password", PASSWORD]
        program = Program("send", "--http", url, *(turn if knowing == "both" else ["--stun", relay.stun_url()]), str(tmp_path / "out" / "tree"),
                          prefix=sites[0].host.command)
        stack.callback(program.kill)
        other = Program("receive", program.find(CODE), "--http", url, *turn, "--into", str(tmp_path / "in"),
                        prefix=sites[1].host.command)
        stack.callback(other.kill)
        assert other.wait(120) == 0, (other.said, program.said)
        assert program.wait(120) == 0, (other.said, program.said)
    for side in (program, other):
        assert "Connected: relayed" in side.said and "Connected: direct" not in side.said, side.said
        # The last line says it too.
        assert "; relayed" in side.lines[-1], side.said
    assert digest(tmp_path / "in") == digest(tmp_path / "out")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_relay_that_alters_what_it_carries_harms_no_file(tmp_path, transport):
    """Bits are flipped between both sides and their relay. Datagrams are sent again; a stream may be lost, which is said in words."""
    make_tree(tmp_path / "out" / "tree", 32, large=3_000_000)
    server = TURNServer("--listen", "127.0.0.1", "--port", "0", "--user", "alice:secret", "--allow-peer", "127.0.0.0/8")
    address = ("127.0.0.1", int(server.port("turn", transport)))
    if transport == "udp":
        meddler = FlippingDatagrams(address, seed=1, one_of=50)
    else:
        meddler = FlippingStream(address, seed=1, every=200_000, after=8_000)
    try:
        relayed = ["--turn", f"turn:127.0.0.1:{meddler.port}?transport={transport}", "--turn-user", "alice",
                   "--turn-password", "secret", "--relay-only"]
        with sender(tmp_path / "out" / "tree", *relayed) as program:
            other = receive(program, tmp_path / "in", *relayed)
            status = other.wait(8 * DEADLINE)
            if status == 0:
                assert program.wait(4 * DEADLINE) == 0, program.said
            else:
                assert transport == "tcp" and status == 1 and "Failed: " in other.said, other.said
    finally:
        meddler.stop()
        server.kill()
    assert meddler.altered > 10, meddler.altered
    sent = digest(tmp_path / "out")
    arrived = digest(tmp_path / "in")
    if status == 0:
        assert arrived == sent
    # Whatever has its name is as it was sent.
    for path, (_, _, content) in arrived.items():
        assert content == sent[path][2], path
