"""The names that this mirror's registry really gives an image out by, whatever other bundles call theirs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.image.site_name import site_name, site_repository
from bundler.model.reference import Reference
from mirror.client.pull_snippets import GivenName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mirror.registry.repositories import RepositoryIndex, ServedRepository


def given_names(index: RepositoryIndex, names: Iterable[str], digest: str) -> tuple[GivenName, ...]:
    """Return those of an image's names that lead to it.

    Arguments:
        names: as the bundle has them, source hosts in front.
        digest: of its top document, as URLs have it.
    """
    return tuple(_given(index, names, digest))


def _given(index: RepositoryIndex, names: Iterable[str], digest: str) -> Iterator[GivenName]:
    for text in names:
        try:
            name = Reference.parse(text)
        except ValueError:
            # it was too long to be shown whole
            continue
        repository = site_repository(name)
        site = index.site_names.get(repository)
        by_original = _leads(index.originals.get(name.name), name, digest)
        if _leads(site, name, digest):
            yield GivenName(text, site_name(name), by_original)
        elif site is not None and digest in site.blobs:
            # the tag is another image's here
            yield GivenName(text, f"{repository}@{digest}", by_original)


def _leads(repository: ServedRepository | None, name: Reference, digest: str) -> bool:
    if repository is None:
        return False
    if not name.tag:
        return digest in repository.blobs
    image = repository.tags.get(name.tag)
    return image is not None and image.top.digest == digest
