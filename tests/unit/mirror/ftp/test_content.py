"""Content knows whether it is all there."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mirror.ftp.content import FileContent, TextContent, UnreadableError
from mirror.tree.opening import NotTheCheckedFileError
from tests.unit.mirror.open_files import open_file_at

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = bytes(range(256)) * 40


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        yield one, other


def file_of(path: Path, begin: int, end: int) -> FileContent:
    return FileContent(open_file_at(path), begin, end)


def test_a_part_of_a_file_is_sent_and_no_more(tmp_path: Path, pair: tuple[socket.socket, socket.socket]) -> None:
    path = tmp_path / "file"
    path.write_bytes(BODY)
    content = file_of(path, 10, 4000)
    got = b""
    while content.remaining:
        assert content.send(pair[0].fileno(), 1000) > 0
        got += pair[1].recv(10_000)
    assert got == BODY[10:4000]
    content.close()
    content.close()


def fill(connection: socket.socket, content: FileContent) -> None:
    while True:
        content.send(connection.fileno(), 1 << 20)


def test_a_full_connection_is_waited_for(tmp_path: Path, pair: tuple[socket.socket, socket.socket]) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(8 << 20))
    content = file_of(path, 0, 8 << 20)
    with pytest.raises(BlockingIOError):
        fill(pair[0], content)
    assert 0 < (content.remaining or 0) < 8 << 20
    content.close()


def test_a_shortened_file_is_no_end(tmp_path: Path, pair: tuple[socket.socket, socket.socket]) -> None:
    path = tmp_path / "file"
    path.write_bytes(BODY)
    content = file_of(path, 0, len(BODY))
    os.truncate(path, 100)
    assert content.send(pair[0].fileno(), 10_000) == 100
    with pytest.raises(NotTheCheckedFileError):
        content.send(pair[0].fileno(), 10_000)
    with pytest.raises(NotTheCheckedFileError):
        content.read(10)
    content.close()


@pytest.mark.parametrize("begin", [0, 5000])
def test_a_file_that_is_written_to_never_looks_complete(
    tmp_path: Path, pair: tuple[socket.socket, socket.socket], begin: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(BODY)
    content = file_of(path, begin, len(BODY))
    content.send(pair[0].fileno(), 100)
    with path.open("r+b") as stream:
        stream.write(b"other")
    content.send(pair[0].fileno(), 100)
    with pytest.raises(NotTheCheckedFileError):
        content.send(pair[0].fileno(), len(BODY))
    # as under TLS
    with pytest.raises(NotTheCheckedFileError):
        content.read(len(BODY))
    content.close()


def test_a_disk_that_fails_is_no_end(pair: tuple[socket.socket, socket.socket]) -> None:
    # nothing is mapped at address 0: the kernel refuses sendfile for this file, and reading it is an I/O error
    content = file_of(Path("/proc/self/mem"), 0, 100)
    with pytest.raises(UnreadableError, match="Input/output error"):
        content.send(pair[0].fileno(), 10)
    content.close()


def test_a_gone_connection_is_not_the_disks_fault(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(BODY)
    content = file_of(path, 0, len(BODY))
    one, other = socket.socketpair()
    other.close()
    with one, pytest.raises(BrokenPipeError):
        content.send(one.fileno(), 10)
    content.close()


def test_a_listing_is_sent_in_parts(pair: tuple[socket.socket, socket.socket]) -> None:
    content = TextContent(iter([b"abc", b"de"]))
    sent = []
    while content.remaining != 0:
        sent.append(content.send(pair[0].fileno(), 2))
    assert sent == [2, 1, 2]
    assert pair[1].recv(100) == b"abcde"
    assert TextContent(iter([])).remaining == 0
