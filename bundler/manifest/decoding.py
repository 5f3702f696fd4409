"""Bytes of a YAML file -> its text, or the one problem that keeps them from being text.

Stricter than YAML 1.1 ("Character Set", "Character Encoding"): UTF-8 only, and none of the line breaks that editors do
not count (U+0085, U+2028, U+2029), so that every position means the same to a person and to the parser.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from bundler.model.source_text import Position
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.model.source_text import Problems

# what may stand in comments; what a manifest costs is bounded by its values (composer.py)
MAX_FILE_BYTES = 32 * 1024 * 1024
# what else lies beside a manifest
_MISTAKEN = (
    (re.compile(rb"\x1f\x8b"), tr("is a packed archive; `bundler inspect` shows what a bundle holds")),
    (re.compile(rb'\s*\{\s*"entries"\s*:'), tr("is a lock, not a manifest; name the YAML file that it was made from")),
)
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FORBIDDEN = re.compile("[^\t\n\r -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAK = re.compile("\r\n|\r|\n")


def decode(data: bytes, *, file: str, problems: Problems) -> str | None:
    """Return the text without a byte order mark; when that is not possible, report why and return None.

    Arguments:
        data: the whole file, at most `MAX_FILE_BYTES` (more is reported).
        file: its name in positions.
    """
    start = Position(file, 1, 1)
    if len(data) > MAX_FILE_BYTES:
        problems.error(start, tr("is larger than {max_file_bytes} bytes", max_file_bytes=MAX_FILE_BYTES))
        return None
    if data.startswith(_UTF16_MARKS):
        problems.error(start, tr("is UTF-16; save it as UTF-8"))
        return None
    if mistaken := next((words for pattern, words in _MISTAKEN if pattern.match(data)), ""):
        problems.error(start, mistaken)
        return None
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        wrong = tr("byte 0x{data:02X} is not UTF-8; save the file as UTF-8", data=data[error.start])
        problems.error(_end_of(before, file), wrong)
        return None
    found = _FORBIDDEN.search(text)
    if found is not None:
        problems.error(
            _end_of(text[: found.start()], file),
            tr("control character U+{group:04X}; remove it", group=ord(found.group())),
        )
        return None
    return text


def _end_of(before: str, file: str) -> Position:
    lines = _LINE_BREAK.split(before)
    return Position(file, len(lines), len(lines[-1]) + 1)
