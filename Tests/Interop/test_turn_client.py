"""Our TURN client against coturn, with ourselves, Chromium and Pion at the other end."""

from __future__ import annotations

import time

import pytest

from coturn import PASSWORD, USER, Certificates, Coturn, rest_credentials
from harness import Pair


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def server(tmp_path_factory, certificates):
    running = Coturn(tmp_path_factory.mktemp("coturn"), certificates=certificates)
    yield running
    running.stop()


@pytest.fixture
def launch(tmp_path):
    """Starts servers of a test's own."""
    started = []

    def launch(*options, **more) -> Coturn:
        started.append(Coturn(tmp_path, *options, **more))
        return started[-1]

    yield launch
    for one in started:
        one.stop()


@pytest.fixture
def meet(agents):
    """Makes pairs and closes them."""
    pairs = []

    def meet(left: dict | None, right: dict | None, peer: str = "swift", answers: bool = True) -> Pair:
        subject, other = agents.get("swift"), agents.get(peer, second=peer == "swift")
        pair = Pair(subject, other, left, right) if answers else Pair(other, subject, right, left)
        pair.subject, pair.peer = (pair.offerer, pair.answerer) if answers else (pair.answerer, pair.offerer)
        pairs.append(pair)
        return pair

    yield meet
    for pair in pairs:
        pair.close()


def selected(peer) -> dict:
    return peer.request("getStats")["selectedPair"]


def exchange(near, far, size: int = 1_000, count: int = 200, deadline: float | None = None) -> None:
    """Data both ways."""
    for sender, receiver in ((near, far), (far, near)):
        receiver.request("receive", mode="tally", count=count)
        sender.post_pattern("binary", size, count)
        tally = receiver.take("tally", deadline)
        assert tally["count"] == count and tally["bytes"] == count * size


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_both_sides_relay(server, meet, transport):
    pair = meet(server.configuration(transport), server.configuration(transport))
    near, far = pair.connect()
    exchange(near, far)
    for peer in (pair.subject, pair.peer):
        local = selected(peer)["local"]
        assert (local["type"], local["relayProtocol"]) == ("relay", transport), local
        assert local["url"] == server.url(transport)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("answers", [True, False], ids=["offers", "answers"])
def test_one_side_relays(server, meet, transport, answers):
    pair = meet(server.configuration(transport), None, answers=answers)
    near, far = pair.connect()
    exchange(near, far)
    assert selected(pair.subject)["local"]["type"] == "relay"


def test_a_channel_carries_the_data(server, meet):
    before = server.said("CHANNEL_BIND processed, success")
    pair = meet(server.configuration(), None)
    near, far = pair.connect()
    server.wait_for("CHANNEL_BIND processed, success", before + 1)
    exchange(near, far, size=16_000, count=100)


def not_only_relay(configuration: dict) -> dict:
    """The same servers for another stack, which has no say in the rest."""
    return {"iceServers": configuration["iceServers"]}


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("peer", ["chromium", "pion"])
def test_we_relay_to_other_stacks(server, meet, transport, peer):
    # Chromium tells its own addresses by name only, so that a relay learns of it by its relayed address.
    pair = meet(server.configuration(transport), not_only_relay(server.configuration()), peer=peer)
    near, far = pair.connect()
    exchange(near, far)
    assert selected(pair.subject)["local"]["type"] == "relay"


@pytest.mark.parametrize("peer", ["chromium", "pion"])
def test_the_other_stack_relays(server, meet, peer):
    configuration = server.configuration()
    configuration.pop("trust")
    pair = meet(None, configuration, peer=peer)
    near, far = pair.connect()
    exchange(near, far)
    assert selected(pair.peer)["local"]["type"] == "relay"


def test_time_limited_credentials(launch, meet):
    relay = launch("--use-auth-secret", "--static-auth-secret", "shared secret")
    name, password = rest_credentials()
    pair = meet(relay.configuration(username=name, credential=password), None)
    exchange(*pair.connect())


def test_expired_credentials_are_reported(launch, meet):
    relay = launch("--use-auth-secret", "--static-auth-secret", "shared secret")
    name, password = rest_credentials(lifetime=-10)
    pair = meet(relay.configuration(username=name, credential=password), None)
    pair.subject.create_channel("data")
    pair.negotiate()
    error = pair.subject.take("candidateerror")
    assert error["errorCode"] == 401 and error["url"] == relay.url("udp"), error


def test_wrong_password(server, meet):
    pair = meet(server.configuration(credential="wrong"), None)
    pair.subject.create_channel("data")
    pair.negotiate()
    error = pair.subject.take("candidateerror")
    assert error["errorCode"] == 401, error
    pair.subject.take("state", of="gathering", value="complete")


def test_unknown_authority(server, meet):
    configuration = server.configuration("tls")
    configuration.pop("trust")
    pair = meet(configuration, None)
    pair.subject.create_channel("data")
    pair.negotiate()
    error = pair.subject.take("candidateerror")
    assert error["errorCode"] == 701 and "TLS" in error["errorText"], error


def test_a_dead_server_delays_nobody(server, meet):
    configuration = server.configuration()
    configuration["iceServers"].insert(
        0, {"urls": ["turn:192.0.2.200?transport=tcp", "turn:127.0.0.1:9"], "username": USER, "credential": PASSWORD}
    )
    began = time.monotonic()
    pair = meet(configuration, None)
    exchange(*pair.connect())
    assert time.monotonic() - began < 8
    for _ in range(2):
        assert pair.subject.take("candidateerror")["errorCode"] == 701


def test_stale_nonces_are_renewed(launch, meet):
    relay = launch("--stale-nonce=2", "--max-allocate-lifetime=8")
    pair = meet(relay.configuration(), None)
    near, far = pair.connect()
    # Refreshes come every four seconds, each with a nonce that is too old.
    relay.wait_for("Stale nonce", 1)
    relay.wait_for("REFRESH processed, success", 2)
    exchange(near, far)


def test_allocations_outlive_their_lifetime(launch, meet):
    relay = launch("--max-allocate-lifetime=4")
    pair = meet(relay.configuration(), None)
    near, far = pair.connect()
    relay.wait_for("REFRESH processed, success", 4)
    exchange(near, far)


def test_a_relay_that_forgets_too_early_is_brought_back(launch, meet):
    # This server forgets permissions and channels long before the RFC lets it: the path falls silent, and is brought back.
    relay = launch("--permission-lifetime=12", "--channel-lifetime=12")
    pair = meet(relay.configuration(), None)
    near, far = pair.connect()
    pair.subject.take("state", of="ice", value="connected")
    pair.subject.take("state", of="ice", value="disconnected")
    pair.subject.take("state", of="ice", value="connected")
    exchange(near, far, count=20)


def test_closing_ends_the_allocation(launch, meet):
    relay = launch()
    pair = meet(relay.configuration(), None)
    pair.connect()
    pair.subject.close()
    relay.wait_for("REFRESH processed, success")
    relay.wait_for("closed (2nd stage)")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_restarted_server_is_used_again(launch, meet, transport):
    relay = launch()
    pair = meet(relay.configuration(transport), None)
    near, far = pair.connect()
    relay.stop()
    relay.start()
    # SCTP's retransmission timer has doubled meanwhile, to ten seconds at most.
    exchange(near, far, deadline=60)
    assert selected(pair.subject)["local"]["type"] == "relay"


def test_new_credentials_reach_the_allocation(launch, meet):
    relay = launch("--use-auth-secret", "--static-auth-secret", "shared secret", "--max-allocate-lifetime=4")
    name, password = rest_credentials()
    pair = meet(relay.configuration(username=name, credential=password), None)
    near, far = pair.connect()
    before = relay.said("REFRESH processed, success")
    name, password = rest_credentials(lifetime=7200, user="someone")
    pair.subject.request("setConfiguration", configuration=relay.configuration(username=name, credential=password))
    relay.wait_for("REFRESH processed, success", before + 3)
    exchange(near, far)
