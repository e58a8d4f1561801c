"""turn-server with the clients of others: coturn's tools, Chromium, Pion and aiortc."""

import asyncio
import hashlib
import json
import re
import shutil
import socket
import ssl
import struct
import subprocess

import harness  # noqa: F401  (puts the peers' folder on the path)
import browser as chromium
import pytest
from aioice import stun
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from coturn import free_port
from harness import DEADLINE, HERE, dropped, swift_binary, wait_until
from turn_server import TURNServer

USER, PASSWORD = "alice", "wonderland"
MESSAGES = 500


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        + ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture(scope="module")
def server(certificate):
    running = TURNServer(
        *["--listen", "127.0.0.1", "--listen", "::1", "--port", "0", "--tls-port", "0"],
        *["--certificate", str(certificate / "certificate.pem"), "--key", str(certificate / "key.pem")],
        *["--user", f"{USER}:{PASSWORD}", "--allow-peer", "127.0.0.0/8", "--allow-peer", "::1"],
    )
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def echo_port():
    """coturn's peer, which sends everything back."""
    port = free_port()
    process = subprocess.Popen(
        ["turnutils_peer", "-L", "127.0.0.1", "-L", "::1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family, socket.SOCK_DGRAM) as asking:
                asking.settimeout(1)
                asking.connect((address, port))
                wait_until(lambda: is_sent_back(asking), f"turnutils_peer at {address}")
        yield str(port)
    finally:
        process.kill()
        process.wait()


def is_sent_back(asking: socket.socket) -> bool:
    try:
        asking.send(b"are you there?")
        return asking.recv(100) == b"are you there?"
    except OSError:
        return False


def uclient(server_port: str, peer_port: str, *options: str, host="127.0.0.1", peer="127.0.0.1") -> dict:
    command = ["turnutils_uclient", "-u", USER, "-w", PASSWORD, "-p", server_port, "-e", peer, "-r", peer_port]
    return counted([*command, "-n", "100", *options, host])


def counted(command: list[str]) -> dict:
    """How many messages coturn's client sent and got back, and how many datagrams the kernel dropped meanwhile."""
    before = dropped()
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    output = run.stdout + run.stderr
    counts = re.findall(r"start_mclient: tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", output)
    assert counts, output[-2000:]
    return {"sent": int(counts[-1][0]), "received": int(counts[-1][1]), "dropped": dropped() - before}


@pytest.mark.parametrize(
    "scheme, transport, options",
    [
        ("turn", "udp", []),
        ("turn", "udp", ["-s"]),
        ("turn", "udp", ["-m", "20"]),
        ("turn", "udp", ["-g", "-G"]),
        ("turn", "udp", ["-y"]),
        ("turn", "udp", ["-X"]),
        ("turn", "tcp", ["-t"]),
        ("turn", "tcp", ["-t", "-s"]),
        ("turn", "tcp", ["-t", "-y"]),
        ("turns", "tcp", ["-t", "-S"]),
        ("turns", "tcp", ["-t", "-S", "-s"]),
        ("turn", "tcp", ["-T"]),
    ],
    ids=lambda value: " ".join(value) or "-" if isinstance(value, list) else value,
)
def test_coturns_client_loses_nothing(server, echo_port, scheme, transport, options):
    counts = uclient(server.port(scheme, transport), echo_port, *options)
    assert counts["sent"] > 0
    # Over TLS coturn's client takes a record for one message, and throws away what follows in it.
    assert counts["received"] >= (0.8 if scheme == "turns" else 1) * counts["sent"] - counts["dropped"], counts


def test_tls_loses_nothing_in_a_burst(server, echo_port):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    port = int(server.port("turns", "tcp"))
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), DEADLINE)) as stream:
        stream.settimeout(DEADLINE)
        reader = stream.makefile("rb")

        def ask(method, key=None, **attributes):
            message = stun.Message(method, stun.Class.REQUEST)
            message.attributes.update({name.replace("_", "-"): value for name, value in attributes.items()})
            if key:
                message.add_message_integrity(key)
            stream.sendall(bytes(message))
            header = reader.read(20)
            return stun.parse_message(header + reader.read(int.from_bytes(header[2:4], "big")))

        challenge = ask(stun.Method.ALLOCATE, REQUESTED_TRANSPORT=0x11000000).attributes
        realm, nonce = challenge["REALM"], challenge["NONCE"]
        key = hashlib.md5(f"{USER}:{realm}:{PASSWORD}".encode()).digest()
        who = {"USERNAME": USER, "REALM": realm, "NONCE": nonce}
        allocated = ask(stun.Method.ALLOCATE, key, REQUESTED_TRANSPORT=0x11000000, **who)
        assert allocated.message_class == stun.Class.RESPONSE
        peer = ("127.0.0.1", int(echo_port))
        bound = ask(stun.Method.CHANNEL_BIND, key, CHANNEL_NUMBER=0x4000, XOR_PEER_ADDRESS=peer, **who)
        assert bound.message_class == stun.Class.RESPONSE
        received = []
        # Bursts that the peer's socket has room for.
        for start in range(0, MESSAGES, 50):
            sent = [str(number).encode().rjust(101) for number in range(start, start + 50)]
            stream.sendall(b"".join(b"\x40\x00" + len(data).to_bytes(2, "big") + data + b"\0\0\0" for data in sent))
            for _ in sent:
                channel, length = struct.unpack("!HH", reader.read(4))
                assert channel == 0x4000
                received.append(reader.read(length + (-length & 3))[:length])
        assert received == [str(number).encode().rjust(101) for number in range(MESSAGES)]


def test_coturns_client_relays_ipv6(server, echo_port):
    counts = uclient(server.port("turn", "udp"), echo_port, "-x", peer="::1")
    assert counts["sent"] > 0 and counts["received"] >= counts["sent"] - counts["dropped"], counts


def test_coturns_client_with_a_time_limited_credential(echo_port):
    running = TURNServer(
        *["--listen", "127.0.0.1", "--port", "0", "--shared-secret", "north", "--allow-peer", "127.0.0.0/8"]
    )
    try:
        command = ["turnutils_uclient", "-u", "carol", "-W", "north", "-p", running.port("turn")]
        command += ["-e", "127.0.0.1", "-r", echo_port, "-n", "20", "127.0.0.1"]
        counts = counted(command)
        assert counts["sent"] == 40 and counts["received"] >= 40 - counts["dropped"], counts
    finally:
        assert running.stop() == 0


def test_a_wrong_password_gets_no_allocation(server, echo_port):
    command = ["turnutils_uclient", "-u", USER, "-w", "wrong", "-p", server.port("turn"), "-e", "127.0.0.1"]
    run = subprocess.run([*command, "-r", echo_port, "127.0.0.1"], capture_output=True, text=True, timeout=60)
    assert "401" in run.stdout + run.stderr or run.returncode != 0


def test_coturns_stun_client_is_told_its_address(server):
    run = subprocess.run(
        ["turnutils_stunclient", "-p", server.port("turn"), "127.0.0.1"], capture_output=True, text=True, timeout=30
    )
    assert "UDP reflexive addr: 127.0.0.1:" in run.stdout + run.stderr


def test_coturns_discovery_finds_no_nat():
    running = TURNServer(
        *["--stun-only", "--listen", "127.0.0.1", "--port", "0", "--alternate", "127.0.0.2", "--alternate-port", "0"]
    )
    try:
        port = running.port("stun")
        command = ["turnutils_natdiscovery", "-m", "-f", "-p", port, "127.0.0.1"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60)
        output = run.stdout + run.stderr
        assert "NAT with Endpoint Independent Mapping" in output or "No NAT detected" in output, output
        assert "Endpoint Independent Filtering" in output, output
    finally:
        assert running.stop() == 0


def test_pion_through_the_relay(server):
    program = HERE / "_build" / "pion-turn"
    for transport in ("udp", "tcp"):
        run = subprocess.run(
            [str(program), server.uri(transport), USER, PASSWORD, str(MESSAGES)],
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert run.returncode == 0 and int(run.stdout) == MESSAGES, run.stderr


def only_relayed(sdp: str) -> str:
    lines = [line for line in sdp.split("\r\n") if not line.startswith("a=candidate:") or " typ relay" in line]
    return "\r\n".join(lines)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_aiortc_through_the_relay(server, transport):
    async def meet() -> list[str]:
        ice = RTCIceServer(urls=server.uri(transport), username=USER, credential=PASSWORD)
        offerer, answerer = (RTCPeerConnection(RTCConfiguration(iceServers=[ice])) for _ in range(2))
        received: list[str] = []
        done = asyncio.Event()
        channel = offerer.createDataChannel("echo")

        @answerer.on("datachannel")
        def _(other):
            other.on("message", other.send)

        @channel.on("open")
        def _():
            for number in range(MESSAGES):
                channel.send(str(number))

        @channel.on("message")
        def _(message):
            received.append(message)
            if len(received) == MESSAGES:
                done.set()

        await offerer.setLocalDescription(await offerer.createOffer())
        offer = only_relayed(offerer.localDescription.sdp)
        await answerer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await answerer.setLocalDescription(await answerer.createAnswer())
        answer = only_relayed(answerer.localDescription.sdp)
        assert " typ relay" in offer and " typ relay" in answer
        await offerer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        try:
            await asyncio.wait_for(done.wait(), DEADLINE)
        finally:
            await offerer.close()
            await answerer.close()
        return received

    assert asyncio.run(meet()) == [str(number) for number in range(MESSAGES)]


PAGE = """
const [url, username, credential, count, done] = arguments;
(async () => {
  const configuration = {iceServers: [{urls: url, username, credential}], iceTransportPolicy: 'relay'};
  const [offerer, answerer] = [new RTCPeerConnection(configuration), new RTCPeerConnection(configuration)];
  offerer.onicecandidate = ({candidate}) => candidate && answerer.addIceCandidate(candidate);
  answerer.onicecandidate = ({candidate}) => candidate && offerer.addIceCandidate(candidate);
  answerer.ondatachannel = ({channel}) => { channel.onmessage = ({data}) => channel.send(data); };
  const channel = offerer.createDataChannel('echo');
  const received = [];
  const all = new Promise((resolve) => {
    channel.onmessage = ({data}) => { received.push(data); if (received.length === count) resolve(); };
  });
  channel.onopen = () => { for (let i = 0; i < count; i++) channel.send(String(i)); };
  await offerer.setLocalDescription();
  await answerer.setRemoteDescription(offerer.localDescription);
  await answerer.setLocalDescription();
  await offerer.setRemoteDescription(answerer.localDescription);
  await all;
  const stats = [...(await offerer.getStats()).values()];
  const pair = stats.find((entry) => entry.type === 'candidate-pair' && entry.nominated);
  const types = [pair.localCandidateId, pair.remoteCandidateId].map((id) => stats.find((e) => e.id === id).candidateType);
  return {inOrder: received.every((data, i) => data === String(i)), received: received.length, types};
})().then(done, (error) => done({error: String(error)}));
"""


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_chromium_through_the_relay(server, tmp_path, transport):
    driver = chromium.start(str(tmp_path), "--allow-loopback-in-peer-connection")
    try:
        driver.set_script_timeout(DEADLINE)
        driver.get("data:text/html,relay")
        outcome = driver.execute_async_script(PAGE, server.uri(transport), USER, PASSWORD, MESSAGES)
    finally:
        driver.quit()
    assert outcome == {"inOrder": True, "received": MESSAGES, "types": ["relay", "relay"]}, json.dumps(outcome)


def test_the_server_says_what_is_wrong_with_its_configuration():
    command = [*swift_binary("turn-server"), "--listen", "nowhere"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert run.returncode != 0 and "'nowhere' is no IP address" in run.stderr
    assert shutil.which("turnutils_uclient"), "coturn's tools are missing"
