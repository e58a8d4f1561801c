#!/usr/bin/env python3
"""file-transfer beside scp and magic-wormhole, in turn in one run, on loopback and over an emulated link.

    compare.py [--rounds 3] [--megabytes 300] [--far-megabytes 60] [--files 2000]

Takes root, for network namespaces. Prints a Markdown table of the medians.

  FILE_TRANSFER   the program, a release build; built when not set
  SSHD            OpenSSH's server; left out when there is none. SFTP_SERVER may name its helper
  WORMHOLE_BIN    folder with magic-wormhole's wormhole and twist (with magic-wormhole-mailbox-server); left out when there is none
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PACKAGE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PACKAGE / "Tests" / "Interop"))
from harness import bad_network  # noqa: E402

DEADLINE = 120


def wait_for_line(process: subprocess.Popen, pattern: str) -> str:
    for line in process.stdout:
        if match := re.search(pattern, line):
            return match[1]
    raise SystemExit(f"{process.args} ended without {pattern}")


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


class FileTransfer:
    name = "file-transfer"

    def __init__(self) -> None:
        binary = os.environ.get("FILE_TRANSFER")
        if not binary:
            build = ["swift", "build", "-c", "release"]
            subprocess.run([*build, "--product", "file-transfer"], cwd=PACKAGE, check=True, stdout=sys.stderr)
            folder = subprocess.run([*build, "--show-bin-path"], cwd=PACKAGE, check=True, capture_output=True, text=True)
            binary = folder.stdout.strip() + "/file-transfer"
        self.binary = binary

    @contextlib.contextmanager
    def serve(self, left, host):
        yield

    def send(self, what, into, left, right, host) -> float:
        send = [*left, self.binary, "send", "--listen", f"{host}:0", str(what)]
        with subprocess.Popen(send, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as sender:
            code = wait_for_line(sender, r"^Code: (\S+)")
            url = wait_for_line(sender, r"--http (\S+)")
            start = time.monotonic()
            receive = [*right, self.binary, "receive", code, "--http", url, "--into", str(into)]
            subprocess.run(receive, check=True, capture_output=True, timeout=DEADLINE)
            return time.monotonic() - start


class SCP:
    name = "scp"

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.sshd = os.environ.get("SSHD") or shutil.which("sshd")
        if not self.sshd:
            raise FileNotFoundError("sshd")
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        helper = os.environ.get("SFTP_SERVER", "/usr/lib/openssh/sftp-server")
        (folder / "config").write_text(
            f"Port 2222\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\nStrictModes no\nUsePAM no\n"
            f"PidFile none\nPermitRootLogin yes\nSubsystem sftp {helper}\n"
        )
        users = pathlib.Path("/etc/passwd").read_text()
        (folder / "passwd").write_text(users + ("" if "sshd:" in users else "sshd:x:74:65534::/run/sshd:/usr/sbin/nologin\n"))

    @contextlib.contextmanager
    def serve(self, left, host):
        # Its user for separated privileges, and its folder, for it alone.
        script = (
            f"mount --bind {self.folder}/passwd /etc/passwd && mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && "
            f"exec {self.sshd} -D -e -f {self.folder}/config -o ListenAddress={host}"
        )
        with running([*left, "unshare", "--mount", "bash", "-c", script]) as server:
            wait_for_line(server, r"(listening) on")
            yield

    def send(self, what, into, left, right, host) -> float:
        options = ["-q", "-r", "-P", "2222", "-i", str(self.folder / "user")]
        for option in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes"):
            options += ["-o", option]
        into.mkdir()
        start = time.monotonic()
        command = [*right, "scp", *options, f"root@{host}:{what}", str(into)]
        subprocess.run(command, check=True, timeout=DEADLINE, capture_output=True)
        return time.monotonic() - start


class Wormhole:
    name = "magic-wormhole"

    def __init__(self) -> None:
        self.folder = os.environ.get("WORMHOLE_BIN") or os.path.dirname(shutil.which("wormhole") or "")
        if not self.folder:
            raise FileNotFoundError("wormhole")
        self.count = 0

    @contextlib.contextmanager
    def serve(self, left, host):
        with tempfile.TemporaryDirectory() as place:
            command = [*left, f"{self.folder}/twist", "wormhole-mailbox", f"--port=tcp:4000:interface={host}"]
            with running(command, cwd=place) as server:
                wait_for_line(server, r"(starting on 4000|Starting factory|Site starting)")
                yield

    def send(self, what, into, left, right, host) -> float:
        self.count += 1
        code = f"{self.count}-crossword-guitar"
        common = [f"{self.folder}/wormhole", "--relay-url", f"ws://{host}:4000/v1", "--transit-helper", f"tcp:{host}:9"]
        into.mkdir()
        send = [*left, *common, "send", "--hide-progress", "--code", code, str(what)]
        with subprocess.Popen(send, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sender:
            time.sleep(2)
            start = time.monotonic()
            receive = [*right, *common, "receive", "--accept-file", "--hide-progress", code]
            subprocess.run(receive, check=True, cwd=into, capture_output=True, timeout=DEADLINE)
            duration = time.monotonic() - start
            sender.wait(DEADLINE)
            return duration


def measure(tool, what, size, rounds, folder, left, right, host) -> list[float]:
    with tool.serve(left, host):
        durations = []
        for number in range(rounds):
            into = folder / f"in-{tool.name}-{number}"
            durations.append(tool.send(what, into, left, right, host))
            copied = sum(path.stat().st_size for path in into.rglob("*") if path.is_file())
            assert copied == size, f"{tool.name}: {copied} bytes of {size} arrived"
            shutil.rmtree(into)
        return durations


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--far-megabytes", type=int, default=60)
    parser.add_argument("--files", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="file-transfer-") as name:
        folder = pathlib.Path(name)
        tools = [FileTransfer()]
        for make in (lambda: SCP(folder), Wormhole):
            try:
                tools.append(make())
            except FileNotFoundError as missing:
                print(f"left out, not found: {missing}", file=sys.stderr)
        things = {}
        for label, size in (("large", options.megabytes), ("far", options.far_megabytes)):
            things[label] = folder / label
            with open(things[label], "wb") as file:
                for _ in range(size):
                    file.write(os.urandom(1_000_000))
        things["many"] = folder / "many"
        things["many"].mkdir()
        for number in range(options.files):
            (things["many"] / str(number)).write_bytes(os.urandom(1_000))
        rows = [
            (f"loopback, {options.megabytes} MB", "large", options.megabytes * 1_000_000, None),
            (f"loopback, {options.files:,} files of 1 kB", "many", options.files * 1_000, None),
            (f"50 ms round trip, {options.far_megabytes} MB", "far", options.far_megabytes * 1_000_000, ["delay=25", "queue=20000"]),
            (f"50 ms round trip, {options.files:,} files of 1 kB", "many", options.files * 1_000, ["delay=25", "queue=20000"]),
        ]
        print("| | " + " | ".join(tool.name for tool in tools) + " |")
        print("|---|" + "---|" * len(tools))
        for label, thing, size, link in rows:
            cells = []
            for tool in tools:
                try:
                    if link is None:
                        durations = measure(tool, things[thing], size, options.rounds, folder, [], [], "127.0.0.1")
                    else:
                        with contextlib.redirect_stdout(sys.stderr), bad_network("filesbench", *link) as (left, right):
                            durations = measure(tool, things[thing], size, options.rounds, folder, left, right, "10.77.0.1")
                    median = statistics.median(durations)
                    cells.append(f"{median:.1f} s, {size / median / 1e6:.1f} MB/s")
                except (subprocess.SubprocessError, AssertionError, SystemExit) as failure:
                    print(f"{tool.name}: {failure}", file=sys.stderr)
                    cells.append("failed")
            print(f"| {label} | " + " | ".join(cells) + " |", flush=True)


main()
