"""Small XML documents of an upstream -> elements, nothing of them trusted: no document type, no entities, bounded.

Owns what makes a document unsafe to read; refuses to know what it says (`repomd`, `mirror_list` do).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from bundler.errors import ErrorId, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

# the index of a repository with every kind of record is some 10 KiB; a metalink with all mirrors of the world 100 KiB
MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"


class _Builder(ET.TreeBuilder):
    """Refuses a document type at its beginning, before any entity that it declares could be used."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse it; the arguments are the parser's."""
        del name, pubid, system
        raise ValueError("it declares a document type, which no such document needs")


def parse_document(data: bytes, root: str, where: str) -> ET.Element:
    """Return the root element of a document.

    Arguments:
        data: the document; at most MAX_DOCUMENT_BYTES.
        root: the name, without namespace, that the root element has to have.
        where: where the document came from, for messages.

    Raises SourceError (REPO_METADATA_INVALID): too long, not XML, another root, a document type (XML 1.0, 2.8).
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise invalid_metadata(f"is longer than {MAX_DOCUMENT_BYTES} bytes", where)
    parser = ET.XMLParser(target=_Builder())  # noqa: S314 - its builder refuses what makes XML dangerous
    try:
        parser.feed(data)
        element: ET.Element = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise invalid_metadata(f"is not a readable XML document: {error}", where) from error
    if local_name(element) != root:
        raise invalid_metadata(f"is a document of the type {local_name(element)!r}, not {root!r}", where)
    return element


def local_name(element: ET.Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: ET.Element, name: str) -> Iterator[ET.Element]:
    """Yield the direct children of that name, whatever their namespace."""
    return (child for child in element if local_name(child) == name)


def child_text(element: ET.Element, name: str) -> str:
    """Return the text of the first direct child of that name, blanks removed; "" when there is none."""
    return next(((child.text or "").strip() for child in children(element, name)), "")


def invalid_metadata(what: str, where: str) -> SourceError:
    """Return the error for metadata that break their own format."""
    return SourceError(
        ErrorId.REPO_METADATA_INVALID,
        what,
        where=where,
        remedy="Open the URL by hand: it has to be the root of a yum repository, not a page about it. If it is, name "
        "another mirror of it and tell its operator.",
    )
