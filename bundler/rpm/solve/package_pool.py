"""The packages of several repositories in one libsolv pool, searched by name, capability or path. Ids are libsolv's.

Owns loading metadata and queries about packages; refuses to choose (`choosing`) and to interpret package specs
(`install_jobs`). libsolv documents its binding in doc/libsolv-bindings.txt; three mistakes crash the interpreter: an
unopened file passed to `add_rpmmd`, objects of a pool that outlive it, and a query to a pool whose index is not built,
which is also the case after anything was added. So nothing of libsolv leaves this package, and every query builds the
index first if necessary.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from bundler.errors import ToolMissingError
from bundler.python_package import installing
from bundler.rpm.metadata.repomd import FILELISTS, PRIMARY
from bundler.rpm.metadata.xml_document import invalid_metadata
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bundler.rpm.solve.request import SolvableRepo

SOURCE_ARCHES = frozenset({"src", "nosrc"})
# dnf.conf(5): of priorities the lowest wins, of costs too; libsolv's highest wins
HIGHEST_PRIORITY = 100
# rpm keeps 32 bits of it
MAX_EPOCH_DIGITS = 11


class FullName(NamedTuple):
    """A package's name in parts; no epoch is epoch 0."""

    name: str
    epoch: int
    version: str
    release: str
    arch: str

    def __str__(self) -> str:
        epoch = f"{self.epoch}:" if self.epoch else ""
        return f"{self.name}-{epoch}{self.version}-{self.release}.{self.arch}"

    @property
    def with_epoch(self) -> str:
        """The form of names in module metadata: with an epoch, always."""
        return f"{self.name}-{self.epoch}:{self.version}-{self.release}.{self.arch}"


def load_libsolv() -> Any:
    """Return the module `solv`; ToolMissingError when it is not installed."""
    try:
        import solv
    except ImportError as error:
        raise ToolMissingError("libsolv", package=installing("solv"), needed_for=tr("RPM repositories")) from error
    return solv


class PackagePool:
    """All loaded packages; see the module's docstring. `arch` is the target's.

    `solv` and `pool` are libsolv's own, for queries about single packages.
    """

    def __init__(self, arch: str) -> None:
        self.arch = arch
        self.solv = load_libsolv()
        self.pool = self.solv.Pool()
        self.pool.setdisttype(self.solv.Pool.DISTTYPE_RPM)
        self.pool.setarch(arch)
        kind = self.solv.Pool
        # Excluded packages stay visible to the texts about a problem. A package of another word size neither replaces
        # nor obsoletes one: that is how libsolv is built for the distributions that use dnf.
        for flag in (kind.POOL_FLAG_WHATPROVIDESWITHDISABLED, kind.POOL_FLAG_IMPLICITOBSOLETEUSESCOLORS):
            self.pool.set_flag(flag, 1)
        self.pool.set_flag(kind.POOL_FLAG_OBSOLETEUSESCOLORS, 1)
        self.excluded: Mapping[int, str] = {}
        self._loaded: list[tuple[SolvableRepo, Any]] = []
        self._indexed = False
        self._names: dict[str, list[int]] | None = None
        self._obsoleters: dict[str, list[tuple[int, Any]]] | None = None

    def add(self, repo: SolvableRepo, *, installed: bool = False) -> None:
        """Load a repository's packages; SourceError (REPO_METADATA_INVALID) when its primary metadata are unusable."""
        loaded = self.pool.add_repo(repo.spec.id)
        loaded.priority = HIGHEST_PRIORITY - repo.spec.priority
        loaded.subpriority = -repo.spec.cost
        if not self._load(repo, loaded, PRIMARY, None, 0):
            raise invalid_metadata(
                tr("has no primary metadata, which list its packages"), tr("repository {id}", id=repo.spec.id)
            )
        if installed:
            self.take_as_installed(loaded)
        self._loaded.append((repo, loaded))

    def take_as_installed(self, repo: Any) -> None:
        """Make one of libsolv's repositories the packages that the target has already."""
        self.pool.installed = repo
        self._names, self._obsoleters, self._indexed = None, None, False

    def add_filelists(self) -> None:
        """Load the files of all packages, where so far there are only those that primary metadata list."""
        kind = self.solv.Repo
        for repo, loaded in self._loaded:
            self._load(repo, loaded, FILELISTS, "FL", kind.REPO_EXTEND_SOLVABLES | kind.REPO_LOCALPOOL)

    def _load(self, repo: SolvableRepo, loaded: Any, record: str, language: str | None, flags: int) -> bool:
        stream = repo.open(record)
        if stream is None:
            return False
        where = tr("{record} metadata of repository {id}", record=record, id=repo.spec.id)
        self._names, self._obsoleters, self._indexed = None, None, False
        with contextlib.closing(stream):
            # libsolv duplicates the descriptor; the file name says that the bytes are not compressed
            file = self.solv.xfopen_fd(f"{record}.xml", stream.fileno())
            if file is None:
                raise invalid_metadata(tr("cannot be opened"), where)
            with contextlib.closing(file):
                if not loaded.add_rpmmd(file, language, flags):
                    raise invalid_metadata(tr("cannot be read: {errstr}", errstr=self.pool.errstr.strip()), where)
        return True

    def build_index(self) -> tuple[str, ...]:
        """Build the index; return the paths on which some package depends."""
        paths = self.pool.addfileprovides_queue()
        self.pool.createwhatprovides()
        self._indexed = True
        return tuple(self.pool.id2str(path) for path in paths)

    def ensure_index(self) -> None:
        """Build the index if anything was added since it was built."""
        if not self._indexed:
            self.build_index()

    def exclude(self, excluded: Mapping[int, str]) -> None:
        """Exclude packages from every choice: id -> why, as the rest of a sentence that begins with its name."""
        self.excluded = excluded
        self.pool.set_disabled_list(sorted(excluded))

    def full_name(self, package: int) -> FullName:
        """Return a package's name."""
        solvable = self.pool.id2solvable(package)
        epoch, colon, version_release = solvable.evr.rpartition(":")
        version, _, release = version_release.rpartition("-")
        number = int(epoch) if colon and epoch.isascii() and epoch.isdigit() and len(epoch) < MAX_EPOCH_DIGITS else 0
        return FullName(solvable.name, number, version, release, solvable.arch)

    def repo_id(self, package: int) -> str:
        """Return the id of the repository that a package is from."""
        repo_id: str = self.pool.id2solvable(package).repo.name
        return repo_id

    def is_installed(self, package: int) -> bool:
        """Tell whether it is one that the target has already."""
        return bool(self.pool.id2solvable(package).isinstalled())

    def is_installable(self, package: int) -> bool:
        """Tell whether it may be chosen: not excluded, not a source package, of a compatible architecture."""
        return package not in self.excluded and bool(self.pool.id2solvable(package).installable())

    def named(self, name: str) -> Sequence[int]:
        """Return the packages of a name."""
        if self._names is not None:
            return self._names.get(name, ())
        # every package provides its own name
        return [package for package in self.providing_name(name) if self.pool.id2solvable(package).name == name]

    @property
    def names(self) -> Mapping[str, Sequence[int]]:
        """All packages by name, source packages left out."""
        if self._names is None:
            self._names = {}
            for solvable in self.pool.solvables_iter():
                if solvable.arch not in SOURCE_ARCHES:
                    self._names.setdefault(solvable.name, []).append(solvable.id)
        return self._names

    def providing_name(self, name: str) -> Sequence[int]:
        """Return the packages that provide a capability in any version, or a file on which some package depends."""
        self.ensure_index()
        dep = self.pool.str2id(name, False)
        return [solvable.id for solvable in self.pool.whatprovides(dep)] if dep else []

    def providing(self, text: str) -> Sequence[int]:
        """Return the packages that provide `NAME`, `NAME = VERSION`, a glob of names, or part of a rich dependency."""
        self.ensure_index()
        if text.startswith("("):
            rich = self.rich_dependency(text)
            return [solvable.id for solvable in self.pool.whatprovides(rich.id)] if rich else []
        kind = self.solv.Selection
        flags = kind.SELECTION_PROVIDES | kind.SELECTION_GLOB | kind.SELECTION_REL | kind.SELECTION_WITH_DISABLED
        return self._selected(text, flags | kind.SELECTION_WITH_BADARCH)

    def rich_dependency(self, text: str) -> Any | None:
        """Return libsolv's form of a rich dependency, None for anything else."""
        return self.pool.parserpmrichdep(text)

    def shipping(self, path: str) -> Sequence[int]:
        """Return the packages that have a file of that path (or glob) among the loaded files."""
        kind = self.solv.Selection
        flags = kind.SELECTION_FILELIST | kind.SELECTION_GLOB | kind.SELECTION_WITH_DISABLED
        return self._selected(path, flags | kind.SELECTION_WITH_BADARCH)

    def _selected(self, text: str, flags: int) -> Sequence[int]:
        self.ensure_index()
        return [solvable.id for solvable in self.pool.select(text, flags).solvables()]

    def obsoleting(self, packages: Iterable[int]) -> Iterator[int]:
        """Yield the packages that obsolete any of these by name and version."""
        self.ensure_index()
        if self._obsoleters is None:
            self._obsoleters = {}
            for match in self.pool.Dataiterator(self.solv.SOLVABLE_OBSOLETES):
                name = match.idstr.partition(" ")[0]
                self._obsoleters.setdefault(name, []).append((match.solvid, match.dep))
        for package in packages:
            solvable = self.pool.id2solvable(package)
            for obsoleter, dep in self._obsoleters.get(solvable.name, ()):
                if solvable.matchesdep(self.solv.SOLVABLE_NAME, dep):
                    yield obsoleter

    def dependencies(self, package: int) -> Sequence[int]:
        """Return what a package requires and conflicts with, as dependency ids."""
        solvable = self.pool.id2solvable(package)
        required: list[int] = solvable.lookup_idarray(self.solv.SOLVABLE_REQUIRES)
        return [*required, *solvable.lookup_idarray(self.solv.SOLVABLE_CONFLICTS)]

    def dependency_text(self, dependency: int) -> str:
        """Return a dependency as dnf prints it."""
        text: str = self.pool.dep2str(dependency)
        return text
