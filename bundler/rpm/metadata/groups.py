"""Package groups (comps.xml) of several repositories -> one document about the packages of a bundle. Pure.

The format is libcomps' (libcomps/tests/comps); languages and blacklists are left out: nothing reads them any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from bundler.errors import SourceError
from bundler.rpm.metadata.comps import MAX_COMPS_BYTES
from bundler.rpm.metadata.xml_document import (
    child_text,
    children,
    invalid_metadata,
    local_name,
    parse_described_document,
    refuse_document,
)
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

_PARENTS = ("environment", "category")


def merge_groups(
    documents: Iterable[tuple[str, bytes]],
    names: Collection[str],
    unreadable: Callable[[SourceError], None] = refuse_document,
) -> str:
    """Return comps.xml with the groups that list any of these packages, reduced to these packages.

    A group of several documents is one group, described as in the first. Environments and categories are reduced to
    the remaining groups.

    Arguments:
        documents: the origin of each, for messages, and its plain bytes.
        names: names of packages.
        unreadable: told of each document that is wrong (REPO_METADATA_INVALID), of which nothing is taken then.

    Returns "" when no group is left. Raises SourceError where `unreadable` does.
    """
    kept: dict[tuple[str, str], ET.Element] = {}
    for where, data in documents:
        try:
            root = _parse(data, where)
        except SourceError as error:
            unreadable(error)
            continue
        for element in root:
            kind, known_as = local_name(element), child_text(element, "id")
            if kind in ("group", *_PARENTS) and known_as:
                first = kept.setdefault((kind, known_as), element)
                if first is not element:
                    _merge(first, element)
    groups = {key: element for key, element in kept.items() if key[0] == "group" and _keep_packages(element, names)}
    group_ids = {group_id for _, group_id in groups}
    parents = {key: element for key, element in kept.items() if key[0] in _PARENTS and _keep_groups(element, group_ids)}
    if not groups:
        return ""
    merged = ET.Element("comps")
    order = ("group", *_PARENTS)
    merged.extend(
        element
        for _, element in sorted((groups | parents).items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    )
    ET.indent(merged)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(merged, encoding="unicode") + "\n"


def _parse(data: bytes, where: str) -> ET.Element:
    if len(data) > MAX_COMPS_BYTES:
        raise invalid_metadata(tr("is longer than {max_comps_bytes} bytes", max_comps_bytes=MAX_COMPS_BYTES), where)
    root = parse_described_document(data, where)
    if local_name(root) != "comps":
        raise invalid_metadata(tr("is a document of the type {root!r}, not 'comps'", root=local_name(root)), where)
    return root


def _lists(element: ET.Element) -> Iterator[ET.Element]:
    for name in ("packagelist", "grouplist", "optionlist"):
        yield from children(element, name)


def _merge(first: ET.Element, other: ET.Element) -> None:
    """Add the lists of another element; duplicates are removed by `_keep`."""
    for listed in _lists(other):
        target = next(children(first, local_name(listed)), None)
        if target is None:
            first.append(listed)
        else:
            target.extend(listed)


def _keep_packages(group: ET.Element, names: Collection[str]) -> bool:
    return _keep(group, names)


def _keep_groups(parent: ET.Element, group_ids: Collection[str]) -> bool:
    return _keep(parent, group_ids)


def _keep(element: ET.Element, wanted: Collection[str]) -> bool:
    """Reduce the lists of an element to the wanted items, each once; return whether anything is left."""
    left = False
    for listed in _lists(element):
        items: dict[str, ET.Element] = {}
        for item in listed:
            if (text := (item.text or "").strip()) in wanted:
                items.setdefault(text, item)
        listed[:] = list(items.values())
        left = left or bool(items)
    return left
