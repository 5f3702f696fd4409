"""The rows of a directory's page: what each name is, where it leads, what can be said of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bundler.model.size_text import human_bytes
from mirror.dates import minute
from mirror.page.escaping import escape_unprintable
from mirror.page.links import segment_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mirror.page.catalog import Catalog, Item
    from mirror.page.words import Words
    from mirror.tree.served import Directory, DirectoryEntry, File
    from mirror.tree.served_bundle import Total
    from mirror.tree.site import Site

ROWS_PER_PAGE = 200
_SCRIPT_SUFFIX = ".sh"


class Row(NamedTuple):
    """One name.

    Arguments:
        name: escaped, with a slash after a directory's.
        href: relative to the directory.
        kind: the end of a key of the words, `kind.…`; also the icon's name.
        size: for people, "" for none.
        date: UTC, "" for none.
        digest: SHA-256 in hex, "" for none.
        notes: what else can be said, piece by piece.
        refused: whether it is not served at the moment.
        unverified: whether nobody vouches for its bytes.
        directory: whether it is one.
    """

    name: str
    href: str
    kind: str
    size: str
    date: str
    digest: str
    notes: tuple[str, ...]
    refused: bool = False
    unverified: bool = False
    directory: bool = False


class PageRows:
    """Makes the rows of one directory's page."""

    def __init__(
        self,
        site: Site,
        directory: Directory,
        catalog: Catalog | None,
        faults: frozenset[str],
        words: Words,
        suffix: str,
    ) -> None:
        self._site = site
        self._directory = directory
        self._catalog = catalog
        self._faults = faults
        self._words = words
        self._suffix = suffix

    def make(self, entries: Sequence[DirectoryEntry]) -> list[Row]:
        """Return a row for each of some entries of the directory."""
        return [self._file(entry.name, entry.file) if entry.file else self._below(entry.name) for entry in entries]

    def _file(self, name: str, file: File) -> Row:
        item = self._catalog.at(file.path) if self._catalog and file.bundle else None
        return Row(
            name=escape_unprintable(name),
            href=segment_url(name),
            kind=file_kind(file.path, item),
            size=human_bytes(file.size),
            date=minute(file.modified_s),
            digest=file.digest.hex if file.digest else "",
            notes=item_notes(item, self._words) if item else (),
            refused=file.identity is None or f"{file.bundle}/{file.path}" in self._faults,
            unverified=file.digest is None,
        )

    def _below(self, name: str) -> Row:
        path = f"{self._directory.path}/{name}".lstrip("/")
        kind, size = "directory", ""
        notes: tuple[str, ...] = ()
        unverified = any(share.path == path or path.startswith(f"{share.path}/") or not share.path
                         for share in self._site.shares)  # fmt: skip
        mounted = self._site.at(path)
        if unverified:
            kind = "shared"
        elif mounted:
            kind, notes = "bundle", (escape_unprintable(mounted.title),)
            size = human_bytes(mounted.content_bytes)
        elif self._catalog:
            inner = f"{self._directory.inner}/{name}".lstrip("/")
            kind, notes, size = _inside(self._catalog, self._total(inner), inner, self._words)
        return Row(
            name=f"{escape_unprintable(name)}/",
            href=segment_url(name, directory=True) + self._suffix,
            kind=kind,
            size=size,
            date="",
            digest="",
            notes=notes,
            unverified=unverified,
            directory=True,
        )

    def _total(self, inner: str) -> Total | None:
        bundle = self._site.bundle(self._directory.bundle)
        return None if bundle is None else bundle.total(inner)


def _inside(catalog: Catalog, total: Total | None, path: str, words: Words) -> tuple[str, tuple[str, ...], str]:
    """Return kind, notes and size of a directory of a bundle."""
    kind = "repository" if path in catalog.repositories else "layout" if path in catalog.layouts else "directory"
    if total is None:
        return kind, (), ""
    return kind, (words.count("count.files", total.files),), human_bytes(total.size)


def file_kind(path: str, item: Item | None) -> str:
    """Return the end of a key `kind.…` for a file."""
    if item is not None and item.group in ("rpm", "image"):
        return item.group
    if item is not None and item.names:
        return "layer"
    return "script" if path.endswith(_SCRIPT_SUFFIX) else "file"


def item_notes(item: Item, words: Words) -> tuple[str, ...]:
    """Return what can be said of an item beside its title, piece by piece."""
    notes = [item.note] if item.note else []
    # an image's first name is its title
    if others := item.names[1:] if item.group == "image" else item.names:
        notes.insert(0, ", ".join(others))
    by, detail = item.vouched
    if by:
        notes.append(words.known(f"vouched.{by}", by) + (f" {detail}" if by == "signature" and detail else ""))
    return tuple(notes)
