"""A lock for some of its platforms: what of it they need."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ManifestError
from bundler.model.lock import Lock
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.lock import LockedEntry
    from bundler.model.platform import Platform
    from bundler.pipeline.context import BuildContext


def require_platforms(wanted: Sequence[Platform], offered: Sequence[Platform]) -> None:
    """Raise ManifestError (IMAGE_PLATFORM_MISSING) when a platform is wanted that the manifest is not for."""
    if absent := [str(platform) for platform in wanted if platform not in offered]:
        raise ManifestError(
            ErrorId.IMAGE_PLATFORM_MISSING,
            tr(
                "the manifest is not for {absent}, only for {offered}",
                absent=", ".join(absent),
                offered=", ".join(map(str, offered)),
            ),
            remedy=tr("Add the platform to the manifest's `platforms` and run `bundler lock`, or ask for another."),
        )


def narrow_lock(lock: Lock, platforms: Sequence[Platform], context: BuildContext) -> Lock:
    """Return the part of a lock that serves these platforms; raises as `require_platforms` does."""
    require_platforms(platforms, lock.platforms)
    narrowed = [_narrow_entry(entry, platforms, context) for entry in lock.entries]
    # an entry of which nothing is left stays for what it yields
    parents = {entry.derived_from for entry in narrowed if entry.artifacts}
    entries = tuple(entry for entry in narrowed if entry.artifacts or entry.name in parents)
    return Lock(lock.manifest, tuple(platforms), lock.variables, entries)


def _narrow_entry(entry: LockedEntry, platforms: Sequence[Platform], context: BuildContext) -> LockedEntry:
    kind = context.kinds[entry.kind]
    parts = (kind.narrow(artifact, platforms, context.sources) for artifact in entry.artifacts)
    return replace(entry, artifacts=tuple(part for part in parts if part is not None))
