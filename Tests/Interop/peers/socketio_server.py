"""A server of Socket.IO 2, python-socketio on eventlet: prints its port, and serves until its input ends.

Arguments are a JSON object of options for the server, beside `port` (0 for any) and `token`, which the query must have.
"""

import json
import os
import sys
import threading
import urllib.parse

import eventlet
import eventlet.wsgi
import socketio

options = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
port, token = options.pop("port", 0), options.pop("token", None)
if isinstance(options.get("ping_interval"), list):
    # With the server's grace.
    options["ping_interval"] = tuple(options["ping_interval"])
server = socketio.Server(async_mode="eventlet", logger=False, engineio_logger=False, **options)
people: list[str] = []


def fields(environ):
    return dict(urllib.parse.parse_qsl(environ.get("QUERY_STRING", "")))


@server.on("connect")
def connect(sid, environ):
    if token and fields(environ).get("token") != token:
        return False
    people.append(sid)
    server.emit("welcome", {"people": len(people), "header": environ.get("HTTP_X_TEST", "")}, room=sid)


@server.on("disconnect")
def disconnect(sid):
    people.remove(sid)


@server.on("message")
def message(sid, *values):
    server.emit("message", values, room=sid)
    return values


@server.on("count")
def count(sid, *_):
    return len(people)


@server.on("ask")
def ask(sid, question):
    """Asks back, and tells what was answered."""
    server.emit("question", question, room=sid, callback=lambda *answer: server.emit("answered", answer, room=sid))


@server.on("silence")
def silence(sid, *_):
    eventlet.sleep(3600)


@server.on("leave me")
def leave(sid):
    server.disconnect(sid)


@server.on("die")
def die(sid):
    os._exit(0)


@server.on("connect", namespace="/members")
def connect_member(sid, environ):
    server.emit("welcome", "member", room=sid, namespace="/members")


@server.on("message", namespace="/members")
def message_of_member(sid, *values):
    server.emit("message", values, room=sid, namespace="/members")
    return values


@server.on("leave me", namespace="/members")
def leave_member(sid):
    server.disconnect(sid, namespace="/members")


@server.on("connect", namespace="/closed")
def connect_closed(sid, environ):
    raise socketio.exceptions.ConnectionRefusedError("members only")


def end_with_input():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
listener = eventlet.listen(("127.0.0.1", port))
print(listener.getsockname()[1], flush=True)
eventlet.wsgi.server(listener, socketio.WSGIApp(server), log_output=False)
