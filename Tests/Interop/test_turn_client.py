"""Our TURN client against coturn and turn-server, with ourselves, Chromium and Pion at the other end."""

from __future__ import annotations

import time

import pytest

from coturn import PASSWORD, SECRET, USER, Certificates, Coturn, rest_credentials
from harness import Agent, Pair
from turn_server import Relay

TRANSPORTS = pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def server(tmp_path_factory, certificates):
    running = Coturn(tmp_path_factory.mktemp("coturn"), certificates=certificates)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def ours(certificates):
    """turn-server, in coturn's place."""
    running = Relay(certificates)
    yield running
    assert running.stop() == 0


@pytest.fixture
def launch(tmp_path, certificates):
    """Starts servers of a test's own."""
    started = []

    def launch(*options, **more) -> Coturn:
        started.append(Coturn(tmp_path, *options, certificates=certificates, **more))
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


@TRANSPORTS
def test_both_sides_relay(server, meet, transport):
    pair = meet(server.configuration(transport), server.configuration(transport))
    near, far = pair.connect()
    exchange(near, far)
    for peer in (pair.subject, pair.peer):
        local = selected(peer)["local"]
        assert (local["type"], local["relayProtocol"]) == ("relay", transport), local
        assert local["url"] == server.url(transport)


@TRANSPORTS
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


@TRANSPORTS
@pytest.mark.parametrize("peer", ["chromium", "pion"])
@pytest.mark.parametrize("through", ["server", "ours"], ids=["coturn", "turn-server"])
def test_we_relay_to_other_stacks(request, meet, transport, peer, through):
    server = request.getfixturevalue(through)
    # Chromium tells its own addresses by name only, so that a relay learns of it by its relayed address.
    pair = meet(server.configuration(transport), not_only_relay(server.configuration()), peer=peer)
    near, far = pair.connect()
    exchange(near, far)
    local = selected(pair.subject)["local"]
    assert (local["type"], local["relayProtocol"]) == ("relay", transport), local


@TRANSPORTS
@pytest.mark.parametrize("through", ["server", "ours"], ids=["coturn", "turn-server"])
def test_chromium_relays_over_any_transport(request, certificates, transport, through):
    """Chromium takes the server's key for good; it has no other way to an authority that it does not know."""
    server = request.getfixturevalue(through)
    trust = f"--ignore-certificate-errors-spki-list={certificates.key_digest}"
    chromium = Agent("chromium", ["env", f"CHROMIUM_ARGUMENTS={trust}"])
    subject = Agent("swift")
    configuration = server.configuration(transport)
    configuration.pop("trust")
    pair = Pair(chromium, subject, configuration, {"addresses": ["127.0.0.1"]})
    try:
        near, far = pair.connect()
        exchange(near, far)
        relayed = pair.offerer.request("getStats")["selectedPair"]["local"]
        assert (relayed["type"], relayed["relayProtocol"]) == ("relay", transport), relayed
    finally:
        pair.close()
        assert chromium.stop() == 0 and subject.stop() == 0


@pytest.mark.parametrize("peer", ["chromium", "pion"])
def test_the_other_stack_relays(server, meet, peer):
    configuration = server.configuration()
    configuration.pop("trust")
    pair = meet(None, configuration, peer=peer)
    near, far = pair.connect()
    exchange(near, far)
    assert selected(pair.peer)["local"]["type"] == "relay"


@pytest.fixture(params=["long-term", "rest"])
def credentials(request) -> tuple[tuple[str, ...], dict]:
    """How users are known: what coturn is started with for that, and what clients are configured with."""
    if request.param == "long-term":
        return (), {}
    name, password = rest_credentials()
    return ("--use-auth-secret", "--static-auth-secret", SECRET), {"username": name, "credential": password}


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
    took = []
    # A busy machine delays, too.
    while len(took) < 3 and min(took, default=8) >= 8:
        began = time.monotonic()
        pair = meet(configuration, None)
        exchange(*pair.connect())
        took.append(time.monotonic() - began)
        for _ in range(2):
            assert pair.subject.take("candidateerror")["errorCode"] == 701
    assert min(took) < 8, took


@TRANSPORTS
def test_stale_nonces_are_renewed(launch, meet, transport, credentials):
    options, who = credentials
    relay = launch("--stale-nonce=2", "--max-allocate-lifetime=8", *options)
    pair = meet(relay.configuration(transport, **who), None)
    near, far = pair.connect()
    # Refreshes come every four seconds, each with a nonce that is too old.
    relay.wait_for("Stale nonce", 1)
    relay.wait_for("REFRESH processed, success", 2)
    exchange(near, far)


@TRANSPORTS
def test_allocations_outlive_their_lifetime(launch, meet, transport, credentials):
    options, who = credentials
    relay = launch("--max-allocate-lifetime=4", *options)
    pair = meet(relay.configuration(transport, **who), None)
    near, far = pair.connect()
    relay.wait_for("REFRESH processed, success", 4)
    exchange(near, far)


@TRANSPORTS
def test_a_relay_that_forgets_too_early_is_brought_back(launch, meet, transport, credentials):
    # This server forgets permissions and channels long before the RFC lets it: the path falls silent, and is brought back.
    options, who = credentials
    relay = launch("--permission-lifetime=12", "--channel-lifetime=12", *options)
    pair = meet(relay.configuration(transport, **who), None)
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
    relay.wait_for(f"closed (2nd stage), user <{USER}>")


@TRANSPORTS
def test_a_restarted_server_is_used_again(launch, meet, transport, credentials):
    options, who = credentials
    relay = launch(*options)
    pair = meet(relay.configuration(transport, **who), None)
    near, far = pair.connect()
    took = []
    # Nobody waits for silence: a connection that ends says so, and so does a port where nobody listens. A busy machine delays, too.
    while len(took) < 3 and min(took, default=15) >= 15:
        relay.stop()
        relay.start()
        began = time.monotonic()
        exchange(near, far, count=20, deadline=90)
        took.append(time.monotonic() - began)
    assert min(took) < 15, took
    assert selected(pair.subject)["local"]["type"] == "relay"


@pytest.mark.parametrize("scheme", ["stun", "stuns"])
def test_a_stun_server_tells_the_reflexive_address(server, meet, scheme):
    servers = [{"urls": [server.stun_url(scheme)]}]
    trust = server.certificates.authority.read_text()
    pair = meet({"iceServers": servers, "trust": trust, "addresses": ["127.0.0.1"], "tcp": ["active"]}, None)
    pair.subject.create_channel("data")
    pair.negotiate()
    pair.subject.take("state", of="gathering", value="complete")
    # On loopback it is the host's own, of which no candidate is made.
    text = pair.subject.request("diagnose")["text"]
    assert f"{servers[0]['urls'][0]}: reflexive address 127.0.0.1" in text, text


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("through", ["coturn", "turn-server"])
def test_one_allocation_has_addresses_of_both_families(request, launch, meet, through, address):
    """ADDITIONAL-ADDRESS-FAMILY (RFC 8656 section 7.1), with a peer that has one of the families only."""
    server = request.getfixturevalue("ours") if through == "turn-server" else launch("--relay-ip", "::1")
    pair = meet(server.configuration(), {"addresses": [address]})
    near, far = pair.connect()
    exchange(near, far)
    relayed = [event["candidate"].split()[4] for event in pair.subject.agent.history(pair.subject.name, "candidate")
               if event["candidate"]]
    assert sorted(relayed) == ["127.0.0.1", "::1"], relayed
    local = selected(pair.subject)["local"]
    assert (local["type"], local["address"]) == ("relay", address), local


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
