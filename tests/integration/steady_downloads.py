"""Clients that download without end, in a process of their own, so that they can be on another network.

    with downloading(beside, "198.51.100.1", {"docs/notes.txt": SHA256}, {}, large="docs/notes.txt") as clients:
        clients.counts()        # {"http": 812, "ftp": 95, ...}; AssertionError once a request has failed
        clients.hold()          # begin one more download of the large file, and read no further
        clients.release()       # read the rest of it

Some keep their connection, some make a new one for each request; every answer is compared with its SHA-256. What is
run is this module: a command per line on its input, an answer in JSON per line on its output.
"""

from __future__ import annotations

import ftplib
import hashlib
import json
import subprocess
import sys
import threading
from collections import Counter
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from bundler.model.image.bundled import DOCUMENT_TYPES
from tests.integration.raw_http import connected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PORT = 8088
SMALL_WINDOW = 16384
MANIFESTS = ", ".join(DOCUMENT_TYPES)
WITHIN_S = 60
# a connection that is kept is not kept for ever
KEPT_ROUNDS = 100


class SteadyDownloads:
    """The clients' process, seen by a test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def counts(self) -> dict[str, int]:
        """Return how many downloads have succeeded by now, by kind; AssertionError when one has failed."""
        return self._asked("counts")

    def went_on_since(self, before: Mapping[str, int], more: int = 3) -> bool:
        """Tell whether clients of each kind have had this many more answers than before."""
        now = self.counts()
        return all(now.get(kind, 0) >= before.get(kind, 0) + more for kind in KINDS)

    def hold(self) -> None:
        """Begin to download the large file, slowly."""
        self._asked("hold")

    def release(self) -> None:
        """Read what was held to its end; AssertionError when it is not whole."""
        self._asked("release")

    def _asked(self, word: str) -> dict[str, int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the clients have ended"
        answered: dict[str, Any] = json.loads(answer)
        assert not answered["failures"], answered["failures"]
        return answered["counts"]  # type: ignore[no-any-return] # what `_main` writes


@contextmanager
def downloading(
    beside: Sequence[str], host: str, sums: Mapping[str, str], images: Mapping[str, str], *, large: str
) -> Iterator[SteadyDownloads]:
    """Have clients download until the block ends.

    Arguments:
        beside: what a command line begins with to run on the network.
        sums: path -> hex SHA-256 of what is asked for, in turn.
        images: the same of what only the registry has, below `v2/`.
        large: the path among them that `hold` takes.
    """
    words = [host, json.dumps(sums), json.dumps(images), large]
    command = [*beside, sys.executable, "-m", "tests.integration.steady_downloads", *words]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            yield SteadyDownloads(process)
        finally:
            # the end of its input ends it
            assert process.stdin is not None
            process.stdin.close()
            process.wait(WITHIN_S)


class _Clients:
    """Threads that ask until they are ended, or something fails."""

    def __init__(self, host: str, sums: Mapping[str, str], images: Mapping[str, str]) -> None:
        self._host, self._sums, self._images = host, sums, images
        self._ended = threading.Event()
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._run, args=item) for item in KINDS.items()]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self, kind: str, ask: Callable[[_Clients, str], None]) -> None:
        try:
            while not self._ended.is_set():
                ask(self, kind)
        except Exception as error:  # noqa: BLE001 - told to the test
            self.failures.append(f"{kind}: {error!r}")

    def _took(self, kind: str, path: str, content: bytes) -> None:
        got = hashlib.sha256(content).hexdigest()
        assert got == ({**self._images, **self._sums})[path], f"{path} has other bytes: {len(content)} of them"
        self.counts[kind] += 1

    def http_anew(self, kind: str) -> None:
        for path in self._sums:
            with connected(PORT, host=self._host) as wire:
                answer = wire.get(f"/{path}", "Connection: close")
                assert answer.status == 200
                self._took(kind, path, answer.body)

    def registry(self, kind: str) -> None:
        for path in self._images:
            with connected(PORT, host=self._host) as wire:
                answer = wire.get(f"/{path}", f"Accept: {MANIFESTS}", "Connection: close")
                assert answer.status == 200
                self._took(kind, path, answer.body)

    def http_kept(self, kind: str) -> None:
        with connected(PORT, host=self._host) as wire:
            for path in (path for _ in range(KEPT_ROUNDS) for path in self._sums):
                answer = wire.get(f"/{path}")
                assert answer.status == 200
                self._took(kind, path, answer.body)
                if answer.fields.get("connection") == "close" or self._ended.is_set():
                    return

    def ftp(self, kind: str) -> None:
        with ftplib.FTP(timeout=WITHIN_S) as client:  # noqa: S321 - what is tested
            client.connect(self._host)
            client.login()
            for path in self._sums:
                content = bytearray()
                client.retrbinary(f"RETR {path}", content.extend)
                self._took(kind, path, bytes(content))


KINDS = {
    "http, new": _Clients.http_anew,
    "http, kept": _Clients.http_kept,
    "registry": _Clients.registry,
    "ftp": _Clients.ftp,
}


def _main(host: str, sums: Mapping[str, str], images: Mapping[str, str], large: str) -> None:
    clients = _Clients(host, sums, images)
    clients.start()
    with ExitStack() as stack:
        stack.callback(clients.end)
        for line in sys.stdin:
            if line == "hold\n":
                held = stack.enter_context(connected(PORT, host=host, receive_bytes=SMALL_WINDOW))
                held.begin(f"/{large}")
            elif line == "release\n" and hashlib.sha256(held.answer().body).hexdigest() != sums[large]:
                clients.failures.append("what was held has other bytes")
            print(json.dumps({"counts": clients.counts, "failures": clients.failures}), flush=True)  # noqa: T201 - read by the test


if __name__ == "__main__":
    _main(sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4])
