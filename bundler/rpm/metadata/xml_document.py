"""Small untrusted XML documents of an upstream -> elements: no document type, no entities, bounded.

Owns what makes a document unsafe to read; refuses to know its meaning (`repomd`, `mirror_list` do).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET
from xml.parsers import expat

from bundler.errors import ErrorId, SourceError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

# the index of a repository with every kind of record has some 10 KiB, a metalink with very many mirrors 100 KiB
MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
# none of these formats needs ten
MAX_DEPTH = 64
XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"


class StrictBuilder(ET.TreeBuilder):
    """Refuses a document type at once, before any entity that it declares could be used, and too many levels."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse it; the arguments are the parser's."""
        del name, pubid, system
        raise ValueError(tr("it declares a document type, which no such document needs"))

    def start(self, tag: str, attrs: dict[str, str], /) -> ET.Element:
        """Begin an element."""
        self._depth += 1
        check_depth(self._depth)
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> ET.Element:
        """End an element."""
        self._depth -= 1
        return super().end(tag)


def check_depth(depth: int) -> None:
    """Raise ValueError for elements nested so deeply that writing them again would exhaust the stack."""
    if depth > MAX_DEPTH:
        raise ValueError(tr("its elements lie more than {max_depth} deep inside each other", max_depth=MAX_DEPTH))


def parse_document(data: bytes, root: str, where: str) -> ET.Element:
    """Return the root element of a document.

    Arguments:
        data: the document; at most MAX_DOCUMENT_BYTES.
        root: the required name of the root element, without namespace.
        where: the origin of the document, for messages.

    Raises SourceError (REPO_METADATA_INVALID): too long, not XML, another root, a document type (XML 1.0, 2.8).
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise invalid_metadata(
            tr("is longer than {max_document_bytes} bytes", max_document_bytes=MAX_DOCUMENT_BYTES), where
        )
    parser = ET.XMLParser(target=StrictBuilder())  # noqa: S314 - its builder refuses what makes XML dangerous
    try:
        parser.feed(data)
        element: ET.Element = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise invalid_metadata(tr("is not a readable XML document: {error}", error=error), where) from error
    if local_name(element) != root:
        raise invalid_metadata(
            tr("is a document of the type {element!r}, not {root!r}", element=local_name(element), root=root), where
        )
    return element


def parse_described_document(data: bytes, where: str) -> ET.Element:
    """Return the root element of a document that may have a document type, but declares no entities.

    The parser finds declared entities: a search for the bytes `<!ENTITY` would miss them in UTF-16.

    Raises SourceError (REPO_METADATA_INVALID): not XML, entities.
    """
    builder = StrictBuilder()
    parser = expat.ParserCreate()
    parser.EntityDeclHandler = refuse_entity
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
        return builder.close()
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise invalid_metadata(tr("is not a readable XML document: {error}", error=error), where) from error


def refuse_entity(name: str, *_declaration: object) -> None:
    """Raise ValueError; a handler of expat."""
    raise ValueError(tr("it declares the entity {name}, which no such document needs", name=name))


def local_name(element: ET.Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: ET.Element, name: str) -> Iterator[ET.Element]:
    """Yield the direct children of that name, whatever their namespace."""
    return (child for child in element if local_name(child) == name)


def child_text(element: ET.Element, name: str) -> str:
    """Return the text of the first direct child of that name, blanks removed; "" when there is none."""
    return next(((child.text or "").strip() for child in children(element, name)), "")


def refuse_document(error: SourceError) -> None:
    """Raise what is wrong with a document; for who takes several, and leaves none out."""
    raise error


def invalid_metadata(what: str, where: str) -> SourceError:
    """Return the error for metadata that violate their format."""
    return SourceError(
        ErrorId.REPO_METADATA_INVALID,
        what,
        where=where,
        remedy=tr(
            "Open the URL by hand: it has to be the root of a yum repository, not a page about it. If it is, name "
            "another mirror of it and tell its operator."
        ),
    )
