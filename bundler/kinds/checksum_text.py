"""Published checksum files: which digest do they give for a file? Owns their text forms; fetches nothing.

Known forms: the hex digits alone (KubeEdge, hack/make-rules/release.sh), lines of `sha256sum` and `sha512sum`
(`HEX  name`, `HEX *name`), and the BSD form `SHA256 (name) = HEX` (coreutils manual, "cksum output modes").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bundler.model.digest import HEX_LENGTH, Digest

_ALGORITHM = {length: algorithm for algorithm, length in HEX_LENGTH.items()}
_HEX = r"[0-9a-fA-F]{128}|[0-9a-fA-F]{64}"
_ALONE = re.compile(rf"\s*({_HEX})\s*")
_GNU = re.compile(rf"\\?({_HEX})[ \t]+\*?(\S.*)")
_BSD = re.compile(rf"(SHA-?256|SHA-?512) \((.+)\) ?= ?({_HEX})\s*")
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
    text = data.decode("utf-8", errors="replace").removeprefix("\ufeff")
    if alone := _ALONE.fullmatch(text):
        return _digest(alone.group(1))
    lines = [line for row in text.splitlines() if (line := _parsed(row)) is not None]
    if not lines:
        raise ValueError(f"holds no SHA-256 or SHA-512 checksum; it begins with {text[:_SHOWN_CHARACTERS]!r}")
    if len(lines) == 1:
        return lines[0].digest
    found = {line.digest for line in lines if line.name.rpartition("/")[2] == name}
    if not found:
        names = ", ".join(repr(line.name) for line in lines[:5])
        raise ValueError(f"has no line for {name!r}; it names {names}{' and others' if len(lines) > 5 else ''}")
    longest = max(len(digest.hex) for digest in found)
    strongest = [digest for digest in found if len(digest.hex) == longest]
    if len(strongest) > 1:
        raise ValueError(f"has different checksums for {name!r}: {', '.join(sorted(map(str, strongest)))}")
    return strongest[0]


def bare_digest(data: bytes) -> Digest:
    """Return the digest of a file that holds lower-case hex digits and newlines, and nothing else.

    Raises ValueError, quoting what was found, for any other file.
    """
    text = data.decode("utf-8", errors="replace")
    if bare := _BARE.fullmatch(text):
        return _digest(bare.group(1))
    raise ValueError(f"holds more than the checksum alone: {text[:_SHOWN_CHARACTERS]!r}")


def _digest(hexadecimal: str) -> Digest:
    return Digest(_ALGORITHM[len(hexadecimal)], hexadecimal.lower())


def _parsed(row: str) -> _Line | None:
    if gnu := _GNU.fullmatch(row.strip()):
        return _Line(gnu.group(2), _digest(gnu.group(1)))
    if bsd := _BSD.fullmatch(row.strip()):
        digest = _digest(bsd.group(3))
        return _Line(bsd.group(2), digest) if bsd.group(1).replace("-", "").lower() == digest.algorithm else None
    return None
