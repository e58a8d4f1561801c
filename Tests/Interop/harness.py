"""Agents as Python objects, and the relaying of descriptions and candidates between two of them."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import zlib

HERE = pathlib.Path(__file__).resolve().parent
PEERS = HERE / "peers"
sys.path.insert(0, str(PEERS))

from wire import expected_tally, pattern  # noqa: E402,F401

# How long anything may take before a test fails. Generous: the machine may be busy; nothing waits it out in vain.
DEADLINE = float(os.environ.get("INTEROP_DEADLINE", "30"))

# How long a program, which may be a browser, may take to begin.
START_DEADLINE = max(DEADLINE, 120)

# The colour of the picture that is passed on; a peer's own is OWN_COLOUR.
FEED_COLOUR = (40, 60, 200)
OWN_COLOUR = (200, 40, 40)


class AgentError(Exception):
    """The agent refused a request."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


class Deadline(AssertionError):
    """What a test waited for did not come."""


def chosen(pair: Pair, side: str) -> Peer:
    return pair.subject if side == "subject" else pair.peer


def wait_until(condition, what: str, deadline: float | None = None, describe=lambda: ""):
    """Asks again and again until `condition` gives something; gives that. `describe` tells more of what is there instead."""
    until = time.monotonic() + (deadline or DEADLINE)
    while not (result := condition()):
        if time.monotonic() > until:
            raise Deadline(f"no {what} within {deadline or DEADLINE:g} s. {describe()}")
        time.sleep(0.05)
    return result


def mid_of(peer: Peer, kind: str) -> str:
    """The section of that kind; the last one, if there are several."""
    found = [each["mid"] for each in peer.request("getTransceivers")["transceivers"] if each["kind"] == kind]
    return [mid for mid in found if mid is not None][-1]


def is_near(colour, wanted) -> bool:
    return len(colour) == len(wanted) and all(abs(value - goal) <= 50 for value, goal in zip(colour, wanted))


def frames(peer: Peer, mid: str) -> int:
    return peer.request("getMedia", mid=mid)["frames"]


def forward(feed: Pair, kind: str, to: Peer) -> None:
    """The subject passes on to `to` what the feed brings."""
    feed.answerer.request("forwardMedia", mid=mid_of(feed.answerer, kind), to=to.name)


def wait_for_more(peer: Peer, mid: str, count: int = 15) -> None:
    # Statistics that vanished while nothing came return with their old count: only the second rise is sure.
    for _ in range(2):
        before = frames(peer, mid)
        wait_until(lambda: frames(peer, mid) >= before + count, f"{count} more frames of {mid} at {peer}")


def check_colour(peer: Peer, mid: str, wanted) -> None:
    wait_until(
        lambda: is_near(peer.request("getMedia", mid=mid, deep=True)["colour"] or (), wanted)
        and peer.request("getMedia", mid=mid)["frames"],
        f"colour {wanted} at {peer}",
    )


def dropped() -> int:
    """How many datagrams the kernel threw away so far because nobody fetched them in time: what these were is nobody's loss."""
    if not os.path.exists("/proc/net/snmp"):
        return 0
    with open("/proc/net/snmp") as file:
        names, values = (line.split() for line in file if line.startswith("Udp:"))
    count = int(values[names.index("RcvbufErrors")])
    if os.path.exists("/proc/net/snmp6"):
        with open("/proc/net/snmp6") as file:
            count += int(dict(line.split() for line in file).get("Udp6RcvbufErrors", 0))
    return count


def swift_binary(name: str) -> list[str]:
    """A program of this package: from SWIFT_BIN_DIR, or where `swift build` puts it."""
    folder = os.environ.get("SWIFT_BIN_DIR")
    if not folder:
        package = HERE.parent.parent
        folder = subprocess.run(
            ["swift", "build", "--show-bin-path"], cwd=package, check=True, capture_output=True, text=True
        ).stdout.strip()
    path = pathlib.Path(folder) / name
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: run `swift build --product {name}`, or set SWIFT_BIN_DIR")
    return [str(path)]


class Ends(tuple):
    """What to put before a command of each end of a bad network, whose link can be cut."""

    name: str

    def cut(self) -> None:
        subprocess.run([str(HERE / "netlab" / "netlab.sh"), "cut", self.name], check=True)

    def mend(self) -> None:
        subprocess.run([str(HERE / "netlab" / "netlab.sh"), "mend", self.name], check=True)


@contextlib.contextmanager
def bad_network(name: str, *qualities: str):
    """Two hosts with a bad link between them (netlab.sh); gives what to put before a command of each end, 10.77.0.1 and 10.77.0.2."""
    netlab = [str(HERE / "netlab" / "netlab.sh")]
    name = f"{name}{os.getpid()}"
    try:
        subprocess.run([*netlab, "up", name, *qualities], check=True)
        ends = Ends(["ip", "netns", "exec", f"{name}-{end}"] for end in "ab")
        ends.name = name
        yield ends
    finally:
        print(subprocess.run([*netlab, "down", name], check=True, capture_output=True, text=True).stdout)


def agent_command(kind: str) -> list[str]:
    if kind == "swift":
        return swift_binary("interop-agent")
    if kind == "pion":
        return [str(HERE / "_build" / "pion-agent")]
    return [sys.executable, str(PEERS / f"{kind}_agent.py")]


class Agent:
    """A running agent process; `prefix` is what its command is run by, for example in a network namespace."""

    def __init__(self, kind: str, prefix: list[str] | None = None) -> None:
        self.kind = kind
        self.process = subprocess.Popen(
            [*(prefix or []), *agent_command(kind)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._changed = threading.Condition()
        self._replies: dict[int, dict] = {}
        self._events: dict[str, list[dict]] = {}
        self._history: dict[str, list[dict]] = {}
        self._unawaited: set[int] = set()
        self._ids = itertools.count(1)
        self._names = itertools.count(1)
        self._ended = False
        self._write = threading.Lock()
        # Called on the reading thread for every event that it returns True for; the event then counts as consumed.
        self.taps: dict[str, callable] = {}
        threading.Thread(target=self._read, daemon=True).start()
        try:
            hello = self.request("hello", START_DEADLINE)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        self.name = f"{hello['name']} {hello['version']}"
        self.features = {feature.partition("=")[0]: feature.partition("=")[2] for feature in hello["features"]}

    def __repr__(self) -> str:
        return f"<Agent {self.kind}>"

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def has(self, feature: str) -> bool:
        return feature in self.features

    def limit(self, feature: str) -> int:
        return int(self.features[feature])

    def _read(self) -> None:
        for line in self.process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                sys.stderr.write(f"{self.kind} printed: {line}")
                continue
            with self._changed:
                if message.get("id") in self._unawaited:
                    self._unawaited.discard(message["id"])
                    if "error" in message:
                        sys.stderr.write(f"{self.kind}: {message['error']}\n")
                elif "event" not in message:
                    self._replies[message["id"]] = message
                else:
                    pc = message["pc"]
                    self._history.setdefault(pc, []).append(message)
                    tap = self.taps.get(pc)
                    if tap is None or not tap(message):
                        self._events.setdefault(pc, []).append(message)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _await(self, found, what: str, deadline: float | None = None, describe=lambda: ""):
        until = time.monotonic() + (deadline or DEADLINE)
        with self._changed:
            while True:
                if (result := found()) is not None:
                    return result
                if self._ended:
                    raise Deadline(f"{self.kind} ended (status {self.process.wait()}) while waiting for {what}")
                left = until - time.monotonic()
                if left <= 0:
                    raise Deadline(f"{self.kind}: no {what} within {deadline or DEADLINE:g} s. {describe()}")
                self._changed.wait(left)

    def post(self, op: str, awaited: bool = True, **members) -> int:
        """Sends a request without waiting for its reply; `reply` takes it, unless nobody awaits it."""
        number = next(self._ids)
        if not awaited:
            self._unawaited.add(number)
        line = json.dumps({"id": number, "op": op, **members})
        with self._write:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        return number

    def reply(self, number: int, what: str, deadline: float | None = None) -> dict:
        message = self._await(lambda: self._replies.pop(number, None), f"reply to {what}", deadline)
        if "error" in message:
            raise AgentError(message["error"]["name"], message["error"]["message"])
        return message["ok"]

    def request(self, op: str, deadline: float | None = None, **members) -> dict:
        return self.reply(self.post(op, **members), op, deadline)

    def take(self, pc: str, event: str, deadline: float | None = None, **wanted) -> dict:
        """Waits for the first event of `pc` with these members, and removes it."""

        def found() -> dict | None:
            events = self._events.get(pc, [])
            for index, message in enumerate(events):
                if message["event"] == event and all(message.get(key) == value for key, value in wanted.items()):
                    return events.pop(index)
            return None

        def describe() -> str:
            return "Seen: " + "; ".join(json.dumps(message)[:160] for message in self._history.get(pc, [])[-12:])

        return self._await(found, f"{event} {wanted or ''} of {pc}", deadline, describe)

    def pending(self, pc: str, event: str) -> list[dict]:
        """The events of that kind which nobody has taken."""
        with self._changed:
            return [message for message in self._events.get(pc, []) if message["event"] == event]

    def history(self, pc: str, event: str) -> list[dict]:
        """All events of that kind so far, taken or not."""
        with self._changed:
            return [message for message in self._history.get(pc, []) if message["event"] == event]

    def create_peer(self, configuration: dict | None = None) -> Peer:
        name = f"p{next(self._names)}"
        members = {"configuration": configuration} if configuration else {}
        self.request("createPeer", pc=name, **members)
        return Peer(self, name)

    def stop(self) -> int:
        """Ends standard input and gives the agent's exit status."""
        if self.alive:
            self.process.stdin.close()
        try:
            return self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Peer:
    """One peer connection of an agent."""

    def __init__(self, agent: Agent, name: str) -> None:
        self.agent = agent
        self.name = name
        self.closed = False
        self._labels = itertools.count(1)

    def __repr__(self) -> str:
        return f"<{self.agent.kind} {self.name}>"

    def request(self, op: str, **members) -> dict:
        return self.agent.request(op, pc=self.name, **members)

    def take(self, event: str, deadline: float | None = None, **wanted) -> dict:
        return self.agent.take(self.name, event, deadline, **wanted)

    def create_channel(self, label: str = "data", **options) -> Channel:
        name = f"c{next(self._labels)}"
        self.request("createDataChannel", ch=name, label=label, **options)
        return Channel(self, name)

    def incoming_channel(self, **wanted) -> Channel:
        event = self.take("channel", **wanted)
        return Channel(self, event["ch"], event)

    def wait_connected(self) -> None:
        if self.request("getState")["connection"] != "connected":
            self.take("state", of="connection", value="connected")

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.agent.taps.pop(self.name, None)
            self.request("closePeer")


class Channel:
    """One end of a data channel."""

    def __init__(self, peer: Peer, name: str, announced: dict | None = None) -> None:
        self.peer = peer
        self.name = name
        self.announced = announced or {}

    def __repr__(self) -> str:
        return f"<{self.peer.agent.kind} {self.peer.name} {self.name}>"

    def request(self, op: str, **members) -> dict:
        return self.peer.request(op, ch=self.name, **members)

    def take(self, event: str, deadline: float | None = None, **wanted) -> dict:
        return self.peer.take(event, deadline, ch=self.name, **wanted)

    def wait_open(self) -> Channel:
        self.take("open")
        return self

    def send(self, data: str | bytes) -> None:
        if isinstance(data, str):
            self.request("send", kind="text", data=data)
        else:
            self.request("send", kind="binary", data=base64.b64encode(data).decode())

    def post_pattern(self, kind: str, size: int, count: int, first: int = 0) -> int:
        return self.peer.agent.post(
            "sendPattern", pc=self.peer.name, ch=self.name, kind=kind, size=size, count=count, first=first
        )

    def expect(self, data: str | bytes) -> None:
        """Takes the next message and checks that it is this one."""
        kind, payload = ("text", data.encode()) if isinstance(data, str) else ("binary", data)
        event = self.take("message")
        assert (event["kind"], event["size"]) == (kind, len(payload)), event
        assert event["crc32"] == zlib.crc32(payload), f"altered: {event}"
        if "data" in event:
            assert base64.b64decode(event["data"]) == payload

    def close(self) -> None:
        self.request("closeChannel")


class Pair:
    """An offering and an answering peer. Candidates flow between them as they are gathered."""

    def __init__(
        self,
        offering: Agent,
        answering: Agent,
        offering_configuration: dict | None = None,
        answering_configuration: dict | None = None,
    ) -> None:
        self.offerer = offering.create_peer(offering_configuration)
        self.answerer = answering.create_peer(answering_configuration)
        self._lock = threading.Lock()
        # Which candidates the other side gets to know.
        self.passes = lambda candidate: True
        self._described: dict[Peer, bool] = {self.offerer: False, self.answerer: False}
        self._held: dict[Peer, list[dict]] = {self.offerer: [], self.answerer: []}
        # The username fragments of the description that each was given last.
        self._fragments: dict[Peer, set[str]] = {self.offerer: set(), self.answerer: set()}
        self.descriptions: list[tuple[Peer, dict]] = []
        for source, target in ((self.offerer, self.answerer), (self.answerer, self.offerer)):
            source.agent.taps[source.name] = lambda event, target=target: self._relay(event, target)

    def other(self, peer: Peer) -> Peer:
        return self.answerer if peer is self.offerer else self.offerer

    def peer_of(self, agent: Agent) -> Peer:
        return self.offerer if self.offerer.agent is agent else self.answerer

    def _relay(self, event: dict, target: Peer) -> bool:
        if event["event"] != "candidate":
            return False
        members = {key: event.get(key) for key in ("candidate", "sdpMid", "sdpMLineIndex", "usernameFragment")}
        if members["candidate"] and not self.passes(members["candidate"]):
            return True
        with self._lock:
            if self._described[target]:
                self._give(target, members)
            else:
                self._held[target].append(members)
        return True

    def _give(self, target: Peer, members: dict) -> None:
        # One of an offer that was taken back may come late; Chromium would take its address for known (PROTOCOL.md).
        fragment = members["usernameFragment"]
        if not fragment or fragment in self._fragments[target]:
            target.agent.post("addIceCandidate", awaited=False, pc=target.name, **members)

    def _set_remote(self, target: Peer, description: dict) -> None:
        self.descriptions.append((target, description))
        target.request("setRemoteDescription", **description)
        with self._lock:
            self._described[target] = True
            self._fragments[target] = set(re.findall(r"^a=ice-ufrag:(\S+)", description["sdp"], re.MULTILINE))
            for members in self._held[target]:
                self._give(target, members)
            self._held[target].clear()

    def negotiate(self, offerer: Peer | None = None, **offer_options) -> tuple[dict, dict]:
        """One offer and answer round; gives both descriptions as they were made."""
        offerer = offerer or self.offerer
        answerer = self.other(offerer)
        with self._lock:
            # Candidates of a new generation must not overtake its description.
            self._described = {offerer: False, answerer: False}
        offer = offerer.request("createOffer", **offer_options)
        offerer.request("setLocalDescription", **offer)
        self._set_remote(answerer, self._complete(offerer, offer))
        answer = answerer.request("createAnswer")
        answerer.request("setLocalDescription", **answer)
        self._set_remote(offerer, self._complete(answerer, answer))
        return offer, answer

    def negotiate_with_glare(self, polite: Peer) -> None:
        """Both sides offer at once (webrtc-pc section 10.7): the impolite one ignores the other's offer, the polite one takes its own back."""
        impolite = self.other(polite)
        offers = {}
        for peer in (polite, impolite):
            peer.request("setLocalDescription")
            offers[peer] = peer.request("getLocalDescription")
            assert offers[peer]["type"] == "offer" and peer.request("getState")["signaling"] == "have-local-offer"
        self._set_remote(polite, offers[impolite])
        with self._lock:
            # Those of an offer that is ignored come before there is a remote description, and are lost.
            self._held[impolite].clear()
        polite.request("setLocalDescription")
        answer = polite.request("getLocalDescription")
        assert answer["type"] == "answer", answer
        self._set_remote(impolite, answer)

    @staticmethod
    def _complete(peer: Peer, description: dict) -> dict:
        # A peer that cannot trickle has its candidates in the description by now.
        return description if peer.agent.has("trickle") else peer.request("getLocalDescription")

    def wait_connected(self) -> None:
        self.offerer.wait_connected()
        self.answerer.wait_connected()

    def open_channel(self, label: str = "data", opener: Peer | None = None, **options) -> tuple[Channel, Channel]:
        """A channel opened by one side (the offerer unless named), open on both; the opener's end comes first."""
        opener = opener or self.offerer
        near = opener.create_channel(label, **options)
        far = self.other(opener).incoming_channel(label=label)
        return near.wait_open(), far.wait_open()

    def connect(self, label: str = "first", **options) -> tuple[Channel, Channel]:
        """Connects with one channel that the offerer opens; the offerer's end comes first."""
        near = self.offerer.create_channel(label, **options)
        self.negotiate()
        far = self.answerer.incoming_channel(label=label)
        return near.wait_open(), far.wait_open()

    def close(self) -> None:
        for peer in (self.offerer, self.answerer):
            if peer.agent.alive:
                peer.close()
