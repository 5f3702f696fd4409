"""Advisories (updateinfo.xml) of several repositories -> one document about what a bundle holds. Pure.

The format is what createrepo_c writes (src/xml_dump_updateinfo.c). All of EL's advisories are hundreds of megabytes, so
a document is never held whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from bundler.errors import SourceError
from bundler.model.rpm.nevra import Nevra
from bundler.rpm.metadata.xml_document import (
    StrictBuilder,
    child_text,
    children,
    invalid_metadata,
    local_name,
    refuse_document,
)
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import BinaryIO

BLOCK_BYTES = 1024 * 1024
# the largest real one, of a whole desktop in every architecture, has some 100 KiB
MAX_ADVISORY_BYTES = 16 * 1024 * 1024


def merge_advisories(
    documents: Iterable[tuple[str, BinaryIO]],
    packages: Collection[Nevra],
    unreadable: Callable[[SourceError], None] = refuse_document,
) -> str:
    """Return updateinfo.xml with the advisories about any of these packages, reduced to these packages.

    An advisory of several repositories is one advisory with the packages of all of them.

    Arguments:
        documents: the origin of each, for messages, and its plain bytes.
        unreadable: told of each document that is wrong (REPO_METADATA_INVALID), of which nothing is taken then.

    Returns "" when no advisory is left. Raises SourceError where `unreadable` does.
    """
    kept: dict[str, ET.Element] = {}
    for where, stream in documents:
        try:
            found = _concerning(packages, where, stream)
        except SourceError as error:
            unreadable(error)
            continue
        for update in found:
            first = kept.setdefault(child_text(update, "id"), update)
            if first is not update:
                first.extend(children(update, "pkglist"))
    if not kept:
        return ""
    root = ET.Element("updates")
    root.extend(update for _, update in sorted(kept.items()))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _concerning(packages: Collection[Nevra], where: str, stream: BinaryIO) -> list[ET.Element]:
    found: list[ET.Element] = []

    def keep(update: ET.Element) -> None:
        if _keep_packages(update, packages):
            found.append(update)

    _read(where, stream, keep)
    return found


class _Builder(StrictBuilder):
    """Passes on every `update` as soon as it is complete, and drops it; counts the bytes since the last one."""

    def __init__(self, take: Callable[[ET.Element], None]) -> None:
        super().__init__()
        self._take = take
        self._root: ET.Element | None = None
        self.waiting_bytes = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> ET.Element:
        element = super().start(tag, attrs)
        if self._root is None:
            if local_name(element) != "updates":
                raise ValueError(
                    tr("it is a document of the type {element!r}, not 'updates'", element=local_name(element))
                )
            self._root = element
        return element

    def end(self, tag: str, /) -> ET.Element:
        element = super().end(tag)
        if tag.endswith("update") and self._root is not None and element is not self._root:
            self._take(element)
            self._root.clear()
            self.waiting_bytes = 0
        return element


def _read(where: str, stream: BinaryIO, take: Callable[[ET.Element], None]) -> None:
    builder = _Builder(take)
    parser = ET.XMLParser(target=builder)  # noqa: S314 - its builder refuses what makes XML dangerous
    try:
        while block := stream.read(BLOCK_BYTES):
            builder.waiting_bytes += len(block)
            parser.feed(block)
            if builder.waiting_bytes > MAX_ADVISORY_BYTES:
                raise ValueError(
                    tr(
                        "it has an advisory of more than {max_advisory_bytes} bytes",
                        max_advisory_bytes=MAX_ADVISORY_BYTES,
                    )
                )
        parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise invalid_metadata(tr("is not a readable list of advisories: {error}", error=error), where) from error


def _keep_packages(update: ET.Element, packages: Collection[Nevra]) -> bool:
    """Reduce an advisory to these packages; return whether any is left."""
    left = False
    for pkglist in children(update, "pkglist"):
        for collection in list(children(pkglist, "collection")):
            for package in list(children(collection, "package")):
                if not _is_one_of(package, packages):
                    collection.remove(package)
            if next(children(collection, "package"), None) is None:
                pkglist.remove(collection)
            else:
                left = True
    return left


def _is_one_of(package: ET.Element, packages: Collection[Nevra]) -> bool:
    part = package.get
    try:
        epoch = int(part("epoch") or 0)
        return Nevra(part("name", ""), epoch, part("version", ""), part("release", ""), part("arch", "")) in packages
    except ValueError:
        # not a valid name of a package, so none of these
        return False
