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
# addresses with open connections that one worker can tell apart; beyond that the limit is not held, nobody is refused
TABLE_ENTRIES = 8192


def _packed(address: str) -> bytes:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return bytes(_ADDRESS_BYTES)
    mapped = getattr(found, "ipv4_mapped", None) or found
    return bytes(mapped.packed.rjust(_ADDRESS_BYTES, b"\0"))


class AddressTable:
    """Counts of open connections by address; made before the workers are forked.

    Arguments:
        workers: how many workers count.
        limit: the most connections that one address may hold at once.
    """

    def __init__(self, workers: int, limit: int) -> None:
        self._limit = limit
        self._lock = ProcessLock()
        self._pages = [mmap.mmap(-1, TABLE_ENTRIES * _ENTRY_BYTES) for _ in range(workers)]

    def admit(self, worker: int, address: str) -> bool:
        """Count a new connection of an address, unless it would be one too many."""
        key = _packed(address)
        with self._lock.held():
            if sum(self._count(page, key) for page in self._pages) >= self._limit:
                return False
            self._change(self._pages[worker], key, 1)
        return True

    def leave(self, worker: int, address: str) -> None:
        """Count an admitted connection no longer."""
        with self._lock.held():
            self._change(self._pages[worker], _packed(address), -1)

    def worker_ended(self, worker: int) -> None:
        """Forget a dead worker's connections. Called by the supervisor."""
        with self._lock.held():
            page = self._pages[worker]
            page[:] = bytes(len(page))

    def _place(self, page: mmap.mmap, key: bytes) -> int | None:
        """Return the offset of the address's entry, or of the free one that it would take; None when it is full."""
        first = zlib.crc32(key) % TABLE_ENTRIES
        free: int | None = None
        for step in range(TABLE_ENTRIES):
            offset = (first + step) % TABLE_ENTRIES * _ENTRY_BYTES
            entry = page[offset : offset + _ENTRY_BYTES]
            count = int.from_bytes(entry[_ADDRESS_BYTES:], "little")
            if entry[:_ADDRESS_BYTES] == key and count:
                return offset
            if not count:
                free = offset if free is None else free
                # an entry that was never used ends the search; one that was given up does not
                if entry == bytes(_ENTRY_BYTES):
                    return free
        return free

    def _count(self, page: mmap.mmap, key: bytes) -> int:
        offset = self._place(page, key)
        if offset is None or page[offset : offset + _ADDRESS_BYTES] != key:
            return 0
        return int.from_bytes(page[offset + _ADDRESS_BYTES : offset + _ENTRY_BYTES], "little")

    def _change(self, page: mmap.mmap, key: bytes, by: int) -> None:
        offset = self._place(page, key)
        if offset is None:
            return
        count = max(0, self._count(page, key) + by)
        page[offset : offset + _ENTRY_BYTES] = key + count.to_bytes(_ENTRY_BYTES - _ADDRESS_BYTES, "little")
