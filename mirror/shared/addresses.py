"""How many connections each client address holds, over all workers: a small table per worker, read by all.

A table belongs to one worker and is emptied when that worker has died; no count can leak.
"""

from __future__ import annotations

import ipaddress
import mmap
import zlib

from mirror.shared.locked import ProcessLock

_ADDRESS_BYTES = 16
_ENTRY_BYTES = 20
_NO_ENTRY = bytes(_ENTRY_BYTES)
# ::ffff:0:0/96, as which the kernel shows IPv4 clients of an IPv6 socket (RFC 4291, 2.5.5.2)
_MAPPED = bytes(10) + b"\xff\xff"
TABLE_ENTRIES = 8192


def _packed(address: str) -> bytes:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return bytes(_ADDRESS_BYTES)
    return found.packed if found.version == 6 else _MAPPED + found.packed


class AddressTable:
    """Counts of open connections by address; made before the workers are forked.

    Arguments:
        workers: how many workers count.
        limit: the most connections that one address may hold at once.
        entries: addresses with open connections that one worker can tell apart; beyond that nobody is refused.
    """

    def __init__(self, workers: int, limit: int, *, entries: int = TABLE_ENTRIES) -> None:
        self._limit = limit
        self._entries = entries
        self._lock = ProcessLock()
        self._pages = [mmap.mmap(-1, entries * _ENTRY_BYTES) for _ in range(workers)]

    def admit(self, worker: int, address: str) -> bool:
        """Count a new connection of an address, unless it would be one too many."""
        key = _packed(address)
        with self._lock.held():
            if sum(self._count(page, key) for page in self._pages) >= self._limit:
                return False
            page = self._pages[worker]
            offset = self._place(page, key)
            if offset is not None:
                self._write(page, offset, key, self._count(page, key) + 1)
        return True

    def leave(self, worker: int, address: str) -> None:
        """Count an admitted connection no longer."""
        key, page = _packed(address), self._pages[worker]
        with self._lock.held():
            offset = self._place(page, key)
            count = self._count(page, key)
            if offset is not None and count > 1:
                self._write(page, offset, key, count - 1)
            elif offset is not None and count:
                self._remove(page, offset // _ENTRY_BYTES)

    def worker_ended(self, worker: int) -> None:
        """Forget a dead worker's connections. Called by the supervisor."""
        with self._lock.held():
            page = self._pages[worker]
            page[:] = bytes(len(page))

    def _place(self, page: mmap.mmap, key: bytes) -> int | None:
        """Return the offset of the address's entry, or of the free one that it would take; None when it is full."""
        first = self._home(key)
        for step in range(self._entries):
            offset = (first + step) % self._entries * _ENTRY_BYTES
            entry = page[offset : offset + _ENTRY_BYTES]
            if entry[:_ADDRESS_BYTES] == key or entry == _NO_ENTRY:
                return offset
        return None

    def _home(self, key: bytes) -> int:
        return zlib.crc32(key) % self._entries

    def _count(self, page: mmap.mmap, key: bytes) -> int:
        offset = self._place(page, key)
        if offset is None:
            return 0
        return int.from_bytes(page[offset + _ADDRESS_BYTES : offset + _ENTRY_BYTES], "little")

    def _write(self, page: mmap.mmap, offset: int, key: bytes, count: int) -> None:
        page[offset : offset + _ENTRY_BYTES] = key + count.to_bytes(_ENTRY_BYTES - _ADDRESS_BYTES, "little")

    def _remove(self, page: mmap.mmap, hole: int) -> None:
        """Free an entry, and move up those behind it that are no longer found otherwise (Knuth, 6.4, algorithm R).

        Marking it as given up instead would make every search longer until the worker ends.
        """
        here = hole
        for _ in range(self._entries - 1):
            here = (here + 1) % self._entries
            entry = page[here * _ENTRY_BYTES : (here + 1) * _ENTRY_BYTES]
            if entry == _NO_ENTRY:
                break
            # as far from its home as the hole is from here, or farther: it may move into the hole
            if (here - self._home(entry[:_ADDRESS_BYTES])) % self._entries >= (here - hole) % self._entries:
                page[hole * _ENTRY_BYTES : (hole + 1) * _ENTRY_BYTES] = entry
                hole = here
        page[hole * _ENTRY_BYTES : (hole + 1) * _ENTRY_BYTES] = _NO_ENTRY
