"""signaling-server as a relay to RabbitMQ: two nodes, clients of stomp.py on either, and each of them killed."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
import uuid

import pytest
import stomp
from coturn import Certificates, free_port
from harness import DEADLINE, Deadline, wait_until
from rabbitmq import RabbitMQ
from signaling import serve
from test_signaling_stomp import Client


class Node:
    """One server that passes its clients on to a broker."""

    def __init__(self, port: int, *options: str, host: str = "127.0.0.1", words: str = "Broker: available") -> None:
        self.server = serve("--stomp", "127.0.0.1:0", "--stomp-broker", f"{host}:{port}", *options)
        found = next(re.search(r"stomp://127\.0\.0\.1:(\d+)", line) for line in self.server.lines if "stomp://" in line)
        self.stomp = ("127.0.0.1", int(found[1]))
        self.url = self.server.url
        self.heard(words)

    def heard(self, text: str, count: int = 1, deadline: float = DEADLINE) -> None:
        wait_until(lambda: sum(text in line for line in self.server.lines) >= count, text, deadline)

    def kill(self) -> None:
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait()

    def stop(self) -> int:
        return self.server.stop()


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


@pytest.fixture(scope="module")
def nodes(broker):
    nodes = [Node(broker.port), Node(broker.port)]
    yield nodes
    for node in nodes:
        assert node.stop() == 0


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """A broker with TLS, and its certificates."""
    certificates = Certificates(tmp_path_factory.mktemp("certificates"))
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq-tls"), certificates) as broker:
        yield broker, certificates


@pytest.mark.parametrize("host, options", [("localhost", []), ("127.0.0.1", []), ("127.0.0.1", ["--stomp-broker-name", "localhost"])])
def test_a_broker_over_tls(secure, host, options):
    broker, certificates = secure
    node = Node(broker.tls_port, "--stomp-broker-ca", str(certificates.authority), *options, host=host)
    clients = [Client(node), Client(node)]
    topic = f"/topic/{uuid.uuid4()}"
    for client in clients:
        client.subscribe(topic)
    text = "grüße " * 10_000
    clients[0].send(topic, text)
    for client in clients:
        assert client.bodies(1) == [text]
        client.close()
    assert node.stop() == 0


def refused(port: int, words: str, *options: str, host: str = "localhost") -> None:
    """Checks that a server says once why it has no broker, and tells its clients that it has none."""
    node = Node(port, *options, host=host, words=words)
    client = Client(node, connect=False)
    with pytest.raises(stomp.exception.ConnectFailedException):
        client.connection.connect("guest", "secret", wait=True)
    assert not any("Broker: available" in line for line in node.server.lines)
    assert sum(words in line for line in node.server.lines) == 1
    assert node.stop() == 0


def test_a_broker_whose_certificate_does_not_fit_is_refused_in_words(secure, tmp_path):
    broker, _ = secure
    other = Certificates(tmp_path)
    refused(broker.tls_port, "the certificate is not trusted", "--stomp-broker-ca", str(other.authority))
    refused(broker.tls_port, "the certificate is not trusted", "--stomp-broker-tls")
    for broken in ("none.pem", other.key):
        with pytest.raises(Deadline, match="cannot use the broker's authorities"):
            serve("--stomp-broker", f"localhost:{broker.tls_port}", "--stomp-broker-ca", str(broken))


def test_a_broker_with_a_certificate_for_another_name_is_refused_in_words(tmp_path):
    certificates, port = Certificates(tmp_path, "127.0.0.2"), free_port()
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificates.certificate, "-key", certificates.key]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as broker:
        try:
            assert any(line.startswith("ACCEPT") for line in broker.stdout)
            for host, name in (("127.0.0.1", "elsewhere.example"), ("127.0.0.1", "127.0.0.1")):
                options = ["--stomp-broker-ca", str(certificates.authority), "--stomp-broker-name", name]
                refused(port, "the certificate is for another name", *options, host=host)
        finally:
            broker.kill()
            said = broker.stdout.read()
    assert "passcode" not in said


def test_a_broker_without_tls_is_not_taken_for_one_with(secure):
    broker, certificates = secure
    node = Node(broker.port, "--stomp-broker-ca", str(certificates.authority), words="no connection to the STOMP broker")
    assert node.stop() == 0


@pytest.mark.parametrize("kind", [stomp.StompConnection11, stomp.StompConnection12, stomp.adapter.ws.WSStompConnection])
def test_topics_reach_clients_of_both_nodes(nodes, kind):
    topic = f"/topic/{uuid.uuid4()}"
    clients = [Client(node, kind) for node in nodes]
    for client in clients:
        client.subscribe(topic)
    clients[0].send(topic, "grüße\n", headers={"odd": "a\nb\\c:d"})
    clients[1].send(topic, "back")
    for client in clients:
        assert client.bodies(2) == ["grüße\n", "back"]
        first = client.of("message")[0].headers
        assert (first["odd"], first["destination"], first["subscription"]) == ("a\nb\\c:d", topic, "1")
        client.close()


def test_a_user_and_a_session_are_reached_on_both_nodes(nodes):
    phones = [Client(node, login="bob") for node in nodes]
    eve = Client(nodes[0], login="eve")
    for client in [*phones, eve]:
        client.subscribe("/user/queue/sdp")
    eve.send("/user/bob/queue/sdp", "to bob")
    session = phones[1].of("connected")[0].headers["session"]
    eve.send(f"/user/{session}/queue/sdp", "to a phone")
    eve.send("/user/bob/queue/sdp", "end")
    assert phones[0].bodies(2) == ["to bob", "end"]
    # To a user and to a session go by ways of their own, so only each has an order.
    assert sorted(phones[1].bodies(3)) == ["end", "to a phone", "to bob"]
    assert all(frame.headers["destination"] == "/user/queue/sdp" for frame in phones[1].of("message"))
    assert eve.of("message") == []
    for client in [*phones, eve]:
        client.close()


@pytest.mark.parametrize("kind", [stomp.StompConnection11, stomp.StompConnection12])
def test_what_is_not_acknowledged_goes_to_the_next_on_another_node(nodes, kind):
    queue = f"/queue/{uuid.uuid4()}"
    sender, first = Client(nodes[0]), Client(nodes[0], kind)
    for number in range(3):
        sender.send(queue, str(number))
    first.subscribe(queue, ack="client-individual")
    messages = first.wait("message", 3)
    is_new = kind is stomp.StompConnection12
    acknowledge = [messages[1].headers["ack"]] if is_new else [messages[1].headers["message-id"], "1"]
    first.receipt(first.connection.ack, *acknowledge)
    first.close()
    second = Client(nodes[1], kind)
    second.subscribe(queue, ack="auto")
    assert sorted(second.bodies(2)) == ["0", "2"]
    second.close()
    sender.close()


def test_transactions(nodes):
    topic = f"/topic/{uuid.uuid4()}"
    client = Client(nodes[0])
    client.subscribe(topic)
    for end in (client.connection.abort, client.connection.commit):
        transaction = client.connection.begin()
        # RabbitMQ gives receipts for what is in a transaction when that is committed.
        client.connection.send(topic, end.__name__, transaction=transaction)
        end(transaction)
    client.send(topic, "last")
    assert client.bodies(2) == ["commit", "last"]
    client.close()


def test_the_application_answers_who_asked(nodes):
    client = Client(nodes[1])
    client.subscribe("/user/queue/echo")
    client.send("/app/echo", "to the server")
    assert client.bodies(1) == ["to the server"]
    assert client.of("message")[0].headers["destination"] == "/user/queue/echo"
    client.close()


def test_other_destinations_of_the_broker_cannot_be_reached(nodes):
    for name in ("/exchange/amq.direct/bob._2fqueue_2fsdp", "/amq/queue/x", "/temp-queue/x"):
        client = Client(nodes[0])
        client.connection.subscribe(name, id="1")
        assert client.wait("error")[0].body == "no such destination"


def test_headers_of_the_broker_reach_no_queue_of_somebody_else(nodes):
    queue = str(uuid.uuid4())
    sender, thief, owner = Client(nodes[0]), Client(nodes[0]), Client(nodes[1])
    sender.send(f"/queue/{queue}", "private")
    headers = {"x-queue-name": queue, "durable": "true", "auto-delete": "false"}
    thief.subscribe(f"/topic/{uuid.uuid4()}", headers=headers)
    owner.subscribe(f"/queue/{queue}")
    assert owner.bodies(1) == ["private"]
    assert thief.of("message") == []
    for client in (sender, thief, owner):
        client.close()


class Load:
    """A sender and a receiver on either node; they go on, on whichever node there is, until all is delivered."""

    def __init__(self, nodes: list[Node], messages: int) -> None:
        self.queue = f"/queue/{uuid.uuid4()}"
        self.nodes, self.messages = nodes, messages
        self.receipted: set[str] = set()
        self.delivered: set[str] = set()
        self.done = threading.Event()
        self.joined: set[Node] = set()
        self.threads = [
            threading.Thread(target=work, args=(number,)) for work in (self._send, self._receive) for number in range(2)
        ]
        for thread in self.threads:
            thread.start()

    def _client(self, turn: int) -> Client | None:
        """A client on one of the nodes; None while nobody takes one."""
        node = self.nodes[turn % len(self.nodes)]
        try:
            client = Client(node)
            self.joined.add(node)
            return client
        except Exception:  # noqa: BLE001  (the library has one for every way to fail)
            time.sleep(0.1)
            return None

    def _send(self, sender: int) -> None:
        number, turn, client = 0, sender, None
        while number < self.messages and not self.done.is_set():
            client = client or self._client(turn)
            turn += 1
            name = f"{sender}-{number}"
            try:
                if client is None:
                    continue
                client.receipt(client.connection.send, self.queue, name)
            except Exception:  # noqa: BLE001
                # Whether it was taken is not known: it is sent again, and may come twice.
                client = None
                continue
            self.receipted.add(name)
            number += 1

    def _receive(self, turn: int) -> None:
        while not self.done.is_set():
            client = self._client(turn)
            turn += 1
            if client is None:
                continue
            try:
                client.subscribe(self.queue, ack="client-individual")
                seen = 0
                while not self.done.is_set() and not client.of("disconnected") and not client.of("error"):
                    messages = client.of("message")
                    for message in messages[seen:]:
                        # It is here, whether the broker's receipt of the acknowledgement still comes or not.
                        self.delivered.add(message.body)
                        client.receipt(client.connection.ack, message.headers["ack"])
                    seen = len(messages)
                    time.sleep(0.01)
            except Exception:  # noqa: BLE001
                continue

    def finish(self) -> None:
        try:
            for thread in self.threads[:2]:
                thread.join(90)
                assert not thread.is_alive(), f"only {len(self.receipted)} were taken"
            wait_until(
                lambda: self.receipted <= self.delivered,
                "delivery of all that had a receipt",
                DEADLINE * 3,
                describe=lambda: f"{len(self.delivered)} of {len(self.receipted)} came",
            )
        finally:
            self.done.set()
            for thread in self.threads:
                thread.join(DEADLINE)


@pytest.mark.timeout(300)
def test_a_node_that_is_killed_loses_nothing_that_had_a_receipt(broker):
    nodes = [Node(broker.port), Node(broker.port)]
    load = Load(nodes, 150)
    wait_until(lambda: len(load.receipted) > 60 and load.joined == {*nodes}, "some load on both nodes")
    nodes[0].kill()
    load.nodes = [nodes[1]]
    load.finish()
    assert len(load.receipted) == 300
    assert nodes[1].stop() == 0


@pytest.mark.timeout(400)
def test_a_broker_that_is_killed_loses_nothing_that_had_a_receipt(tmp_path):
    with RabbitMQ(tmp_path) as broker:
        nodes = [Node(broker.port), Node(broker.port)]
        load = Load(nodes, 100)
        wait_until(lambda: len(load.receipted) > 40 and load.joined == {*nodes}, "some load on both nodes")
        broker.stop(kill=True)
        for node in nodes:
            node.heard("Broker: away")
        stranger = Client(nodes[0], connect=False)
        with pytest.raises(stomp.exception.ConnectFailedException):
            stranger.connection.connect("guest", "secret", wait=True)
        assert stranger.wait("error")[0].body == "the broker is not available"
        broker.start()
        for node in nodes:
            # By then attempts may be half a minute apart.
            node.heard("Broker: available", 2, DEADLINE * 3)
        load.finish()
        assert len(load.receipted) == 200
        for node in nodes:
            assert node.stop() == 0
