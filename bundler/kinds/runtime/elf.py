"""What an ELF file asks of the host it runs on: machine, loader, libraries, versions of them. Reads; never runs it.

Owns the part of the format that tells that (System V gABI, chapters 4 and 5; LSB 5.0, "Symbol Versioning"), for 64-bit
little-endian files, which all that a runtime may be made for are.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAGIC = b"\x7fELF"
MACHINES: Mapping[str, int] = {"x86_64": 62, "aarch64": 183}
_CLASS_64, _LITTLE_ENDIAN = 2, 1
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_DYNAMIC = struct.Struct("<qQ")
_VERNEED = struct.Struct("<HHIII")
_VERNAUX = struct.Struct("<IHHII")
_LOAD, _DYNAMIC_SEGMENT, _INTERPRETER = 1, 2, 3
_NEEDED, _STRING_TABLE, _STRING_BYTES, _VERSIONS, _VERSION_COUNT = 1, 5, 10, 0x6FFFFFFE, 0x6FFFFFFF
# far more than any linker writes; a file that claims more is not read
_MOST_ENTRIES = 4096
_MOST_STRING_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ElfFile:
    """What a file asks for.

    Arguments:
        machine: the number of its processor; compare with `MACHINES`.
        interpreter: the path of its loader, "" for a library.
        needed: the names of the libraries it is linked with.
        versions: the versions that it needs of them, "GLIBC_2.17" among others.
    """

    machine: int
    interpreter: str
    needed: tuple[str, ...]
    versions: frozenset[str]

    @property
    def glibc(self) -> tuple[int, ...]:
        """The newest version of glibc that it needs, (2, 17); () when it needs none."""
        texts = (version.removeprefix("GLIBC_") for version in self.versions if version.startswith("GLIBC_"))
        return max((tuple(map(int, text.split("."))) for text in texts if text.replace(".", "").isdigit()), default=())


def read_elf(file: BinaryIO) -> ElfFile | None:
    """Return what an ELF file asks for; None for a file of another form.

    Raises ValueError for one that is damaged, or made for processors of another kind.
    """
    head = file.read(_HEADER.size)
    if not head.startswith(MAGIC):
        return None
    if len(head) < _HEADER.size or (head[4], head[5]) != (_CLASS_64, _LITTLE_ENDIAN):
        raise ValueError(tr("it is no whole 64-bit little-endian ELF file"))
    _, _, machine, _, _, offset, _, _, _, size, count, _, _, _ = _HEADER.unpack(head)
    if size != _SEGMENT.size:
        raise ValueError(tr("its program headers have another size"))
    table = _read(file, offset, size * count)
    segments = [_Segment(*fields) for fields in _SEGMENT.iter_unpack(table)]
    interpreter = next((_text(_read(file, part.offset, part.bytes)) for part in segments if part.is_interpreter), "")
    return ElfFile(machine, interpreter, *_linked(file, segments))


@dataclass(frozen=True, slots=True)
class _Segment:
    type: int
    flags: int
    offset: int
    address: int
    physical: int
    bytes: int
    memory_bytes: int
    alignment: int

    @property
    def is_interpreter(self) -> bool:
        return self.type == _INTERPRETER


def _linked(file: BinaryIO, segments: list[_Segment]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the needed libraries and versions; none for a static file."""
    dynamic = next((part for part in segments if part.type == _DYNAMIC_SEGMENT), None)
    if dynamic is None:
        return (), frozenset()
    pairs = list(_DYNAMIC.iter_unpack(_read(file, dynamic.offset, dynamic.bytes // _DYNAMIC.size * _DYNAMIC.size)))
    values = dict(pairs)
    if _STRING_TABLE not in values:
        return (), frozenset()
    length = values.get(_STRING_BYTES, 0)
    if length > _MOST_STRING_BYTES:
        raise ValueError(tr("its names take too many bytes"))
    strings = _read(file, _offset(values[_STRING_TABLE], segments), length)
    needed = tuple(_text(strings[value:]) for tag, value in pairs if tag == _NEEDED)
    versions = frozenset[str]()
    if _VERSIONS in values:
        start = _offset(values[_VERSIONS], segments)
        versions = frozenset(_text(strings[name:]) for name in _versions(file, start, values.get(_VERSION_COUNT, 0)))
    return needed, versions


def _versions(file: BinaryIO, start: int, count: int) -> Iterator[int]:
    """Yield where the name of each needed version stands among the strings."""
    if count > _MOST_ENTRIES:
        raise ValueError(tr("it needs versions of too many libraries"))
    for _ in range(count):
        _, aux_count, _, aux, following = _VERNEED.unpack(_read(file, start, _VERNEED.size))
        place = start + aux
        for _ in range(min(aux_count, _MOST_ENTRIES)):
            _, _, _, name, next_aux = _VERNAUX.unpack(_read(file, place, _VERNAUX.size))
            yield name
            place += next_aux
        start += following


def _offset(address: int, segments: list[_Segment]) -> int:
    for part in segments:
        if part.type == _LOAD and part.address <= address < part.address + part.bytes:
            return address - part.address + part.offset
    raise ValueError(tr("it points to an address that it does not hold"))


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    # room for as many bytes as a damaged file claims is not even asked for
    if offset + size > file.seek(0, 2):
        raise ValueError(tr("it is cut short"))
    file.seek(offset)
    return file.read(size)


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("ascii", errors="replace")
