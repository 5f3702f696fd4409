"""Lists of mirrors: the text of a `mirrorlist` and the XML of a `metalink` -> roots of repositories. Pure.

Owns which mirrors count and in which order, and what a metalink promises about repomd.xml; refuses to connect to them.
Metalink 3.0 is what MirrorManager serves (mirrormanager2, "metalink.py"); RFC 5854 is its successor.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bundler.errors import ErrorId, IntegrityError
from bundler.model.digest import HEX_LENGTH, Digest
from bundler.model.rpm.repo import CLIENT_VARIABLES
from bundler.rpm.metadata.xml_document import child_text, children, invalid_metadata, parse_document
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from xml.etree.ElementTree import Element

REPOMD_PATH = "repodata/repomd.xml"
_REMOTE = ("http", "https", "ftp")
# yum and dnf replace these with the client's values; a bundle is for another system than this one
_CLIENT_VARIABLES = (*(f"${name}" for name in CLIENT_VARIABLES), "${")
# priorities begin at 1 (RFC 5854, 4.2.16.2); no size has more digits than 19
_LEAST_PREFERENCE, _LAST_PRIORITY = 0, 999999
_NUMBER = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class ExpectedRepomd:
    """One repomd.xml that a metalink vouches for; `size` in bytes, None where it says none, or 0."""

    size: int | None
    digests: tuple[Digest, ...]

    def matches(self, data: bytes) -> bool:
        """Tell whether these are its bytes."""
        if self.size is not None and len(data) != self.size:
            return False
        return all(hashlib.new(want.algorithm, data).hexdigest() == want.hex for want in self.digests)


@dataclass(frozen=True, slots=True)
class MirrorList:
    """Roots of a repository, the preferred one first, without a slash at their end.

    `expected` describes the current repomd.xml and earlier ones that mirrors may still have; it is empty when nothing
    is promised.
    """

    bases: tuple[str, ...]
    expected: tuple[ExpectedRepomd, ...] = ()

    def check(self, data: bytes, where: str) -> None:
        """Compare a repomd.xml with what is promised; IntegrityError (CHECKSUM_MISMATCH) when it is none of those."""
        if not self.expected or any(version.matches(data) for version in self.expected):
            return
        newest = self.expected[0].digests[0]
        raise IntegrityError(
            ErrorId.CHECKSUM_MISMATCH,
            tr("the repomd.xml is none of those that the metalink vouches for"),
            where=where,
            remedy=tr("The mirror is older or newer than the metalink, or altered: run the command again in a while."),
            want=str(newest),
            got=hashlib.new(newest.algorithm, data).hexdigest(),
        )


def parse_mirrors(data: bytes, where: str) -> MirrorList:
    """Read a mirror list of either form; the first character decides, because some mirrorlist URLs return XML.

    Arguments:
        where: the URL it came from. Only a list that is itself a local file may name local mirrors.

    Raises SourceError (REPO_METADATA_INVALID) when it cannot be read or names no usable mirror.
    """
    schemes = (*_REMOTE, "file") if where.startswith("file:") else _REMOTE
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        file = _listed_repomd(parse_document(data, "metalink", where), where)
        urls = _urls_by_preference(file)
        expected = tuple(_expectations(file, where))
        roots = (url.removesuffix(REPOMD_PATH) for url in urls if url.endswith("/" + REPOMD_PATH))
        return MirrorList(_usable(roots, schemes, where), expected)
    lines = (line.strip() for line in data.decode("utf-8", "replace").splitlines())
    return MirrorList(_usable((line for line in lines if line and not line.startswith("#")), schemes, where))


def _usable(roots: Iterable[str], schemes: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Return the usable roots, each once."""
    listed = [root.rstrip("/") for root in roots]
    usable = [root for root in listed if _scheme(root) in schemes]
    fixed = [root for root in usable if not any(variable in root for variable in _CLIENT_VARIABLES)]
    if usable and not fixed:
        raise invalid_metadata(
            tr(
                "names mirrors such as {usable}, whose variables only the client knows; give one of them as 'baseurl', "
                "written out",
                usable=usable[0],
            ),
            where,
        )
    if not fixed:
        raise invalid_metadata(tr("names no mirror over {schemes}", schemes=", ".join(schemes)), where)
    return tuple(dict.fromkeys(fixed))


def _scheme(root: str) -> str:
    try:
        parts = urlsplit(root)
    except ValueError:
        return ""
    return parts.scheme if parts.netloc or parts.scheme == "file" else ""


def _listed_repomd(root: Element, where: str) -> Element:
    """Return the `file` element of repomd.xml: below `files` in Metalink 3.0, below the root in RFC 5854."""
    parents = [root, *children(root, "files")]
    for file in (file for parent in parents for file in children(parent, "file")):
        if file.get("name", "").rpartition("/")[2] == "repomd.xml":
            return file
    raise invalid_metadata(tr("is a metalink, but not one of a repository: it lists no repomd.xml"), where)


def _urls_by_preference(file: Element) -> list[str]:
    """Return the URLs, best first; equal ones stay in the order of the document."""
    ranked = []
    for element in (url for parent in (file, *children(file, "resources")) for url in children(parent, "url")):
        preference = _number(element.get("preference", "")) or _LEAST_PREFERENCE
        priority = _number(element.get("priority", "")) or _LAST_PRIORITY
        ranked.append(((priority, -preference), (element.text or "").strip()))
    return [url for _, url in sorted(ranked, key=lambda pair: pair[0])]


def _expectations(file: Element, where: str) -> Iterator[ExpectedRepomd]:
    """Yield the promises about the current repomd.xml, then about earlier ones (MirrorManager's `alternates`)."""
    older = [version for group in children(file, "alternates") for version in children(group, "alternate")]
    for version in (file, *older):
        digests = tuple(_digests(version, where))
        if digests:
            yield ExpectedRepomd(_number(child_text(version, "size")) or None, digests)


def _digests(version: Element, where: str) -> Iterator[Digest]:
    """Yield the digests that cannot be forged; RFC 5854 writes `sha-256` (IANA's hash function names)."""
    for element in (
        hash_ for parent in (version, *children(version, "verification")) for hash_ in children(parent, "hash")
    ):
        algorithm = element.get("type", "").lower().replace("-", "")
        if algorithm in HEX_LENGTH:
            try:
                yield Digest(algorithm, (element.text or "").strip().lower())
            except ValueError as error:
                raise invalid_metadata(tr("is a metalink with a damaged hash: {error}", error=error), where) from error


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None
