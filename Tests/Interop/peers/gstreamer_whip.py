"""A WHIP publisher of GStreamer's webrtcbin; needs the system's Python, which has its bindings.

    gstreamer_whip.py URL TOKEN CODEC

Publishes test pictures and a tone, trickling its candidates, until standard input ends; then it deletes the session. Prints each
status that it gets.
"""

import sys
import threading
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402

ENCODERS = {
    "VP8": "vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay pt=96 ! application/x-rtp,media=video,encoding-name=VP8,payload=96",
    "VP9": "vp9enc deadline=1 cpu-used=8 keyframe-max-dist=30 ! rtpvp9pay pt=96"
    " ! application/x-rtp,media=video,encoding-name=VP9,payload=96",
}


class Publisher:
    def __init__(self, url: str, token: str, codec: str) -> None:
        self.url, self.token = url, token
        self.resource = self.tag = None
        self.waiting: list[str] = []
        self.lock = threading.Lock()
        self.pipeline = Gst.parse_launch(
            "webrtcbin name=bin bundle-policy=max-bundle"
            f" videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=30/1 ! {ENCODERS[codec]} ! bin."
            " audiotestsrc is-live=true ! opusenc ! rtpopuspay pt=97"
            " ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! bin."
        )
        self.bin = self.pipeline.get_by_name("bin")
        self.bin.connect("on-negotiation-needed", self.negotiate)
        self.bin.connect("on-ice-candidate", self.found)
        for index in range(2):
            transceiver = self.bin.emit("get-transceiver", index)
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        self.pipeline.set_state(Gst.State.PLAYING)

    def send(self, method: str, url: str, body: str = "", kind: str | None = None, tag: str | None = None):
        request = urllib.request.Request(url, method=method, data=body.encode() if body else None)
        request.add_header("Authorization", f"Bearer {self.token}")
        if kind:
            request.add_header("Content-Type", kind)
        if tag:
            request.add_header("If-Match", tag)
        with urllib.request.urlopen(request, timeout=10) as response:
            text = response.read().decode()
            print(method, response.status, flush=True)
            return response, text

    def negotiate(self, _element) -> None:
        self.bin.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered, None))

    def offered(self, promise, _data) -> None:
        promise.wait()
        # The offer lives in the reply.
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        text = offer.sdp.as_text()
        self.bin.emit("set-local-description", offer, Gst.Promise.new())
        # Requests have no place on webrtcbin's own thread.
        threading.Thread(target=self.post, args=(text,), daemon=True).start()

    def post(self, offer: str) -> None:
        response, text = self.send("POST", self.url, offer, "application/sdp")
        _, message = GstSdp.SDPMessage.new_from_text(text)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.bin.emit("set-remote-description", answer, Gst.Promise.new())
        with self.lock:
            self.resource = urllib.parse.urljoin(self.url, response.headers["Location"])
            self.tag = response.headers["ETag"]
        self.trickle()

    def found(self, _element, _index: int, candidate: str) -> None:
        with self.lock:
            self.waiting.append(candidate)
        threading.Thread(target=self.trickle, daemon=True).start()

    def trickle(self) -> None:
        with self.lock:
            if self.resource is None or not self.waiting:
                return
            candidates, self.waiting = self.waiting, []
        sdp = self.bin.get_property("local-description").sdp.as_text()
        own = [next(line for line in sdp.splitlines() if line.startswith(name)) for name in ("m=", "a=mid:", "a=ice-ufrag:", "a=ice-pwd:")]
        body = "\r\n".join([*own, *(f"a={candidate}" for candidate in candidates), ""])
        self.send("PATCH", self.resource, body, "application/trickle-ice-sdpfrag", self.tag)

    def stop(self) -> None:
        if self.resource:
            self.send("DELETE", self.resource)
        self.pipeline.set_state(Gst.State.NULL)


def main() -> None:
    Gst.init(None)
    publisher = Publisher(*sys.argv[1:4])
    sys.stdin.read()
    publisher.stop()


main()
