"""Where a locked repository goes in the bundle: packages, repodata, keys, client files. docs/design.md, 6."""

from __future__ import annotations

import io
from itertools import count
from typing import TYPE_CHECKING, BinaryIO

from bundler.errors import ErrorId, SourceError
from bundler.model.about import PackageAbout
from bundler.model.bundle_path import BundlePath
from bundler.model.client_config import KEY_PREFIX, SECTION, RepoSnippet, repo_files, section_name
from bundler.model.placement import Placement
from bundler.model.rpm.repo import RepoSpec
from bundler.rpm.metadata.package_reader import DamagedPackageError
from bundler.rpm.metadata.plain_file import open_plain
from bundler.rpm.metadata.repodata import RepoExtras, RepoPackage, write_repodata
from bundler.rpm.solve.repoclosure import unmet_dependencies
from bundler.rpm.solve.request import SolvableRepo
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bundler.model.rpm.artifact import RepoArtifact, RepoOrigin, RpmArtifact
    from bundler.store.interface import BlobStore


def repository_placements(
    repository: RepoArtifact, packages: Sequence[RpmArtifact], store: BlobStore, *, kind: str
) -> tuple[Placement, ...]:
    """Return everything that lies in the directory of one repository, and the list of what the target has already.

    Arguments:
        packages: those of this repository; the store has them.
        kind: the name of the kind that places them.

    Raises DamagedPackageError (the package has been dropped from the store), SourceError (SOURCE_INVALID,
    REPO_METADATA_INVALID: the packages alone cannot be installed), StorageError, ToolMissingError.
    """
    directory = repository.directory
    keys = key_files(repository.origins)
    snippet = RepoSnippet(
        id=section_name(directory),
        title=_title(repository),
        directory=str(directory),
        key_files=tuple(keys),
        unchecked=tuple(sorted(f"{rpm.nevra.name}.{rpm.nevra.arch}" for rpm in packages if not rpm.signed)),
    )
    generated = {**_repodata(repository, packages, store), **{name: key.encode() for name, key in keys.items()}}
    placements = [_package_placement(rpm, kind) for rpm in packages]
    placements += [
        Placement(
            BundlePath(f"{directory}/{name}"),
            content,
            kind,
            roles=repository.roles,
            platforms=repository.platforms,
        )
        for name, content in sorted({**generated, **repo_files(snippet)}.items())
    ]
    return tuple(placements)


def installed_placements(repositories: Iterable[RepoArtifact], *, kind: str) -> tuple[Placement, ...]:
    """Return the lists of what targets have already, each once: with them a bundle can be rebuilt from itself."""
    lists = {repository.installed_path: repository.installed for repository in repositories if repository.installed}
    return tuple(Placement(BundlePath(path), text.encode(), kind) for path, text in sorted(lists.items()))


def key_files(origins: Iterable[RepoOrigin]) -> Mapping[str, str]:
    """Return file name -> armored key, one key per file: RPM-GPG-KEY-ID, and RPM-GPG-KEY-ID-2 … for further ones."""
    files: dict[str, str] = {}
    taken: set[str] = set()
    for origin in origins:
        for key in origin.keys:
            # a repository may be called what another one's second key is, or differ from another by case only
            name = next(name for name in _key_names(origin.id) if BundlePath(name).collision_key not in taken)
            taken.add(BundlePath(name).collision_key)
            files[name] = key
    return files


def _key_names(repo_id: str) -> Iterator[str]:
    yield f"{KEY_PREFIX}{repo_id}"
    yield from (f"{KEY_PREFIX}{repo_id}-{number}" for number in count(2))


def _title(repository: RepoArtifact) -> str:
    parts = ("Bundled packages", f"for release {repository.release}," if repository.release else "for", repository.arch)
    return " ".join(parts)


def _repodata(repository: RepoArtifact, packages: Sequence[RpmArtifact], store: BlobStore) -> Mapping[str, bytes]:
    extras = RepoExtras(repository.comps.encode(), repository.modules.encode(), repository.updateinfo.encode())
    listed = [RepoPackage(store.path(rpm.content), rpm.file_name, rpm.content, rpm.date, rpm.nevra) for rpm in packages]
    try:
        written = write_repodata(listed, extras)
    except DamagedPackageError as error:
        store.drop(error.blob)
        raise
    # what else the target has is known by name only, so that nothing can be said where it has anything
    if packages and not repository.installed:
        _check_closed(repository, written, store.path(packages[0].content).parent)
    return written


def _check_closed(repository: RepoArtifact, written: Mapping[str, bytes], directory: Path) -> None:
    """Raise SourceError (REPO_METADATA_INVALID) when the packages need something that is not among them."""

    def opened(kind: str) -> BinaryIO:
        data = next(data for path, data in written.items() if path.endswith(f"-{kind}.xml.gz"))
        return open_plain(
            io.BytesIO(data),
            directory=directory,
            where=tr("{kind} of {directory}", kind=kind, directory=repository.directory),
        )

    spec = RepoSpec(SECTION, baseurls=(str(repository.directory),))
    found = unmet_dependencies(SolvableRepo(spec, opened), repository.arch)
    if found:
        raise SourceError(
            ErrorId.REPO_METADATA_INVALID,
            tr("the packages need what their repositories' metadata did not tell: {found}", found="; ".join(found)),
            where=str(repository.directory),
            remedy=tr("Lock again later or from another mirror; if it stays so, wish for what is missing by name."),
        )


def _package_placement(rpm: RpmArtifact, kind: str) -> Placement:
    about = PackageAbout(str(rpm.nevra), rpm.summary, rpm.repo, rpm.urls[0], rpm.held_to)
    return Placement(rpm.path, rpm.content, kind, mtime=rpm.date, roles=rpm.roles, platforms=rpm.platforms, about=about)
