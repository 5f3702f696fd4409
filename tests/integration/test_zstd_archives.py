"""Archives that zstd and pzstd have written: locked, fetched again, refused, and met without the library of zstd."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from bundler.python_package import installing
from bundler.store.blobs import Store
from tests.compressions import WITHOUT_ZSTD
from tests.fakes.faulty_server import FaultyServer, ServedFile, faulty_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MEMBER = "edge-1.0/bin/edge"
# about half of it compresses, and there is enough for several frames
CONTENT = random.Random(8).randbytes(2_000_000).hex().encode()
MANIFEST = "version: 1\nname: t\nfiles:\n  - {path: k/edge, url: 'URL', member: edge-1.0/bin/edge}\n"


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as running:
        yield running


def tar_bytes(content: bytes = CONTENT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in ((MEMBER, content), ("edge-1.0/README", b"read me")):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o755
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def packed(*command: str, data: bytes | None = None) -> bytes:
    return subprocess.run(command, input=data or tar_bytes(), capture_output=True, check=True).stdout


def bundler(directory: Path, *arguments: str, start: tuple[str, ...] = ("-m", "bundler")) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *start, *arguments, "--store", "store"],
        cwd=directory,
        env={"HOME": str(directory), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def published(server: FaultyServer, directory: Path, archive: bytes) -> None:
    server.files["/edge.tar.zst"] = ServedFile(archive)
    (directory / "m.yaml").write_text(MANIFEST.replace("URL", server.url("/edge.tar.zst")))


@pytest.mark.parametrize(
    "command",
    [
        ("zstd", "-q"),
        ("zstd", "-q", "--no-check", "-1"),
        ("zstd", "-q", "--long"),
        ("pzstd", "-q", "-p", "3", "-c"),
    ],
    ids=" ".join,
)
def test_a_member_comes_out_of_what_the_programs_write(
    command: tuple[str, ...], server: FaultyServer, tmp_path: Path
) -> None:
    published(server, tmp_path, packed(*command))
    assert bundler(tmp_path, "lock", "m.yaml")[0] == 0
    # a lost store is filled again from the lock
    (tmp_path / "store").rename(tmp_path / "lost")
    status, said = bundler(tmp_path, "build", "m.yaml", "-o", "t.tar.gz")
    assert status == 0, said
    with tarfile.open(tmp_path / "t.tar.gz") as bundle:
        edge = bundle.getmember("k/edge")
        taken = bundle.extractfile(edge)
        assert taken is not None
        assert (taken.read(), edge.mode) == (CONTENT, 0o755)
    assert len(server.requests_for("/edge.tar.zst")) == 2


def damaged(archive: bytes) -> bytes:
    middle = len(archive) // 2
    return archive[:middle] + bytes((archive[middle] ^ 0x55,)) + archive[middle + 1 :]


INVALID, UNSAFE = "source-invalid", "source-archive-unsafe"
REFUSED: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "damaged": (lambda: damaged(packed("zstd", "-q")), "is damaged", INVALID),
    "truncated": (lambda: packed("zstd", "-q")[:-9000], "is cut short", INVALID),
    "truncated frames": (lambda: packed("pzstd", "-q", "-p", "2", "-c")[:-9000], "is cut short", INVALID),
    "followed": (lambda: packed("zstd", "-q") + b"<html>", "something else", INVALID),
    "bomb": (lambda: packed("zstd", "-q", data=tar_bytes(bytes(80 << 20))), "a decompression bomb", UNSAFE),
    "window of 256 MiB": (lambda: packed("zstd", "-q", "--long=28"), "too much memory", INVALID),
    "no tar": (lambda: packed("zstd", "-q", data=b"text"), "holds no tar archive", INVALID),
}


@pytest.mark.parametrize(("archive", "words", "error_id"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_trusted_is_refused_and_not_kept(
    archive: Callable[[], bytes], words: str, error_id: str, server: FaultyServer, tmp_path: Path
) -> None:
    published(server, tmp_path, archive())
    status, said = bundler(tmp_path, "lock", "m.yaml")
    assert (status, words in said, f"[{error_id}]" in said) == (4, True, True), said
    assert not (tmp_path / "m.lock.json").exists()
    assert list(Store(tmp_path / "store").partial_directory.iterdir()) == []


# where zstd is part of Python it cannot be missing, and a test that skips fails on CI
if sys.version_info < (3, 14):

    def test_without_the_library_it_is_named_and_the_download_is_kept(server: FaultyServer, tmp_path: Path) -> None:
        published(server, tmp_path, packed("zstd", "-q"))
        program = f"{WITHOUT_ZSTD}\nfrom bundler.__main__ import main\nmain()"
        status, said = bundler(tmp_path, "lock", "m.yaml", start=("-c", program))
        assert status == 10, said
        assert "backports.zstd is not installed; it is needed for archives compressed with zstd" in said
        assert f"Install {installing('backports.zstd')}." in said
        assert "[tool-missing]" in said
        assert bundler(tmp_path, "lock", "m.yaml")[0] == 0
        sent = server.bytes_sent("/edge.tar.zst")
        assert sent == len(server.files["/edge.tar.zst"].body), "nothing was fetched twice"
