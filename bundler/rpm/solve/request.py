"""What a closure is asked for and answered with: wishes, repositories to choose from, chosen packages. Values only."""

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
    """A repository whose metadata are at hand.

    Arguments:
        open: takes the kind of a record (`primary`, `filelists`, `modules`, `group`) and returns its plain bytes as a
            file of the operating system (it has a file number) at its beginning, or None when the repository has no
            such record; whoever calls closes it. Only what is needed is opened, a record at most once.
        where: the place in the manifest, for messages; may be empty.
    """

    spec: RepoSpec
    open: Callable[[str], BinaryIO | None]
    where: str = ""


@dataclass(frozen=True, slots=True)
class SolveRequest:
    """What is wanted for which system.

    Arguments:
        arch: the target's architecture as rpm names it (`x86_64`).
        packages: all of them are to be installed together.
        installed: what the target has already: full names (`rpm -qa`), or a repository that holds exactly that.
            A name that some repository lists exactly so, or but for the epoch where none is given (`rpm -qa` prints
            none), brings everything which that package provides. Any other stands for `name = version` alone, and is
            therefore brought up to date when something needs more of it.
        weak_dependencies: follow Recommends and Supplements.
        multilib: also take packages of the compatible 32-bit architecture where something asks for them.
        favored: what an earlier closure held. Of several versions or providers that would do, one of these is taken,
            unless a wish or another package needs something else. In place of one that no repository has any more,
            another version of it is favored.
        favored_names: what an earlier closure held and is to come anew: another provider does not take its place, and
            of its versions the newest counts, or what obsoletes it.
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
        blob_size: of the package's file, in bytes.
        checksum: of the package's file, as the metadata promise it.
    """

    nevra: Nevra
    repo_id: str
    href: str
    blob_size: int
    checksum: Digest
    summary: str


@dataclass(frozen=True, slots=True)
class Solution:
    """A closure: `packages` sorted by name; `notes` are worth a person's look and no reason to stop."""

    packages: tuple[ChosenRpm, ...]
    notes: tuple[str, ...] = ()
