"""How an RPM package is laid out: lead, signature header, header, payload (rpm's docs/manual/format_v4.md).

Owns finding those parts and the few entries that signatures need. Refuses to verify them: nothing it returns is
authenticated, `checking.py` does that.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from bundler.errors import ErrorId, IntegrityError
from bundler.model.rpm.nevra import Nevra
from bundler.rpm.signing.openpgp import HASHES
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LEAD_SIZE = 96
LEAD_MAGIC = bytes.fromhex("edabeedb")
HEADER_MAGIC = bytes.fromhex("8eade801")
# what rpm itself accepts (lib/header.c)
MAX_ENTRIES, MAX_STORE_BYTES = 0xFFFF, 0x0FFFFFFF
MAX_SIGNATURE_ENTRIES, MAX_SIGNATURE_STORE_BYTES = 32, 64 << 20

_HEADER_START = struct.Struct(">4s4xII")
_ENTRY = struct.Struct(">IIiI")
_INT32, _STRING, _BIN, _STRING_ARRAY, _I18N_STRING = 4, 6, 7, 8, 9
# type -> the least bytes that one item takes (rpmtag.h; null, char, 8 to 64 bits, the types above)
_WIDTHS = {0: 1, 1: 1, 2: 1, 3: 2, _INT32: 4, 5: 8, _STRING: 1, _BIN: 1, _STRING_ARRAY: 1, _I18N_STRING: 1}
# rpmtag.h
_DSA_HEADER, _RSA_HEADER, _SHA1, _SHA256, _OPENPGP = 267, 268, 269, 273, 278
_PGP, _MD5, _GPG = 1002, 1004, 1005
_NAME, _VERSION, _RELEASE, _EPOCH, _SUMMARY, _BUILD_TIME, _SIZE, _ARCH = 1000, 1001, 1002, 1003, 1004, 1006, 1009, 1022
_VENDOR, _LICENSE = 1011, 1014
_SOURCE_RPM, _SOURCE_PACKAGE, _PAYLOAD_DIGEST, _PAYLOAD_DIGEST_ALGORITHM = 1044, 1106, 5092, 5093
_SOURCE_ARCH = "src"
_SHA256_NUMBER = 8
_STRONG = frozenset({"sha256", "sha384", "sha512"})


@dataclass(frozen=True, slots=True)
class Checksum:
    """A digest in a package of one of its own parts; `name` as in hashlib."""

    name: str
    hex: str


@dataclass(frozen=True, slots=True)
class RpmHeader:
    """What a package's header says about it.

    Arguments:
        build_time: seconds since 1970; 0 when absent.
        installed_size: bytes; 0 when absent.
        license_text, vendor: in its own words.
        source_rpm: file name of the source package that it was built from.
    """

    nevra: Nevra
    summary: str
    build_time: int
    installed_size: int
    license_text: str = ""
    vendor: str = ""
    source_rpm: str = ""


@dataclass(frozen=True, slots=True)
class RpmFile:
    """A package's parts.

    Arguments:
        opening: all bytes before the payload.
        header: the part of `opening` that a signature over the header covers.
        header_signatures: OpenPGP packets over the header.
        package_signatures: OpenPGP packets over header and payload.
        payload_digest: of the payload, from the header; strong, else None.
        header_digests: of the header; package_digest: of header and payload; none of them signed.
        about: what the header says.
    """

    opening: bytes
    header: bytes
    header_signatures: tuple[bytes, ...]
    package_signatures: tuple[bytes, ...]
    payload_digest: Checksum | None
    header_digests: tuple[Checksum, ...]
    package_digest: Checksum | None
    about: RpmHeader

    @property
    def header_offset(self) -> int:
        """Where the header begins in the file."""
        return len(self.opening) - len(self.header)


def read_rpm(file: BinaryIO, where: str) -> RpmFile:
    """Read all of a package except its payload from a file positioned at its beginning, and leave it at the payload.

    Raises IntegrityError (rpm-damaged) when it is not a package or ends too early.
    """
    try:
        lead = _exactly(file, LEAD_SIZE)
        if not lead.startswith(LEAD_MAGIC):
            raise ValueError(tr("it does not begin as one"))
        signatures = _read_header(file, MAX_SIGNATURE_ENTRIES, MAX_SIGNATURE_STORE_BYTES)
        padding = _exactly(file, -len(signatures.raw) % 8)
        header = _read_header(file, MAX_ENTRIES, MAX_STORE_BYTES)
        return _assemble(lead + signatures.raw + padding + header.raw, signatures, header)
    except (ValueError, struct.error) as error:
        raise IntegrityError(
            ErrorId.RPM_DAMAGED,
            tr("is not a whole RPM package: {error}", error=error),
            where=where,
            remedy=tr("Fetch it again; if it stays so, the repository is damaged or sends something else."),
            want=tr("lead, signature header, header and payload"),
            got=tr("other bytes"),
        ) from error


def read_stored_header(data: bytes) -> RpmHeader:
    """Read a header as RPM's databases keep it: without magic, and nothing before or after it (lib/header.c).

    Raises ValueError for what is none.
    """
    try:
        return _about(_read_header(BytesIO(HEADER_MAGIC + bytes(4) + data), MAX_ENTRIES, MAX_STORE_BYTES))
    except struct.error as error:
        raise ValueError(str(error)) from error


@dataclass(frozen=True, slots=True)
class _TaggedHeader:
    """A header's bytes, its data store, and the position of each tag's entry in that: type, offset, count."""

    raw: bytes
    store: bytes
    entries: Mapping[int, tuple[int, int, int]]

    def binary(self, tag: int) -> bytes:
        if tag not in self.entries:
            return b""
        kind, offset, count = self.entries[tag]
        if kind != _BIN:
            raise ValueError(tr("the entry of tag {tag} is not {count} bytes", tag=tag, count=count))
        return self.store[offset : offset + count]

    def strings(self, tag: int) -> tuple[str, ...]:
        if tag not in self.entries:
            return ()
        kind, offset, count = self.entries[tag]
        if kind not in (_STRING, _STRING_ARRAY, _I18N_STRING):
            raise ValueError(tr("the entry of tag {tag} is not {count} strings", tag=tag, count=count))
        found = self.store[offset:].split(b"\0", count)[:-1] if count > 1 else [self._string(tag, offset)]
        if len(found) < count:
            raise ValueError(tr("the entry of tag {tag} has no end", tag=tag))
        return tuple(text.decode(errors="replace") for text in found)

    def _string(self, tag: int, offset: int) -> bytes:
        end = self.store.find(b"\0", offset)
        if end < 0:
            raise ValueError(tr("the entry of tag {tag} has no end", tag=tag))
        return self.store[offset:end]

    def first(self, tag: int) -> str:
        return next(iter(self.strings(tag)), "")

    def number(self, tag: int, absent: int = 0) -> int:
        if tag not in self.entries:
            return absent
        kind, offset, count = self.entries[tag]
        if kind != _INT32 or not count:
            raise ValueError(tr("the entry of tag {tag} is not a number", tag=tag))
        return int.from_bytes(self.store[offset : offset + 4], "big")


def _read_header(file: BinaryIO, max_entries: int, max_store_bytes: int) -> _TaggedHeader:
    start = _exactly(file, _HEADER_START.size)
    magic, count, size = _HEADER_START.unpack(start)
    if magic != HEADER_MAGIC:
        raise ValueError(tr("a header does not begin as one"))
    if not 0 < count <= max_entries or size > max_store_bytes:
        raise ValueError(tr("a header of {count} entries and {size} bytes is not possible", count=count, size=size))
    index = _exactly(file, _ENTRY.size * count)
    store = _exactly(file, size)
    entries: dict[int, tuple[int, int, int]] = {}
    for tag, kind, offset, items in _ENTRY.iter_unpack(index):
        if tag in entries:
            raise ValueError(tr("a header holds tag {tag} twice", tag=tag))
        # other readers allocate as many items as an entry claims before they read them
        if not 0 <= offset < size or kind not in _WIDTHS or items > (size - offset) // _WIDTHS[kind]:
            raise ValueError(tr("the entry of tag {tag} lies outside", tag=tag))
        entries[tag] = kind, offset, items
    return _TaggedHeader(start + index + store, store, entries)


def _assemble(opening: bytes, signatures: _TaggedHeader, header: _TaggedHeader) -> RpmFile:
    package_digest = signatures.binary(_MD5).hex()
    digests = (Checksum("sha1", signatures.first(_SHA1)), Checksum("sha256", signatures.first(_SHA256)))
    over_header = [signatures.binary(tag) for tag in (_RSA_HEADER, _DSA_HEADER)]
    return RpmFile(
        opening=opening,
        header=header.raw,
        header_signatures=_present([*over_header, *map(_plain, signatures.strings(_OPENPGP))]),
        package_signatures=_present(signatures.binary(tag) for tag in (_PGP, _GPG)),
        payload_digest=_payload_digest(header),
        header_digests=tuple(digest for digest in digests if digest.hex),
        package_digest=Checksum("md5", package_digest) if package_digest else None,
        about=_about(header),
    )


def _about(header: _TaggedHeader) -> RpmHeader:
    source = header.first(_SOURCE_RPM)
    return RpmHeader(
        nevra=_nevra(header),
        summary=header.first(_SUMMARY),
        build_time=header.number(_BUILD_TIME),
        installed_size=header.number(_SIZE),
        license_text=header.first(_LICENSE),
        vendor=header.first(_VENDOR),
        # a source package has none, and tools write "(none)"
        source_rpm=source if source.endswith("src.rpm") else "",
    )


def _nevra(header: _TaggedHeader) -> Nevra:
    """Return the package's name; a source package's header has the architecture it was built on (`headerIsSource`)."""
    version, release, arch = map(header.first, (_VERSION, _RELEASE, _ARCH))
    # the lead says it too, but is not signed
    if header.number(_SOURCE_PACKAGE) or _SOURCE_RPM not in header.entries:
        arch = _SOURCE_ARCH
    return Nevra(header.first(_NAME), header.number(_EPOCH), version, release, arch)


def _present(packets: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(packet for packet in packets if packet)


def _plain(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(tr("a signature is not base64")) from error


def _payload_digest(header: _TaggedHeader) -> Checksum | None:
    """Return the digest of the compressed payload, None also for one with a broken hash."""
    name = HASHES.get(header.number(_PAYLOAD_DIGEST_ALGORITHM, _SHA256_NUMBER), "")
    value = header.first(_PAYLOAD_DIGEST).lower()
    return Checksum(name, value) if value and name in _STRONG else None


def _exactly(file: BinaryIO, size: int) -> bytes:
    """Return exactly `size` bytes; a header that claims more than the file has costs only what it has."""
    found = file.read(size)
    if len(found) != size:
        raise ValueError(tr("it ends {size} bytes too early", size=size - len(found)))
    return found
