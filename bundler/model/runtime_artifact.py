"""A runtime as the lock pins it: this tool with all that runs it, for one machine (docs/formats.md, "Lock").

Owns its JSON in the lock. One file is one line there, so that a thousand of them can be read and compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.json_value import want_count, want_text
from bundler.model.placement import MODES
from bundler.model.platform import Platform
from bundler.model.size_text import human_bytes
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bundler.model.json_value import Json

# where runtimes lie in the bundle
ROOT = "runtime/"
# how the name of a wheel ends; of what else a package is taken from, a wheel is made
WHEEL = ".whl"
# that of CentOS 7, the oldest system that this tool is for
FLOOR_GLIBC = (2, 17)
WITHOUT_BYTECODE = {
    "unpinned": tr("nothing vouches for its Python, which is executed with --run-unpinned only"),
    "no-interpreter": tr("the machine that locked it had no Python of exactly this version to run"),
}
_RELEASE = re.compile(r"3\.[0-9]{1,3}\.[0-9]{1,3}")
_GLIBC = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){1,2}")
# what is asked of pip in a line of its own: PyPA, "Names and normalization", "Version specifiers"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*\.(?:whl|tar\.gz|zip)")
_LINE = re.compile(r"([0-9a-f]{64}) ([0-9]{1,19}) (0[0-7]{3}) (.+)")


@dataclass(frozen=True, slots=True)
class RuntimeFile:
    """One file; `path` is below the runtime's own directory."""

    path: BundlePath
    content: Blob
    mode: int = 0o644

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(tr("mode {mode:o} of {path} is neither 644 nor 755", mode=self.mode, path=self.path))

    def encode(self) -> str:
        """Return its line in the lock: SHA-256, size, mode, path."""
        return f"{self.content.digest.hex} {self.content.size} {self.mode:04o} {self.path}"

    @classmethod
    def decode(cls, value: Any) -> RuntimeFile:
        """Read what `encode` wrote; ValueError or TypeError when it is something else."""
        match = _LINE.fullmatch(want_text(value))
        if match is None:
            raise ValueError(tr("{value!r} is not a line of SHA-256, size, mode and path", value=value))
        digest, size, mode, path = match.groups()
        return cls(BundlePath(path), Blob(Digest("sha256", digest), int(size)), int(mode, 8))


@dataclass(frozen=True, slots=True)
class PinnedPython:
    """The interpreter and its standard library.

    Arguments:
        version: in full, `3.12.7`.
        glibc: the version of glibc that the runtime needs, wheels included.
        libraries: the shared libraries that it needs of the host beside those of glibc and GCC, wheels included.
        urls: where the archive comes from, as in the manifest.
        download: the archive.
        held_to: what vouched for it.
        date: the newest date in it, in seconds since the epoch, or None.
    """

    version: str
    glibc: str
    urls: tuple[str, ...]
    download: Blob
    held_to: HeldTo
    date: int | None
    files: tuple[RuntimeFile, ...]
    libraries: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.urls:
            raise ValueError(tr("a Python has no url"))
        if not _RELEASE.fullmatch(self.version) or not _GLIBC.fullmatch(self.glibc):
            raise ValueError(
                tr(
                    "{version!r} is no release of Python 3, or {glibc!r} none of glibc",
                    version=self.version,
                    glibc=self.glibc,
                )
            )

    def encode(self) -> Json:
        """Return its JSON object."""
        return {
            "version": self.version,
            "glibc": self.glibc,
            "download": {"urls": list(self.urls), **self.download.encode()},
            "held_to": self.held_to.encode(),
            **_encode_date(self.date),
            **({"libraries": list(self.libraries)} if self.libraries else {}),
            "contents": _encode_files(self.files),
        }

    @classmethod
    def decode(cls, value: Any) -> PinnedPython:
        """Read what `encode` wrote; ValueError, KeyError or TypeError when it is something else."""
        download = value["download"]
        return cls(
            version=want_text(value["version"]),
            glibc=want_text(value["glibc"]),
            urls=tuple(want_text(url) for url in download["urls"]),
            download=Blob.decode(download),
            held_to=HeldTo.decode(value["held_to"]),
            date=_decode_date(value),
            files=_decode_files(value["contents"]),
            libraries=tuple(map(want_text, value.get("libraries", ()))),
        )


@dataclass(frozen=True, slots=True)
class PinnedWheel:
    """This tool, or a package that it needs.

    Arguments:
        file: the name of what it is taken from: a wheel, or a release of sources that is made one.
        download: that file's bytes.
        url: where the file comes from; "" for what pip brings, and for the running tool itself.
        date: the newest date in it, in seconds since the epoch, or None.
    """

    name: str
    version: str
    file: str
    download: Blob
    files: tuple[RuntimeFile, ...]
    url: str = ""
    date: int | None = None

    def __post_init__(self) -> None:
        if problem := package_problem(self.name, self.version, self.file):
            raise ValueError(problem)

    def encode(self) -> Json:
        """Return its JSON object."""
        return {
            "name": self.name,
            "version": self.version,
            "file": self.file,
            **self.download.encode(),
            **({"url": self.url} if self.url else {}),
            **_encode_date(self.date),
            "contents": _encode_files(self.files),
        }

    @classmethod
    def decode(cls, value: Any) -> PinnedWheel:
        """Read what `encode` wrote; ValueError, KeyError or TypeError when it is something else."""
        return cls(
            name=want_text(value["name"]),
            version=want_text(value["version"]),
            file=want_text(value["file"]),
            download=Blob.decode(value),
            files=_decode_files(value["contents"]),
            url=want_text(value.get("url", "")),
            date=_decode_date(value),
        )


@dataclass(frozen=True, slots=True)
class RuntimeArtifact:
    """A pinned runtime; ValueError when two of its files have one path.

    Arguments:
        tool: this tool's own wheel, which stays in the store whole.
        bytecode: what its Python makes of the modules.
        without_bytecode: why there is none, a key of `WITHOUT_BYTECODE`, or "".
    """

    platform: Platform
    python: PinnedPython
    tool: PinnedWheel
    wheels: tuple[PinnedWheel, ...]
    bytecode: tuple[RuntimeFile, ...] = ()
    without_bytecode: str = ""

    def __post_init__(self) -> None:
        if self.without_bytecode not in (("",) if self.bytecode else WITHOUT_BYTECODE):
            raise ValueError(
                tr(
                    "{key} has byte-code, or one of the reasons {without_bytecode}",
                    key=self.key,
                    without_bytecode=", ".join(WITHOUT_BYTECODE),
                )
            )
        seen: set[str] = set()
        for file in self.files:
            if file.path.collision_key in seen:
                raise ValueError(tr("{key} has {path} twice", key=self.key, path=file.path))
            seen.add(file.path.collision_key)

    @property
    def machine(self) -> str:
        """The machine, as `uname -m` has it."""
        return self.platform.machine

    @property
    def key(self) -> str:
        """Its directory in the bundle."""
        return f"{ROOT}{self.machine}"

    @property
    def files(self) -> tuple[RuntimeFile, ...]:
        """All files, byte-code included."""
        return tuple(file for _, files in self.dated_files for file in files)

    @property
    def dated_files(self) -> Iterator[tuple[int | None, tuple[RuntimeFile, ...]]]:
        """Its files in groups, each with the date that they have in the bundle."""
        yield self.python.date, self.python.files
        for wheel in (self.tool, *self.wheels):
            yield wheel.date, wheel.files
        yield None, self.bytecode

    @property
    def version(self) -> str:
        """A digest over all files and the tool's wheel, and what is in it."""
        lines = [*sorted(file.encode() for file in self.files), str(self.tool.download.digest)]
        digest = Digest.sha256("\n".join(lines).encode())
        return f"{digest} (CPython {self.python.version}, {self.tool.name} {self.tool.version})"

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.content.size for file in self.files)

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The one platform that it is for."""
        return (self.platform,)

    @property
    def held_to(self) -> HeldTo:
        """What vouched for its Python; wheels are held to what the index tells pip."""
        return self.python.held_to

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Every file, and the tool's wheel: no index has it."""
        return tuple(dict.fromkeys((self.tool.download, *(file.content for file in self.files))))

    @property
    def placed(self) -> Mapping[BundlePath, Blob]:
        """Every file at its path."""
        return {BundlePath(f"{self.key}/{file.path}"): file.content for file in self.files}

    @property
    def remarks(self) -> tuple[str, ...]:
        """How much it is, what it needs that not every host has, and whether it goes without byte-code."""
        found = [f"CPython {self.python.version}, {len(self.files):,} files, {human_bytes(self.size)} unpacked"]
        if tuple(map(int, self.python.glibc.split("."))) > FLOOR_GLIBC:
            found.append(tr("needs glibc {glibc}, which CentOS 7 has not", glibc=self.python.glibc))
        if self.python.libraries:
            found.append(tr("needs of the host: {libraries}", libraries=", ".join(self.python.libraries)))
        if self.without_bytecode:
            found.append(
                tr(
                    "travels without byte-code: {without_bytecode}",
                    without_bytecode=WITHOUT_BYTECODE[self.without_bytecode],
                )
            )
        return tuple(found)

    def encode(self) -> Json:
        """Return its JSON object in the lock."""
        return {
            "platform": str(self.platform),
            "python": self.python.encode(),
            "tool": self.tool.encode(),
            "wheels": [wheel.encode() for wheel in sorted(self.wheels, key=lambda wheel: wheel.name)],
            **({"bytecode": _encode_files(self.bytecode)} if self.bytecode else {}),
            **({"without_bytecode": self.without_bytecode} if self.without_bytecode else {}),
        }

    @classmethod
    def decode(cls, value: Any) -> RuntimeArtifact:
        """Read what `encode` wrote; ValueError, KeyError or TypeError when it is something else."""
        return cls(
            platform=Platform.parse(want_text(value["platform"])),
            python=PinnedPython.decode(value["python"]),
            tool=PinnedWheel.decode(value["tool"]),
            wheels=tuple(map(PinnedWheel.decode, value["wheels"])),
            bytecode=_decode_files(value.get("bytecode", ())),
            without_bytecode=want_text(value.get("without_bytecode", "")),
        )


def package_problem(name: str, version: str, file: str) -> str:
    """Return why these cannot be a package's name, its version, and the name of its file, or ""."""
    for pattern, text in ((_NAME, name), (_VERSION, version), (_FILE, file)):
        if not pattern.fullmatch(text):
            return tr("{text!r} cannot be of a package", text=text)
    return ""


def in_order(files: Iterable[RuntimeFile]) -> tuple[RuntimeFile, ...]:
    """Return files in the order that a lock has them in."""
    return tuple(sorted(files, key=lambda file: file.path.encode()))


def _encode_files(files: Iterable[RuntimeFile]) -> list[Json]:
    return [file.encode() for file in in_order(files)]


def _decode_files(value: Any) -> tuple[RuntimeFile, ...]:
    return tuple(map(RuntimeFile.decode, value))


def _encode_date(date: int | None) -> dict[str, Json]:
    return {} if date is None else {"date": date}


def _decode_date(value: Any) -> int | None:
    return want_count(value["date"]) if "date" in value else None
