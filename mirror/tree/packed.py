"""The file that holds what a site serves, packed: one process writes it, and all workers map it, read-only.

Owns the form: named sections of rows, of numbers, and of values. It has no name on any disk, lives as long as somebody
has it open, and is read by the program that wrote it alone, so its form is nobody's format.
"""

from __future__ import annotations

import fcntl
import marshal
import mmap
import os
import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import IO, Any, Literal, overload

_TAIL = struct.Struct("=QQ")
_TYPE_OF_WIDTH: dict[int, Literal["I", "Q"]] = {4: "I", 8: "Q"}
_GATHERED_BYTES = 1024 * 1024
# memory that counts as such, where the kernel has no memfd (before Linux 3.17)
_MEMORY_DIRECTORY = "/dev/shm"  # noqa: S108 - a file without a name
_NAME = "mirror-index"


class PackedWriter:
    """Writes sections, one after the other; `finish` gives the file.

    Arguments:
        file: empty, without a name; None for a new one. Closed by `finish`.
    """

    def __init__(self, file: IO[bytes] | None = None) -> None:
        self._file = file or anonymous_file()
        self._places: dict[str, tuple[int, int, int]] = {}
        self._offset = 0

    def add_value(self, name: str, value: Any) -> None:
        """Add a value made of numbers, texts, bytes, None, tuples, lists and dicts."""
        data = marshal.dumps(value)
        self._places[name] = (self._offset, len(data), 0)
        self._write(data)

    def add_numbers(self, name: str, numbers: array[int]) -> None:
        """Add an array of unsigned numbers, of type `I` or `Q`."""
        data = numbers.tobytes()
        self._places[name] = (self._offset, len(data), numbers.itemsize)
        self._write(data)

    def add_rows(self, name: str, rows: Iterable[bytes]) -> None:
        """Add byte strings, in an order that is kept."""
        begin, ends, gathered = self._offset, array("Q"), bytearray()
        for row in rows:
            gathered += row
            ends.append(self._offset - begin + len(gathered))
            if len(gathered) >= _GATHERED_BYTES:
                self._write(gathered)
                gathered = bytearray()
        self._write(gathered)
        self._places[name] = (begin, self._offset - begin, 0)
        self.add_numbers(f"{name} ends", ends)

    def finish(self) -> int:
        """Return the descriptor of the finished file, which nobody can write to any more; owned by the caller."""
        begin = self._offset
        places = marshal.dumps(self._places)
        self._write(places)
        self._write(_TAIL.pack(begin, len(places)))
        self._file.flush()
        with self._file:
            return _sealed(self._file.fileno())

    def _write(self, data: bytes | bytearray) -> None:
        self._file.write(data)
        self._offset += len(data)


class Packed:
    """A finished file, mapped. Memory of its pages is shared by all that map it.

    Arguments:
        descriptor: of the file; not needed any more once it is mapped.
    """

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
        begin, size = _TAIL.unpack(self._map[-_TAIL.size :])
        self._places: dict[str, tuple[int, int, int]] = marshal.loads(self._map[begin : begin + size])  # noqa: S302 - ours

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def value(self, name: str) -> Any:
        """Return a value."""
        begin, size, _ = self._places[name]
        return marshal.loads(self._map[begin : begin + size])  # noqa: S302 - see above

    def numbers(self, name: str) -> memoryview:
        """Return an array of numbers, without a copy."""
        begin, size, width = self._places[name]
        return memoryview(self._map)[begin : begin + size].cast(_TYPE_OF_WIDTH[width])

    def rows(self, name: str) -> Rows:
        """Return rows, without a copy."""
        begin, _, _ = self._places[name]
        return Rows(self._map, begin, self.numbers(f"{name} ends"))


class Rows(Sequence[bytes]):
    """Byte strings of a file; each is copied when it is looked at."""

    __slots__ = ("_begin", "_ends", "_map")

    def __init__(self, mapped: mmap.mmap, begin: int, ends: memoryview) -> None:
        self._map = mapped
        self._begin = begin
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[bytes]: ...

    def __getitem__(self, place: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        ends, begin = self._ends, self._begin
        start = ends[place - 1] if place else 0
        return self._map[begin + start : begin + ends[place]]

    def view(self, place: int) -> memoryview:
        """Return a row without a copy; the file stays mapped as long as somebody has it."""
        start = self._ends[place - 1] if place else 0
        return memoryview(self._map)[self._begin + start : self._begin + self._ends[place]]

    def find(self, row: bytes) -> int | None:
        """Return the place of a row among sorted ones, or None."""
        place = bisect_left(self, row)
        return place if place < len(self) and self[place] == row else None

    def beginning_with(self, prefix: bytes, after: bytes) -> range:
        """Return the places of the rows from a prefix on, up to those from `after` on; they are sorted."""
        first = bisect_left(self, prefix)
        return range(first, bisect_left(self, after, lo=first))

    def holding(self, piece: bytes) -> list[int]:
        """Return the places of the rows that hold some bytes, which never stand across two of them; one pass."""
        found: list[int] = []
        begin, ends = self._begin, self._ends
        limit = begin + (ends[-1] if len(ends) else 0)
        here = self._map.find(piece, begin, limit)
        while here >= 0:
            place = bisect_left(ends, here - begin + 1)
            found.append(place)
            here = self._map.find(piece, begin + ends[place], limit)
        return found


def _memory_file() -> int:
    return os.memfd_create(_NAME, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)


def anonymous_file(make: Callable[[], int] = _memory_file) -> IO[bytes]:
    """Return a file without a name, in memory where that can be; `make` opens one there, or raises."""
    # neither the kernel nor the C library that Python was built with need have it
    with suppress(OSError, AttributeError):
        return os.fdopen(make(), "w+b")
    directory = _MEMORY_DIRECTORY if os.access(_MEMORY_DIRECTORY, os.W_OK) else None
    import tempfile  # seldom needed, and slow to load

    return tempfile.TemporaryFile(dir=directory)


def _sealed(descriptor: int) -> int:
    """Return a descriptor of the same file through which it cannot be changed."""
    # a Python that was built with an old C library knows neither memfd_create nor seals
    with suppress(OSError, AttributeError):
        seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        return os.dup(descriptor)
    try:
        return os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return os.dup(descriptor)
