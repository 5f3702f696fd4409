"""The images of one bundle as its index tells of them: names, documents, blobs. Reads nothing but the index.

Whoever gives a bundle's images out, shows, checks or sends them has them from here, so that nothing is offered that is
not given out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.about import ImageAbout
from bundler.model.image.blob_paths import IMAGE_DIRECTORY
from bundler.model.image.oci import INDEX_TYPES, MANIFEST_TYPES, OCI_INDEX, OCI_MANIFEST
from bundler.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bundler.model.about import TopAbout
    from bundler.model.bundle import IndexedFile
    from bundler.model.digest import Digest
    from bundler.model.platform import Platform

_BLOBS = f"{IMAGE_DIRECTORY}/blobs/"
_OCI_TYPES = frozenset({OCI_INDEX, OCI_MANIFEST})
DOCUMENT_TYPES = INDEX_TYPES | MANIFEST_TYPES


@dataclass(frozen=True, slots=True, eq=False)
class BundleImage:
    """One image of a bundle.

    Arguments:
        about: what the index says of it as a whole.
        top: its index, or the manifest of an image that has none: what the lock's digest is of.
        files: every blob that belongs to it by digest, `top` first, the upstream's own index included.
    """

    about: TopAbout
    top: IndexedFile
    files: tuple[IndexedFile, ...]

    @property
    def names(self) -> tuple[Reference, ...]:
        """What it is called, source hosts in front; each with a tag, or with a digest alone."""
        return self.about.names

    @property
    def digest(self) -> Digest:
        """The lock's digest."""
        return self.top.blob.digest

    @property
    def size(self) -> int:
        """Bytes of all that belongs to it."""
        return sum(file.blob.size for file in self.files)

    @property
    def manifests(self) -> tuple[IndexedFile, ...]:
        """The manifest of each platform; the top document alone for an image without an index."""
        if not self.is_index:
            return (self.top,)
        return tuple(file for file in self.files if media_type(file) in MANIFEST_TYPES)

    @property
    def upstream(self) -> tuple[IndexedFile, ...]:
        """The upstream's own index where `top` was pruned; not all of its children are in the bundle."""
        if not self.is_index:
            return ()
        same = (file for file in self.files if media_type(file) == media_type(self.top))
        return tuple(file for file in same if file is not self.top)

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


def bundle_images(files: Iterable[IndexedFile]) -> Iterator[BundleImage]:
    """Yield the images among the files of an index, in their order there; what cannot be understood is left out."""
    by_key: dict[Reference, list[IndexedFile]] = {}
    tops: list[tuple[IndexedFile, ImageAbout, TopAbout]] = []
    for file in files:
        about = file.about
        if not file.path.startswith(_BLOBS) or not isinstance(about, ImageAbout):
            continue
        for key in about.images:
            by_key.setdefault(key, []).append(file)
        # only the document that the lock names says so of itself; index.json has others under the same name
        if about.top is not None and about.top.digest == file.blob.digest:
            tops.append((file, about, about.top))
    for file, about, top in tops:
        if top.names and about.media_type in DOCUMENT_TYPES:
            known = set(top.names)
            keys = [key for key in about.images if _own_name(key) in known]
            yield BundleImage(top, file, _belonging(file, [blob for key in keys for blob in by_key[key]]))


def media_type(file: IndexedFile) -> str:
    """Return what a blob's images call it, or "" when the index does not tell."""
    return file.about.media_type if isinstance(file.about, ImageAbout) else ""


def _belonging(top: IndexedFile, files: Sequence[IndexedFile]) -> tuple[IndexedFile, ...]:
    # the index in OCI's terms that a layout has beside an image in Docker's: no registry knows it
    views = frozenset() if media_type(top) in _OCI_TYPES else frozenset({OCI_INDEX})
    return tuple({file.path: file for file in (top, *files) if media_type(file) not in views}.values())


def _own_name(key: Reference) -> Reference:
    """Return what an image that was asked for like this is called: by its tag where it has one."""
    return Reference(key.host, key.path, key.tag) if key.tag and key.digest is not None else key
