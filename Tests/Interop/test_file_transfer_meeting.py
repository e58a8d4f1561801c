"""file-transfer where both meet on a signaling-server: codes, names, pages, and servers that meddle."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import signal

import pytest
from coturn import Certificates
from harness import DEADLINE, wait_until
from meddlers import SealBreaker
from signaling import serve
from test_file_transfer import CODE, Program, digest, make_tree

# A name in every script, and those that programs stumble over.
NAMES = [
    "latin é", "e\u0301 decomposed", "Ελληνικά", "Русский", "עברית", "العربية", "हिन्दी", "ไทย", "中文", "日本語", "한국어", "አማርኛ",
    "𓂀 hieroglyph", "👩‍👩‍👧 family", "quote\"'`$\\", "new\nline", " spaces ", "-rf", "...", "a.part",
]


class Meeting:
    """A running signaling-server, and how programs and browsers trust it."""

    def __init__(self, *options: str, certificates: Certificates | None = None) -> None:
        tls = [] if certificates is None else [
            "--tls-certificate", str(certificates.certificate), "--tls-key", str(certificates.key),
        ]
        self.server = serve(*tls, *options)
        self.url = self.server.url.rstrip("/")
        self.trust = [] if certificates is None else ["--ca", str(certificates.authority)]
        self.browser_trust = [] if certificates is None else [
            f"--ignore-certificate-errors-spki-list={certificates.key_digest}",
        ]

    @contextlib.contextmanager
    def sender(self, *paths, **options):
        program = Program("send", "--http", self.url, *self.trust, *map(str, paths), **options)
        try:
            program.code = program.find(CODE)
            yield program
        finally:
            program.kill()

    def receive(self, code: str, into: pathlib.Path, *options: str, **more) -> Program:
        return Program("receive", code, "--http", self.url, *self.trust, "--into", str(into), *options, **more)

    @contextlib.contextmanager
    def browser(self, profile: pathlib.Path):
        import browser

        driver = browser.start(
            str(profile), "--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection", *self.browser_trust
        )
        try:
            driver.set_script_timeout(120)
            yield driver
        finally:
            driver.quit()


@pytest.fixture(params=["plain", "tls"])
def meeting(request, tmp_path):
    certificates = None
    if request.param == "tls":
        folder = tmp_path / "certificates"
        folder.mkdir()
        certificates = Certificates(folder)
    held = Meeting(certificates=certificates)
    yield held
    assert held.server.stop() == 0, held.server.lines


def wrong_codes(code: str) -> list[str]:
    """Codes of the same nameplate that are none."""
    number = code.split("-")[0]
    codes = [f"{number}-{word}-pillow" for word in ("harbor", "castle", "falcon", "jacket")]
    return [each for each in codes if each != code][:3]


def test_a_tree_arrives_over_a_signaling_server(tmp_path, meeting):
    make_tree(tmp_path / "out" / "tree", 21)
    with meeting.sender(tmp_path / "out" / "tree") as program:
        other = meeting.receive(program.code, tmp_path / "in")
        assert other.wait() == 0, other.said
        assert program.wait() == 0, program.said
    assert digest(tmp_path / "in") == digest(tmp_path / "out")


def test_after_three_wrong_codes_the_right_one_is_of_no_use(tmp_path, meeting):
    """The server is another program, which outlives the sender."""
    (tmp_path / "file").write_bytes(b"secret")
    with meeting.sender(tmp_path / "file") as program:
        for wrong in wrong_codes(program.code):
            other = meeting.receive(wrong, tmp_path / "in")
            assert other.wait() == 3, other.said
            assert "the code is wrong" in other.said, other.said
        assert program.wait() == 3, program.said
        assert "2 more may try" in program.said and "1 more may try" in program.said, program.said
        other = meeting.receive(program.code, tmp_path / "in")
        assert other.wait() == 3, other.said
    assert "not valid any more" in other.said or "nobody waits under that code" in other.said, other.said
    assert not (tmp_path / "in" / "file").exists()


def test_after_two_wrong_codes_the_right_one_is_good(tmp_path, meeting):
    (tmp_path / "file").write_bytes(b"secret")
    with meeting.sender(tmp_path / "file") as program:
        for wrong in wrong_codes(program.code)[:2]:
            other = meeting.receive(wrong, tmp_path / "in")
            assert other.wait() == 3, other.said
        other = meeting.receive(program.code, tmp_path / "in")
        assert other.wait() == 0, other.said
        assert program.wait() == 0, program.said
    assert (tmp_path / "in" / "file").read_bytes() == b"secret"


def test_names_in_every_script_arrive(tmp_path, meeting):
    out = tmp_path / "out" / "tree"
    for number, name in enumerate(NAMES):
        (out / name).mkdir(parents=True)
        (out / name / f"{name}.txt").write_text(name)
        (out / name / f"{name}.txt").chmod(0o400 + number)
    # Bytes that are no UTF-8 are a name too.
    pathlib.Path(os.fsdecode(os.fsencode(out) + b"/\xff\xfeA")).write_bytes(b"\x01")
    with meeting.sender(out) as program:
        other = meeting.receive(program.code, tmp_path / "in")
        assert other.wait() == 0, other.said
        assert program.wait() == 0, program.said
    assert digest(tmp_path / "in") == digest(tmp_path / "out")
    assert len(digest(tmp_path / "in")) == 2 * len(NAMES) + 2


# A store that keeps everything, by path.
KEEPING = """
const done = arguments[arguments.length - 1];
const kept = {};
const store = {
    folder: async (names) => { kept[names.join("/") + "/"] = ""; },
    open: async (entry) => {
        const parts = [];
        return { write: async (bytes) => parts.push(bytes), discard: async () => {},
                 close: async () => { kept[entry.path] = await new Blob(parts).text(); } };
    },
};
receiveFiles(arguments[0], store).then(() => done(kept), (error) => done({ error: String(error.stack) }));
"""


def test_names_in_every_script_arrive_at_a_page(tmp_path, meeting):
    out = tmp_path / "tree"
    for name in NAMES:
        (out / name).mkdir(parents=True)
        (out / name / f"{name}.txt").write_text(name)
    pathlib.Path(os.fsdecode(os.fsencode(out) + b"/\xff\xfeA")).write_bytes(b"\x01")
    expected = {"tree/": "", "tree/%ff%feA": "\x01"}
    for name in NAMES:
        expected |= {f"tree/{name}/": "", f"tree/{name}/{name}.txt": name}
    with meeting.sender(out) as program, meeting.browser(tmp_path / "profile") as driver:
        driver.get(f"{meeting.url}/files")
        kept = driver.execute_async_script(KEEPING, program.code)
        assert kept == expected, program.said
        assert program.wait() == 0, program.said


GIVING = 'sendFiles([new File(["secret"], "file")]).catch((error) => log(error.message));'


@pytest.mark.parametrize("wrongs", [2, 3])
def test_a_page_that_sends_counts_wrong_codes(tmp_path, meeting, wrongs):
    with meeting.browser(tmp_path / "profile") as driver:
        driver.get(f"{meeting.url}/files")
        driver.execute_script(GIVING)
        code = wait_until(lambda: driver.execute_script("return element('given').textContent"), "code")
        for wrong in wrong_codes(code)[:wrongs]:
            other = meeting.receive(wrong, tmp_path / "in")
            assert other.wait() == 3, other.said
        other = meeting.receive(code, tmp_path / "in")
        assert other.wait() == (0 if wrongs == 2 else 3), other.said
        said = driver.execute_script("return element('log').textContent")
    assert ("Three came with wrong codes" in said) == (wrongs == 3), said
    assert (tmp_path / "in" / "file").exists() == (wrongs == 2)


@pytest.mark.parametrize("victim", ["sender", "receiver"])
def test_a_server_that_alters_what_is_sealed_is_found_out(tmp_path, victim):
    """What one side seals is altered on its way to the other, which says so."""
    (tmp_path / "file").write_bytes(b"secret")
    honest = Meeting()
    meddler = SealBreaker(honest.url)
    try:
        urls = {"sender": honest.url, "receiver": honest.url, victim: meddler.url}
        program = Program("send", "--http", urls["sender"], str(tmp_path / "file"))
        code = program.find(CODE)
        other = Program("receive", code, "--http", urls["receiver"], "--into", str(tmp_path / "in"))
        try:
            cheated = program if victim == "sender" else other
            assert cheated.wait() == 4, cheated.said
            assert "altered what they said" in cheated.said, cheated.said
        finally:
            for each in (program, other):
                each.kill(signal.SIGINT)
        assert program.wait() != 0 and other.wait() != 0
        assert meddler.altered > 0
    finally:
        meddler.stop()
        honest.server.stop()
    assert not (tmp_path / "in" / "file").exists()
