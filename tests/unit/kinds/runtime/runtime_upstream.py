"""What the tests of the kind `runtime` share: a Python in an archive, an index, and tools that start no program."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.kinds.base import Sources
from bundler.kinds.runtime.entry import RuntimeEntry
from bundler.kinds.runtime.interface import (
    BuiltWheel,
    FoundPackage,
    NoFittingWheelError,
    Tools,
    WantedWheel,
)
from bundler.kinds.runtime.kind import RuntimeKind
from bundler.manifest.reader import read_manifest
from bundler.model.digest import Digest
from bundler.model.platform import Platform
from tests.fakes.downloader import MappedDownloader
from tests.fakes.elf_file import AARCH64, X86_64, elf_file
from tests.fakes.registry import MemoryRegistry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bundler.kinds.runtime.interface import SourceModule
    from bundler.kinds.runtime.requirements import Target
    from bundler.model.runtime_artifact import PinnedWheel
    from tests.fakes.store import MemoryStore

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
MEMBER_S = 1_600_000_000
VERSION = "3.12.7"
LIBC = {"libc.so.6": ("GLIBC_2.2.5", "GLIBC_2.17")}
ITEM = "{python: {url: 'https://h/${machine}.tgz', sha256: {linux/amd64: A, linux/arm64: B}}}"


def program(machine: int = X86_64, **asked: object) -> bytes:
    """Return an interpreter that is linked with libpython and glibc."""
    settings = {"interpreter": "/lib/ld.so", "needed": ["libpython3.12.so.1.0", "libc.so.6"], "versions": LIBC}
    return elf_file(machine, **{**settings, **asked})  # type: ignore[arg-type]


def python_files(machine: int = X86_64) -> dict[str, bytes]:
    """Return name -> content of what an archive holds."""
    library = elf_file(machine, needed=["libc.so.6"], versions=LIBC)
    return {
        "python/bin/python3.12": program(machine),
        "python/bin/pip3": b"#!/bin/sh\n",
        "python/include/python3.12/patchlevel.h": f'#define PY_VERSION   "{VERSION}"\n'.encode(),
        "python/lib/libpython3.12.so.1.0": library,
        "python/lib/libtk8.6.so": library,
        "python/lib/python3.12/os.py": b"import sys\n",
        "python/lib/python3.12/email/header.py": b"import re\n",
        "python/lib/python3.12/lib-dynload/_ssl.so": library,
        "python/lib/python3.12/test/test_os.py": b"0\n",
        "python/lib/python3.12/tkinter/__init__.py": b"0\n",
        "python/lib/python3.12/site-packages/pip/__init__.py": b"0\n",
    }


def tgz(files: Mapping[str, bytes], links: Mapping[str, str] = {}) -> bytes:
    """Return a tar archive with files and links."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), MEMBER_S, 0o755
            tar.addfile(info, io.BytesIO(data))
        for name, target in links.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return gzip.compress(out.getvalue(), mtime=0)


def wheel(
    name: str,
    version: str,
    requires: Sequence[str] = (),
    files: Mapping[str, bytes] = {},
) -> bytes:
    """Return a wheel with one module and metadata."""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {line}\n" for line in requires)
    info = f"{name}-{version}.dist-info"
    contents = {f"{name}/__init__.py": f"# {name} {version}\n".encode(), f"{info}/METADATA": metadata.encode(), **files}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, data in contents.items():
            archive.writestr(zipfile.ZipInfo(path, (2022, 6, 12, 2, 13, 20)), data)
    return out.getvalue()


@dataclass(slots=True)
class MemoryIndex:
    """An index of wheels, and of sources that become wheels of the same name; every call is kept in `asked`."""

    wheels: dict[str, bytes] = field(default_factory=dict)
    sources: dict[str, bytes] = field(default_factory=dict)
    requires: dict[str, tuple[str, ...]] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def resolve(self, requirements: Sequence[str], target: Target, directory: Path) -> tuple[FoundPackage, ...]:
        """Take what is asked for by name, and as pip does all of its needs, whatever their markers say."""
        del target
        self.asked.append(tuple(requirements))
        built = {path.name.partition("-")[0] for path in directory.glob("*.whl")}
        for name in requirements:
            if name not in self.wheels and name not in built:
                raise NoFittingWheelError(name)
        found = []
        for name in requirements:
            digest = Digest.sha256(self.wheels[name]) if name in self.wheels else None
            found.append(FoundPackage(self._wanted(name, digest), self.requires.get(name, ())))
        return tuple(found)

    def build(self, requirement: str, directory: Path) -> BuiltWheel | None:
        """Make the wheel that is kept as its sources."""
        if requirement not in self.sources:
            return None
        made, sources = directory / f"{requirement}-1-py3-none-any.whl", directory / f"{requirement}-1.tar.gz"
        made.write_bytes(self.sources[requirement])
        sources.write_bytes(b"sources of " + requirement.encode())
        return BuiltWheel(made, sources)

    def offers(self, requirement: str, target: Target, directory: Path) -> tuple[str, ...]:
        """Name a wheel for another system."""
        del target, directory
        return (f"{requirement}-1-cp39-cp39-win32.whl",)

    def fetch(self, wheels: Sequence[WantedWheel], target: Target, directory: Path) -> Mapping[str, Path]:
        """Write the wheels out."""
        del target
        for wanted in wheels:
            (directory / wanted.file).write_bytes(self.wheels[wanted.name])
        return {wanted.file: directory / wanted.file for wanted in wheels}

    def rebuild(self, pin: PinnedWheel, directory: Path) -> BuiltWheel:
        """Make it again."""
        built = self.build(pin.name, directory)
        assert built is not None
        return built

    def _wanted(self, name: str, digest: Digest | None) -> WantedWheel:
        return WantedWheel(name, "1", f"{name}-1-py3-none-any.whl", digest)


@dataclass(slots=True)
class FakeInterpreter:
    """Makes byte-code that is the source after a word."""

    executable: Path | None = None
    word: bytes = b"code of "

    def compile(self, sources: Sequence[SourceModule], directory: Path) -> Mapping[str, Path]:
        """Leave out what no Python could compile."""
        made = {}
        for number, source in enumerate(sources):
            if (text := source.file.read_bytes()) != b"no Python\n":
                path = directory / f"{number}.pyc"
                path.write_bytes(self.word + text)
                made[source.path] = path
        return made


@dataclass(slots=True)
class FakeInterpreters:
    """`here`: whether a runtime's own Python runs; `there`: the installed one. `ran`: the programs that were tried."""

    here: bool = True
    there: FakeInterpreter | None = None
    machine: str = "x86_64"
    ran: list[bytes] = field(default_factory=list)

    def at(self, executable: Path, version: str) -> FakeInterpreter | None:
        """Keep what was run."""
        self.ran.append(executable.read_bytes())
        return FakeInterpreter(executable) if self.here and version == VERSION else None

    def installed(self, version: str) -> FakeInterpreter | None:
        """Return the installed one."""
        return self.there if version == VERSION else None


@dataclass(slots=True)
class FakeInstallation:
    """This tool, of a version."""

    version: str = "1"
    requires: tuple[str, ...] = ("click", 'asyncore; python_version >= "3.12"', 'solv; extra == "build"')

    def files(self) -> Mapping[str, bytes]:
        """Return the content of a wheel."""
        info = f"tool-{self.version}.dist-info"
        lines = ["Metadata-Version: 2.1", "Name: tool", f"Version: {self.version}"]
        lines += [f"Requires-Dist: {line}" for line in self.requires]
        text = "\n".join([*lines, "", ""]).encode()
        return {"tool/__init__.py": f"# {self.version}\n".encode(), f"{info}/METADATA": text}


@dataclass(slots=True)
class Upstream:
    """Everything a runtime is made of."""

    store: MemoryStore
    index: MemoryIndex = field(
        default_factory=lambda: MemoryIndex({"click": wheel("click", "1")}, {"asyncore": wheel("asyncore", "1")})
    )
    interpreters: FakeInterpreters = field(default_factory=FakeInterpreters)
    installation: FakeInstallation = field(default_factory=FakeInstallation)
    archives: dict[str, bytes] = field(
        default_factory=lambda: {
            "https://h/x86_64.tgz": tgz(python_files()),
            "https://h/aarch64.tgz": tgz(python_files(AARCH64)),
        }
    )
    run_unpinned: bool = False

    @property
    def kind(self) -> RuntimeKind:
        """The kind over these tools."""
        return RuntimeKind(lambda: Tools(self.index, self.interpreters, self.installation))

    @property
    def sources(self) -> Sources:
        """Sources over the archives."""
        downloader = MappedDownloader(self.archives)
        return Sources(downloader, MemoryRegistry(), self.store, "/home/op/m", run_unpinned=self.run_unpinned)

    def entry(self, item: str = ITEM) -> RuntimeEntry:
        """Read an entry; A and B in it are the digests of the archives."""
        for letter, url in (("A", "https://h/x86_64.tgz"), ("B", "https://h/aarch64.tgz")):
            item = item.replace(f": {letter}", f": '{Digest.sha256(self.archives[url]).hex}'")
        text = f"version: 1\nname: t\nplatforms: [linux/amd64, linux/arm64, linux/arm/v7]\nruntime:\n  - {item}\n"
        [read] = read_manifest(text.encode(), file="m.yaml", kinds=[self.kind]).entries["runtime"]
        assert isinstance(read, RuntimeEntry)
        return read
