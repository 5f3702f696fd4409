"""RPM packages taken apart and put together, for tests that need one that no tool makes (rpm, format_v4.md).

parts = take_apart(path.read_bytes())
path.write_bytes(parts.with_payload(b"something else").with_digests().joined())
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LEAD_SIZE = 96
LEAD = bytes.fromhex("edabeedb0300") + bytes(LEAD_SIZE - 6)
MAGIC = bytes.fromhex("8eade80100000000")
REGION_ENTRY = struct.Struct(">IIiI")
REGION_SIGNATURES, REGION_IMMUTABLE = 62, 63
INT16, INT32, INT64, STRING, BIN, STRING_ARRAY, I18N_STRING = 3, 4, 5, 6, 7, 8, 9
WIDTHS = {0: 0, 1: 1, 2: 1, INT16: 2, INT32: 4, INT64: 8, BIN: 1}

SIG_DSA_HEADER, SIG_RSA_HEADER, SIG_SHA1, SIG_SHA256, SIG_OPENPGP = 267, 268, 269, 273, 278
SIG_SIZE, SIG_PGP, SIG_MD5, SIG_GPG, SIG_PAYLOAD_SIZE, SIG_RESERVED = 1000, 1002, 1004, 1005, 1007, 1008
NAME, VERSION, RELEASE, EPOCH, SUMMARY, BUILD_TIME, SIZE, ARCH = 1000, 1001, 1002, 1003, 1004, 1006, 1009, 1022
SOURCE_RPM, SOURCE_PACKAGE = 1044, 1106
ENCODING, PAYLOAD_DIGEST, PAYLOAD_DIGEST_ALGORITHM, PAYLOAD_DIGEST_PLAIN = 5062, 5092, 5093, 5097


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a header: its tag, type, count, and its bytes in the data store."""

    tag: int
    type: int
    count: int
    data: bytes


def binary(tag: int, value: bytes) -> Entry:
    """Return an entry of bytes."""
    return Entry(tag, BIN, len(value), value)


def text(tag: int, *values: str, kind: int = STRING) -> Entry:
    """Return an entry of strings."""
    return Entry(tag, kind, len(values), b"".join(value.encode() + b"\0" for value in values))


def number(tag: int, value: int) -> Entry:
    """Return an entry of one 32-bit number."""
    return Entry(tag, INT32, 1, struct.pack(">I", value))


@dataclass(frozen=True, slots=True)
class Parts:
    """A package taken apart; `header` begins with its magic, the signature header's padding is left out."""

    lead: bytes
    signatures: tuple[Entry, ...]
    header: bytes
    payload: bytes

    def joined(self) -> bytes:
        """Return the file's bytes."""
        signatures = write_header(self.signatures, REGION_SIGNATURES)
        return self.lead + signatures + bytes(-len(signatures) % 8) + self.header + self.payload

    def signature(self, tag: int) -> bytes:
        """Return the bytes of one entry of the signature header; b"" when it is absent."""
        return next((entry.data for entry in self.signatures if entry.tag == tag), b"")

    def with_signatures(self, *entries: Entry) -> Parts:
        """Return the package with entries of its signature header replaced or added."""
        tags = {entry.tag for entry in entries}
        return replace(
            self.without_signatures(*tags), signatures=(*self.without_signatures(*tags).signatures, *entries)
        )

    def without_signatures(self, *tags: int) -> Parts:
        """Return the package with entries of its signature header left out."""
        return replace(self, signatures=tuple(entry for entry in self.signatures if entry.tag not in tags))

    def with_payload(self, payload: bytes) -> Parts:
        """Return the package with another payload; nothing else follows it."""
        return replace(self, payload=payload)

    def with_header(self, header: bytes) -> Parts:
        """Return the package with another header; nothing else follows it."""
        return replace(self, header=header)

    def with_digests(self) -> Parts:
        """Return the package with its unsigned digests made to fit, as whoever tampers with it would."""
        both = self.header + self.payload
        return self.with_signatures(
            text(SIG_SHA1, hashlib.sha1(self.header, usedforsecurity=False).hexdigest()),
            text(SIG_SHA256, hashlib.sha256(self.header).hexdigest()),
            binary(SIG_MD5, hashlib.md5(both, usedforsecurity=False).digest()),
            number(SIG_SIZE, len(both)),
        )


def take_apart(package: bytes) -> Parts:
    """Return a package's parts."""
    signatures, end = read_header(package, LEAD_SIZE)
    start = end + -(end - LEAD_SIZE) % 8
    _, payload = read_header(package, start)
    return Parts(package[:LEAD_SIZE], tuple(signatures), package[start:payload], package[payload:])


def read_header(package: bytes, offset: int) -> tuple[list[Entry], int]:
    """Return the entries of the header at an offset (without its region) and where it ends."""
    assert package[offset : offset + 8] == MAGIC
    count, size = struct.unpack_from(">II", package, offset + 8)
    store_at = offset + 16 + 16 * count
    store = package[store_at : store_at + size]
    entries = []
    for index in range(count):
        tag, kind, start, items = REGION_ENTRY.unpack_from(package, offset + 16 + 16 * index)
        if tag not in (REGION_SIGNATURES, REGION_IMMUTABLE):
            entries.append(Entry(tag, kind, items, store[start : _end(store, kind, start, items)]))
    return entries, store_at + size


def _end(store: bytes, kind: int, start: int, items: int) -> int:
    if kind not in (STRING, STRING_ARRAY, I18N_STRING):
        return start + WIDTHS[kind] * items
    end = start
    for _ in range(items):
        end = store.index(b"\0", end) + 1
    return end


def write_header(entries: Iterable[Entry], region: int) -> bytes:
    """Return a header with all entries, sorted by tag, in its region."""
    index, store = [], bytearray()
    for entry in sorted(entries, key=lambda entry: entry.tag):
        store += bytes(-len(store) % max(1, WIDTHS.get(entry.type, 1)))
        index.append(REGION_ENTRY.pack(entry.tag, entry.type, len(store), entry.count))
        store += entry.data
    index.insert(0, REGION_ENTRY.pack(region, BIN, len(store), 16))
    store += REGION_ENTRY.pack(region, BIN, -16 * len(index), 16)
    return MAGIC + struct.pack(">II", len(index), len(store)) + b"".join(index) + bytes(store)
