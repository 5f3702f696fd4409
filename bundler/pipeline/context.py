"""What one command was asked to do, and what the steps work with. Wired once, in `cli`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.pipeline.bases import NO_BASES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bundler.archive.tar_stream import ChecksumCache
    from bundler.kinds.base import KindTable, Sources
    from bundler.model.lock import Decoder
    from bundler.model.platform import Platform
    from bundler.pipeline.bases import Bases
    from bundler.pipeline.runner import Runner
    from bundler.trust.interface import Signer


@dataclass(frozen=True, slots=True)
class CarryForm:
    """In which files an archive is written.

    Arguments:
        part_bytes: the size of its parts; None for one file.
        parity_percent: how much parity there is beside it, of its size; None for none.
    """

    part_bytes: int | None = None
    parity_percent: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What one command was asked to do.

    Arguments:
        manifest: the manifest's file.
        overrides: variables set on the command line.
        output: the archive's file, or a directory that exists (or ends with a slash).
        platforms: the platforms to narrow to; empty for all of the manifest's.
        locked: whether a missing lock is an error.
        date_cap: newest date any member may have, seconds since the epoch, or None.
        carry: in which files the archive is written.
        sbom: whether a bill of materials goes into the bundle, and another one beside the archive.
        signers: who signs what is built.
        bases: what the archive leaves content to that they vouch for.
        patches: whether it carries patches for what has changed since, where they are smaller.
    """

    manifest: Path
    overrides: Mapping[str, str]
    output: str = "."
    platforms: tuple[Platform, ...] = ()
    locked: bool = False
    date_cap: int | None = None
    carry: CarryForm = CarryForm()
    sbom: bool = False
    signers: tuple[Signer, ...] = ()
    bases: Bases = NO_BASES
    patches: bool = True


@dataclass(frozen=True, slots=True)
class Room:
    """A directory, its file system's device number, and the bytes free on it.

    Arguments:
        max_file_bytes: the size of the largest file that it takes; None where no limit is known.
    """

    directory: str
    device: int
    free_bytes: int
    max_file_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class BuildContext:
    """What the steps work with; wired once per command.

    Arguments:
        decoders: for each kind's name, what reads one of its artifacts from a lock.
        runner: does what can be done at once, and reports it.
        room: looks at a file system.
        checksums: the checksums of verified files of the store.
    """

    kinds: KindTable
    decoders: Mapping[str, Decoder]
    sources: Sources
    runner: Runner
    room: Callable[[Path], Room]
    store_root: Path
    checksums: ChecksumCache

    def keeping_going(self, keep_going: bool) -> BuildContext:
        """Return the same with another rule for failures."""
        return replace(self, runner=replace(self.runner, keep_going=keep_going))
