"""The images of one bundle as its index tells of them: names, documents, blobs. Reads nothing but the index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.image.layout import IMAGE_DIRECTORY
from bundler.model.image.oci import INDEX_TYPES, MANIFEST_TYPES, OCI_INDEX, OCI_MANIFEST
from bundler.model.image.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bundler.model.bundle import BundleIndex, IndexedFile
    from bundler.model.digest import Digest
    from bundler.model.json_value import Json
    from bundler.model.platform import Platform

_BLOBS = f"{IMAGE_DIRECTORY}/blobs/"
_OCI_TYPES = frozenset({OCI_INDEX, OCI_MANIFEST})
DOCUMENT_TYPES = INDEX_TYPES | MANIFEST_TYPES


@dataclass(frozen=True, slots=True, eq=False)
class BundleImage:
    """One image of a bundle.

    Arguments:
        names: what it is called, source hosts in front; each with a tag, or with a digest alone.
        top: its index, or the manifest of an image that has none: what the lock's digest is of.
        files: every blob that belongs to it by digest, `top` first, the upstream's own index included.
    """

    names: tuple[Reference, ...]
    top: IndexedFile
    files: tuple[IndexedFile, ...]

    @property
    def digest(self) -> Digest:
        """The lock's digest."""
        return self.top.blob.digest

    @property
    def manifests(self) -> tuple[IndexedFile, ...]:
        """The manifest of each platform; the top document alone for an image without an index."""
        if not self.is_index:
            return (self.top,)
        return tuple(file for file in self.files if media_type(file) in MANIFEST_TYPES)

    @property
    def is_index(self) -> bool:
        """Whether the top document is an index."""
        return media_type(self.top) in INDEX_TYPES

    def manifest_for(self, platforms: Iterable[Platform]) -> IndexedFile | None:
        """Return the manifest for the first of these platforms that it has one for; its top where that is no index."""
        if not self.is_index:
            return self.top
        found = (
            file
            for platform in platforms
            for file in self.manifests
            if any(own.matches(platform) for own in file.platforms)
        )
        return next(found, None)


def bundle_images(index: BundleIndex) -> Iterator[BundleImage]:
    """Yield the images of a bundle, in the order of their digests; what cannot be understood is left out."""
    by_key: dict[str, list[IndexedFile]] = {}
    tops: list[IndexedFile] = []
    for file in index.files:
        if not file.path.startswith(_BLOBS):
            continue
        for key in _texts(file.about.get("images")):
            by_key.setdefault(key, []).append(file)
        # only the document that the lock names says so of itself; index.json has others under the same name
        if file.about.get("digest") == str(file.blob.digest):
            tops.append(file)
    for top in tops:
        names = _references(_texts(top.about.get("names")))
        known = set(names)
        keys = [key for key in _texts(top.about.get("images")) if _own_name(key) in known]
        if names and media_type(top) in DOCUMENT_TYPES:
            yield BundleImage(names, top, _belonging(top, [file for key in keys for file in by_key[key]]))


def media_type(file: IndexedFile) -> str:
    """Return what a blob's images call it, or "" when the index does not tell."""
    value = file.about.get("media_type")
    return value if isinstance(value, str) else ""


def _belonging(top: IndexedFile, files: Sequence[IndexedFile]) -> tuple[IndexedFile, ...]:
    # the index in OCI's terms that a layout has beside an image in Docker's: no registry knows it
    views = frozenset() if media_type(top) in _OCI_TYPES else frozenset({OCI_INDEX})
    return tuple({file.path: file for file in (top, *files) if media_type(file) not in views}.values())


def _texts(value: Json) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _references(texts: Iterable[str]) -> tuple[Reference, ...]:
    return tuple(found for text in texts if (found := _reference(text)) is not None)


def _reference(text: str) -> Reference | None:
    try:
        return Reference.parse(text)
    except ValueError:
        return None


def _own_name(key: str) -> Reference | None:
    """Return what an image that was asked for like this is called: by its tag where it has one."""
    asked = _reference(key)
    return Reference(asked.host, asked.path, asked.tag) if asked is not None and asked.tag else asked
