"""Do the pins of an entry of `rpms:` answer it? Decides from the two alone, before anything is fetched.

Which packages the solver chose beside those that the manifest names, and from where in a repository they come, is the
lock's word; docs/formats.md, "Lock", says what is believed.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bundler.errors import SourceError
from bundler.kinds.differences import differences
from bundler.model.rpm.artifact import UNCHECKED_SUFFIX, RepoArtifact, RpmArtifact
from bundler.rpm.signing.keys import read_keys
from bundler.rpm.solve.arches import installable_arches
from bundler.rpm.solve.nevra_forms import has_name_forms, unanswered_names
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.kinds.rpms.entry import RpmEntry
    from bundler.model.platform import Platform
    from bundler.model.rpm.artifact import RepoOrigin
    from bundler.model.rpm.nevra import Nevra
    from bundler.model.rpm.repo import RepoSpec


def answered_otherwise(entry: RpmEntry, packages: Sequence[Nevra]) -> tuple[str, ...]:
    """Return the package specs of an entry that may be names, and that no package answers by its name, sorted."""
    at_hand = [*packages, *(entry.installed.packages if entry.installed else ())]
    return unanswered_names(sorted({spec.text for spec in entry.packages if has_name_forms(spec.text)}), at_hand)


def rpm_disagreements(
    entry: RpmEntry, pinned: Sequence[RpmArtifact | RepoArtifact], platforms: Sequence[Platform]
) -> Iterator[str]:
    """Yield, a line each, how packages are not what an entry asks for; arguments as for `Kind.disagreements`."""
    packages = [artifact for artifact in pinned if isinstance(artifact, RpmArtifact)]
    repositories = [artifact for artifact in pinned if isinstance(artifact, RepoArtifact)]
    if platforms and not any(map(entry.platform.matches, platforms)):
        if pinned:
            yield tr("{count} artifacts are pinned, and none of them is for the lock's platforms", count=len(pinned))
        return
    if not packages and not (entry.installed and repositories):
        yield tr("no package is pinned")
    if len(repositories) != 1:
        yield tr("{count} artifacts of type repository are pinned, and there has to be one", count=len(repositories))
    repos = {repo.id: repo for repo in entry.repos}
    for rpm in packages:
        yield from (f"{rpm.nevra} {line}" for line in _package_lines(rpm, entry, repos))
    names = Counter((rpm.nevra.name, rpm.nevra.arch, rpm.nevra.version, rpm.nevra.release) for rpm in packages)
    yield from (
        tr("{name} is pinned {count} times", name="-".join(name), count=count)
        for name, count in names.items()
        if count > 1
    )
    for repository in repositories:
        yield from _repository_lines(repository, entry, packages)
        yield from _origin_lines(repository.origins, repos, packages)


def _package_lines(rpm: RpmArtifact, entry: RpmEntry, repos: dict[str, RepoSpec]) -> Iterator[str]:
    yield from differences(
        [
            ("directory", entry.path, rpm.directory),
            ("platform", entry.platform, rpm.platform),
            ("roles", entry.roles, rpm.roles),
        ]
    )
    if rpm.nevra.arch not in installable_arches(entry.arch, multilib=entry.multilib):
        yield tr("is for {arch}, and the entry is for {entry_arch}", arch=rpm.nevra.arch, entry_arch=entry.arch)
    repo = repos.get(rpm.repo)
    if repo is None:
        yield tr("is of the repository {repo}, which the entry does not have", repo=rpm.repo)
        return
    if rpm.signed != repo.gpgcheck:
        yield tr(
            "has signed {signed}, and {id} has gpgcheck {gpgcheck}",
            signed=str(rpm.signed).lower(),
            id=repo.id,
            gpgcheck=str(repo.gpgcheck).lower(),
        )
    unchecked = rpm.held_to.detail.endswith(UNCHECKED_SUFFIX)
    by_signature = rpm.held_to.by == "signature"
    if unchecked == repo.gpgcheck or (repo.gpgcheck and not by_signature):
        yield tr(
            "is held to {held_to}, and {id} has gpgcheck {gpgcheck}",
            held_to=rpm.held_to,
            id=repo.id,
            gpgcheck=str(repo.gpgcheck).lower(),
        )


def _repository_lines(repository: RepoArtifact, entry: RpmEntry, packages: Sequence[RpmArtifact]) -> Iterator[str]:
    installed = entry.installed
    yield from differences(
        [
            ("directory", entry.path, repository.directory),
            ("release", entry.release, repository.release),
            ("arch", entry.arch, repository.arch),
            ("platform", entry.platform, repository.platform),
            ("roles", entry.roles, repository.roles),
            ("installed_path", str(installed.path) if installed else "", repository.installed_path),
        ]
    )
    if (installed.text if installed else "") != repository.installed:
        yield tr(
            "has another text of {installed_path} than lies there",
            installed_path=repository.installed_path or tr("a list of what is installed"),
        )
    unanswered = answered_otherwise(entry, [rpm.nevra for rpm in packages])
    for text in unanswered:
        if text not in repository.otherwise:
            yield tr("no package is pinned for {text}", text=text)
    if not set(repository.otherwise) < set(unanswered):
        yield from differences([("otherwise", unanswered, repository.otherwise)])


def _origin_lines(
    origins: Sequence[RepoOrigin], repos: dict[str, RepoSpec], packages: Sequence[RpmArtifact]
) -> Iterator[str]:
    used = tuple(sorted({rpm.repo for rpm in packages}))
    yield from differences([("origins", used, tuple(origin.id for origin in origins))])
    for origin in origins:
        if (repo := repos.get(origin.id)) is None:
            continue
        compared = [("urls", repo.addresses, origin.urls), ("gpgcheck", repo.gpgcheck, origin.gpgcheck)]
        yield from (tr("the origin {id} {line}", id=origin.id, line=line) for line in differences(compared))
        signed_by = {rpm.held_to.detail for rpm in packages if rpm.repo == origin.id and rpm.signed}
        yield from (tr("the origin {id} {line}", id=origin.id, line=line) for line in _key_lines(origin, signed_by))


def _key_lines(origin: RepoOrigin, signed_by: set[str]) -> Iterator[str]:
    """Yield what is wrong with the keys that the site would trust: each has signed packages, and all are signed."""
    missing = set(signed_by)
    for armored in origin.keys:
        try:
            found = read_keys(armored.encode(), origin.id)
        except SourceError as error:
            yield tr("has a key that cannot be read: {what}", what=error.what)
            continue
        ids = {part.key_id for key in found for part in key.parts}
        # vendors publish one key several times, as its expiry moves: copies are kept
        if ids.isdisjoint(signed_by):
            yield tr("has the key {found}, which has signed no package", found=", ".join(map(str, found)))
        if [key.armored.decode() for key in found] != [armored]:
            yield tr("has the key {found} in another form than it is locked in", found=", ".join(map(str, found)))
        missing -= ids
    if missing:
        yield tr("has no key {missing}, which has signed packages", missing=", ".join(sorted(missing)))
