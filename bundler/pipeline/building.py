"""A manifest file -> an archive: the order of the steps, and where each reads and writes. docs/design.md, 1."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.archive.kept_texts import kept_texts
from bundler.errors import BundlerError, ErrorId, ManifestError
from bundler.manifest.reader import load_manifest, read_manifest, read_text
from bundler.model.lock import lock_pieces
from bundler.partial_file import remove_partial_files, write_pieces_durably
from bundler.pipeline.agreement import derived_disagreements, disagreements, require_answers
from bundler.pipeline.assembling import Built, assemble, entry_finder
from bundler.pipeline.discovery import discovered_from_lock
from bundler.pipeline.estimating import estimate_manifest, narrow_estimate
from bundler.pipeline.fetching import fetch_all
from bundler.pipeline.locking import pin_manifest
from bundler.pipeline.narrowing import narrow_lock, require_platforms
from bundler.pipeline.opened_lock import lock_path, read_lock
from bundler.pipeline.output_place import output_path, require_directory, require_output
from bundler.pipeline.planning import Plan, file_size_warning, plan_estimates, plan_lock, require_room, with_parity
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.lock import Lock
    from bundler.model.manifest import Manifest
    from bundler.pipeline.context import BuildContext, Request, Room
    from bundler.pipeline.estimating import Estimated

# final names that builds write
LEFT_BY_BUILDS = (
    ".tar.gz",
    ".tar.gz.sha256",
    ".tar.gz.sha256.sig",
    ".tar.gz.parts.sha256",
    ".tar.gz.parity.json",
    ".tar.gz.cdx.json",
    ".lock.json",
)


def update_lock(request: Request, context: BuildContext, patterns: Sequence[str]) -> tuple[Lock | None, Lock]:
    """Pin a manifest, keep what still holds, write the lock; returns the lock before and after.

    Arguments:
        patterns: shell globs of entries to pin anew although nothing changed.
    """
    manifest = load_manifest(request.manifest, tuple(context.kinds.values()), request.overrides)
    path = lock_path(request.manifest)
    _find_digest(manifest)
    previous = read_lock(path, context.decoders)
    if patterns and previous is None:
        raise _lock_missing(path)
    require_directory(path.parent)
    new = pin_manifest(manifest, context, previous=previous, update=patterns)
    if new.failure:
        raise new.failure
    write_pieces_durably(path, lock_pieces(new.lock))
    return previous, new.lock


def plan_build(request: Request, context: BuildContext) -> tuple[Plan, Room, Room]:
    """Return what a build would cost, and the room of the store's and the output's file systems."""
    manifest = load_manifest(request.manifest, tuple(context.kinds.values()), request.overrides)
    require_platforms(request.platforms, manifest.platforms)
    lock = _agreed_lock(manifest, request, context)
    if lock is not None:
        # what the entries mean is in the lock
        manifest = replace(manifest, entries={})
    store_room = context.room(context.store_root)
    output_room = context.room(output_path(request.output, manifest.archive_name).parent)
    if lock is None and request.bases.opened:
        # what is in an entry nobody knows before it is pinned
        raise _lock_missing(lock_path(request.manifest))
    if lock is None:
        estimates = estimate_manifest(manifest, context)
        return _estimated_plan(estimates, request, context), store_room, output_room
    if request.platforms:
        lock = narrow_lock(lock, request.platforms, context)
    return plan_lock(lock, context, request.bases), store_room, output_room


def build(request: Request, context: BuildContext) -> Built:
    """Make the archive: lock when there is no lock, fetch what the store lacks, assemble.

    Raises any BundlerError of the steps; nothing is left under a final name then.
    """
    text, manifest = _read(request, context)
    output = output_path(request.output, manifest.archive_name)
    require_platforms(request.platforms, manifest.platforms)
    agreed = _agreed_lock(manifest, request, context)
    require_output(output, request.output, _kept(request))
    _remove_leftovers(output, request, context)
    with kept_texts(output.parent) as keep:
        manifest_text = keep((text,))
        del text
        first = None if agreed else _write_first_lock(manifest, request, context)
        # what the entries mean is in the lock by now
        manifest = replace(manifest, entries={})
        lock = agreed or _written_lock(request, context)
        if request.platforms:
            lock = narrow_lock(lock, request.platforms, context)
        costs = _fetch_planned(lock, output, request, context, first)
        built = assemble(manifest, manifest_text, lock, output, request, context, keep)
        return replace(built, fetched_bytes=costs.fetched_bytes, present_bytes=costs.present_bytes)


@dataclass(frozen=True, slots=True)
class _Costs:
    """What was downloaded, and what of it the store had before, in bytes."""

    fetched_bytes: int
    present_bytes: int


def _fetch_planned(lock: Lock, output: Path, request: Request, context: BuildContext, first: int | None) -> _Costs:
    """Fetch what the store lacks, where there is room for the whole build.

    Arguments:
        first: bytes that the store had before the lock was made, where the progress has been told of them already.
    """
    plan = plan_lock(lock, context, request.bases, look_inside=request.sbom)
    room = context.room(output.parent)
    require_room(with_parity(plan, request.carry.parity_percent), context.room(context.store_root), room)
    if warning := file_size_warning(plan, room, request.carry.part_bytes):
        context.runner.progress.note(warning)
    if first is None:
        context.runner.progress.expect(plan.total_bytes, plan.present_bytes)
    fetch_all(plan.fetches, context, entry_finder(lock, request, context))
    present_bytes = min(plan.total_bytes, plan.present_bytes if first is None else first)
    return _Costs(plan.total_bytes - present_bytes, present_bytes)


def _read(request: Request, context: BuildContext) -> tuple[bytes, Manifest]:
    """Return the manifest and the very bytes it was read from, which travel in the bundle."""
    text = read_text(request.manifest)
    kinds = tuple(context.kinds.values())
    return text, read_manifest(text, file=str(request.manifest), kinds=kinds, overrides=request.overrides)


def _kept(request: Request) -> list[Path]:
    """Return what the archive may not replace: all that it is made of."""
    bases = (Path(base.source) for base in request.bases.opened if base.source is not None)
    return [request.manifest, lock_path(request.manifest), *bases]


def _remove_leftovers(output: Path, request: Request, context: BuildContext) -> None:
    """Remove what killed builds and updates left beside the archive and the lock, of whatever bundle."""
    for directory in {output.parent: None, request.manifest.parent: None}:
        if sentence := remove_partial_files(directory, LEFT_BY_BUILDS).sentence:
            context.runner.progress.note(f"{directory}: {sentence}")


def _find_digest(manifest: Manifest) -> None:
    """Let the digest be found out before the lock is read: what that takes for a while, the lock takes afterwards."""
    _ = manifest.digest


def _agreed_lock(manifest: Manifest, request: Request, context: BuildContext) -> Lock | None:
    path = lock_path(request.manifest)
    _find_digest(manifest)
    lock = read_lock(path, context.decoders)
    if lock is None:
        if request.locked:
            raise _lock_missing(path)
        return None
    require_answers(disagreements(manifest, lock, context.kinds, narrowed=request.platforms), where=str(path))
    # may bring into the store what entries are pinned to, which is what the manifest asks for by now
    derived = discovered_from_lock(manifest, lock, context)
    problems = derived_disagreements(manifest, lock, context.kinds, derived, narrowed=request.platforms)
    require_answers(problems, where=str(path))
    return lock


def _written_lock(request: Request, context: BuildContext) -> Lock:
    """Read the lock that was just written: what was pinned lies between all that pinning took, and holds its room."""
    path = lock_path(request.manifest)
    lock = read_lock(path, context.decoders)
    if lock is None:
        raise _lock_missing(path)
    return lock


def _write_first_lock(manifest: Manifest, request: Request, context: BuildContext) -> int:
    """Lock a manifest that never was, after a look at the disks: locking files means downloading them.

    Returns how many bytes of what it comes to the store had before.
    """
    path = lock_path(request.manifest)
    require_directory(path.parent)
    estimates = estimate_manifest(manifest, context)
    plan = _estimated_plan(estimates, request, context)
    require_room(
        plan, context.room(context.store_root), context.room(output_path(request.output, manifest.archive_name).parent)
    )
    context.runner.progress.expect(plan.total_bytes, plan.present_bytes)
    # of thousands of files the sizes were all that there is to know
    estimates = [item for item in estimates if item.failure or item.estimate.artifacts]
    present_bytes = plan.present_bytes
    del plan
    pinned = pin_manifest(manifest, context, estimates=estimates)
    if pinned.failure:
        _fetch_rest(pinned.lock, request, context)
        raise pinned.failure
    write_pieces_durably(path, lock_pieces(pinned.lock))
    return present_bytes


def _fetch_rest(lock: Lock, request: Request, context: BuildContext) -> None:
    """Fetch what could be pinned although something else could not, so that the next run has only that left to do."""
    with suppress(BundlerError):
        if request.platforms:
            lock = narrow_lock(lock, request.platforms, context)
        plan = plan_lock(lock, context)
        fetch_all(plan.fetches, context.keeping_going(True), entry_finder(lock, request, context))


def _estimated_plan(estimates: Sequence[Estimated], request: Request, context: BuildContext) -> Plan:
    return plan_estimates([narrow_estimate(item, request.platforms, context) for item in estimates], context)


def _lock_missing(path: Path) -> ManifestError:
    return ManifestError(
        ErrorId.LOCK_MISSING,
        tr("there is no lock"),
        where=str(path),
        remedy=tr("Run `bundler lock` on the manifest first, and keep the lock beside it."),
    )
