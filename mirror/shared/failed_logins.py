"""How long each client address has to wait for its next guess at a password, over all workers and both protocols.

A table of fixed size in shared memory. What was remembered longest ago makes room, and is forgotten in time anyway.
"""

from __future__ import annotations

import ipaddress
import mmap
import struct
import time
import zlib
from typing import TYPE_CHECKING, NamedTuple

from mirror.shared.locked import ProcessLock

if TYPE_CHECKING:
    from collections.abc import Callable

# a person mistypes; behind one address there may be several
FREE_FAILURES = 5
FIRST_DELAY_S = 1.0
MAX_DELAY_S = 8.0
# without a further failure
FORGET_S = 900.0
_BUCKETS, _PLACES = 1024, 8
# the network, failures, when the last one was, when the next password may be looked at (CLOCK_MONOTONIC)
_TALLY = struct.Struct("=16sIdd")
_IPV6_NETWORK_BYTES = 8


class _Tally(NamedTuple):
    key: bytes
    failures: int
    failed_s: float
    next_s: float


def _key(address: str) -> bytes:
    """Return an IPv4 address, or the network of 64 bits that an IPv6 client chooses its addresses from."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return bytes(16)
    packed = found.packed
    return (packed if found.version == 4 else b"6" + packed[:_IPV6_NETWORK_BYTES]).ljust(16, b"\0")


class FailedLogins:
    """Counts wrong passwords by address; made before the workers are forked, used by the main thread of each.

    Up to FREE_FAILURES cost nothing; from then on one password at a time is looked at, after a pause that doubles with
    each wrong one, up to MAX_DELAY_S.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = ProcessLock()
        self._page = mmap.mmap(-1, _BUCKETS * _PLACES * _TALLY.size)

    def wait_s(self, address: str) -> float:
        """Return how long an address has to wait, 0 when its password may be looked at now.

        A 0 is given to one caller; the others wait for what becomes of it.
        """
        with self._lock.held():
            now = self._clock()
            offset, tally = self._find(_key(address), now)
            if tally.failures < FREE_FAILURES:
                return 0.0
            if tally.next_s > now:
                return tally.next_s - now
            self._write(offset, tally._replace(next_s=now + _delay_s(tally.failures)))
            return 0.0

    def failed(self, address: str) -> None:
        """Count a wrong password."""
        with self._lock.held():
            now = self._clock()
            offset, tally = self._find(_key(address), now)
            failures = min(tally.failures + 1, 1 << 31)
            next_s = now + _delay_s(failures) if failures >= FREE_FAILURES else now
            self._write(offset, _Tally(tally.key, failures, now, next_s))

    def succeeded(self, address: str) -> None:
        """Let the next password be looked at: this one was right. What failed before stays counted."""
        with self._lock.held():
            now = self._clock()
            offset, tally = self._find(_key(address), now)
            if tally.failures:
                self._write(offset, tally._replace(next_s=now))

    def _find(self, key: bytes, now: float) -> tuple[int, _Tally]:
        """Return an address's place and tally: an empty one where there is none, or it is too old."""
        first = zlib.crc32(key) % _BUCKETS * _PLACES
        oldest, oldest_s = first * _TALLY.size, float("inf")
        for place in range(first, first + _PLACES):
            offset = place * _TALLY.size
            tally = _Tally(*_TALLY.unpack_from(self._page, offset))
            if tally.failures and tally.key == key:
                return offset, tally if now - tally.failed_s < FORGET_S else _Tally(key, 0, 0.0, 0.0)
            if tally.failed_s < oldest_s:
                oldest, oldest_s = offset, tally.failed_s
        return oldest, _Tally(key, 0, 0.0, 0.0)

    def _write(self, offset: int, tally: _Tally) -> None:
        _TALLY.pack_into(self._page, offset, *tally)


def _delay_s(failures: int) -> float:
    return float(min(MAX_DELAY_S, FIRST_DELAY_S * 2 ** min(failures - FREE_FAILURES, 16)))
