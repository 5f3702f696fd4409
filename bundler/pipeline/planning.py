"""What a build will cost, before it begins: bytes to fetch, bytes at hand, room needed. Decides; fetches nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import nlargest
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, StorageError
from bundler.kinds.base import Estimate
from bundler.pipeline.runner import Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bundler.kinds.base import Fetch, KindTable
    from bundler.model.digest import Blob
    from bundler.model.lock import Lock
    from bundler.model.manifest import Entry, Manifest
    from bundler.model.platform import Platform
    from bundler.model.progress import Progress, Task
    from bundler.pipeline.context import BuildContext, Room

# the bundle's own files, tar headers and padding: generous, so that a plan never promises too little room
OVERHEAD_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PlannedFetch:
    """One fetch and whether the store already holds all it would bring."""

    kind: str
    fetch: Fetch
    present: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The cost of a build, all figures in bytes.

    `fetch`: over the network; `present`: in the store already; `scratch`: peak of temporary files; `archive`: the most
    the archive can take; `unknown`: labels of downloads whose size the upstream does not tell.
    """

    fetches: tuple[PlannedFetch, ...]
    fetch_bytes: int
    present_bytes: int
    scratch_bytes: int
    archive_bytes: int
    unknown: tuple[str, ...] = ()

    @property
    def moved_bytes(self) -> int:
        """What a build fetches and then writes, for its progress."""
        return self.fetch_bytes + self.archive_bytes - OVERHEAD_BYTES

    @property
    def store_bytes(self) -> int:
        """Room that the store's file system needs."""
        return self.fetch_bytes + self.scratch_bytes


def lock_fetches(lock: Lock, kinds: KindTable) -> tuple[tuple[str, Fetch], ...]:
    """Return every fetch that a lock may need, with the name of its kind, in the lock's order."""
    found: list[tuple[str, Fetch]] = []
    for name, kind in kinds.items():
        artifacts = [artifact for entry in lock.entries if entry.kind == name for artifact in entry.artifacts]
        found += [(name, fetch) for fetch in kind.fetches(artifacts)]
    return tuple(found)


def build_plan(
    fetches: Sequence[tuple[str, Fetch]],
    has: Callable[[Blob], bool],
    *,
    jobs: int,
    content_bytes: int,
    unknown: Sequence[str] = (),
) -> Plan:
    """Weigh fetches against what the store has.

    Arguments:
        has: tells whether the store holds a blob.
        jobs: how many fetches run at once; as many of the largest need their scratch space at the same time.
        content_bytes: all content of the bundle.
        unknown: labels of downloads of unknown size.
    """
    planned = tuple(
        PlannedFetch(kind, fetch, bool(fetch.provides) and all(has(blob) for blob in fetch.provides))
        for kind, fetch in fetches
    )
    missing = [item.fetch for item in planned if not item.present]
    return Plan(
        fetches=planned,
        fetch_bytes=sum(fetch.transfer_bytes for fetch in missing),
        present_bytes=sum(blob.size for item in planned if item.present for blob in item.fetch.provides),
        scratch_bytes=sum(nlargest(jobs, (fetch.scratch_bytes for fetch in missing))),
        archive_bytes=content_bytes + OVERHEAD_BYTES,
        unknown=tuple(unknown),
    )


def plan_lock(lock: Lock, context: BuildContext) -> Plan:
    """Return the cost of a build from a lock."""
    content = sum(blob.size for blob in lock.blobs)
    fetches = lock_fetches(lock, context.kinds)
    return build_plan(fetches, context.sources.store.has, jobs=context.runner.jobs, content_bytes=content)


@dataclass(frozen=True, slots=True)
class _NotesOnly:
    """Progress for questions that move next to nothing: only what is worth a line is passed on."""

    progress: Progress

    def expect(self, total_bytes: int) -> None:
        """Show nothing."""

    def task(self, label: str, total_bytes: int | None) -> Task:  # noqa: ARG002 - nothing is counted
        return _NotedTask(label, self.progress)

    def note(self, text: str) -> None:
        self.progress.note(text)


@dataclass(frozen=True, slots=True)
class _NotedTask:
    label: str
    progress: Progress

    def advance(self, count: int) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        self.progress.note(f"{self.label}: {text}")

    def finish(self, outcome: str = "") -> None:
        """Show nothing."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """An entry of the named kind and what it will cost, or why that could not be told."""

    kind: str
    entry: Entry
    estimate: Estimate
    failure: Exception | None = None


def estimate_manifest(manifest: Manifest, context: BuildContext) -> list[Estimated]:
    """Ask the upstream, for a manifest without a lock, how much each entry is; in the manifest's order.

    A failure is kept with its entry where the runner keeps going; otherwise it is raised.
    """
    wanted = [(name, entry) for name, entries in manifest.entries.items() for entry in entries]
    units = [Unit(entry.id, 0, (name, entry)) for name, entry in wanted]

    def ask(work: tuple[str, Entry], task: Task) -> Estimated:
        name, entry = work
        return Estimated(name, entry, context.kinds[name].estimate(entry, context.sources, task))

    quiet = replace(context.runner, progress=_NotesOnly(context.runner.progress))
    outcome = quiet.attempt_all(units, ask)
    nothing = Estimate(())
    return [
        outcome.results.get(index) or Estimated(name, entry, nothing, outcome.failures[index])
        for index, (name, entry) in enumerate(wanted)
    ]


def narrow_estimate(estimated: Estimated, platforms: Sequence[Platform], context: BuildContext) -> Estimated:
    """Return what an entry costs a build for some platforms; what is not pinned yet is wanted whole by the lock."""
    kind, pinned = context.kinds[estimated.kind], estimated.estimate.artifacts
    if not platforms or not pinned:
        return estimated
    left = [part for artifact in pinned if (part := kind.narrow(artifact, platforms, context.sources)) is not None]
    return replace(estimated, estimate=replace(estimated.estimate, fetches=kind.fetches(left), artifacts=tuple(left)))


def plan_estimates(estimates: Sequence[Estimated], context: BuildContext) -> Plan:
    """Return the cost of a build for which there is no lock yet; blobs shared between entries are counted once."""
    fetches: list[tuple[str, Fetch]] = []
    seen: set[Blob] = set()
    for estimated in estimates:
        for fetch in estimated.estimate.fetches:
            if fetch.provides and seen.issuperset(fetch.provides):
                continue
            seen.update(fetch.provides)
            fetches.append((estimated.kind, fetch))
    unknown = [label for estimated in estimates for label in estimated.estimate.unknown]
    content = sum(fetch.transfer_bytes for _, fetch in fetches)
    has, jobs = context.sources.store.has, context.runner.jobs
    return build_plan(fetches, has, jobs=jobs, content_bytes=content, unknown=unknown)


def require_room(plan: Plan, store: Room, output: Room) -> None:
    """Raise StorageError (DISK_FULL) when the store's or the output's file system cannot hold the build."""
    needs = {store.device: plan.store_bytes}
    needs[output.device] = needs.get(output.device, 0) + plan.archive_bytes
    for room in (store, output):
        if needs[room.device] > room.free_bytes:
            raise StorageError(
                ErrorId.DISK_FULL,
                f"the build needs {needs[room.device]:,} bytes here and {room.free_bytes:,} are free",
                where=room.directory,
                remedy="Make room, run `bundler store prune`, or choose another disk with --store and -o.",
            )
