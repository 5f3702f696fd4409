"""The yum repositories of a bundle, found in its index: what their .repo files have to say. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from bundler.model.about import PackageAbout
from bundler.model.client_config import KEY_PREFIX, RepoSnippet, section_name
from bundler.model.rpm.artifact import UNCHECKED_SUFFIX
from bundler.model.rpm.nevra import Nevra

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bundler.model.bundle import BundleIndex, IndexedFile

METADATA = "/repodata/repomd.xml"


def repositories(index: BundleIndex) -> tuple[RepoSnippet, ...]:
    """Return every directory of the bundle that holds repodata, sorted; its path percent-encoded, as URLs want it."""
    inside: dict[str, list[IndexedFile]] = {
        str(file.path).removesuffix(METADATA): [] for file in index.files if file.path.endswith(METADATA)
    }
    for file in index.files:
        if (files := inside.get(file.path.rpartition("/")[0])) is not None:
            files.append(file)
    return tuple(_repository(index, directory, inside[directory]) for directory in sorted(inside))


def _repository(index: BundleIndex, directory: str, inside: list[IndexedFile]) -> RepoSnippet:
    names = (file.path.rpartition("/")[2] for file in inside)
    return RepoSnippet(
        id=section_name(directory),
        title=f"{index.name} {index.release}".rstrip() + f", {directory}",
        directory=quote(directory),
        key_files=tuple(quote(name) for name in names if name.startswith(KEY_PREFIX)),
        unchecked=tuple(sorted(set(_unchecked(inside)))),
    )


def _unchecked(files: Iterable[IndexedFile]) -> Iterable[str]:
    """Yield NAME.ARCH of the packages that the index says nobody has checked; one it says nothing of counts as checked.

    A package wrongly taken for checked is refused by the client; one wrongly taken for unchecked would not be.
    """
    for file in files:
        about = file.about
        if isinstance(about, PackageAbout) and about.held_to and about.held_to.detail.endswith(UNCHECKED_SUFFIX):
            try:
                nevra = Nevra.parse(about.nevra)
            except ValueError:
                continue
            yield f"{nevra.name}.{nevra.arch}"
