"""Input and result of a closure: package specs, repositories to choose from, chosen packages. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.model.digest import Digest
    from bundler.model.rpm.nevra import Nevra
    from bundler.model.rpm.repo import RepoSpec
    from bundler.model.source_text import Position


@dataclass(frozen=True, slots=True)
class PackageSpec:
    """One thing that has to be installable: a name, a glob, a full or partial NEVRA, a capability, a path, a @group.

    `position`: where the manifest asks for it, for messages.
    """

    text: str
    position: Position


@dataclass(frozen=True, slots=True)
class SolvableRepo:
    """A repository whose metadata are available.

    Arguments:
        open: takes the kind of a record (`primary`, `filelists`, `modules`, `group`) and returns its plain bytes as a
            file of the operating system (it has a descriptor) at its beginning, or None when the repository has no
            such record; the caller closes it. Only needed records are opened, each at most once.
        where: the position in the manifest, for messages; may be empty.
    """

    spec: RepoSpec
    open: Callable[[str], BinaryIO | None]
    where: str = ""


@dataclass(frozen=True, slots=True)
class SolveRequest:
    """What is wanted for which system.

    Arguments:
        arch: the target's architecture as rpm names it (`x86_64`).
        packages: to be installed all together.
        installed: what the target has already: full names (`rpm -qa`), or a repository of exactly those packages. A
            name that some repository lists (compared without the epoch where none is given: `rpm -qa` prints none)
            provides everything that the listed package does. Any other provides `name = version` alone, and is
            therefore updated when something needs more of it.
        weak_dependencies: follow Recommends and Supplements.
        multilib: also take packages of the compatible 32-bit architecture where something needs them.
        favored: packages of an earlier closure. Of several versions or providers that would do, one of these is taken,
            unless a spec or another package needs something else. Where no repository has one of them any more,
            another version of it is favored.
        favored_names: packages of an earlier closure that are to be updated: no other provider replaces them, and of
            their versions the newest counts, or an obsoleter.
    """

    arch: str
    packages: tuple[PackageSpec, ...]
    installed: tuple[Nevra, ...] | SolvableRepo | None = None
    weak_dependencies: bool = False
    multilib: bool = False
    favored: tuple[Nevra, ...] = ()
    favored_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class ChosenRpm:
    """A package of the closure.

    Arguments:
        href: relative to the repository's base URL, or a whole URL where the metadata give an `xml:base`.
        blob_size: of the package's file, in bytes; None where the metadata do not say it.
        checksum: of the package's file, from the metadata; a weak one is for the caller to judge.
    """

    nevra: Nevra
    repo_id: str
    href: str
    blob_size: int | None
    checksum: Digest
    summary: str


@dataclass(frozen=True, slots=True)
class Solution:
    """A closure: `packages` sorted by name; `notes` are for a person, and no reason to stop."""

    packages: tuple[ChosenRpm, ...]
    notes: tuple[str, ...] = ()
