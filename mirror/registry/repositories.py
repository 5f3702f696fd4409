"""All names under which images are given out, looked up in constant time; made once for each snapshot of a site.

A repository is known by what `push` would make of it (docs/design.md, 9), by its original name with the source host in
front, and by its last segment alone. Of several bundles the current one goes first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.model.image.site_name import site_repository
from mirror.registry.served_images import images_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bundler.model.reference import Reference
    from mirror.registry.served_images import ServedBlob, ServedImage
    from mirror.tree.served_bundle import ServedBundle
    from mirror.tree.site import Site


@dataclass(frozen=True, slots=True)
class ServedRepository:
    """What one name before the colon stands for.

    Arguments:
        tags: tag -> image, in the order of listings.
        blobs: digest -> blob, of all its images and of no other.
    """

    tags: Mapping[str, ServedImage]
    blobs: Mapping[str, ServedBlob]


@dataclass(frozen=True, slots=True)
class RepositoryIndex:
    """Every repository of a site, by all of its names.

    Arguments:
        site_names: `project/repository`, and what the catalog lists, in its order.
        originals: `host/path`.
        last_segments: `repository`.
        warnings: a line for every name that means several images.
    """

    site_names: Mapping[str, ServedRepository]
    originals: Mapping[str, ServedRepository]
    last_segments: Mapping[str, ServedRepository]
    warnings: tuple[str, ...]

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


@dataclass(slots=True)
class _Draft:
    """A repository in the making; a tag with None means several images of one bundle, and so none."""

    tags: dict[str, ServedImage | None] = field(default_factory=dict)
    # by identity; a dict, for the order and because a repository may have ten thousands of them
    images: dict[ServedImage, None] = field(default_factory=dict)


class _NameTable:
    """Repositories under one kind of name."""

    def __init__(self, name_of: Callable[[Reference], str], warnings: list[str] | None) -> None:
        self._name_of = name_of
        self._warnings = warnings
        self._drafts: dict[str, _Draft] = {}

    def add(self, bundle: ServedBundle, images: Sequence[ServedImage]) -> None:
        """Add the images of a bundle behind those that are there."""
        claims: dict[tuple[str, str], dict[str, ServedImage]] = {}
        for image in images:
            for name in image.names:
                repository = self._name_of(name)
                draft = self._drafts.setdefault(repository, _Draft())
                draft.images[image] = None
                if name.tag:
                    claims.setdefault((repository, name.tag), {})[image.top.digest] = image
        for (repository, tag), claimed in claims.items():
            self._settle(bundle, f"{repository}:{tag}", self._drafts[repository].tags, tag, list(claimed.values()))

    def _settle(
        self, bundle: ServedBundle, name: str, tags: dict[str, ServedImage | None], tag: str, claimed: list[ServedImage]
    ) -> None:
        if tag not in tags:
            tags[tag] = claimed[0] if len(claimed) == 1 else None
            if len(claimed) > 1:
                self._warn(f"{name} would be {len(claimed)} images of bundle {bundle.short_id}: none of them is given")
            return
        first = tags[tag]
        if first is not None and any(image.top.digest != first.top.digest for image in claimed):
            before = first.top.bundle.short_id
            self._warn(f"{name} is one image in bundle {before} and another in {bundle.short_id}: {before} has its way")

    def _warn(self, line: str) -> None:
        if self._warnings is not None:
            self._warnings.append(line)

    def repositories(self, contents: dict[tuple[int, ...], Mapping[str, ServedBlob]]) -> dict[str, ServedRepository]:
        """Return the finished ones, sorted; those of the same images share what they hold through `contents`."""
        finished: dict[str, ServedRepository] = {}
        for name, draft in sorted(self._drafts.items()):
            key = tuple(id(image) for image in draft.images)
            if key not in contents:
                contents[key] = _merged(tuple(draft.images))
            known = {tag: image for tag, image in draft.tags.items() if image is not None}
            finished[name] = ServedRepository(
                dict(sorted(known.items(), key=lambda item: tag_order(item[0]))), contents[key]
            )
        return finished


def tag_order(tag: str) -> tuple[str, str]:
    """Return what tags are sorted by: without regard to case (distribution spec 1.1, "Listing Tags")."""
    return tag.lower(), tag


def repository_index(site: Site) -> RepositoryIndex:
    """Return the names of everything that a site's bundles hold."""
    warnings: list[str] = []
    site_names = _NameTable(site_repository, warnings)
    originals = _NameTable(lambda name: name.name, None)
    last_segments = _NameTable(lambda name: name.path.rpartition("/")[2], None)
    current = [] if site.current is None else [site.current]
    for bundle in (*current, *(other for other in site.bundles if other is not site.current)):
        images = tuple(images_of(bundle))
        for table in (site_names, originals, last_segments):
            table.add(bundle, images)
    contents: dict[tuple[int, ...], Mapping[str, ServedBlob]] = {}
    return RepositoryIndex(
        site_names.repositories(contents),
        originals.repositories(contents),
        last_segments.repositories(contents),
        tuple(warnings),
    )


def _merged(images: Sequence[ServedImage]) -> Mapping[str, ServedBlob]:
    if len(images) == 1:
        return images[0].blobs
    merged: dict[str, ServedBlob] = {}
    for image in images:
        for digest, blob in image.blobs.items():
            merged.setdefault(digest, blob)
    return merged
