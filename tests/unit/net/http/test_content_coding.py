"""Bodies that came compressed although nobody asked for that."""

from __future__ import annotations

import gzip
import zlib

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.net.http.content_coding import codings, undone

PLAIN = b"a line of text\n" * 20_000
GZIP, ZLIB = gzip.compress(PLAIN, mtime=0), zlib.compress(PLAIN)
BARE = zlib.compressobj(wbits=-15)
BARE_DEFLATE = BARE.compress(PLAIN) + BARE.flush()


@pytest.mark.parametrize(
    ("field", "name", "applied"),
    [
        ("gzip", "https://h.example/keadm", ("gzip",)),
        ("GZIP", "", ("gzip",)),
        ("gzip", "https://h.example/keadm.tar.gz", ()),
        ("x-gzip", "https://h.example/keadm.TGZ?token=1", ()),
        ("gzip", "https://h.example/keadm.zip", ("gzip",)),
        ("deflate, gzip", "https://h.example/a", ("deflate", "gzip")),
        ("br", "https://h.example/a", ("br",)),
        ("identity", "https://h.example/a", ()),
        # words that uploads left in a store
        ("aws-chunked", "https://h.example/a", ()),
        ("UTF-8", "https://h.example/a", ()),
        ("", "https://h.example/a", ()),
    ],
)
def test_which_codings_are_undone(field: str, name: str, applied: tuple[str, ...]) -> None:
    assert codings({"Content-Encoding": field}, name) == applied
    assert codings({}, name) == ()


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("packed", "applied"),
    [
        (GZIP, ("gzip",)),
        (GZIP, ("x-gzip",)),
        (gzip.compress(PLAIN[:9]) + gzip.compress(PLAIN[9:]), ("gzip",)),
        (ZLIB, ("deflate",)),
        (BARE_DEFLATE, ("deflate",)),
        (gzip.compress(ZLIB), ("deflate", "gzip")),
        (PLAIN, ()),
        (PLAIN, ("gzip",)),
    ],
    ids=["gzip", "x-gzip", "members", "deflate", "bare", "two", "none", "no-gzip-at-all"],
)
def test_what_was_applied_is_undone(packed: bytes, applied: tuple[str, ...], size: int) -> None:
    chunks = [packed[at : at + size] for at in range(0, len(packed), size)]
    assert b"".join(undone(chunks, applied, "u")) == PLAIN


def test_nothing_is_nothing() -> None:
    assert list(undone([], ("gzip",), "u")) == []


def test_no_piece_is_large_whatever_it_unpacks_to() -> None:
    bomb = gzip.compress(bytes(1 << 26))
    assert max(map(len, undone([bomb], ("gzip",), "u"))) < 1 << 23


@pytest.mark.parametrize(
    ("packed", "applied", "error_id", "retryable"),
    [
        (GZIP[:-4], ("gzip",), ErrorId.SOURCE_CUT, True),
        (GZIP[:20] + b"\xff" * 50, ("gzip",), ErrorId.SOURCE_INVALID, False),
        (PLAIN, ("br",), ErrorId.SOURCE_INVALID, False),
        (PLAIN, ("deflate",), ErrorId.SOURCE_INVALID, False),
    ],
    ids=["cut", "damaged", "unknown", "no-deflate-at-all"],
)
def test_what_cannot_be_undone_says_so(
    packed: bytes, applied: tuple[str, ...], error_id: ErrorId, retryable: bool
) -> None:
    with pytest.raises(SourceError, match=r"nobody asked for|unasked") as raised:
        list(undone([packed], applied, "https://h.example/a"))
    assert (raised.value.id, raised.value.retryable) == (error_id, retryable)
    assert raised.value.where == "https://h.example/a"
