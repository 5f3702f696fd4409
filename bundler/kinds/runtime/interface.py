"""What the kind `runtime` needs beside itself, as Protocols: pip, Pythons, and the installation that it runs from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bundler.model.runtime_artifact import package_problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bundler.kinds.runtime.requirements import Target
    from bundler.model.digest import Digest
    from bundler.model.runtime_artifact import PinnedWheel


class NoFittingWheelError(Exception):
    """The index has no wheel that answers a requirement for a target; caught where sources may be made one."""

    def __init__(self, requirement: str) -> None:
        super().__init__(requirement)
        self.requirement = requirement


@dataclass(frozen=True, slots=True)
class WantedWheel:
    """A wheel to be fetched: its file's name, and the digest it has to have, None for any.

    Raises ValueError for what cannot be a package's: it is asked of pip word by word.
    """

    name: str
    version: str
    file: str
    digest: Digest | None

    def __post_init__(self) -> None:
        if problem := package_problem(self.name, self.version, self.file):
            raise ValueError(problem)


@dataclass(frozen=True, slots=True)
class FoundPackage:
    """A package that answers a requirement.

    Arguments:
        wheel: its wheel, with what the index promises of it.
        requires: its lines of Requires-Dist.
    """

    wheel: WantedWheel
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuiltWheel:
    """A wheel, and the release of sources that it was made of."""

    wheel: Path
    sources: Path


class PackageIndex(Protocol):
    """Where packages come from, as pip is configured; every method raises SourceError and ToolMissingError (no pip)."""

    def resolve(self, requirements: Sequence[str], target: Target, directory: Path) -> tuple[FoundPackage, ...]:
        """Return packages that answer some requirements together, with those that they need; wheels only.

        Arguments:
            directory: holds wheels that were built here, which are taken as well.

        Raises NoFittingWheelError.
        """

    def build(self, requirement: str, directory: Path) -> BuiltWheel | None:
        """Make a wheel of a release of sources, into a directory; None where there is none, or it is for one machine.

        Runs what the release says: its build back-end.
        """

    def offers(self, requirement: str, target: Target, directory: Path) -> tuple[str, ...]:
        """Return the names of files that the index has and that do not fit, for a message."""

    def fetch(self, wheels: Sequence[WantedWheel], target: Target, directory: Path) -> Mapping[str, Path]:
        """Bring wheels into a directory and return name of the file -> where it is.

        Raises IntegrityError when one has another digest than is wanted.
        """

    def rebuild(self, pin: PinnedWheel, directory: Path) -> BuiltWheel:
        """Bring a pinned release of sources into a directory and make it a wheel; IntegrityError as `fetch`."""


@dataclass(frozen=True, slots=True)
class SourceModule:
    """A module to be compiled: where it lies, and its path below the runtime's directory."""

    file: Path
    path: str


class Interpreter(Protocol):
    """A Python that can be run here."""

    def compile(self, sources: Sequence[SourceModule], directory: Path) -> Mapping[str, Path]:
        """Return, for each path, the file with its byte-code; a module that is no Python 3 of its own is left out.

        Unchecked by hash (PEP 552); one fresh process with a fixed seed, so that equal sources give equal bytes.
        """


class Interpreters(Protocol):
    """The Pythons of this machine."""

    @property
    def machine(self) -> str:
        """This machine, as `uname -m` has it."""

    def at(self, executable: Path, version: str) -> Interpreter | None:
        """Return the interpreter there, when it runs here and is of this version in full; else None."""

    def installed(self, version: str) -> Interpreter | None:
        """Return an installed CPython of exactly this version, or None."""


class Installation(Protocol):
    """This tool, as it is installed."""

    def files(self) -> Mapping[str, bytes]:
        """Return the content of its wheel, name -> bytes, RECORD left out; ToolMissingError where there is none."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a runtime is made with; wired where the kind is, faked in tests."""

    index: PackageIndex
    interpreters: Interpreters
    installation: Installation
