"""Pins what an entry of `rpms:` asks for: metadata, closure, packages, and who vouches for each of them.

Owns the order of trust: a package's own signature, else (with `gpgcheck: false`) the checksum in the metadata. What is
solved is decided by `bundler.rpm.solve.solving`, what a signature is worth by `bundler.rpm.signing.checking`.
docs/design.md, 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from bundler.errors import ErrorId, IntegrityError
from bundler.kinds.error_naming import naming
from bundler.kinds.rpms.disagreements import answered_otherwise
from bundler.kinds.rpms.fetching import bring_package
from bundler.kinds.rpms.metadata import load_repo, record_opener
from bundler.kinds.rpms.repo_extras import selected_texts
from bundler.manifest.yaml_documents import read_documents
from bundler.model.artifact import HeldTo
from bundler.model.rpm.artifact import UNCHECKED_SUFFIX, RepoArtifact, RepoOrigin, RpmArtifact
from bundler.model.source_url import absolute_url
from bundler.rpm.metadata.repomd import ADVISORY_KINDS, GROUP, resource_urls
from bundler.rpm.metadata.xml_document import invalid_metadata
from bundler.rpm.signing.checking import check_detached, check_package, package_summary
from bundler.rpm.signing.keys import MAX_KEYS_BYTES, old_rpm_fault, read_keys
from bundler.rpm.solve.request import SolvableRepo, SolveRequest
from bundler.rpm.solve.solving import solve
from bundler.threads import attempt_each
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bundler.kinds.base import Sources
    from bundler.kinds.rpms.entry import RpmEntry
    from bundler.kinds.rpms.metadata import RepoMetadata
    from bundler.model.progress import Task
    from bundler.model.rpm.nevra import Nevra
    from bundler.model.rpm.repo import RepoSpec
    from bundler.rpm.signing.keys import PublicKey
    from bundler.rpm.solve.request import ChosenRpm

# at once, within one entry: a repository's packages are many and small
DOWNLOADS = 4
# of a mirror list with all mirrors of the world the lock names only the first
MAX_LOCKED_URLS = 3
LOCAL_ROOT = "file:///"


@dataclass(frozen=True, slots=True)
class OpenedRepo:
    """An upstream repository whose metadata and keys are at hand."""

    metadata: RepoMetadata
    keys: tuple[PublicKey, ...]

    @property
    def spec(self) -> RepoSpec:
        """As the manifest has it."""
        return self.metadata.spec

    def urls(self, href: str, earlier: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the canonical places of a package; a path relative to the manifest stays one.

        Arguments:
            earlier: those of the lock before, kept when they are still on the mirror list, whose order changes daily.
        """
        bases = self.spec.baseurls or self.metadata.bases
        places = dict.fromkeys(place for base in bases for place in _places(base, href))
        if earlier and not self.spec.baseurls and places.keys() >= set(earlier):
            return tuple(earlier)
        return tuple(places)[:MAX_LOCKED_URLS]


def _places(base: str, href: str) -> tuple[str, ...]:
    if "://" in base or base.startswith("file:"):
        return resource_urls(base, href)
    if "://" in href:
        # a whole URL stands on its own; it may lead to this machine's files, as the repository itself does
        return resource_urls(LOCAL_ROOT, href)
    return f"{base.rstrip('/')}/{href}", f"{base.rstrip('/')}/{unquote(href)}"


@dataclass(frozen=True, slots=True)
class Closure:
    """What an entry comes to: the packages, and the repositories by id."""

    packages: tuple[ChosenRpm, ...]
    repos: Mapping[str, OpenedRepo]


def find_closure(
    entry: RpmEntry,
    sources: Sources,
    task: Task,
    *,
    kept: Sequence[RpmArtifact] = (),
    moved: Sequence[RpmArtifact] = (),
) -> Closure:
    """Load the metadata of an entry's repositories and choose the packages; moves no package.

    Arguments:
        kept: earlier pins, to which the closure sticks where it can.
        moved: earlier pins of packages that are wanted as new as they come.

    Raises SourceError, IntegrityError (metadata), ManifestError (RPM_UNSATISFIABLE and others of `solve`), all of them
    naming the line of the manifest.
    """
    # groups that nobody wishes for choose no package
    optional = ADVISORY_KINDS if any(spec.text.startswith("@") for spec in entry.packages) else ADVISORY_KINDS | {GROUP}
    with naming(tr("wanted at {position}", position=entry.position)):
        repos = {spec.id: _open(spec, optional, sources, task) for spec in entry.repos}
    request = SolveRequest(
        arch=entry.arch,
        packages=entry.packages,
        installed=entry.installed.packages if entry.installed else None,
        weak_dependencies=entry.weak_dependencies,
        multilib=entry.multilib,
        favored=tuple(rpm.nevra for rpm in kept),
        favored_names=tuple(rpm.nevra.name for rpm in moved),
    )
    solvable = [
        SolvableRepo(repo.spec, record_opener(repo.metadata, sources, task), str(entry.position))
        for repo in repos.values()
    ]
    with naming(tr("wanted at {position}", position=entry.position)):
        solution = solve(solvable, request, read_documents=read_documents)
        forgeable = [note for repo in repos.values() if (note := _forgeable(repo, solution.packages))]
    for note in (*solution.notes, *forgeable):
        task.note(note)
    return Closure(solution.packages, repos)


def _forgeable(repo: OpenedRepo, packages: Sequence[ChosenRpm]) -> str:
    """Return the note for a repository that knows its files by checksums that can be forged, "" for any other.

    Raises SourceError (REPO_METADATA_INVALID) where nothing else vouches for its packages.
    """
    spec, weak = repo.spec, [rpm for rpm in packages if rpm.repo_id == repo.spec.id and rpm.checksum.is_weak]
    if weak and not spec.gpgcheck:
        raise invalid_metadata(
            tr(
                "knows {nevra} by its {algorithm} alone, which can be forged, and with "
                "'gpgcheck: false' nothing else vouches for it",
                nevra=weak[0].nevra,
                algorithm=weak[0].checksum.algorithm,
            ),
            tr("repository {id}", id=spec.id),
        )
    if weak or any(record.digest.is_weak for record in repo.metadata.index.records.values()):
        return tr(
            "repository {id} knows its files by sha1, which can be forged; its packages' signatures vouch", id=spec.id
        )
    return ""


def _open(spec: RepoSpec, optional: frozenset[str], sources: Sources, task: Task) -> OpenedRepo:
    keys: list[PublicKey] = []
    for url in spec.gpgkeys:
        place = absolute_url(url, sources.base_directory)
        with naming(tr("gpgkey of repository {id}", id=spec.id)):
            document = sources.downloader.read(place, max_bytes=MAX_KEYS_BYTES)
        keys += read_keys(document.data, tr("{url} (gpgkey of repository {id})", url=url, id=spec.id))

    def check(data: bytes, signature: bytes, where: str) -> str:
        return check_detached(data, signature, keys, where=where)

    return OpenedRepo(load_repo(spec, sources, task, check=check, optional=optional), tuple(keys))


def pin_rpms(
    entry: RpmEntry,
    sources: Sources,
    task: Task,
    *,
    kept: Sequence[RpmArtifact] = (),
    moved: Sequence[RpmArtifact] = (),
) -> tuple[RpmArtifact | RepoArtifact, ...]:
    """Choose the packages, bring them into the store, authenticate them; the repository's own artifact comes first.

    Arguments:
        kept, moved: see `find_closure`. Signatures of kept packages are checked again, since the keys may be others
            now; those that are in the store are not fetched again.

    Raises as `find_closure`; SourceError, StorageError, IntegrityError (RPM_UNSIGNED, RPM_KEY_UNKNOWN,
    RPM_SIGNATURE_BAD, CHECKSUM_MISMATCH) naming manifest line, repository and package.
    """
    closure = find_closure(entry, sources, task, kept=kept, moved=moved)
    known = {(rpm.nevra, rpm.checksum): rpm for rpm in (*kept, *moved)}

    def pin(index: int, _over: Callable[[], bool]) -> tuple[RpmArtifact, str]:
        rpm = closure.packages[index]
        earlier = known.get((rpm.nevra, rpm.checksum))
        return _pin(rpm, earlier, closure.repos[rpm.repo_id], entry, sources, task)

    results = attempt_each(len(closure.packages), pin, threads=DOWNLOADS).results
    pinned = [results[index] for index in range(len(closure.packages))]
    for note in unchecked_on_site(entry, closure.repos, [rpm for rpm, _ in pinned]):
        task.note(note)
    return (_repository(entry, closure, [used for _, used in pinned], sources, task), *(rpm for rpm, _ in pinned))


def unchecked_on_site(entry: RpmEntry, repos: Mapping[str, OpenedRepo], pinned: Sequence[RpmArtifact]) -> list[str]:
    """Return a note for each repository whose packages EL7's rpm cannot check although they are signed."""
    if entry.release.partition(".")[0] != "7":
        return []
    found: dict[tuple[str, str], list[RpmArtifact]] = {}
    for rpm in pinned:
        if rpm.signed and (fault := old_rpm_fault(rpm.held_to.detail, repos[rpm.repo].keys)):
            found.setdefault((rpm.repo, fault), []).append(rpm)
    return [
        tr(
            "rpm 4.11 of release {release} cannot check the signatures of {count} packages of repository "
            "{repo}, such as {nevra}: {fault}",
            release=entry.release,
            count=len(rpms),
            repo=repo,
            nevra=rpms[0].nevra,
            fault=fault,
        )
        for (repo, fault), rpms in sorted(found.items())
    ]


def _pin(
    chosen: ChosenRpm, earlier: RpmArtifact | None, repo: OpenedRepo, entry: RpmEntry, sources: Sources, task: Task
) -> tuple[RpmArtifact, str]:
    """Return the pinned package, and the fingerprint of the key that vouches for it ("" for none).

    Arguments:
        earlier: what an earlier lock pinned the very same package to.
    """
    where = tr(
        "{position}: {nevra} of repository {repo_id}",
        position=entry.position,
        nevra=chosen.nevra,
        repo_id=chosen.repo_id,
    )
    urls = repo.urls(chosen.href, earlier.urls if earlier else ())
    if earlier and sources.store.has(earlier.content):
        content, via = earlier.content, earlier.held_to.via
    else:
        content, via = bring_package(urls, chosen.checksum, chosen.blob_size, sources, task, where=where)
    path = sources.store.path(content)
    try:
        if repo.spec.gpgcheck:
            signed = check_package(path, repo.keys, where=where)
            found, fingerprint, held_to = signed.about, signed.fingerprint, HeldTo("signature", signed.key_id, via)
        else:
            found, fingerprint, held_to = package_summary(path, where=where), "", _unchecked(repo, via)
        if found.nevra != chosen.nevra:
            raise _misnamed(where, chosen.nevra, found.nevra)
    except IntegrityError:
        # nobody vouches for these bytes: nothing may find them in the store
        sources.store.drop(content)
        raise
    pinned = RpmArtifact(
        directory=entry.path,
        nevra=chosen.nevra,
        repo=chosen.repo_id,
        urls=urls,
        content=content,
        # what can be forged stands in no lock
        checksum=content.digest if chosen.checksum.is_weak else chosen.checksum,
        held_to=held_to,
        signed=repo.spec.gpgcheck,
        # the header's own: the metadata's is nobody's word, and the newest date is that of all generated files
        date=found.build_time,
        summary=chosen.summary,
        platform=entry.platform,
        roles=entry.roles,
    )
    return pinned, fingerprint


def _unchecked(repo: OpenedRepo, via: str) -> HeldTo:
    if repo.metadata.signed_by:
        return HeldTo(
            "signature", f"{repo.metadata.signed_by} of the metadata of {repo.spec.id}{UNCHECKED_SUFFIX}", via
        )
    return HeldTo("published-checksum", f"metadata of {repo.spec.id}{UNCHECKED_SUFFIX}", via)


def _misnamed(where: str, want: Nevra, got: Nevra) -> IntegrityError:
    return IntegrityError(
        ErrorId.RPM_DAMAGED,
        tr("the package is another one than the repository's metadata say"),
        where=where,
        remedy=tr("Tell the repository's owner; name another mirror, or exclude the package."),
        want=str(want),
        got=str(got),
    )


def _repository(
    entry: RpmEntry, closure: Closure, fingerprints: Sequence[str], sources: Sources, task: Task
) -> RepoArtifact:
    used = {rpm.repo_id for rpm in closure.packages}
    repos = [repo for repo_id, repo in sorted(closure.repos.items()) if repo_id in used]
    texts = selected_texts([repo.metadata for repo in repos], closure.packages, sources, task)
    return RepoArtifact(
        directory=entry.path,
        release=entry.release,
        arch=entry.arch,
        platform=entry.platform,
        origins=tuple(_origin(repo, frozenset(fingerprints)) for repo in repos),
        comps=texts.comps,
        modules=texts.modules,
        updateinfo=texts.updateinfo,
        installed_path=str(entry.installed.path) if entry.installed else "",
        installed=entry.installed.text if entry.installed else "",
        otherwise=answered_otherwise(entry, [rpm.nevra for rpm in closure.packages]),
        roles=entry.roles,
    )


def _origin(repo: OpenedRepo, fingerprints: frozenset[str]) -> RepoOrigin:
    # a key that has signed nothing of the bundle is not one that the site has to trust
    needed = [key for key in repo.keys if repo.spec.gpgcheck and key.fingerprint in fingerprints]
    return RepoOrigin(
        id=repo.spec.id,
        urls=repo.spec.addresses,
        gpgcheck=repo.spec.gpgcheck,
        keys=tuple(key.armored.decode("ascii") for key in needed),
    )
