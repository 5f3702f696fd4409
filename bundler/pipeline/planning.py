"""What a build will cost, before it begins: bytes to fetch, bytes at hand, room needed. Decides; fetches nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import nlargest
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, StorageError
from bundler.model.lock import lock_remarks
from bundler.model.size_text import human_bytes
from bundler.pipeline.bases import NO_BASES
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bundler.kinds.base import Fetch, KindTable
    from bundler.model.bundle_path import BundlePath
    from bundler.model.digest import Blob
    from bundler.model.lock import Lock
    from bundler.pipeline.bases import Bases
    from bundler.pipeline.context import BuildContext, Room
    from bundler.pipeline.estimating import Estimated

# the bundle's own files, tar headers and padding: generous, so that a plan never promises too little room
OVERHEAD_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PlannedFetch:
    """One fetch and whether the store already holds all it would bring."""

    kind: str
    fetch: Fetch
    present: bool


@dataclass(frozen=True, slots=True)
class CarriedShare:
    """How many bytes of a kind of content a delta carries, and how many it leaves to its bases."""

    kind: str
    carried_bytes: int
    left_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The cost of a build, all figures in bytes.

    `fetch`: over the network; `present`: in the store already; both together are the same before, during and after a
    build, each download counted once. `scratch`: peak of temporary files; `archive`: the most the archive can take;
    `unknown`: labels of downloads whose size the upstream does not tell; `remarks`: what else has
    to be known, a line each; `shares`: how much of each kind a delta carries, files that the builder makes not counted.
    """

    fetches: tuple[PlannedFetch, ...]
    fetch_bytes: int
    present_bytes: int
    scratch_bytes: int
    archive_bytes: int
    unknown: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    shares: tuple[CarriedShare, ...] = ()

    @property
    def total_bytes(self) -> int:
        """All that is downloaded for the bundle, in this run or an earlier one."""
        return self.fetch_bytes + self.present_bytes

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
        present_bytes=sum(item.fetch.transfer_bytes for item in planned if item.present),
        scratch_bytes=sum(nlargest(jobs, (fetch.scratch_bytes for fetch in missing))),
        archive_bytes=content_bytes + OVERHEAD_BYTES,
        unknown=tuple(unknown),
    )


def plan_lock(lock: Lock, context: BuildContext, bases: Bases = NO_BASES, *, look_inside: bool = False) -> Plan:
    """Return the cost of a build from a lock.

    Arguments:
        bases: what the archive leaves content to; what it does not carry and nobody reads is not fetched.
        look_inside: whether all content is read, carried or not.
    """
    content = _most_content_bytes(lock, bases)
    fetches = lock_fetches(lock, context.kinds)
    if not look_inside:
        fetches = tuple(item for item in fetches if item[1].to_place or not _is_left(item[1], bases))
    has, jobs = context.sources.store.has, context.runner.jobs.most
    plan = build_plan(fetches, has, jobs=jobs, content_bytes=content)
    return replace(plan, remarks=lock_remarks(lock), shares=carried_shares(lock, bases))


def carried_shares(lock: Lock, bases: Bases) -> tuple[CarriedShare, ...]:
    """Return what a delta of a lock carries, by kind; nothing for an archive without bases."""
    placed: dict[str, dict[BundlePath, Blob]] = {}
    for entry in lock.entries if bases.opened else ():
        for artifact in entry.artifacts:
            placed.setdefault(entry.kind, {}).update(artifact.placed)
    shares = []
    for kind, files in sorted(placed.items()):
        carried = sum(blob.size for blob in bases.missing(files.values()))
        shares.append(CarriedShare(kind, carried, sum(blob.size for blob in files.values()) - carried))
    return tuple(shares)


def _is_left(fetch: Fetch, bases: Bases) -> bool:
    return bool(fetch.provides) and not bases.missing(fetch.provides)


def _most_content_bytes(lock: Lock, bases: Bases) -> int:
    """Return the bytes of every file of the archive, one that lies in two places twice, and of what lies in none."""
    placed: dict[BundlePath, Blob] = {}
    for entry in lock.entries:
        for artifact in entry.artifacts:
            placed |= artifact.placed
    elsewhere = lock.blobs.difference(placed.values())
    return sum(blob.size for blob in bases.missing((*placed.values(), *elsewhere)))


def plan_estimates(estimates: Sequence[Estimated], context: BuildContext) -> Plan:
    """Return the cost of a build for which there is no lock yet; what entries share is counted once."""
    fetches: list[tuple[str, Fetch]] = []
    seen: set[Blob | str] = set()
    content = 0
    for estimated in estimates:
        for fetch in estimated.estimate.fetches:
            if fetch.provides and seen.issuperset(fetch.provides):
                continue
            # two places may want different parts of one download
            content += fetch.transfer_bytes
            if fetch.origin and fetch.origin in seen:
                continue
            seen.update(fetch.provides, (fetch.origin,))
            fetches.append((estimated.wanted.kind, fetch))
    unknown = [label for estimated in estimates for label in estimated.estimate.unknown]
    has, jobs = context.sources.store.has, context.runner.jobs.most
    plan = build_plan(fetches, has, jobs=jobs, content_bytes=content, unknown=unknown)
    return replace(plan, remarks=tuple(remark for estimated in estimates for remark in estimated.estimate.remarks))


def with_parity(plan: Plan, percent: int | None) -> Plan:
    """Return a plan with room for so much parity beside the archive, of its size, and for the sums of its blocks."""
    parity = plan.archive_bytes * (percent + 1) // 100 if percent else 0
    return replace(plan, archive_bytes=plan.archive_bytes + parity)


def file_size_warning(plan: Plan, output: Room, part_bytes: int | None) -> str:
    """Return what to say where the archive, or a part of it, may be too large a file for the output's disk; or ""."""
    largest = plan.archive_bytes if part_bytes is None else min(part_bytes, plan.archive_bytes)
    if output.max_file_bytes is None or largest <= output.max_file_bytes:
        return ""
    what = tr("the archive") if part_bytes is None else tr("a part")
    limit = tr(
        "the file system of {directory} takes no file above {max_file_bytes:,} bytes",
        directory=output.directory,
        max_file_bytes=output.max_file_bytes,
    )
    return tr(
        "{limit}, and {what} may have up to {largest:,}: build with --split fat32",
        limit=limit,
        what=what,
        largest=largest,
    )


def require_room(plan: Plan, store: Room, output: Room) -> None:
    """Raise StorageError (DISK_FULL) when the store's or the output's file system cannot hold the build."""
    needs = {store.device: plan.store_bytes}
    needs[output.device] = needs.get(output.device, 0) + plan.archive_bytes
    for room in (store, output):
        if needs[room.device] > room.free_bytes:
            raise StorageError(
                ErrorId.DISK_FULL,
                tr(
                    "the build needs {size} here and {room_free_bytes} are free",
                    size=human_bytes(needs[room.device]),
                    room_free_bytes=human_bytes(room.free_bytes),
                ),
                where=room.directory,
                remedy=tr("Make room, run `bundler store prune`, or choose another disk with --store and -o."),
            )
