"""Files that change, vanish, shrink or turn into links below a running FTP worker: never wrong bytes."""

from __future__ import annotations

import ftplib
import os
import random
import threading
from typing import TYPE_CHECKING

import pytest

from mirror.settings import Settings, ShareOption
from mirror.shared.counters import Field
from tests.integration.ftp_mirror import ftp_worker, wait_until
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.ftp_mirror import FtpWorkerProcess

# more than the sockets between a server and a client that does not read hold
BIG = random.Random(10).randbytes(1 << 20) * 64
CONTENTS = {"big.bin": BIG, "a": b"bytes of a", "dir/b": b"bytes of b"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "root", CONTENTS)


@pytest.fixture
def mirror(root: Path) -> Iterator[FtpWorkerProcess]:
    with ftp_worker(root) as worker:
        yield worker


def fetched(client: ftplib.FTP, path: str) -> bytes:
    got: list[bytes] = []
    client.retrbinary(f"RETR {path}", got.append)
    return b"".join(got)


def drained(connection: socket.socket) -> tuple[int, bool]:
    """Return how many bytes came, and whether they ended as a whole file ends."""
    count = 0
    try:
        while data := connection.recv(1 << 20):
            count += len(data)
    except ConnectionResetError:
        return count, False
    return count, True


def is_refused(client: ftplib.FTP, path: str) -> bool:
    try:
        fetched(client, path)
    except ftplib.error_temp as error:
        return str(error).startswith("450")
    return False


@pytest.mark.parametrize(
    "what", ["other bytes", "shorter", "gone", "a link", "a link to itself", "a directory", "a fifo"]
)
def test_a_listed_file_that_is_another_one_is_not_served(mirror: FtpWorkerProcess, root: Path, what: str) -> None:
    path = root / "a"
    path.unlink()
    match what:
        case "other bytes":
            path.write_bytes(b"bytes OF a")
        case "shorter":
            path.write_bytes(b"bytes")
        case "a link":
            path.symlink_to("/etc/passwd")
        case "a link to itself":
            path.symlink_to("a")
        case "a directory":
            path.mkdir()
        case "a fifo":
            os.mkfifo(path)
        case _:
            pass
    with mirror.client() as client:
        for _ in range(3):
            assert is_refused(client, "a")
        assert fetched(client, "dir/b") == b"bytes of b"
        wait_until(lambda: mirror.slot.get(Field.FAULTS) == 1)
        assert mirror.stderr().count("/a is not served") == 1
        assert mirror.slot.answers()[450] == 3


def test_a_file_with_the_same_bytes_is_served_again(mirror: FtpWorkerProcess, root: Path) -> None:
    os.link(root / "a", root / "another name")
    with mirror.client() as client:
        # the first one may find it changed; it is hashed meanwhile
        wait_until(lambda: not is_refused(client, "a"))
        assert mirror.slot.get(Field.FAULTS) == 0
        assert mirror.stderr() == ""


def test_a_file_that_comes_back_is_served_again(mirror: FtpWorkerProcess, root: Path) -> None:
    (root / "a").unlink()
    with mirror.client() as client:
        assert is_refused(client, "a")
        wait_until(lambda: mirror.slot.get(Field.FAULTS) == 1)
        (root / "a").write_bytes(CONTENTS["a"])
        wait_until(lambda: not is_refused(client, "a"))
        assert fetched(client, "a") == CONTENTS["a"]
        assert mirror.slot.get(Field.FAULTS) == 0
        assert "served again" in mirror.stderr() or "is as listed again" in mirror.stderr()


def test_a_directory_replaced_by_a_link_leads_nowhere(mirror: FtpWorkerProcess, root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b").write_bytes(b"bytes of c")
    (root / "dir").rename(tmp_path / "moved")
    (root / "dir").symlink_to(elsewhere)
    with mirror.client() as client:
        assert is_refused(client, "dir/b")


def test_a_file_cut_short_while_it_is_sent_does_not_look_complete(mirror: FtpWorkerProcess, root: Path) -> None:
    with mirror.client() as client:
        client.sendcmd("TYPE I")
        with client.transfercmd("RETR big.bin") as connection:
            assert connection.recv(1) == BIG[:1]
            os.truncate(root / "big.bin", 40 << 20)
            count, complete = drained(connection)
        assert count < 40 << 20
        assert not complete
        assert client.getmultiline().startswith("426")
        assert mirror.slot.get(Field.CUT_TRANSFERS) == 1
        wait_until(lambda: '"complete": false' in mirror.log.read_text())


def test_a_file_that_grows_is_sent_as_long_as_it_was(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "grows").write_bytes(BIG)
    settings = Settings(shared, all_files=True, shares=(ShareOption("", shared),))
    with ftp_worker(shared, settings=settings) as mirror, mirror.client() as client:
        client.sendcmd("TYPE I")
        with client.transfercmd("RETR grows") as connection:
            with (shared / "grows").open("ab") as stream:
                stream.write(b"more")
            assert drained(connection) == (len(BIG), True)
        assert client.getmultiline().startswith("226")


def test_a_transfer_finishes_on_the_bundle_that_it_began_on(root: Path) -> None:
    with ftp_worker(root) as mirror, mirror.client() as client:
        client.sendcmd("TYPE I")
        with client.transfercmd("RETR big.bin") as connection:
            first = connection.recv(1)
            root.rename(root.with_name("before"))
            old = {path.name for path in root.with_name("before").iterdir()}
            assert "big.bin" in old
            # another bundle in the same directory, which the worker holds open
            for path in ("big.bin", "a", "dir/b", "SHA256SUMS", "bundle.json"):
                (root.with_name("before") / path).unlink()
            write_bundle(root.with_name("before"), {"a": b"new a", "new": b"new"})
            mirror.reload(root.with_name("before"), 2)
            mirror.expect("reloaded")
            assert fetched_by_another(mirror, "a") == b"new a"
            got = first + connection.makefile("rb").read()
        assert got == BIG
        assert client.getmultiline().startswith("226")
        assert fetched(client, "new") == b"new"
        with pytest.raises(ftplib.error_perm):
            fetched(client, "big.bin")


def fetched_by_another(mirror: FtpWorkerProcess, path: str) -> bytes:
    with mirror.client() as client:
        return fetched(client, path)


def test_shared_directories_follow_no_link_and_show_what_is_there(root: Path, tmp_path: Path) -> None:
    shared = tmp_path / "extra"
    shared.mkdir()
    (shared / "file").write_bytes(b"one")
    (shared / "out").symlink_to("/etc")
    (shared / "passwd").symlink_to("/etc/passwd")
    (shared / "evil\r\nname").write_bytes(b"")
    settings = Settings(root, shares=(ShareOption("more/extra", shared),))
    with ftp_worker(root, settings=settings) as mirror, mirror.client() as client:
        assert "more" in client.nlst()
        assert client.nlst("more") == ["extra"]
        assert client.nlst("more/extra") == ["file"]
        for path in ("passwd", "out/passwd", "../../etc/passwd", "evil", "file/.."):
            with pytest.raises(ftplib.error_perm):
                fetched(client, f"more/extra/{path}")
        (shared / "file").write_bytes(b"another")
        assert fetched(client, "more/extra/file") == b"another"


def test_a_file_that_becomes_a_link_again_and_again_never_shows_what_it_leads_to(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (shared / "file").write_bytes(b"public")
    (tmp_path / "public").write_bytes(b"public")
    settings = Settings(shared, all_files=True, shares=(ShareOption("", shared),))
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (shared / "link").symlink_to(secret)
            (shared / "link").rename(shared / "file")
            os.link(tmp_path / "public", shared / "whole")
            (shared / "whole").rename(shared / "file")

    with ftp_worker(shared, settings=settings) as mirror, mirror.client() as client:
        swapping = threading.Thread(target=swap)
        swapping.start()
        try:
            seen = {outcome(client) for _ in range(300)}
        finally:
            stop.set()
            swapping.join()
    assert seen <= {b"public", b"450", b"550"}
    assert b"public" in seen


def outcome(client: ftplib.FTP) -> bytes:
    try:
        return fetched(client, "file")
    except (ftplib.error_perm, ftplib.error_temp) as error:
        return str(error)[:3].encode()
