"""A bundle's own texts lie in a file without a name, and archives are the same whether they do or not."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from bundler.archive.gzip_block import MEMBER_BYTES
from bundler.archive.kept_texts import PIECE_BYTES, kept_texts
from bundler.archive.member_order import archive_members
from bundler.archive.tar_stream import NO_CHECKSUM_CACHE, TarStream
from bundler.errors import StorageError
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob
from bundler.model.placement import Placement

if TYPE_CHECKING:
    from pathlib import Path

LONG = bytes(range(256)) * (3 * PIECE_BYTES // 256) + b"end"


def test_texts_are_read_as_often_as_they_are_asked_for_and_leave_nothing(tmp_path: Path) -> None:
    with kept_texts(tmp_path) as keep:
        first, empty, last = keep((b"one ", b"", b"text")), keep(()), keep((LONG,))
        assert list(tmp_path.iterdir()) == []
        for _ in range(2):
            assert [b"".join(text.pieces()) for text in (last, empty, first)] == [LONG, b"", b"one text"]
    assert [text.blob for text in (first, empty, last)] == [Blob.of(b"one text"), Blob.of(b""), Blob.of(LONG)]
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError), kept_texts(tmp_path / "absent"):
        pass


def test_the_tar_stream_of_kept_and_held_texts_is_the_same(tmp_path: Path) -> None:
    def stream(content: Placement) -> bytes:
        blocks = TarStream(lambda _: tmp_path, NO_CHECKSUM_CACHE, lambda: bytearray(MEMBER_BYTES))
        members = archive_members([content])
        return b"".join(bytes(block.buffer[: block.length]) for block in blocks.blocks(members))

    with kept_texts(tmp_path) as keep:
        kept = Placement(BundlePath("lock.json"), keep((LONG,)), "bundle")
        held = Placement(BundlePath("lock.json"), LONG, "bundle")
        assert kept.blob == held.blob
        assert stream(kept) == stream(held)


def test_a_kept_text_takes_no_memory(tmp_path: Path) -> None:
    piece = bytes(PIECE_BYTES)
    tracemalloc.start()
    try:
        with kept_texts(tmp_path) as keep:
            assert sum(map(len, keep(piece for _ in range(64)).pieces())) == 64 * PIECE_BYTES
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * PIECE_BYTES
