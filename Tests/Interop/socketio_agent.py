"""socketio-agent as a process: our client of Socket.IO, at a test's command; and python-socketio as a server."""

from __future__ import annotations

import itertools
import json
import queue
import subprocess
import sys
import threading

from harness import DEADLINE, PEERS, swift_binary


class AgentFailure(Exception):
    pass


class SocketIOAgent:
    def __init__(self, url: str, **options) -> None:
        self.process = subprocess.Popen(
            swift_binary("socketio-agent"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.events: queue.Queue[dict] = queue.Queue()
        self.states: queue.Queue[dict] = queue.Queue()
        self.replies: dict[int, queue.Queue] = {}
        self.numbers = itertools.count()
        threading.Thread(target=self._read, daemon=True).start()
        self.request("connect", url=url, **options)

    def _read(self) -> None:
        for line in self.process.stdout:
            value = json.loads(line)
            if "id" in value:
                self.replies[value["id"]].put(value)
            elif "state" in value:
                self.states.put(value["state"])
            else:
                self.events.put(value)

    def start(self, do: str, **values):
        """Begins a request; gives what waits for its result."""
        number = next(self.numbers)
        replies = self.replies[number] = queue.Queue()
        self.process.stdin.write(json.dumps({"id": number, "do": do, **values}) + "\n")
        self.process.stdin.flush()

        def result():
            reply = replies.get(timeout=DEADLINE)
            if "error" in reply:
                raise AgentFailure(reply["error"])
            return reply.get("result")

        return result

    def request(self, do: str, **values):
        return self.start(do, **values)()

    def emit(self, name: str, *arguments, namespace: str = "/"):
        self.request("emit", name=name, arguments=arguments, namespace=namespace)

    def ask(self, name: str, argument=None, **options):
        return self.request("ask", name=name, arguments=[argument], **options)

    def next(self, event: str, namespace: str = "/") -> dict:
        """The next that happens, which must be this."""
        heard = self.events.get(timeout=DEADLINE)
        assert (heard["event"], heard["namespace"]) == (event, namespace), heard
        return heard

    def receive(self, namespace: str = "/"):
        heard = self.next("received", namespace)
        return [heard["name"], *heard["arguments"]]

    def wait_for_state(self, name: str) -> dict:
        while True:
            state = self.states.get(timeout=DEADLINE)
            if state["name"] == name:
                return state

    def __enter__(self) -> SocketIOAgent:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(DEADLINE)
            finally:
                self.process.kill()


class SocketIOServer:
    """A process of its own, as eventlet's loop is."""

    def __init__(self, **options) -> None:
        self.options = options
        self.start()

    def start(self, port: int = 0) -> None:
        options = json.dumps({**self.options, "port": port})
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(PEERS / "socketio_server.py"), options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(DEADLINE)

    def restart(self) -> None:
        self.start(self.port)

    def __enter__(self) -> SocketIOServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
