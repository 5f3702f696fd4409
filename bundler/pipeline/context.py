"""What one command was asked to do, and what the steps work with. Wired once, in `cli`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bundler.archive.tar_stream import ChecksumCache
    from bundler.kinds.base import KindTable, Sources
    from bundler.model.platform import Platform
    from bundler.model.progress import Progress
    from bundler.pipeline.planning import Room


@dataclass(frozen=True, slots=True)
class Request:
    """What one command was asked to do.

    Arguments:
        manifest: the manifest's file.
        overrides: variables set on the command line.
        output: the archive's file, or a directory that exists (or ends with a slash).
        platforms: the platforms to narrow to; empty for all of the manifest's.
        locked: whether a missing lock is an error.
        jobs: downloads at once.
        keep_going: whether the rest is still fetched after a failure.
        date_cap: newest date any member may have, seconds since the epoch, or None.
    """

    manifest: Path
    overrides: Mapping[str, str]
    output: str = "."
    platforms: tuple[Platform, ...] = ()
    locked: bool = False
    jobs: int = 4
    keep_going: bool = False
    date_cap: int | None = None


@dataclass(frozen=True, slots=True)
class Workshop:
    """What the steps work with; wired once per command.

    Arguments:
        room: looks at a file system.
        checksums: the checksums of verified files of the store.
    """

    kinds: KindTable
    sources: Sources
    progress: Progress
    room: Callable[[Path], Room]
    store_root: Path
    checksums: ChecksumCache
