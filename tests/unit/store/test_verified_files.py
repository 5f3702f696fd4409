"""When a record of a verified file counts, and when the file has to be verified again."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

from bundler.store.blobs import Store
from bundler.store.prune import prune

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.digest import Blob

DATA = b"some bytes of a layer"


def admitted(tmp_path: Path) -> tuple[Store, Blob, Path]:
    store = Store(tmp_path / "store")
    blob = store.put(DATA)
    return store, blob, store.path(blob)


def test_an_admitted_blob_is_remembered_with_its_crc32(tmp_path: Path) -> None:
    store, blob, path = admitted(tmp_path)
    assert store.verified.crc32(blob, path.stat()) == zlib.crc32(DATA)


def test_a_resumed_download_is_remembered_with_the_crc32_of_the_whole(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with store.incoming("big") as incoming:
        incoming.restart('"1"')
        incoming.write(DATA[:7])
    with store.incoming("big") as incoming:
        incoming.write(DATA[7:])
        blob = incoming.commit()
    assert store.verified.crc32(blob, store.path(blob).stat()) == zlib.crc32(DATA)


def test_a_file_that_was_written_to_is_another_one(tmp_path: Path) -> None:
    store, blob, path = admitted(tmp_path)
    before = path.stat()
    path.chmod(0o644)
    path.write_bytes(DATA[::-1])
    # a forged date does not help: the time of the change itself cannot be set
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.verified.crc32(blob, path.stat()) is None


def test_a_copy_is_another_file(tmp_path: Path) -> None:
    store, blob, path = admitted(tmp_path)
    copy = path.with_name("copy")
    copy.write_bytes(DATA)
    copy.replace(path)
    assert store.verified.crc32(blob, path.stat()) is None


def test_a_dropped_or_pruned_blob_is_forgotten(tmp_path: Path) -> None:
    store, blob, path = admitted(tmp_path)
    status = path.stat()
    store.drop(blob)
    assert store.verified.crc32(blob, status) is None
    other = store.put(b"other")
    status = store.path(other).stat()
    prune(store, frozenset())
    assert store.verified.crc32(other, status) is None


def test_an_unreadable_record_is_no_record(tmp_path: Path) -> None:
    store, blob, path = admitted(tmp_path)
    record = store.verified.directory / blob.digest.hex[:2] / blob.digest.hex
    for text in (b"", b"\xff", b"1 2 3", b"garbage zz"):
        record.write_bytes(text)
        assert store.verified.crc32(blob, path.stat()) is None
