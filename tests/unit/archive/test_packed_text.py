"""A packed text gives back its bytes, as often as they are wanted, and takes less room than they do."""

from __future__ import annotations

from bundler.archive.packed_text import NO_TEXT, PackedText
from bundler.model.digest import Digest

PIECES: list[bytes | memoryview] = [b"one line of many\n" * 1000, memoryview(b"and another\n")]
TEXT = b"".join(PIECES)


def test_what_was_taken_is_given_back() -> None:
    packed = PackedText.of(PIECES)
    assert packed.read() == packed.read() == TEXT
    assert packed.digest == Digest.sha256(TEXT)
    assert len(packed.packed) < len(TEXT) / 10


def test_its_file_can_be_read_more_than_once() -> None:
    with PackedText.of(PIECES).open() as stream:
        assert stream.read(4) == b"one "
        stream.seek(0)
        assert stream.read() == TEXT


def test_no_text_is_empty() -> None:
    assert NO_TEXT.read() == b""
    assert PackedText.of(()) == NO_TEXT
