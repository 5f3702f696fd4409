"""A build context without a network: for tests of the pipeline, whose kinds know what is upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.kinds.base import Sources
from bundler.pipeline.adaptive_jobs import FixedJobs
from bundler.pipeline.context import BuildContext, Room
from bundler.pipeline.runner import Runner
from tests.fakes.notes import NoteArtifact
from tests.fakes.progress import RecordingProgress
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from bundler.kinds.base import AnyKind
    from bundler.model.digest import Blob
    from bundler.model.progress import Progress


class EmptyChecksums:
    """A checksum cache that stays empty."""

    def crc32(self, blob: Blob, status: os.stat_result) -> int | None:
        """Know of none."""

    def record(self, blob: Blob, status: os.stat_result, crc32: int) -> None:
        """Keep nothing."""


def build_context(
    directory: Path,
    *kinds: AnyKind,
    store: MemoryStore | None = None,
    jobs: int = 1,
    keep_going: bool = False,
    progress: Progress | None = None,
    free_bytes: int = 0,
) -> BuildContext:
    """Return a context of these kinds.

    Arguments:
        kinds: their artifacts are notes.
        store: one in the directory where none is given.
        free_bytes: the room on every disk.
    """
    store = store or MemoryStore(directory)
    sources = Sources(None, None, store, str(directory))  # type: ignore[arg-type] # these kinds need no network
    runner = Runner(jobs=FixedJobs(jobs), keep_going=keep_going, progress=progress or RecordingProgress())
    room = Room("", 0, free_bytes)
    table = {kind.name: kind for kind in kinds}
    decoders = dict.fromkeys(table, NoteArtifact.decode)
    return BuildContext(table, decoders, sources, runner, lambda _: room, directory, EmptyChecksums())
