"""How large the parts of an archive are, as an operator writes it: a number with its unit, or the name of a medium."""

from __future__ import annotations

import re
from types import MappingProxyType

from bundler.translation import tr

KIB, MIB, GIB = 1024, 1024**2, 1024**3
# a smaller one makes more files than anybody carries, and is less than one block of parity
MIN_PART_BYTES = 64 * KIB
# FAT32 keeps a file's size in 32 bits
FAT32_BYTES = 4 * GIB - 1
# of a DVD+R (4,700,372,992 bytes) and a BD-R with spare blocks (24,220,008,448), room left for their file system
DVD_BYTES, BD_BYTES = 4480 * MIB, 23_000 * MIB
MEDIA = MappingProxyType({"fat32": FAT32_BYTES, "dvd": DVD_BYTES, "bd": BD_BYTES})
_UNITS = {"KiB": KIB, "MiB": MIB, "GiB": GIB}
_SIZE = re.compile(r"(?P<number>[1-9][0-9]{0,8})(?P<unit>[KMG]iB)")


def parse_part_size(text: str) -> int:
    """Return bytes: of `700MiB` or `4GiB`, or the largest file that `fat32`, `dvd` or `bd` takes. Raises ValueError."""
    if text in MEDIA:
        return MEDIA[text]
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(
            tr(
                "{text!r} is no size: write a number with KiB, MiB or GiB, or one of {media}",
                text=text,
                media=", ".join(MEDIA),
            )
        )
    size = int(match["number"]) * _UNITS[match["unit"]]
    if size < MIN_PART_BYTES:
        raise ValueError(
            tr(
                "{text!r} is too small: a part has at least {min_part_bytes} KiB",
                text=text,
                min_part_bytes=MIN_PART_BYTES // KIB,
            )
        )
    return size
