"""Acknowledgements of stomp.py in every version and mode, at the broker of signaling-server and at RabbitMQ behind it."""

from __future__ import annotations

import uuid

import pytest
import stomp
import stomp.adapter.ws
from rabbitmq import RabbitMQ
from test_signaling_relay import Node
from test_signaling_stomp import Client, server  # noqa: F401 (a fixture)

V10, V11, V12 = stomp.StompConnection10, stomp.StompConnection11, stomp.StompConnection12
WEB = stomp.adapter.ws.WSStompConnection


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as broker:
        node = Node(broker.port)
        yield node
        assert node.stop() == 0


@pytest.fixture(params=["embedded", "relay"])
def place(request):
    return request.getfixturevalue("server" if request.param == "embedded" else "relay")


class Queue:
    """A queue with five messages, and a client that has them all and has acknowledged none."""

    def __init__(self, place, kind, mode: str) -> None:
        self.place, self.kind = place, kind
        self.name = f"/queue/{uuid.uuid4()}"
        self.sender = Client(place)
        for number in range(5):
            self.sender.send(self.name, str(number))
        self.client = Client(place, kind)
        self.client.subscribe(self.name, ack=mode)
        assert self.client.bodies(5) == list("01234")

    def say(self, how: str, index: int, **more) -> None:
        """`ack` or `nack` of a message that came."""
        headers = self.client.of("message")[index].headers
        action = getattr(self.client.connection, how)
        if self.kind in (V12, WEB):
            self.client.receipt(action, headers["ack"], **more)
        elif self.kind is V11:
            self.client.receipt(action, headers["message-id"], headers["subscription"], **more)
        else:
            self.client.receipt(action, headers["message-id"], **more)

    def rest(self) -> list[str]:
        """What is there for the next client, once this one is gone."""
        self.client.close()
        last = Client(self.place)
        self.sender.send(self.name, "end")
        last.subscribe(self.name, ack="auto")
        count = 1
        while last.bodies(count)[-1] != "end":
            count += 1
        last.close()
        self.sender.close()
        return last.bodies(count)[:-1]


@pytest.mark.parametrize("kind", [V10, V11, V12, WEB])
def test_an_acknowledgement_counts_for_what_came_before(place, kind):
    queue = Queue(place, kind, "client")
    queue.say("ack", 2)
    assert queue.rest() == ["3", "4"]


@pytest.mark.parametrize("kind", [V11, V12, WEB])
def test_an_acknowledgement_of_one_counts_for_it_alone(place, kind):
    queue = Queue(place, kind, "client-individual")
    queue.say("ack", 2)
    queue.say("ack", 0)
    assert queue.rest() == ["1", "3", "4"]


@pytest.mark.parametrize("kind", [V11, V12, WEB])
@pytest.mark.parametrize("mode", ["client", "client-individual"])
def test_what_is_refused_comes_again(place, kind, mode):
    queue = Queue(place, kind, mode)
    queue.say("nack", 1)
    again = ["0", "1"] if mode == "client" else ["1"]
    bodies = queue.client.bodies(5 + len(again))[5:]
    assert sorted(bodies) == again
    # And can be acknowledged then.
    for index in range(len(again)):
        queue.say("ack", 5 + bodies.index(again[index]))
    rest = queue.rest()
    assert "1" not in rest and set(rest) <= {"0", "2", "3", "4"}, rest
    if mode == "client-individual":
        assert rest == ["0", "2", "3", "4"]


@pytest.mark.parametrize("kind", [V10, V11, V12])
def test_an_acknowledgement_in_a_transaction_counts_when_it_is_committed(place, kind):
    queue = Queue(place, kind, "client")
    for end, index in (("abort", 3), ("commit", 1)):
        transaction = queue.client.connection.begin()
        queue.say("ack", index, transaction=transaction)
        getattr(queue.client.connection, end)(transaction)
    # What comes back in order means that the transactions are over.
    queue.client.send("/topic/anything", "x")
    assert queue.rest() == ["2", "3", "4"]


def test_what_is_acknowledged_of_itself_is_gone(place):
    queue = Queue(place, V12, "auto")
    assert queue.rest() == []
