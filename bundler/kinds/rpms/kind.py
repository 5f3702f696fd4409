"""RPMs: entries of `rpms:` in the manifest, each a closed, signed yum repository for another system than this one.

Owns how the parts fit. Reading the entries is `bundler.kinds.rpms.reading`, choosing and pinning
`bundler.kinds.rpms.locking`, getting the bytes `bundler.kinds.rpms.fetching`, laying out `bundler.kinds.rpms.placing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.kinds.base import Estimate, Fetch, Sources
from bundler.kinds.downloading import pinned_blob
from bundler.kinds.rpms.reading import check_rpm_entries, read_rpm_entry
from bundler.kinds.rpms.schema import RPM_SCHEMA
from bundler.model.rpm.artifact import RepoArtifact, RpmArtifact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bundler.kinds.rpms.entry import RpmEntry
    from bundler.model.artifact import Artifact
    from bundler.model.json_value import Json
    from bundler.model.lock import LockedEntry
    from bundler.model.placement import Placement
    from bundler.model.platform import Platform
    from bundler.model.progress import Task
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node

RpmsArtifact = RpmArtifact | RepoArtifact


def _packages(artifacts: Sequence[Artifact]) -> list[RpmArtifact]:
    return [artifact for artifact in artifacts if isinstance(artifact, RpmArtifact)]


class RpmsKind:
    """The kind `rpms`."""

    @property
    def name(self) -> str:
        """The key in the manifest."""
        return "rpms"

    @property
    def schema(self) -> Mapping[str, Json]:
        """The JSON schema of one item."""
        return RPM_SCHEMA

    def read(self, node: Node, scope: Scope) -> RpmEntry | None:
        """Read one item, and the list of what the target has already where it names one; see `EntryReader`."""
        return read_rpm_entry(node, scope)

    def check(self, entries: Sequence[RpmEntry], scope: Scope) -> None:
        """Report repositories that lie inside each other; warn of a platform that the bundle is not for."""
        check_rpm_entries(entries, scope)

    def estimate(self, entry: RpmEntry, sources: Sources, task: Task) -> Estimate:
        """Choose the packages from the metadata, which say how large they are; no package is moved."""
        from bundler.kinds.rpms.locking import find_closure

        closure = find_closure(entry, sources, task)
        fetches = [
            Fetch(
                label=rpm.nevra.file_name,
                provides=() if pinned is None else (pinned,),
                transfer_bytes=rpm.blob_size,
                scratch_bytes=0,
                artifacts=(f"{entry.path}/{rpm.nevra.name}.{rpm.nevra.arch}",),
                detail=None,
                title=f"{entry.path}/{rpm.nevra}",
            )
            for rpm in closure.packages
            if rpm.blob_size is not None
            for pinned in [pinned_blob(rpm.checksum, rpm.blob_size)]
        ]
        unknown = (f"{entry.path}/{rpm.nevra}" for rpm in closure.packages if rpm.blob_size is None)
        return Estimate(tuple(fetches), tuple(unknown))

    def lock(
        self,
        entry: RpmEntry,
        sources: Sources,
        task: Task,
        *,
        kept: Sequence[RpmsArtifact] = (),
        moved: Sequence[RpmsArtifact] = (),
    ) -> tuple[RpmsArtifact, ...]:
        """Choose, fetch and authenticate the packages; see `pin_rpms` for what is raised."""
        from bundler.kinds.rpms.locking import pin_rpms

        return pin_rpms(entry, sources, task, kept=_packages(kept), moved=_packages(moved))

    def disagreements(
        self, entry: RpmEntry, pinned: Sequence[RpmsArtifact], platforms: Sequence[Platform]
    ) -> Iterable[str]:
        """Hold the packages and their repository against the entry; see `Kind`."""
        from bundler.kinds.rpms.disagreements import rpm_disagreements

        return rpm_disagreements(entry, pinned, platforms)

    def narrow(self, artifact: RpmsArtifact, platforms: Sequence[Platform], sources: Sources) -> RpmsArtifact | None:
        """Return the artifact when its repository is for any of these platforms."""
        del sources
        return artifact if any(artifact.platform.matches(wanted) for wanted in platforms) else None

    def fetches(self, artifacts: Sequence[RpmsArtifact]) -> tuple[Fetch, ...]:
        """Return one fetch per package."""
        from bundler.kinds.rpms.fetching import rpm_fetches

        return rpm_fetches(_packages(artifacts))

    def fetch(self, fetch: Fetch, sources: Sources, task: Task) -> None:
        """Bring one package into the store."""
        from bundler.kinds.rpms.fetching import RpmFetch, fetch_rpm

        if not isinstance(fetch.detail, RpmFetch):
            raise TypeError(f"{fetch.label} is no fetch of packages")
        fetch_rpm(fetch.detail, sources, task)

    def place(
        self, entries: Sequence[LockedEntry], platforms: Sequence[Platform], sources: Sources
    ) -> Sequence[Placement]:
        """Return the directory of every entry; its repodata are made here, from the packages' own headers."""
        from bundler.kinds.rpms.placing import installed_placements, repository_placements

        del platforms
        placements: list[Placement] = []
        repositories: list[RepoArtifact] = []
        for entry in entries:
            packages = _packages(entry.artifacts)
            for artifact in entry.artifacts:
                if isinstance(artifact, RepoArtifact):
                    repositories.append(artifact)
                    placements += repository_placements(artifact, packages, sources.store, kind=self.name)
        return [*placements, *installed_placements(repositories, kind=self.name)]
