"""All names under which images are given out, looked up in the packed site: a worker's own memory has none.

A repository is known by what `push` would make of it (docs/design.md, 9), by its original name with the source host in
front, and by its last segment alone. Of several bundles the current one goes first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bundler.model.image.bundled import DOCUMENT_TYPES
from mirror.registry.image_rows import CONTENTS, IMAGE_NUMBERS, NO_NUMBER, REPOSITORY_NUMBERS, TABLES, blob_key
from mirror.tree.lazy import Lazy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mirror.tree.packed import Packed
    from mirror.tree.served import File
    from mirror.tree.served_bundle import ServedBundle
    from mirror.tree.site import Site


class ServedBlob(NamedTuple):
    """A blob of a bundle.

    Arguments:
        digest: `sha256:HEX`, as URLs have it.
        file: as it is known now.
    """

    bundle: ServedBundle
    digest: str
    file: File

    @property
    def media_type(self) -> str:
        """What a document's images call it; of no use for what is no document."""
        return self.file.media_type

    @property
    def is_document(self) -> bool:
        """Whether it is an index or a manifest, and no layer or config."""
        return self.file.media_type in DOCUMENT_TYPES


class ServedImage(NamedTuple):
    """One image of a bundle.

    Arguments:
        top: its index, or the manifest of an image that has none: what the lock's digest is of.
        primary: the manifest for whoever takes no index: that of the first of the bundle's platforms that it has.
    """

    top: ServedBlob
    primary: ServedBlob | None


@dataclass(frozen=True, slots=True)
class ServedRepository:
    """What one name before the colon stands for.

    Arguments:
        tags: tag -> image, in the order of listings.
        tag_names: the same tags, so that a part of a long list can be had.
        blobs: digest -> blob, of all its images and of no other.
    """

    tags: Mapping[str, ServedImage]
    tag_names: Sequence[str]
    blobs: Mapping[str, ServedBlob]


@dataclass(frozen=True, slots=True)
class RepositoryIndex:
    """Every repository of a site, by all of its names.

    Arguments:
        catalog: the names that are listed, sorted: those of `site_names`.
        site_names: `project/repository`.
        originals: `host/path`.
        last_segments: `repository`.
    """

    catalog: Sequence[str]
    site_names: Mapping[str, ServedRepository]
    originals: Mapping[str, ServedRepository]
    last_segments: Mapping[str, ServedRepository]

    def find(self, name: str, namespace: str, own_host: str) -> ServedRepository | None:
        """Return a repository, or None.

        Arguments:
            name: as it stands in the URL.
            namespace: the registry that containerd asks this one for (`?ns=`), "" for none.
            own_host: the name by which the client calls this mirror, without a port.

        A request for a namespace never gets an image of another registry; the site's own names are looked up only
        without a namespace, or where it is this host.
        """
        if namespace:
            found = self.originals.get(f"{namespace}/{name}")
            # an IPv6 address has brackets here, and colons of its own
            host = namespace[1:].partition("]")[0] if namespace.startswith("[") else namespace.partition(":")[0]
            if found is not None or host.lower() != own_host.lower():
                return found
        return self.site_names.get(name) or self.originals.get(name) or self.last_segments.get(name)


def repository_index(site: Site) -> RepositoryIndex:
    """Return the names of everything that a site's bundles hold; none where they were not packed."""
    packed = site.packed
    if packed is None or CONTENTS not in packed:
        return RepositoryIndex((), {}, {}, {})
    images = _PackedImages(site)
    site_names, originals, last_segments = (_Repositories(images, packed, table) for table in TABLES)
    return RepositoryIndex(site_names.names, site_names, originals, last_segments)


def tag_order(tag: str) -> tuple[str, str]:
    """Return what tags are sorted by: without regard to case (distribution spec 1.1, "Listing Tags")."""
    return tag.lower(), tag


class _PackedImages:
    """The images of all bundles by their numbers, and what belongs to some of them together."""

    def __init__(self, site: Site) -> None:
        assert site.packed is not None  # noqa: S101 - asked before
        self._bundles = site.bundles
        self._images = site.packed.numbers("registry/images")
        self._keys = site.packed.rows(CONTENTS)
        self._places = site.packed.numbers("registry/places")

    def image(self, number: int) -> ServedImage:
        """Return an image."""
        bundle, top, primary = self._images[number * IMAGE_NUMBERS : (number + 1) * IMAGE_NUMBERS]
        document = self._blob(bundle, top)
        if primary == top:
            return ServedImage(document, document)
        return ServedImage(document, None if primary == NO_NUMBER else self._blob(bundle, primary))

    def blob(self, contents: int, digest: str) -> ServedBlob | None:
        """Return one of the blobs that belong together."""
        key = blob_key(contents, digest)
        place = None if key is None else self._keys.find(key)
        return None if place is None else self._blob(self._places[2 * place], self._places[2 * place + 1])

    def digests(self, contents: int) -> Iterator[str]:
        """Yield the digests of what belongs together, sorted."""
        prefix = contents.to_bytes(4, "big")
        after = (contents + 1).to_bytes(4, "big")
        for place in self._keys.beginning_with(prefix, after):
            yield f"sha256:{self._keys[place][len(prefix) :].hex()}"

    def _blob(self, bundle: int, number: int) -> ServedBlob:
        file = self._bundles[bundle].file(number)
        return ServedBlob(self._bundles[bundle], f"sha256:{file.etag[1:-1]}", file)


class _Repositories(Mapping[str, ServedRepository]):
    """The repositories under one kind of name."""

    def __init__(self, images: _PackedImages, packed: Packed, table: str) -> None:
        self._images = images
        self._names = packed.rows(f"registry/{table}")
        self._numbers = packed.numbers(f"registry/{table} repositories")
        self._tags = packed.rows(f"registry/{table} tags")
        self._tagged = packed.numbers(f"registry/{table} tagged")
        self.names: Sequence[str] = Lazy(range(len(self._names)), lambda place: self._names[place].decode())

    def __getitem__(self, name: str) -> ServedRepository:
        place = self._names.find(name.encode("utf-8", "surrogatepass"))
        if place is None:
            raise KeyError(name)
        first = place * REPOSITORY_NUMBERS
        contents, begin, end = self._numbers[first : first + REPOSITORY_NUMBERS]
        tags = _Tags(self._images, self._tags, self._tagged, range(begin, end))
        return ServedRepository(tags, tags.names, _RepositoryBlobs(self._images, contents))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self._names)


class _Tags(Mapping[str, "ServedImage"]):
    """The tags of one repository: some rows of those of all repositories."""

    def __init__(self, images: _PackedImages, rows: Sequence[bytes], tagged: memoryview, places: range) -> None:
        self._images = images
        self._rows = rows
        self._tagged = tagged
        self._places = places
        self.names: Sequence[str] = Lazy(places, lambda place: rows[place].decode())

    def __getitem__(self, tag: str) -> ServedImage:
        first, last = self._places.start, self._places.stop
        place = bisect_left(self._rows, tag_order(tag), first, last, key=lambda row: tag_order(row.decode()))
        if place == last or self._rows[place] != tag.encode("utf-8", "surrogatepass"):
            raise KeyError(tag)
        return self._images.image(self._tagged[place])

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self._places)


class _RepositoryBlobs(Mapping[str, ServedBlob]):
    """The blobs of one repository."""

    def __init__(self, images: _PackedImages, contents: int) -> None:
        self._images = images
        self._contents = contents

    def __getitem__(self, digest: str) -> ServedBlob:
        blob = self._images.blob(self._contents, digest)
        if blob is None:
            raise KeyError(digest)
        return blob

    def __iter__(self) -> Iterator[str]:
        return self._images.digests(self._contents)

    def __len__(self) -> int:
        return sum(1 for _ in self)
