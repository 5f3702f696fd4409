"""What a bundle has for clients, as far as it decides what they type: made of its index once, read in the packed site.

Owns what of thousands of files and images a person is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from bundler.model.about import FileAbout, PackageAbout
from bundler.model.bundle import LOCK_PATH, MANIFEST_PATH
from bundler.model.client_config import RepoSnippet
from bundler.model.image.blob_paths import IMAGE_DIRECTORY
from bundler.model.reference import Reference
from bundler.model.yum_repositories import repositories
from mirror.tree.bundle_rows import section

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bundler.model.bundle import BundleIndex, IndexedFile
    from bundler.model.image.bundled import BundleImage
    from mirror.tree.packed import PackedWriter
    from mirror.tree.served_bundle import ServedBundle
    from mirror.tree.site import Site
    from mirror.tree.site_packing import NumberedBundle

MAX_EXAMPLES = 3
_OWN = (MANIFEST_PATH, LOCK_PATH)
_SECTION = "offer"
# what edge.sh calls to join a site
_TOOL = "bin/bundler"
_LOADED_BY = frozenset({f"{IMAGE_DIRECTORY}/images.tsv", f"{IMAGE_DIRECTORY}/load.sh"})


@dataclass(frozen=True, slots=True)
class Offer:
    """What one bundle has.

    Arguments:
        bundle_id: in full.
        repositories: its yum repositories.
        images: the first names of its images, with tags, sorted; none where it has no images.
        upstreams: the registries that all of its images come from, sorted.
        loads_images: whether a script can fetch and load them without a registry.
        is_part: whether only a part of the bundle is here.
        example: path and SHA-256 in hex of a file that a person may well want, None where there is no plain file.
        joins_edges: whether it brings the tool that joins an edge to the site.
    """

    bundle_id: str
    repositories: tuple[RepoSnippet, ...]
    images: tuple[Reference, ...]
    upstreams: tuple[str, ...]
    loads_images: bool
    example: tuple[str, str] | None
    is_part: bool = False
    joins_edges: bool = False


class OfferPart:
    """The part of a packed site that `offer_in` reads."""

    def add(self, numbered: NumberedBundle, writer: PackedWriter) -> None:
        """Write what a bundle has for clients (`SitePart`)."""
        bundle = numbered.bundle
        offer = offer_of(bundle.id, bundle.index, numbered.images, bundle.left_out)
        writer.add_value(section(numbered.number, _SECTION), _encode(offer))

    def finish(self, _current: int | None, _writer: PackedWriter) -> Sequence[str]:
        """Write nothing more (`SitePart`)."""
        return ()


def offer_of(
    bundle_id: str, index: BundleIndex, images: Iterable[BundleImage], left_out: Sequence[IndexedFile] = ()
) -> Offer:
    """Return what the files of an index are for clients.

    Arguments:
        images: those that are whole.
        left_out: files that belong to the bundle, and not here.
    """
    names = {name for image in images for name in image.names if name.tag}
    example = _example(index.files)
    return Offer(
        bundle_id=bundle_id,
        repositories=repositories(index),
        images=tuple(nsmallest(MAX_EXAMPLES, names)),
        upstreams=tuple(sorted({name.host for name in names})),
        # the script loads all images or fails
        loads_images=sum(file.path in _LOADED_BY for file in index.files) == len(_LOADED_BY)
        and not any(file.path.startswith(f"{IMAGE_DIRECTORY}/") for file in left_out),
        example=None if example is None else (str(example.path), example.blob.digest.hex),
        is_part=bool(left_out),
        joins_edges=any(file.path == _TOOL for file in index.files),
    )


def offer_in(site: Site) -> Offer | None:
    """Return what the bundle at `/` has, None where there is no such bundle."""
    return None if site.current is None else _offer(site.current)


def _offer(bundle: ServedBundle) -> Offer:
    return _decode(bundle.packed.value(section(bundle.number, _SECTION)))


def _example(files: Iterable[IndexedFile]) -> IndexedFile | None:
    """Return a plain file rather than a package, an image's blob or our own lists."""
    plain = [file for file in files if file.path not in _OWN and not file.path.startswith(f"{IMAGE_DIRECTORY}/")]
    named = [file for file in plain if not isinstance(file.about, PackageAbout) and "/repodata/" not in file.path]
    fetched = [file for file in named if isinstance(file.about, FileAbout) and file.about.url]
    return next(iter([*fetched, *named, *plain]), None)


def _encode(offer: Offer) -> tuple[Any, ...]:
    repos = [(repo.id, repo.title, repo.directory, repo.key_files, repo.unchecked) for repo in offer.repositories]
    images = [str(name) for name in offer.images]
    flags = offer.loads_images, offer.is_part, offer.joins_edges
    return offer.bundle_id, repos, images, offer.upstreams, offer.example, flags


def _decode(value: tuple[Any, ...]) -> Offer:
    bundle_id, repos, images, upstreams, example, (loads_images, is_part, joins_edges) = value
    return Offer(
        bundle_id=bundle_id,
        repositories=tuple(RepoSnippet(*repo) for repo in repos),
        images=tuple(map(Reference.parse, images)),
        upstreams=upstreams,
        loads_images=loads_images,
        example=example,
        is_part=is_part,
        joins_edges=joins_edges,
    )
