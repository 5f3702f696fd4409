"""Small ELF files: a header, a loader's name, needed libraries and versions, and no code."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

X86_64, AARCH64 = 62, 183
_HEADER_BYTES, _SEGMENT_BYTES = 64, 56


def elf_file(
    machine: int = X86_64,
    *,
    interpreter: str = "",
    needed: Sequence[str] = (),
    versions: Mapping[str, Sequence[str]] = {},
) -> bytes:
    """Return a file that asks for these; `versions`: library -> its versions that are needed."""
    strings = _Strings()
    needed_at = [strings.place(name) for name in needed]
    verneed = b""
    for number, (library, wanted) in enumerate(versions.items(), 1):
        aux = b"".join(
            struct.pack("<IHHII", 0, 0, 0, strings.place(version), 16 if place < len(wanted) else 0)
            for place, version in enumerate(wanted, 1)
        )
        following = 16 + len(aux) if number < len(versions) else 0
        verneed += struct.pack("<HHIII", 1, len(wanted), strings.place(library), 16, following) + aux
    loader = interpreter.encode() + b"\0" if interpreter else b""
    start = _HEADER_BYTES + 3 * _SEGMENT_BYTES
    places = {"loader": start, "strings": start + len(loader)}
    places["verneed"] = places["strings"] + len(strings.data)
    places["dynamic"] = places["verneed"] + len(verneed)
    pairs = [(1, place) for place in needed_at] + [(5, places["strings"]), (10, len(strings.data))]
    pairs += [(0x6FFFFFFE, places["verneed"]), (0x6FFFFFFF, len(versions))] if versions else []
    dynamic = b"".join(struct.pack("<qQ", tag, value) for tag, value in [*pairs, (0, 0)])
    body = loader + strings.data + verneed + dynamic
    segments = [
        _segment(1, 0, start + len(body)),
        _segment(2, places["dynamic"], len(dynamic)),
        _segment(3, places["loader"], len(loader)) if interpreter else _segment(0, 0, 0),
    ]
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    fields = (3, machine, 1, 0, _HEADER_BYTES, 0, 0, _HEADER_BYTES, _SEGMENT_BYTES, len(segments), 0, 0, 0)
    return struct.pack("<16sHHIQQQIHHHHHH", identity, *fields) + b"".join(segments) + body


class _Strings:
    def __init__(self) -> None:
        self.data = b"\0"

    def place(self, text: str) -> int:
        place = len(self.data)
        self.data += text.encode() + b"\0"
        return place


def _segment(kind: int, offset: int, size: int) -> bytes:
    return struct.pack("<IIQQQQQQ", kind, 4, offset, offset, offset, size, size, 1)
