"""The images of one bundle as its index tells of them: names, documents, blobs. Reads nothing but the index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bundler.model.layout import IMAGE_DIRECTORY
from bundler.model.oci import INDEX_TYPES, MANIFEST_TYPES, OCI_INDEX, OCI_MANIFEST
from bundler.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bundler.model.bundle import IndexedFile
    from bundler.model.json_value import Json
    from bundler.model.platform import Platform
    from mirror.tree.bundle import ServedBundle
    from mirror.tree.served import File

_BLOBS = f"{IMAGE_DIRECTORY}/blobs/"
_OCI_TYPES = frozenset({OCI_INDEX, OCI_MANIFEST})
DOCUMENT_TYPES = INDEX_TYPES | MANIFEST_TYPES


class Held(NamedTuple):
    """A blob of a bundle.

    Arguments:
        digest: `sha256:HEX`, as URLs have it.
        media_type: what its images call it.
    """

    bundle: ServedBundle
    path: str
    digest: str
    media_type: str

    @property
    def is_document(self) -> bool:
        """Whether it is an index or a manifest, and no layer or config."""
        return self.media_type in DOCUMENT_TYPES

    @property
    def file(self) -> File | None:
        """The file as it is known now; None for one that the bundle does not serve."""
        return self.bundle.files.get(self.path)


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One image of a bundle.

    Arguments:
        names: what it is called, source hosts in front; each with a tag, or with a digest alone.
        top: its index, or the manifest of an image that has none: what the lock's digest is of.
        primary: the manifest for whoever takes no index: that of the first of the bundle's platforms that it has.
        held: every blob that belongs to it by digest, the upstream's own index included.
    """

    names: tuple[Reference, ...]
    top: Held
    primary: Held | None
    held: Mapping[str, Held]


def images_of(bundle: ServedBundle) -> Iterator[Image]:
    """Yield the images of a bundle, in the order of their digests; what cannot be understood is left out."""
    by_key: dict[str, list[IndexedFile]] = {}
    tops: list[IndexedFile] = []
    for file in bundle.index.files:
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
        if names and _media_type(top) in DOCUMENT_TYPES:
            yield _image(bundle, top, names, [file for key in keys for file in by_key[key]])


def _image(bundle: ServedBundle, top: IndexedFile, names: tuple[Reference, ...], files: Sequence[IndexedFile]) -> Image:
    # the index in OCI's terms that a layout has beside an image in Docker's: no registry knows it
    views = frozenset() if _media_type(top) in _OCI_TYPES else frozenset({OCI_INDEX})
    belonging = {file.path: file for file in (top, *files) if _media_type(file) not in views}
    held = [_held(bundle, file) for file in belonging.values()]
    is_index = _media_type(top) in INDEX_TYPES
    primary = _for_first(bundle.index.platforms, belonging.values()) if is_index else top
    return Image(
        names=names,
        top=_held(bundle, top),
        primary=None if primary is None else _held(bundle, primary),
        held={one.digest: one for one in held},
    )


def _for_first(platforms: Iterable[Platform], files: Iterable[IndexedFile]) -> IndexedFile | None:
    manifests = [file for file in files if _media_type(file) in MANIFEST_TYPES]
    found = (
        file for platform in platforms for file in manifests if any(own.matches(platform) for own in file.platforms)
    )
    return next(found, None)


def _held(bundle: ServedBundle, file: IndexedFile) -> Held:
    return Held(bundle, str(file.path), str(file.blob.digest), _media_type(file))


def _media_type(file: IndexedFile) -> str:
    told = file.about.get("media_type")
    return told if isinstance(told, str) else ""


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
