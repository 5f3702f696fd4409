"""Tar headers in GNU format, written and read.

Owns the 512-byte header block: GNU tar manual, "Basic Tar Format" and tar-1.26 src/tar.h. Names beyond 100 bytes go
into a `././@LongLink` member, numbers beyond their octal field are base-256. Does not check names; `tar_reader` does.
"""

from __future__ import annotations

from dataclasses import dataclass

from bundler.translation import tr

BLOCK_BYTES = 512
RECORD_BYTES = 20 * BLOCK_BYTES
MAX_FIELD_NAME_BYTES = 100

FILE = b"0"
OLD_FILE = b"\0"
DIRECTORY = b"5"
LONG_NAME = b"L"
PAX_HEADER = b"x"
PAX_GLOBAL_HEADER = b"g"

_LONG_NAME_PATH = b"././@LongLink"
_IDS = b"0000000\0" * 2
_AFTER_TYPE = bytes(100) + b"ustar  \0" + b"root".ljust(32, b"\0") * 2 + bytes(183)
_MODE, _OWNER, _OWNER_NAMES = slice(100, 108), slice(108, 124), slice(265, 329)
_CHECKSUM_OF_NOTHING = b" " * 8


def encode_header(path: bytes, *, size: int, mode: int, mtime: int, directory: bool = False) -> bytes:
    """Return the header block or blocks (a long name takes at least two more) of one member, owned by root, 0:0.

    Arguments:
        path: relative, without a trailing slash.
        size: bytes of content, 0 for a directory.
        mtime: seconds since the epoch, not negative.
    """
    name = path + b"/" if directory else path
    before = b""
    if len(name) > MAX_FIELD_NAME_BYTES:
        before = _block(_LONG_NAME_PATH, size=len(name) + 1, mode=0o644, mtime=0, type_flag=LONG_NAME)
        before += name + bytes(1 + padding(len(name) + 1))
    return before + _block(
        name[:MAX_FIELD_NAME_BYTES], size=size, mode=mode, mtime=mtime, type_flag=DIRECTORY if directory else FILE
    )


def padding(size: int) -> int:
    """Return how many zero bytes follow content of this size (in bytes)."""
    return -size % BLOCK_BYTES


def same_mode(headers: bytes, others: bytes) -> bool:
    """Tell whether the last header blocks of two members have one mode, and one form of it."""
    return _last_fields(headers, _MODE) == _last_fields(others, _MODE)


def same_owner(headers: bytes, others: bytes) -> bool:
    """Tell whether the last header blocks of two members have one owner and group, by number and by name."""
    return all(_last_fields(headers, part) == _last_fields(others, part) for part in (_OWNER, _OWNER_NAMES))


def _last_fields(headers: bytes, part: slice) -> bytes:
    return headers[-BLOCK_BYTES:][part]


def _block(name: bytes, *, size: int, mode: int, mtime: int, type_flag: bytes) -> bytes:
    head = name.ljust(100, b"\0") + b"%07o\0" % mode + _IDS + _number(size) + _number(mtime)
    tail = type_flag + _AFTER_TYPE
    checksum = sum(head) + sum(_CHECKSUM_OF_NOTHING) + sum(tail)
    return head + b"%06o\0 " % checksum + tail


def _number(value: int) -> bytes:
    if value < 8**11:
        return b"%011o\0" % value
    return b"\x80" + value.to_bytes(11, "big")


@dataclass(frozen=True, slots=True)
class RawHeader:
    """One header block as it was read; `name` is not yet checked."""

    name: bytes
    size: int
    mtime: int
    type_flag: bytes


def decode_header(block: bytes) -> RawHeader:
    """Read one header block of any tar dialect (GNU, ustar, pax, v7); ValueError when it is not a header."""
    checksum = sum(block[:148]) + sum(_CHECKSUM_OF_NOTHING) + sum(block[156:])
    if _value(block[148:156]) != checksum:
        raise ValueError(tr("the header's checksum is wrong"))
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and (prefix := _text(block[345:500])):
        name = prefix + b"/" + name
    return RawHeader(name=name, size=_value(block[124:136]), mtime=_value(block[136:148]), type_flag=block[156:157])


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _value(field: bytes) -> int:
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    text = field.partition(b"\0")[0].strip(b" ")
    if not text:
        return 0
    if not text.isdigit():
        raise ValueError(tr("{field!r} is not a number", field=field))
    return int(text, 8)
