"""Packages that exist only as metadata: written as primary.xml and filelists.xml, to solve and never to install.

    app = Package("app", "1.0", requires=("libone >= 2", "(doc if man)"), files=("/usr/bin/app",))
    repo = solvable_repo("base", [app])
    assert choose([repo], "app") == ["app-1.0-1.x86_64"]

The XML is what createrepo_c writes of a package (src/xml_dump_primary.c, xml_dump_filelists.c), less what no solver
looks at.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO
from xml.sax.saxutils import escape, quoteattr

from bundler.manifest.yaml_documents import read_documents
from bundler.model.rpm.nevra import Nevra
from bundler.model.rpm.repo import RepoSpec
from bundler.model.source_text import Position
from bundler.rpm.solve.request import PackageSpec, SolvableRepo, SolveRequest
from bundler.rpm.solve.solving import solve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bundler.rpm.solve.request import Solution

_COMMON = "http://linux.duke.edu/metadata/common"
_RPM = "http://linux.duke.edu/metadata/rpm"
_FILELISTS = "http://linux.duke.edu/metadata/filelists"
_RELATION = {"=": "EQ", "<": "LT", ">": "GT", "<=": "LE", ">=": "GE"}
_DEPENDENCY = re.compile(r"(?P<name>\S+)(?: (?P<relation>[<>=]+) (?P<evr>\S+))?")
BUILT_AT = 1_600_000_000


@dataclass(frozen=True, slots=True)
class Package:
    """A package. Dependencies are `NAME`, `NAME >= [EPOCH:]VERSION[-RELEASE]` or rich ones in parentheses.

    It provides `name = evr` without being told.
    """

    name: str
    version: str = "1"
    release: str = "1"
    epoch: int = 0
    arch: str = "x86_64"
    provides: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    obsoletes: tuple[str, ...] = ()
    recommends: tuple[str, ...] = ()
    supplements: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    description: str = ""

    @property
    def nevra(self) -> Nevra:
        """Its full name."""
        return Nevra(self.name, self.epoch, self.version, self.release, self.arch)

    @property
    def pkgid(self) -> str:
        """The sha256 that the metadata give its file; there is no such file."""
        return hashlib.sha256(str(self.nevra).encode()).hexdigest()

    @property
    def href(self) -> str:
        """Where its file would lie."""
        return f"Packages/{self.name}-{self.version}-{self.release}.{self.arch}.rpm"

    @property
    def size(self) -> int:
        """How long its file would be."""
        return 1000 + len(self.name)


def primary_xml(packages: Sequence[Package]) -> bytes:
    """Return primary.xml."""
    head = f'<metadata xmlns="{_COMMON}" xmlns:rpm="{_RPM}" packages="{len(packages)}">\n'
    return "".join([_DECLARATION, head, *map(_primary, packages), "</metadata>\n"]).encode()


def filelists_xml(packages: Sequence[Package]) -> bytes:
    """Return filelists.xml."""
    head = f'<filelists xmlns="{_FILELISTS}" packages="{len(packages)}">\n'
    return "".join([_DECLARATION, head, *map(_filelist, packages), "</filelists>\n"]).encode()


def solvable_repo(
    repo_id: str,
    packages: Sequence[Package],
    *,
    comps: bytes = b"",
    modules: bytes = b"",
    records: Mapping[str, bytes] | None = None,
    opened: list[str] | None = None,
    spec: RepoSpec | None = None,
    where: str = "",
) -> SolvableRepo:
    """Return a repository of these packages.

    Arguments:
        records: bytes that stand in for what the packages would make of a record.
        opened: takes the kind of every record that is asked for.
        spec: instead of a plain one with that id.
        where: the place in the manifest.
    """
    offered = {"primary": primary_xml(packages), "filelists": filelists_xml(packages), "group": comps}
    offered |= {"modules": modules, **(records or {})}

    def open_record(kind: str) -> BinaryIO | None:
        if opened is not None:
            opened.append(kind)
        return plain_file(offered[kind]) if offered[kind] else None

    return SolvableRepo(spec or RepoSpec(repo_id, baseurls=(f"https://{repo_id}.example/",)), open_record, where)


def package_specs(*texts: str) -> tuple[PackageSpec, ...]:
    """Return package specs that stand on the lines 1, 2, ... of m.yaml."""
    return tuple(PackageSpec(text, Position("m.yaml", line, 5)) for line, text in enumerate(texts, 1))


def solve_for(
    repos: Sequence[SolvableRepo],
    *texts: str,
    arch: str = "x86_64",
    installed: tuple[Nevra, ...] | SolvableRepo | None = None,
    weak_dependencies: bool = False,
    multilib: bool = False,
    favored: tuple[Nevra, ...] = (),
    favored_names: tuple[str, ...] = (),
) -> Solution:
    """Solve package specs, by the real solver."""
    request = SolveRequest(arch, package_specs(*texts), installed, weak_dependencies, multilib, favored, favored_names)
    return solve(repos, request, read_documents=read_documents)


def choose(repos: Sequence[SolvableRepo], *texts: str) -> list[str]:
    """Return the full names that package specs come to on x86_64."""
    return [str(rpm.nevra) for rpm in solve_for(repos, *texts).packages]


def plain_file(data: bytes) -> BinaryIO:
    """Return the bytes as a file of the operating system, at its beginning."""
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - who asked for it closes it
    file.write(data)
    file.seek(0)
    return file


def is_primary_path(path: str) -> bool:
    """Tell whether primary.xml lists a file (createrepo_c, src/misc.c, `cr_is_primary`)."""
    return path.startswith("/etc/") or "bin/" in path or path == "/usr/lib/sendmail"


_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _primary(package: Package) -> str:
    own = f"{package.name} = {package.epoch}:{package.version}-{package.release}"
    relations = {
        "provides": (*package.provides, own),
        "requires": package.requires,
        "conflicts": package.conflicts,
        "obsoletes": package.obsoletes,
        "recommends": package.recommends,
        "supplements": package.supplements,
    }
    lists = "".join(
        f"<rpm:{kind}>{''.join(map(_entry, entries))}</rpm:{kind}>" for kind, entries in relations.items() if entries
    )
    files = _files(path for path in package.files if is_primary_path(path))
    return (
        f'<package type="rpm"><name>{escape(package.name)}</name><arch>{package.arch}</arch>{_version(package)}'
        f'<checksum type="sha256" pkgid="YES">{package.pkgid}</checksum><summary>The {escape(package.name)}</summary>'
        f"<description>{escape(package.description)}</description><packager/><url/>"
        f'<time file="{BUILT_AT}" build="{BUILT_AT}"/>'
        f'<size package="{package.size}" installed="1" archive="1"/><location href={quoteattr(package.href)}/>'
        f"<format><rpm:license>MIT</rpm:license><rpm:vendor/><rpm:group/><rpm:buildhost/><rpm:sourcerpm/>"
        f'<rpm:header-range start="1" end="2"/>{lists}{files}</format></package>\n'
    )


def _filelist(package: Package) -> str:
    return (
        f"<package pkgid={quoteattr(package.pkgid)} name={quoteattr(package.name)} arch={quoteattr(package.arch)}>"
        f"{_version(package)}{_files(package.files)}</package>\n"
    )


def _version(package: Package) -> str:
    return f'<version epoch="{package.epoch}" ver={quoteattr(package.version)} rel={quoteattr(package.release)}/>'


def _files(paths: Iterable[str]) -> str:
    return "".join(f"<file>{escape(path)}</file>" for path in paths)


def _entry(dependency: str) -> str:
    if dependency.startswith("("):
        return f"<rpm:entry name={quoteattr(dependency)}/>"
    match = _DEPENDENCY.fullmatch(dependency)
    if match is None:
        raise ValueError(dependency)
    if not (evr := match["evr"]):
        return f"<rpm:entry name={quoteattr(dependency)}/>"
    epoch, colon, rest = evr.rpartition(":")
    version, dash, release = rest.partition("-")
    part = f" rel={quoteattr(release)}" if dash else ""
    flags = _RELATION[match["relation"]]
    number = epoch if colon else "0"
    return (
        f'<rpm:entry name={quoteattr(match["name"])} flags="{flags}" epoch="{number}" ver={quoteattr(version)}{part}/>'
    )
