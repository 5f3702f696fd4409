"""repomd.xml, the index of a repository's metadata: bytes -> `Repomd`. Pure.

Owns which records are used here and how a record becomes a URL; refuses to fetch them (`bundler.kinds.rpms.metadata`
does) and to read their content. The format is what createrepo_c writes (src/xml_dump_repomd.c) and librepo reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from bundler.model.digest import HEX_LENGTH, MAX_SIZE, WEAK_HEX_LENGTH, Digest
from bundler.rpm.metadata.xml_document import XML_BASE, child_text, children, invalid_metadata, parse_document
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping
    from xml.etree.ElementTree import Element

PRIMARY, FILELISTS, MODULES, GROUP, UPDATEINFO = "primary", "filelists", "modules", "group", "updateinfo"
# The names of each kind, the preferred one first. The SQLite copies (primary_db) and the zchunk ones (primary_zck) have
# other names, and are not used.
_NAMES: dict[str, tuple[str, ...]] = {
    PRIMARY: ("primary",),
    FILELISTS: ("filelists",),
    MODULES: ("modules",),
    GROUP: ("group_gz", "group_xz", "group_zst", "group_bz2", "group"),
    UPDATEINFO: ("updateinfo",),
}
KINDS = tuple(_NAMES)
# kinds that may be missing without changing which packages are chosen
ADVISORY_KINDS = frozenset({UPDATEINFO})
_COUNTING = HEX_LENGTH.keys() | WEAK_HEX_LENGTH.keys()
_SCHEMES = frozenset({"http", "https", "ftp"})
# a size may have zeros before it; a text of millions of digits is not worth reading as a number
MOST_DIGITS, SHOWN_CHARACTERS = 100, 40
# RFC 3986, 2.1
_ESCAPE = re.compile(r"(%[0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True)
class RepomdRecord:
    """One file of metadata.

    Arguments:
        kind: one of KINDS.
        href: relative to `xml_base` where there is one, else to the repository's root.
        digest: of the fetched file; a weak one is for the caller to judge. open_digest: of its plain bytes, None where
            unknown.
        size, open_size: in bytes, of the fetched file and of its plain bytes; None where repomd.xml lacks them, or
            says 0.
    """

    kind: str
    href: str
    digest: Digest
    size: int | None
    open_size: int | None = None
    open_digest: Digest | None = None
    xml_base: str = ""


@dataclass(frozen=True, slots=True)
class Repomd:
    """The records of a repomd.xml that are used here; `unusable` has the reason for each kind whose record cannot be.

    `revision` is free text, mostly seconds since the epoch.
    """

    revision: str
    records: Mapping[str, RepomdRecord]
    unusable: Mapping[str, str]


def parse_repomd(data: bytes, where: str) -> Repomd:
    """Read a repomd.xml.

    A record that cannot be used (a checksum that anybody can forge, no place, a size that is none) is `unusable`, an
    error only when it is needed.

    Raises SourceError (REPO_METADATA_INVALID): not XML, not a repomd, no primary or a faulty one.
    """
    root = parse_document(data, "repomd", where)
    found: dict[str, Element] = {}
    for element in children(root, "data"):
        # of two with the same name the first counts, as in librepo (lr_yum_repomd_get_record)
        found.setdefault(element.get("type", ""), element)
    records, unusable = {}, {}
    for kind, names in _NAMES.items():
        name = next((name for name in names if name in found), None)
        if name is None:
            continue
        try:
            records[kind] = _record(kind, found[name])
        except _WeakChecksumError as error:
            unusable[kind] = str(error)
        except ValueError as error:
            if kind == PRIMARY:
                raise invalid_metadata(tr("its record {name!r} {error}", name=name, error=error), where) from error
            unusable[kind] = tr("it {error}", error=error)
    if PRIMARY not in records and PRIMARY not in unusable:
        raise invalid_metadata(
            tr("lists no 'primary' record, so that the repository has no packages to choose from"), where
        )
    return Repomd(child_text(root, "revision"), records, unusable)


class _WeakChecksumError(ValueError):
    """The record has a checksum that can be forged."""


def _record(kind: str, element: Element) -> RepomdRecord:
    location = next(children(element, "location"), None)
    href = location.get("href", "") if location is not None else ""
    if location is None or not href:
        raise ValueError(tr("names no location"))
    return RepomdRecord(
        kind=kind,
        href=href,
        digest=_digest(element),
        size=_size(element, "size"),
        open_size=_size(element, "open-size"),
        open_digest=_open_digest(element),
        xml_base=location.get(XML_BASE, ""),
    )


def _digest(element: Element) -> Digest:
    checksum = next(children(element, "checksum"), None)
    if checksum is None:
        raise ValueError(tr("has no checksum"))
    algorithm = _algorithm(checksum)
    if algorithm not in _COUNTING:
        raise _WeakChecksumError(
            tr(
                "its checksum is {algorithm}; only {hex_length} count",
                algorithm=algorithm or tr("of no type"),
                hex_length=tr(" and ").join(HEX_LENGTH),
            )
        )
    return Digest(algorithm, (checksum.text or "").strip().lower())


def _open_digest(element: Element) -> Digest | None:
    checksum = next(children(element, "open-checksum"), None)
    if checksum is None or _algorithm(checksum) not in HEX_LENGTH:
        return None
    return Digest(_algorithm(checksum), (checksum.text or "").strip().lower())


def _algorithm(checksum: Element) -> str:
    name = checksum.get("type", "").lower()
    # createrepo's old name of it
    return "sha1" if name == "sha" else name


def _size(element: Element, name: str) -> int | None:
    text = child_text(element, name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > MOST_DIGITS or int(text) > MAX_SIZE:
        raise ValueError(
            tr("has the {name} {text!r}, which is no count of bytes", name=name, text=text[:SHOWN_CHARACTERS])
        )
    return int(text) or None


def resource_url(base_url: str, href: str, xml_base: str = "") -> str:
    """Return the URL of a file whose name in a repository is known; see `resource_urls`."""
    return resource_urls(base_url, href, xml_base)[0]


def resource_urls(base_url: str, href: str, xml_base: str = "") -> tuple[str, ...]:
    """Return where a file may lie that a repository lists: a record of repomd.xml, or a package of primary.xml.

    An href is a name, of which everything is escaped that is not unreserved (RFC 3986, 2.3), as dnf does: storage
    services read a plain `+` as a blank. Names may hold a per cent sign; but some repositories list hrefs that are
    escaped already, and those are asked for next. A query of the repository's URL (a token) is kept.

    Arguments:
        base_url: the repository's root, an absolute URL, with or without a slash at its end.
        href, xml_base: as listed; `xml_base`, itself relative or absolute, replaces the root.

    Raises SourceError (REPO_METADATA_INVALID) when it leads from the network to this machine's own files, or is not a
    valid URL.
    """
    return tuple(dict.fromkeys(_resolved(base_url, reading, href, xml_base) for reading in _readings(href)))


def _resolved(base_url: str, reading: str, href: str, xml_base: str) -> str:
    root = urlsplit(base_url)
    directory = urlunsplit((root.scheme, root.netloc, root.path.rstrip("/") + "/", "", ""))
    start = directory
    try:
        if xml_base:
            start = urljoin(directory, xml_base.rstrip("/") + "/")
        found = urlsplit(urljoin(start, reading))
    except ValueError as error:
        raise invalid_metadata(
            tr("lists {href!r} at {xml_base!r}, which is no place: {error}", href=href, xml_base=xml_base, error=error),
            directory,
        ) from error
    local = found.scheme == "file" and root.scheme == "file"
    if not local and (found.scheme not in _SCHEMES or not found.hostname):
        raise invalid_metadata(
            tr("lists {href!r} at {xml_base!r}, which is no place to fetch from", href=href, xml_base=xml_base),
            directory,
        )
    same_place = (found.scheme, found.netloc) == (root.scheme, root.netloc)
    return urlunsplit((found.scheme, found.netloc, found.path, root.query if same_place else "", ""))


def _readings(href: str) -> tuple[str, str]:
    """Return an href escaped as a name, and as one that is escaped already; a whole URL is the latter first."""
    scheme, separator, rest = href.partition("://")
    if not separator:
        return quote(href), _escaped_once(href)
    host, slash, path = rest.partition("/")
    start = f"{scheme}://{host}{slash}"
    return f"{start}{_escaped_once(path)}", f"{start}{quote(path)}"


def _escaped_once(text: str) -> str:
    return "".join(part if _ESCAPE.fullmatch(part) else quote(part) for part in _ESCAPE.split(text))
