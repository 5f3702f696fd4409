"""ASCII armor of OpenPGP (RFC 9580 section 6; RFC 4880 section 6 for the checksum). Owns the text form only."""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from itertools import dropwhile

from bundler.translation import tr

PUBLIC_KEY = "PGP PUBLIC KEY BLOCK"
SIGNATURE = "PGP SIGNATURE"
LINE_LENGTH = 64
_BEGIN = re.compile(rb"^-----BEGIN ([A-Z0-9 ,/]+)-----[ \t\r]*$", re.MULTILINE)
_CRC24_INIT, _CRC24_POLYNOMIAL, _CRC24_MASK = 0xB704CE, 0x864CFB, 0xFFFFFF


def armored_labels(text: bytes) -> tuple[str, ...]:
    """Return the labels of the armored blocks of a text, in its order; empty when it has none."""
    return tuple(match[1].decode() for match in _BEGIN.finditer(text))


def dearmor(text: bytes, label: str) -> tuple[bytes, ...]:
    """Return the bytes of every block of this label, in the order of the text; ValueError when one is damaged.

    Text around the blocks is ignored, as section 6.2 allows; a checksum is verified where one is given.
    """
    return tuple(_block(text, match.end(), label) for match in _BEGIN.finditer(text) if match[1].decode() == label)


@lru_cache(maxsize=16)
def armor(data: bytes, label: str) -> bytes:
    """Return one block: 64 columns, with the checksum that the rpm of EL7 requires, no headers; a pure function.

    Cached, because a key is needed once for each of thousands of packages.
    """
    encoded = base64.b64encode(data).decode()
    lines = [encoded[at : at + LINE_LENGTH] for at in range(0, len(encoded), LINE_LENGTH)]
    checksum = base64.b64encode(_crc24(data)).decode()
    return "\n".join([f"-----BEGIN {label}-----", "", *lines, f"={checksum}", f"-----END {label}-----", ""]).encode()


def _block(text: bytes, start: int, label: str) -> bytes:
    end = text.find(f"-----END {label}-----".encode(), start)
    if end < 0:
        raise ValueError(tr("a {label} has no end", label=label))
    lines = [line.strip() for line in text[start:end].split(b"\n")[1:]]
    # headers (`Version: …`) end with a blank line; some files lack both, and base64 never holds a colon
    lines = [line for line in dropwhile(lambda line: not line or b":" in line, lines) if line]
    checksum = lines.pop() if lines and lines[-1].startswith(b"=") else b""
    try:
        data = base64.b64decode(b"".join(lines), validate=True)
        expected = base64.b64decode(checksum[1:], validate=True)
    except binascii.Error as error:
        raise ValueError(tr("a {label} is not base64: {error}", label=label, error=error)) from error
    if checksum and expected != _crc24(data):
        raise ValueError(tr("a {label} does not match its own checksum", label=label))
    return data


def _crc24(data: bytes) -> bytes:
    """RFC 9580 section 6.1.1."""
    crc = _CRC24_INIT
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc > _CRC24_MASK:
                crc ^= 0x1000000 | _CRC24_POLYNOMIAL
    return (crc & _CRC24_MASK).to_bytes(3, "big")
