"""Published checksum files: which digest do they give for a file? Owns their text forms; fetches nothing.

Known forms: the hex digits alone (KubeEdge, hack/make-rules/release.sh), also behind `sha256:`, lines of `sha256sum`
and `sha512sum` (`HEX  name`, `HEX *name`), and the BSD form `SHA256 (name) = HEX` (coreutils manual, "cksum output
modes"), as openssl writes it as well (`SHA2-256(name)= HEX`: openssl-dgst(1)). UTF-8, or what a byte-order mark says.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from bundler.model.digest import HEX_LENGTH, Digest
from bundler.translation import tr

_ALGORITHM = {length: algorithm for algorithm, length in HEX_LENGTH.items()}
_HEX = r"[0-9a-fA-F]{128}|[0-9a-fA-F]{64}"
_ALONE = re.compile(rf"\s*(?:(sha256|sha512):)?({_HEX})\s*", re.IGNORECASE)
_GNU = re.compile(rf"\\?({_HEX})[ \t]+\*?(\S.*)")
_BSD = re.compile(rf"SHA(?:2-|-)?(256|512) ?\((.+)\) ?= ?({_HEX})\s*")
# the longer mark comes first: one of UTF-32 begins with that of UTF-16
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"), (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"),
    (codecs.BOM_UTF8, "UTF-8-SIG"),
)  # fmt: skip
_PAGE = re.compile(r"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
# keadm compares the whole file, without its newlines, with lower-case hex (keadm/cmd/keadm/app/cmd/util/common.go)
_BARE = re.compile(r"([0-9a-f]{128}|[0-9a-f]{64})\n*")
_SHOWN_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    digest: Digest


def published_digest(data: bytes, name: str) -> Digest:
    """Return the digest that a checksum file gives for the file of that name.

    A file with a single digest is taken whatever name stands beside it: the download either has that digest, and then
    it is what was published, or it is refused. Among several, the name decides, and of its digests the longest.

    Arguments:
        data: the checksum file.
        name: the last segment of the download's URL.

    Raises ValueError, quoting what was found, when there is no such digest or more than one.
    """
    encoding, text = _decoded(data)
    if (alone := _ALONE.fullmatch(text)) and _fits(alone.group(1) or "", alone.group(2)):
        return _digest(alone.group(2))
    lines = [line for row in text.splitlines() if (line := _parsed(row)) is not None]
    if not lines:
        if _PAGE.match(text):
            raise ValueError(tr("is a web page; it begins with {text!r}", text=text[:_SHOWN_CHARACTERS]))
        marked = tr("is in {encoding} and ", encoding=encoding) if encoding else ""
        raise ValueError(
            tr(
                "{marked}holds no SHA-256 or SHA-512 checksum; it begins with {text!r}",
                marked=marked,
                text=text[:_SHOWN_CHARACTERS],
            )
        )
    if len(lines) == 1:
        return lines[0].digest
    found = {line.digest for line in lines if line.name.rpartition("/")[2] == name}
    if not found:
        names = ", ".join(repr(line.name) for line in lines[:5])
        raise ValueError(
            tr(
                "has no line for {name!r}; it names {names}{others}",
                name=name,
                names=names,
                others=tr(" and others") if len(lines) > 5 else "",
            )
        )
    longest = max(len(digest.hex) for digest in found)
    strongest = [digest for digest in found if len(digest.hex) == longest]
    if len(strongest) > 1:
        raise ValueError(
            tr(
                "has different checksums for {name!r}: {strongest}",
                name=name,
                strongest=", ".join(sorted(map(str, strongest))),
            )
        )
    return strongest[0]


def bare_digest(data: bytes) -> Digest:
    """Return the digest of a file that holds lower-case hex digits and newlines, and nothing else.

    Raises ValueError, quoting what was found, for any other file.
    """
    if bare := _BARE.fullmatch(data.decode("utf-8", errors="replace")):
        return _digest(bare.group(1))
    encoding, text = _decoded(data)
    more = tr(", and is in {encoding}", encoding=encoding) if encoding else ""
    raise ValueError(tr("holds more than the checksum alone{more}: {text!r}", more=more, text=text[:_SHOWN_CHARACTERS]))


def _decoded(data: bytes) -> tuple[str, str]:
    """Return the encoding that a byte-order mark names, "" without one, and the text."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding.removesuffix("-SIG"), data.decode(encoding, errors="replace")
    return "", data.decode("utf-8", errors="replace")


def _fits(algorithm: str, hexadecimal: str) -> bool:
    return algorithm.lower() in ("", _ALGORITHM[len(hexadecimal)])


def _digest(hexadecimal: str) -> Digest:
    return Digest(_ALGORITHM[len(hexadecimal)], hexadecimal.lower())


def _parsed(row: str) -> _Line | None:
    if gnu := _GNU.fullmatch(row.strip()):
        return _Line(gnu.group(2), _digest(gnu.group(1)))
    if bsd := _BSD.fullmatch(row.strip()):
        digest = _digest(bsd.group(3))
        return _Line(bsd.group(2), digest) if f"sha{bsd.group(1)}" == digest.algorithm else None
    return None
