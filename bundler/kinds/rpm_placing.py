"""Where a locked repository goes in the bundle: packages, repodata, keys, client files. Design section 6."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.bundle_path import BundlePath
from bundler.model.placement import Placement
from bundler.model.snippets import KEY_PREFIX, RepoSnippet, repo_files, section_name
from bundler.rpm.package_reader import DamagedPackageError
from bundler.rpm.repodata import RepoExtras, RepoPackage, write_repodata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bundler.model.json_value import Json
    from bundler.model.rpm_artifact import RepoArtifact, RepoOrigin, RpmArtifact
    from bundler.store.interface import BlobStore


def repository_placements(
    repository: RepoArtifact, packages: Sequence[RpmArtifact], store: BlobStore, *, kind: str
) -> tuple[Placement, ...]:
    """Return everything that lies in the directory of one repository, and the list of what the target has already.

    Arguments:
        packages: those of this repository; the store has them.
        kind: the name of the kind that places them.

    Raises DamagedPackageError (the package has been dropped from the store), SourceError, ToolMissingError.
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
    return {
        f"{KEY_PREFIX}{origin.id}{f'-{number}' if number > 1 else ''}": key
        for origin in origins
        for number, key in enumerate(origin.keys, 1)
    }


def _title(repository: RepoArtifact) -> str:
    parts = ("Bundled packages", f"for release {repository.release}," if repository.release else "for", repository.arch)
    return " ".join(parts)


def _repodata(repository: RepoArtifact, packages: Sequence[RpmArtifact], store: BlobStore) -> Mapping[str, bytes]:
    extras = RepoExtras(repository.comps.encode(), repository.modules.encode(), repository.updateinfo.encode())
    listed = [RepoPackage(store.path(rpm.content), rpm.file_name, rpm.content, rpm.date) for rpm in packages]
    try:
        return write_repodata(listed, extras)
    except DamagedPackageError as error:
        store.drop(error.blob)
        raise


def _package_placement(rpm: RpmArtifact, kind: str) -> Placement:
    about: dict[str, Json] = {
        "nevra": str(rpm.nevra),
        "summary": rpm.summary,
        "repo": rpm.repo,
        "url": rpm.urls[0],
        "held_to": rpm.held_to.encode(),
    }
    return Placement(rpm.path, rpm.content, kind, mtime=rpm.date, roles=rpm.roles, platforms=rpm.platforms, about=about)
