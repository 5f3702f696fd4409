"""Listed files are written in place, and put right again, while many clients fetch: no answer is whole and wrong.

ANSWERS (a number) makes it longer.
"""

from __future__ import annotations

import ftplib
import hashlib
import http.client
import os
import random
import sys
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.integration.mirror_program import LOOPBACK, eventually, mirror
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.integration.mirror_program import Mirror

pytestmark = pytest.mark.integration
ANSWERS = int(os.environ.get("ANSWERS", "600"))
SIZES = (1, 40, 4096, 20_000, 300_000, 1 << 20, (1 << 20) + 1, 3_000_000, 6_000_000)
CLIENTS = {"http": 6, "ftp": 4}
WRITERS = 4
RANDOM = random.Random()
WHOLE, WRONG, REFUSED, CUT = "whole", "wrong", "refused", "cut"


def contents() -> Mapping[str, bytes]:
    return {f"files/{size}": random.Random(size).randbytes(size) for size in SIZES}


def spoil(file: Path, right: bytes, pause: threading.Event) -> None:
    """Write a byte that is not the file's, then the right one; now and then with the date that it had."""
    before = file.stat()
    for _ in range(RANDOM.choice((1, 1, 3))):
        at = RANDOM.randrange(len(right))
        with file.open("r+b", buffering=0) as stream:
            os.pwrite(stream.fileno(), bytes((right[at] ^ 255,)), at)
            if RANDOM.random() < 0.5:
                os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
            pause.wait(RANDOM.choice((0, 0, 0.001, 0.01)))
            os.pwrite(stream.fileno(), right[at : at + 1], at)
        if RANDOM.random() < 0.5:
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    pause.wait(RANDOM.choice((0, 0.001, 0.005, 0.02)))


def fetch_http(running: Mirror, path: str, right: bytes) -> str:
    connection = http.client.HTTPConnection(LOOPBACK, running.port, timeout=60)
    try:
        connection.request("GET", f"/{path}")
        answer = connection.getresponse()
        if answer.status != http.HTTPStatus.OK:
            assert answer.status == http.HTTPStatus.SERVICE_UNAVAILABLE
            return REFUSED
        assert hashlib.sha256(right).hexdigest() in (answer.headers["ETag"] or "")
        return WHOLE if answer.read() == right else WRONG
    except (http.client.HTTPException, ConnectionError):
        return CUT
    finally:
        connection.close()


def fetch_ftp(running: Mirror, path: str, right: bytes) -> str:
    with ftplib.FTP() as client:  # noqa: S321 - what is tested
        client.connect(LOOPBACK, running.ftp_port, timeout=60)
        client.login()
        client.sendcmd("TYPE I")
        body = bytearray()
        try:
            with client.transfercmd(f"RETR {path}") as data, suppress(ConnectionError):
                while part := data.recv(1 << 20):
                    body += part
            client.voidresp()
        except ftplib.Error as error:
            return REFUSED if str(error).startswith("450") else CUT
        return WHOLE if body == right else WRONG


@contextmanager
def at_once(works: list[Callable[[], None]], over: threading.Event) -> Iterator[list[BaseException]]:
    """Run functions in threads of their own until it is over, as it is when one fails; gives what they raise."""
    raised: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the test's own thread judges it
            raised.append(error)
            over.set()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield raised
    finally:
        for thread in threads:
            thread.join()


def is_enough(counts: list[Counter[str]]) -> bool:
    """Tell whether there were enough answers, and of each protocol whole ones and others."""
    return sum(count.total() for count in counts) >= ANSWERS and all(
        count.total() >= ANSWERS / 4 and len(count) > 1 for count in counts
    )


def test_no_answer_is_whole_and_wrong(tmp_path: Path) -> None:
    files = contents()
    root = write_bundle(tmp_path / "root", files)
    counts = {protocol: Counter[str]() for protocol in CLIENTS}
    counting, over, pause = threading.Lock(), threading.Event(), threading.Event()

    def write(own: list[str]) -> None:
        while not over.is_set():
            path = RANDOM.choice(own)
            spoil(root / path, files[path], pause)

    def fetch(running: Mirror, protocol: str) -> None:
        fetch_one = fetch_http if protocol == "http" else fetch_ftp
        while not over.is_set():
            path = RANDOM.choice(list(files))
            found = fetch_one(running, path, files[path])
            with counting:
                counts[protocol][found] += 1
                if is_enough(list(counts.values())):
                    over.set()

    with mirror(root, "--workers", "2", "--ftp", f"{LOOPBACK}:0") as running:
        # no two write to one file, or none would know what is right
        works: list[Callable[[], None]] = [partial(write, list(files)[number::WRITERS]) for number in range(WRITERS)]
        for protocol, clients in CLIENTS.items():
            works += [partial(fetch, running, protocol)] * clients
        with at_once(works, over) as raised:
            over.wait()
        assert raised == []
        # shown where somebody asks for it (-s)
        sys.stdout.write(f"{counts}\n")
        assert [count[WRONG] for count in counts.values()] == [0, 0]
        assert all(count[WHOLE] for count in counts.values())
        eventually(lambda: running.health()[0] == http.HTTPStatus.OK, "all files are served again")
        assert {path: fetch_http(running, path, right) for path, right in files.items()} == dict.fromkeys(files, WHOLE)
